"""What is decided about duplicates is done here: they leave the index, are moved or trashed, and come back.

Files are touched only where the server was started for it: those of the index, below its folders, moved to one folder
that was named at the start, or into the trash. `bof.grouping` does that and writes its log before each step.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bof.engine import Engine
from bof.errors import BofError, DuplicateError, OptionError, display_name
from bof.grouping.actions import FileAction, Outcome, perform, plan, require_outside
from bof.grouping.journal import Entry, default_log, read_entries, writing
from bof.grouping.trash import Trash, require_trash
from bof.grouping.undoing import undo_one
from bof.images.address import file_of
from bof.server.collection import ServedCollection
from bof.server.http.problems import ProblemError, not_found
from bof.server.jobs.annotations import read_fields, write_fields
from bof.server.jobs.changes import Changes
from bof.server.jobs.found import FoundGroup
from bof.server.jobs.queue import Job, Work
from bof.store.catalog import Fields, ImageRecord
from bof.system.locking import one_writer
from bof.system.steps import Stage
from bof.system.units import when

FileWork = Literal["move", "trash"]
Action = Literal["remove", "move", "trash"]

_AT_ONCE = 500
"""Pictures that leave the index in one commit."""
_MOST_LISTED = 20
"""Actions that are listed to be undone; of removals no more are remembered."""
_LOGS = "bof-duplicates-*.jsonl"


@dataclass(frozen=True, slots=True)
class Removal:
    """Pictures that left the index while their files stayed: their fields by path. created: seconds since 1970."""

    fields: Mapping[str, Fields]
    created: float


@dataclass(frozen=True, slots=True)
class Decisions:
    """Makes the work of jobs. moves: where duplicates may be moved to; None: files are not touched."""

    collection: ServedCollection
    changes: Changes
    moves: Path | None
    removals: OrderedDict[str, Removal] = field(default_factory=OrderedDict)

    @property
    def actions(self) -> list[Action]:
        """What this server may do with duplicates."""
        if self.moves is None:
            return ["remove"]
        return ["remove", "move", "trash"] if _trash() else ["remove", "move"]

    def require(self, action: str) -> None:
        """Raises ProblemError, forbidden, for what this server may not do."""
        if action not in self.actions:
            expected = "a server that was started with --allow-moves"
            more = " and has the package send2trash" if action == "trash" else ""
            raise ProblemError("forbidden", f"expected {expected}{more}, found one that may not {action} files")

    def work(self, action: Action, groups: Sequence[FoundGroup]) -> Work:
        """Let the duplicates of some groups go."""
        return self._remove(groups) if action == "remove" else self._move(action, groups)

    # -- Out of the index ---------------------------------------------------------------------------------------------

    def _remove(self, groups: Sequence[FoundGroup]) -> Work:
        def work(job: Job) -> None:
            members = [member for group in groups for member in self._removable(group, job)]
            fields: dict[str, Fields] = {}
            stage = Stage(job.show, "removing", len(members))
            try:
                for first in range(0, len(members), _AT_ONCE):
                    some = members[first : first + _AT_ONCE]
                    found = self.collection.fields_of(some)
                    job.removed += self.changes.take_out(some)
                    fields |= {path: found[path] for path in found if not self.collection.is_uploaded(path)}
                    stage.advance(len(some))
            finally:
                self._remember(job.id, fields)

        return work

    def _removable(self, group: FoundGroup, job: Job) -> Iterator[ImageRecord]:
        """Its duplicates. The file of an upload is deleted with it, so the kept picture must be there and unchanged."""
        uploads = [member for member in group.duplicates if self.collection.is_uploaded(member.path)]
        if uploads and group.keeper and not self._stands(group.keeper):
            for member in uploads:
                job.skip(display_name(member.name), "the picture to keep is gone or has changed since it was indexed")
            uploads_left = {member.id for member in uploads}
            yield from (member for member in group.duplicates if member.id not in uploads_left)
            return
        yield from group.duplicates

    def _stands(self, image: ImageRecord) -> bool:
        try:
            self.collection.content(image)
        except ProblemError:
            return False
        return True

    def _remember(self, job: str, fields: Mapping[str, Fields]) -> None:
        if fields:
            self.removals[job] = Removal(fields, datetime.now(UTC).timestamp())
        while len(self.removals) > _MOST_LISTED:
            self.removals.popitem(last=False)

    # -- Elsewhere ----------------------------------------------------------------------------------------------------

    def _move(self, action: FileWork, groups: Sequence[FoundGroup]) -> Work:
        def work(job: Job) -> None:
            file_actions = self._planned(action, groups)
            stage = Stage(job.show, "moving", len(file_actions))
            gone: list[ImageRecord] = []
            try:
                with closing(self._performed(action, file_actions)) as outcomes:
                    for outcome in outcomes:
                        if outcome.problem:
                            job.skip(display_name(outcome.file_action.member.name), outcome.problem)
                        else:
                            gone.append(outcome.file_action.member)
                        stage.advance()
            finally:
                job.moved = self.changes.take_out(gone)

        return work

    def _planned(self, action: FileWork, groups: Sequence[FoundGroup]) -> list[FileAction]:
        """What is to be done with each duplicate. Raises OptionError where the folder is no place for them."""
        roots = self.collection.roots
        goes = {member.id for group in groups for member in group.duplicates}
        pairs = [group.to_act_on for group in groups]
        folder = self.moves if action == "move" else None
        if folder:
            pictures = [Path(member.path) for group, _ in pairs for member in group.members]
            require_outside(folder, roots, pictures, self.collection.folder)
        planned = plan([group for group, _ in pairs], [choice for _, choice in pairs], action, folder, roots)
        return [one for one in planned if one.member.id in goes and self._is_ours(one.path)]

    def _is_ours(self, path: Path) -> bool:
        """Does a file lie in a folder of the index, or among the uploads?"""
        folders = (*self.collection.roots, self.collection.uploads)
        return any(path.is_relative_to(os.path.realpath(folder)) for folder in folders)

    def _performed(self, action: FileWork, file_actions: Sequence[FileAction]) -> Generator[Outcome]:
        folder = self.collection.folder
        log = default_log(folder)
        with one_writer(folder), writing(log, action, folder) as journal:
            if action == "move":
                write_fields(log, self.collection.fields_of([one.member for one in file_actions]))
            yield from perform(file_actions, journal, _trash() if action == "trash" else None)

    # -- Back ---------------------------------------------------------------------------------------------------------

    def undoable(self) -> list[dict[str, Any]]:
        """What can be undone, the newest first; pictures: how many would come back."""
        moves = [self._listed(path) for path in self._logs()] if self.moves else []
        removals = [
            {"id": name, "action": "remove", "created": when(one.created), "pictures": len(one.fields)}
            for name, one in self.removals.items()
        ]
        found = [one for one in (*moves, *removals) if one["pictures"]]
        return sorted(found, key=lambda one: one["created"], reverse=True)[:_MOST_LISTED]

    def _logs(self) -> list[Path]:
        return sorted(self.collection.folder.parent.glob(_LOGS), reverse=True)[:_MOST_LISTED]

    def _listed(self, log: Path) -> dict[str, Any]:
        created, entries = when(os.stat(log).st_mtime), self._entries(log)
        return {"id": log.name, "action": "move", "created": created, "pictures": sum(map(_is_away, entries))}

    def _entries(self, log: Path) -> list[Entry]:
        """The moves of a log that all lead from the folders of this index to the one for moves; of others none."""
        try:
            entries = read_entries(log)
        except DuplicateError:
            return []
        place = os.path.realpath(self.moves or "")
        are_ours = all(
            one.action == "move" and self._is_ours(Path(one.path)) and Path(one.target).is_relative_to(place)
            for one in entries
        )
        return entries if are_ours else []

    def undo(self, name: str) -> Work:
        """Put back what an action took. Raises ProblemError, not-found, for one that cannot be undone."""
        if name not in {one["id"] for one in self.undoable()}:
            raise not_found(f"action {name[:100]!r} that can be undone")
        return self._put_in(name) if name in self.removals else self._put_back(self.collection.folder.parent / name)

    def _put_in(self, name: str) -> Work:
        def work(job: Job) -> None:
            fields = self.removals[name].fields
            self.changes.take_in(job, [path for path in fields if Path(file_of(path)).exists()], fields)
            del self.removals[name]

        return work

    def _put_back(self, log: Path) -> Work:
        def work(job: Job) -> None:
            entries = self._entries(log)
            stage = Stage(job.show, "undoing", len(entries))
            back: list[str] = []
            try:
                with one_writer(self.collection.folder):
                    for entry in reversed(entries):
                        undone = undo_one(entry)
                        if undone.state == "not undone":
                            job.skip(display_name(entry.name), undone.words)
                        else:
                            back.append(entry.path)
                        stage.advance()
            finally:
                self.changes.take_in(job, back, read_fields(log))
                job.moved = len(back)

        return work


def _is_away(entry: Entry) -> bool:
    return os.path.lexists(entry.target) and not os.path.lexists(entry.path)


def _trash() -> Trash | None:
    try:
        return require_trash()
    except DuplicateError:
        return None


def require_moves(folder: Path | None, engine: Engine) -> Path | None:
    """The folder for moves as an absolute path. Raises OptionError where it is no place for them."""
    if folder is None:
        return None
    try:
        require_outside(folder, engine.roots, index=engine.folder)
    except BofError as error:
        raise OptionError(
            option="allow_moves", path=folder, expected=error.expected, found=error.found, advice=error.advice
        ) from error
    return Path(os.path.abspath(folder))
