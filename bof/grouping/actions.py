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
from bof.images.address import is_part, is_remote
from bof.system.folders import open_folder


@dataclass(frozen=True, slots=True)
class FileAction:
    """One file, the one that is kept instead, and what is to be done. refusal: why it must be left alone, "" if not.

    path, keeper_path: of the two files, with folders as they lay on the disk when it was planned, without links.
    """

    action: Action
    member: Member
    keeper: Member | None
    target: Path | None
    refusal: str
    path: Path
    keeper_path: Path | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended. failed: the system refused; problem: why it was not done, "" where it was.

    left: where a file lies that is neither where it was nor where it should be.
    """

    file_action: FileAction
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
) -> list[FileAction]:
    """An action for every member that is not kept, by group. folder: where to move to; roots: the indexed folders."""
    taken: set[str] = set()
    file_actions = []
    for group, choice in zip(groups, choices, strict=True):
        for member in group.members:
            if choice.keeper is None or member.id != choice.keeper.id:
                refusal = _refusal(member, choice, action)
                target = _target(member, folder, roots, taken) if folder and not refusal else None
                keeper_path = real(Path(choice.keeper.path)) if choice.keeper else None
                file_actions.append(
                    FileAction(action, member, choice.keeper, target, refusal, real(Path(member.path)), keeper_path)
                )
    return file_actions


def _refusal(member: Member, choice: Choice, action: Action) -> str:
    if choice.keeper is None:
        return choice.held.get(member.id) or choice.why
    if member.id in choice.held:
        return choice.held[member.id]
    if is_remote(member.path) or is_remote(choice.keeper.path):
        return "lies on another machine" if is_remote(member.path) else "the kept one lies on another machine"
    if is_part(member.path) or is_part(choice.keeper.path):
        return "lies in a file with other pictures" if is_part(member.path) else "the kept one lies in such a file"
    if action == "link" and member.sha256 != choice.keeper.sha256:
        return "has not the same bytes as the kept one"
    return _same_file(Path(member.path), Path(choice.keeper.path))


def _same_file(path: Path, keeper_path: Path) -> str:
    try:
        same = os.path.samestat(os.lstat(path), os.lstat(keeper_path))
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


def perform(file_actions: Sequence[FileAction], journal: Journal, trash: Trash | None = None) -> Iterator[Outcome]:
    """Do what was planned, one after another; what fails is named and the rest goes on.

    Both files are read again just before: what is no longer as it was indexed is left alone, and so is everything whose
    kept picture is no longer there. What another program saves meanwhile stays where it saved it, or at a place that
    the outcome and the log name. Raises DuplicateError only where the log cannot be written.
    """
    fresh = _Freshness()
    for number, file_action in enumerate(file_actions, 1):
        yield _perform(number, file_action, journal, fresh, trash)


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

    def require_keeper(self, member: Member, path: Path) -> None:
        """Raises ChangedError unless a kept file is as it was indexed, OSError where it cannot be read."""
        found = os.lstat(path) if os.path.lexists(path) else None
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) if found else ()
        if not now or self.seen.get(member.id) != now:
            try:
                self.facts(member, path)
            except ChangedError as error:
                raise ChangedError(f"the picture to keep {error}") from error
            self.seen[member.id] = now


def _perform(number: int, file_action: FileAction, journal: Journal, fresh: _Freshness, trash: Trash | None) -> Outcome:
    try:
        if file_action.refusal:
            return Outcome(file_action, False, file_action.refusal)
        entry = _entry(number, file_action, fresh)
    except ChangedError as error:
        return Outcome(file_action, False, str(error))
    except OSError as error:
        return Outcome(file_action, True, _reason(error, file_action))
    journal.begin(entry)
    outcome = _attempt(file_action, entry, trash)
    journal.end(entry, outcome.problem or "done", outcome.left)
    return outcome


def _entry(number: int, file_action: FileAction, fresh: _Freshness) -> Entry:
    """What the log says before it is done. Raises ChangedError where a file is not as it was indexed."""
    assert file_action.keeper is not None
    assert file_action.keeper_path is not None
    member = file_action.member
    found = fresh.facts(member, file_action.path)
    fresh.require_keeper(file_action.keeper, file_action.keeper_path)
    if problem := _same_file(file_action.path, file_action.keeper_path):
        raise ChangedError(problem)
    targets = {"move": file_action.target, "link": file_action.keeper_path, "trash": None}
    beside = file_action.target if file_action.action == "move" and file_action.target else file_action.path
    places = (str(file_action.path), str(targets[file_action.action] or ""), str(beside.with_name(new_part())))
    return Entry(
        number, file_action.action, member.name, *places, member.sha256, member.n_bytes, found.st_mtime_ns,
        found.st_mode, found.st_ino,
    )  # fmt: skip


def _attempt(file_action: FileAction, entry: Entry, trash: Trash | None) -> Outcome:
    try:
        _do(file_action, entry, trash)
    except ChangedError as error:
        return Outcome(file_action, False, str(error))
    except LeftError as error:
        return Outcome(file_action, True, f"{error}; what it held is at {display_name(error.place)}", error.place)
    except OSError as error:
        return Outcome(file_action, True, _reason(error, file_action))
    return Outcome(file_action, False, "")


def _do(file_action: FileAction, entry: Entry, trash: Trash | None) -> None:
    content = replace(entry.content, inode=entry.inode, mtime_ns=entry.mtime_ns)
    if entry.action == "move":
        move_file(file_action.path, Path(entry.target), entry.way.aside, entry.way.part, content)
    elif entry.action == "link":
        link_file(Path(entry.target), file_action.path, entry.way, content)
    elif trash is not None:
        trash_file(file_action.path, entry.way, content, trash)


def _reason(error: OSError, file_action: FileAction) -> str:
    """What went wrong, and where, if it was not with the file itself."""
    text = reason_of(error)
    where = "" if error.filename is None else os.fsdecode(error.filename)
    is_here = where in ("", file_action.path.name, str(file_action.path)) or where.startswith(".bof-")
    return text if is_here else f"{text}: {display_name(where)}"
