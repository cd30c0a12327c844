"""What is done with duplicates that are not kept: moved away, made one file with the kept one, or trashed."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import DuplicateError, OptionError, display_name, reason_of
from bof.grouping.choosing import Choice
from bof.grouping.journal import Action, Entry, Journal
from bof.grouping.moving import link_file, move_file
from bof.grouping.types import Group, Member
from bof.system.files import sha256_of

Trash = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """One file, the one that is kept instead, and what is to be done. refusal: why it must be left alone, "" if not."""

    action: Action
    member: Member
    keeper: Member | None
    target: Path | None
    refusal: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a deed ended. failed: the system refused; problem: why it was not done, "" where it was."""

    deed: Deed
    failed: bool
    problem: str


def require_trash() -> Trash:
    """The system's trash. Raises DuplicateError where the package for it is missing."""
    try:
        from send2trash import send2trash
    except ImportError as error:
        advice = 'install it with: pip install "bof[trash]"'
        raise DuplicateError("{trash} needs the package send2trash", advice=advice) from error
    return send2trash  # type: ignore[no-any-return]


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
                deeds.append(Deed(action, member, choice.keeper, target, refusal))
    return deeds


def _refusal(member: Member, choice: Choice, action: Action) -> str:
    if choice.keeper is None:
        return choice.held.get(member.id) or choice.why
    if member.id in choice.held:
        return choice.held[member.id]
    if action == "link" and member.sha256 != choice.keeper.sha256:
        return "has not the same bytes as the kept one"
    return _same_file(member, choice.keeper)


def _same_file(member: Member, keeper: Member) -> str:
    try:
        same = os.path.samestat(os.lstat(member.path), os.lstat(keeper.path))
    except OSError as error:
        return f"cannot be read: {reason_of(error)}"
    return "is one file with the kept one already" if same else ""


def _target(member: Member, folder: Path, roots: Sequence[Path], taken: set[str]) -> Path:
    """The path below its indexed folder, in the new folder; with a part of the content's hash where that is taken."""
    path = Path(member.path)
    homes = [root for root in roots if path.is_relative_to(root)]
    home = max(homes, key=lambda root: len(root.parts), default=path.parent)
    wanted = Path(os.path.abspath(folder)) / path.relative_to(home)
    stem = f"{wanted.stem}-{member.sha256[:12]}"
    names = [wanted.name, stem + wanted.suffix, *(f"{stem}-{number}{wanted.suffix}" for number in range(2, 10000))]
    free = (wanted.with_name(name) for name in names)
    target = next((p for p in free if os.path.normcase(p) not in taken and not os.path.lexists(p)), wanted)
    taken.add(os.path.normcase(target))
    return target


# -- Doing it ---------------------------------------------------------------------------------------------------------


def perform(deeds: Sequence[Deed], journal: Journal, trash: Trash | None = None) -> Iterator[Outcome]:
    """Do what was planned, one after another; what fails is named and the rest goes on.

    Both files are read again just before: what is no longer as it was indexed is left alone, and so is everything whose
    kept picture is no longer there. Raises DuplicateError only where the log cannot be written.
    """
    fresh = _Freshness({})
    for number, deed in enumerate(deeds, 1):
        yield _perform(number, deed, journal, fresh, trash)


@dataclass(frozen=True, slots=True)
class _Freshness:
    """Whether files are as they were indexed; kept ones are read again only when something has touched them."""

    seen: dict[int, tuple[int, ...]]

    def problem(self, member: Member, *, remember: bool = False) -> str:
        """Why a file must not be relied on, or "". Raises OSError where it cannot be read."""
        try:
            found = os.lstat(member.path)
        except FileNotFoundError:
            return "is gone"
        if not stat.S_ISREG(found.st_mode):
            return "is a link or no regular file"
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if remember and self.seen.get(member.id) == now:
            return ""
        if found.st_size != member.n_bytes or sha256_of(Path(member.path)) != member.sha256:
            return "has changed since it was indexed"
        self.seen[member.id] = now
        return ""


def _perform(number: int, deed: Deed, journal: Journal, fresh: _Freshness, trash: Trash | None) -> Outcome:
    try:
        refusal = deed.refusal or _refusal_now(deed, fresh)
        if refusal:
            return Outcome(deed, False, refusal)
        entry = _entry(number, deed)
    except OSError as error:
        return Outcome(deed, True, _reason(error, deed))
    journal.begin(entry)
    problem = ""
    try:
        _do(deed, entry, trash)
    except OSError as error:
        problem = _reason(error, deed)
    journal.end(entry, problem or "done")
    return Outcome(deed, bool(problem), problem)


def _reason(error: OSError, deed: Deed) -> str:
    """What went wrong, and where, if it was not with the file itself."""
    text = reason_of(error)
    elsewhere = error.filename is not None and os.fsdecode(error.filename) != str(deed.member.path)
    return f"{text}: {display_name(os.fsdecode(error.filename))}" if elsewhere else text


def _refusal_now(deed: Deed, fresh: _Freshness) -> str:
    assert deed.keeper is not None
    problem = fresh.problem(deed.member)
    if problem:
        return problem
    problem = fresh.problem(deed.keeper, remember=True)
    return f"the picture to keep {problem}" if problem else _same_file(deed.member, deed.keeper)


def _entry(number: int, deed: Deed) -> Entry:
    member, found = deed.member, os.lstat(deed.member.path)
    target = {"move": deed.target, "link": deed.keeper.path if deed.keeper else None, "trash": None}[deed.action]
    beside = deed.target if deed.action == "move" and deed.target else Path(member.path)
    part = beside.with_name(f".bof-{uuid.uuid4().hex}.partial")
    places = (member.path, str(target or ""), str(part))
    return Entry(
        number, deed.action, member.name, *places, member.sha256, member.n_bytes, found.st_mtime_ns, found.st_mode,
        found.st_ino,
    )  # fmt: skip


def _do(deed: Deed, entry: Entry, trash: Trash | None) -> None:
    path = Path(deed.member.path)
    if deed.action == "move":
        move_file(path, Path(entry.target), Path(entry.part), entry.sha256)
    elif deed.action == "link":
        link_file(Path(entry.target), path, Path(entry.part))
    elif trash is not None:
        trash(str(path))
