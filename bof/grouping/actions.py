"""What is done with duplicates that are not kept: moved away, made one file with the kept one, or trashed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bof.errors import OptionError, display_name, reason_of
from bof.grouping.choosing import Choice
from bof.grouping.content import ChangedError, Content, require
from bof.grouping.journal import Action, Entry, Journal, new_part, real
from bof.grouping.moving import LeftError, link_file, move_file
from bof.grouping.trash import Trash, trash_file
from bof.grouping.types import Group, Member
from bof.system.folders import open_folder


@dataclass(frozen=True, slots=True)
class Deed:
    """One file, the one that is kept instead, and what is to be done. refusal: why it must be left alone, "" if not.

    path, kept: of the two files, with folders as they lay on the disk when it was planned, without links.
    """

    action: Action
    member: Member
    keeper: Member | None
    target: Path | None
    refusal: str
    path: Path
    kept: Path | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a deed ended. failed: the system refused; problem: why it was not done, "" where it was.

    left: where a file lies that is neither where it was nor where it should be.
    """

    deed: Deed
    failed: bool
    problem: str
    left: Path | None = None


def require_outside(
    folder: Path, roots: Sequence[Path], pictures: Sequence[Path] = (), index: Path | None = None
) -> None:
    """Raises OptionError where duplicates moved to a folder would stay in the collection, or it is no folder."""

    def refused(expected: str, found: str) -> OptionError:
        advice = "name another folder"
        return OptionError(option="move_to", path=folder, expected=f"a folder {expected}", found=found, advice=advice)

    place = Path(os.path.realpath(folder))
    if place.exists() and not place.is_dir():
        raise refused("or nothing there", "a file")
    if index and place.is_relative_to(os.path.realpath(index)):
        raise refused("outside the index", "it inside")
    for root in (Path(os.path.realpath(root)) for root in roots):
        if place.is_relative_to(root):
            raise refused("outside the collection", f"it in {display_name(root)}, which is indexed")
        if root.is_relative_to(place):
            raise refused("that does not hold the collection", f"{display_name(root)}, which is indexed, in it")
    for path in pictures:
        if Path(os.path.realpath(path)).is_relative_to(place):
            raise refused("that holds no picture of the collection", f"{display_name(path)} in it")


def plan(
    groups: Sequence[Group], choices: Sequence[Choice], action: Action, folder: Path | None, roots: Sequence[Path]
) -> list[Deed]:
    """A deed for every member that is not kept, by group. folder: where to move to; roots: the indexed folders."""
    taken: set[str] = set()
    deeds = []
    for group, choice in zip(groups, choices, strict=True):
        for member in group.members:
            if choice.keeper is None or member.id != choice.keeper.id:
                refusal = _refusal(member, choice, action)
                target = _target(member, folder, roots, taken) if folder and not refusal else None
                kept = real(Path(choice.keeper.path)) if choice.keeper else None
                deeds.append(Deed(action, member, choice.keeper, target, refusal, real(Path(member.path)), kept))
    return deeds


def _refusal(member: Member, choice: Choice, action: Action) -> str:
    if choice.keeper is None:
        return choice.held.get(member.id) or choice.why
    if member.id in choice.held:
        return choice.held[member.id]
    if action == "link" and member.sha256 != choice.keeper.sha256:
        return "has not the same bytes as the kept one"
    return _same_file(Path(member.path), Path(choice.keeper.path))


def _same_file(path: Path, kept: Path) -> str:
    try:
        same = os.path.samestat(os.lstat(path), os.lstat(kept))
    except OSError as error:
        return f"cannot be read: {reason_of(error)}"
    return "is one file with the kept one already" if same else ""


def _target(member: Member, folder: Path, roots: Sequence[Path], taken: set[str]) -> Path:
    """The path below its indexed folder, in the new folder; with a part of the content's hash where that is taken."""
    path = Path(member.path)
    homes = [root for root in roots if path.is_relative_to(root)]
    home = max(homes, key=lambda root: len(root.parts), default=path.parent)
    preferred = Path(os.path.realpath(folder)) / path.relative_to(home)
    stem = f"{preferred.stem}-{member.sha256[:12]}"
    names = [
        preferred.name,
        stem + preferred.suffix,
        *(f"{stem}-{number}{preferred.suffix}" for number in range(2, 10000)),
    ]
    free = (preferred.with_name(name) for name in names)
    target = next((p for p in free if os.path.normcase(p) not in taken and not os.path.lexists(p)), preferred)
    taken.add(os.path.normcase(target))
    return target


# -- Doing it ---------------------------------------------------------------------------------------------------------


def perform(deeds: Sequence[Deed], journal: Journal, trash: Trash | None = None) -> Iterator[Outcome]:
    """Do what was planned, one after another; what fails is named and the rest goes on.

    Both files are read again just before: what is no longer as it was indexed is left alone, and so is everything whose
    kept picture is no longer there. What another program saves meanwhile stays where it saved it, or at a place that
    the outcome and the log name. Raises DuplicateError only where the log cannot be written.
    """
    fresh = _Freshness()
    for number, deed in enumerate(deeds, 1):
        yield _perform(number, deed, journal, fresh, trash)


@dataclass(frozen=True, slots=True)
class _Freshness:
    """Whether files are as they were indexed; kept ones are read again only when something has touched them."""

    seen: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def facts(self, member: Member, path: Path) -> os.stat_result:
        """The facts of a file as it was read. Raises ChangedError where it must not be relied on, OSError."""
        try:
            with open_folder(path.parent) as folder:
                return require(folder, path.name, Content(member.sha256, member.n_bytes))
        except FileNotFoundError as error:
            raise ChangedError("is gone") from error

    def require_kept(self, member: Member, path: Path) -> None:
        """Raises ChangedError unless a kept file is as it was indexed, OSError where it cannot be read."""
        found = os.lstat(path) if os.path.lexists(path) else None
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) if found else ()
        if not now or self.seen.get(member.id) != now:
            try:
                self.facts(member, path)
            except ChangedError as error:
                raise ChangedError(f"the picture to keep {error}") from error
            self.seen[member.id] = now


def _perform(number: int, deed: Deed, journal: Journal, fresh: _Freshness, trash: Trash | None) -> Outcome:
    try:
        if deed.refusal:
            return Outcome(deed, False, deed.refusal)
        entry = _entry(number, deed, fresh)
    except ChangedError as error:
        return Outcome(deed, False, str(error))
    except OSError as error:
        return Outcome(deed, True, _reason(error, deed))
    journal.begin(entry)
    outcome = _attempt(deed, entry, trash)
    journal.end(entry, outcome.problem or "done", outcome.left)
    return outcome


def _entry(number: int, deed: Deed, fresh: _Freshness) -> Entry:
    """What the log says before it is done. Raises ChangedError where a file is not as it was indexed."""
    assert deed.keeper is not None
    assert deed.kept is not None
    found = fresh.facts(deed.member, deed.path)
    fresh.require_kept(deed.keeper, deed.kept)
    if problem := _same_file(deed.path, deed.kept):
        raise ChangedError(problem)
    targets = {"move": deed.target, "link": deed.kept, "trash": None}
    beside = deed.target if deed.action == "move" and deed.target else deed.path
    places = (str(deed.path), str(targets[deed.action] or ""), str(beside.with_name(new_part())))
    return Entry(
        number, deed.action, deed.member.name, *places, deed.member.sha256, deed.member.n_bytes,
        found.st_mtime_ns, found.st_mode, found.st_ino,
    )  # fmt: skip


def _attempt(deed: Deed, entry: Entry, trash: Trash | None) -> Outcome:
    try:
        _do(deed, entry, trash)
    except ChangedError as error:
        return Outcome(deed, False, str(error))
    except LeftError as error:
        return Outcome(deed, True, f"{error}; what it held is at {display_name(error.place)}", error.place)
    except OSError as error:
        return Outcome(deed, True, _reason(error, deed))
    return Outcome(deed, False, "")


def _do(deed: Deed, entry: Entry, trash: Trash | None) -> None:
    content = replace(entry.content, inode=entry.inode, mtime_ns=entry.mtime_ns)
    if entry.action == "move":
        move_file(deed.path, Path(entry.target), entry.way.aside, entry.way.part, content)
    elif entry.action == "link":
        link_file(Path(entry.target), deed.path, entry.way, content)
    elif trash is not None:
        trash_file(deed.path, entry.way, content, trash)


def _reason(error: OSError, deed: Deed) -> str:
    """What went wrong, and where, if it was not with the file itself."""
    text = reason_of(error)
    where = "" if error.filename is None else os.fsdecode(error.filename)
    is_here = where in ("", deed.path.name, str(deed.path)) or where.startswith(".bof-")
    return text if is_here else f"{text}: {display_name(where)}"
