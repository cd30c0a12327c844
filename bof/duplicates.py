"""The command `bof duplicates [--index DIR]`: groups of duplicates, which of each to keep, what to do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from bof.cli.arguments import add_index, add_option, add_options, index_folder, options_from
from bof.cli.clip_pairs import refuse_for_clips, report_shared_clips
from bof.cli.command import ended_like_interrupted, run
from bof.cli.group_table import print_groups, print_outcomes, print_plan
from bof.cli.on_dask import add_search_workers, search_workers
from bof.cli.outputs import require_place
from bof.cli.parser import CommandParser, program_name
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.grouping import records, rejecting
from bof.grouping.actions import Outcome, perform, plan, require_outside
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at_all
from bof.grouping.finding import find_groups
from bof.grouping.journal import Action, default_log, read_entries, writing
from bof.grouping.records import Judged, write_text
from bof.grouping.trash import Trash, require_trash
from bof.grouping.types import Group
from bof.grouping.undoing import undo
from bof.options import CLIP, GROUPS_SHOWN, KEEP, KIND, ClipOptions, DuplicateOptions
from bof.store.pictures import StoredPictures
from bof.system.locking import one_writer
from bof.system.steps import Progress
from bof.system.units import counted


def _parser() -> argparse.ArgumentParser:
    description = "Find groups of duplicates and say which of each to keep. Files are left alone without --yes."
    parser = CommandParser("duplicates", "[--kind KIND] [--html FILE] [options]", description)
    add_index(parser)
    add_option(parser, KIND)
    add_option(parser, GROUPS_SHOWN)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    parser.add_argument("--json-file", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row a picture")
    _add_keep_options(parser)
    _add_actions(parser)
    _add_memory(parser)
    add_options(parser, DuplicateOptions)
    add_search_workers(parser)
    add_options(parser, ClipOptions)
    return parser


def _add_keep_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Which to keep")
    group.add_argument(
        "--protect", type=Path, nargs="+", action="extend", default=[], metavar="FOLDER",
        help="pictures below are kept whatever happens, and preferred",
    )  # fmt: skip
    add_option(group, KEEP)


def _add_actions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("What to do with the others")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--move-to", type=Path, metavar="DIR", help="move them there")
    one.add_argument("--hardlink", action="store_true", help="make exact copies one file (with --kind exact)")
    one.add_argument("--trash", action="store_true", help="put them into the system's trash (extra bof-search[trash])")
    one.add_argument("--undo", type=Path, metavar="LOG", help="put back what a log says was moved or linked")
    group.add_argument("--yes", action="store_true", help="do it; without, only what would be done is said")
    group.add_argument("--dry-run", action="store_true", help="only say it: the default")
    group.add_argument("--log", type=Path, metavar="FILE", help="write the log here (default: beside the index)")


def _add_memory(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Pairs that are no duplicates")
    one = group.add_mutually_exclusive_group()
    names = ("NAME", "OTHER")
    one.add_argument("--reject", nargs=2, metavar=names, help="remember that two pictures are no duplicates")
    one.add_argument("--forget", nargs=2, metavar=names, help="forget that")
    one.add_argument("--list-rejected", action="store_true", help="say which pairs were rejected")


def _command(arguments: argparse.Namespace) -> int:
    action = _action(arguments)
    if arguments.kind == CLIP:
        refuse_for_clips(arguments)
    _refuse_contradictions(arguments, action)
    if arguments.undo:
        return _undo(arguments.undo)
    trash = require_trash() if action == "trash" else None
    options = options_from(arguments, DuplicateOptions)
    folder = index_folder(arguments.index)
    with (
        search_workers(arguments, folder) as workers,
        Engine.open(folder, arguments.vocabulary, workers=workers) as engine,
    ):
        if arguments.reject or arguments.forget or arguments.list_rejected:
            return _remember(engine, arguments)
        if arguments.move_to:
            require_outside(arguments.move_to, engine.roots, index=engine.folder)
        if arguments.kind == CLIP:
            return report_shared_clips(engine, options_from(arguments, ClipOptions), arguments)
        with ended_like_interrupted(), stage_bars() as show:
            judged = _judge(find_groups(engine, arguments.kind, options, show), arguments, show)
        if arguments.json:
            sys.stdout.write(_as_json(judged, engine, arguments))
        else:
            print_groups(judged, len(engine), arguments.groups)
        _write_reports(judged, engine, arguments)
        # Of --json standard output is one document.
        if action and arguments.kind == "scene":
            print("warning: scenes are grouped by points alone: a group may hold things that look alike, and other"
                  " photographs of one thing, which are no copies", file=sys.stderr)  # fmt: skip
        with redirect_stdout(sys.stderr if arguments.json else sys.stdout):
            return _act(engine, judged, action, trash, arguments) if action else 0


def _action(arguments: argparse.Namespace) -> Action | None:
    given: dict[Action, bool] = {
        "move": arguments.move_to is not None,
        "link": arguments.hardlink,
        "trash": arguments.trash,
    }
    return next((action for action, is_given in given.items() if is_given), None)


def _refuse_contradictions(arguments: argparse.Namespace, action: Action | None) -> None:
    if arguments.hardlink and arguments.kind != "exact":
        found = f"{arguments.kind}: only files of the same bytes can become one"
        raise OptionError(option="hardlink", expected="{kind} exact", found=found)
    if (arguments.yes or arguments.log) and not action:
        expected = "{move_to}, {hardlink} or {trash} beside it"
        raise OptionError(option="yes" if arguments.yes else "log", expected=expected, found="none")
    if arguments.yes and arguments.dry_run:
        raise OptionError(option="yes", expected="no {dry_run} beside it")
    if (arguments.reject or arguments.forget or arguments.list_rejected) and (action or arguments.undo):
        raise OptionError("{reject}, {forget}, {list_rejected}", expected="no action on files beside them")
    for folder in arguments.protect:
        if not folder.is_dir():
            raise OptionError(option="protect", path=folder, expected="a folder", found="none there")
    for option in ("html", "json_file", "csv"):
        if path := getattr(arguments, option):
            require_place(path, option)


# -- Finding and saying -----------------------------------------------------------------------------------------------


def _judge(groups: Sequence[Group], arguments: argparse.Namespace, progress: Progress) -> list[Judged]:
    """Each group with what to keep of it, those that free most first, then by the names of their representatives."""
    try:
        looks = look_at_all(groups, progress)
    except KeyboardInterrupt:
        advice = "the pictures are compared and this is kept; the same command looks at the groups' files again"
        raise KeyboardInterrupt(advice) from None
    choices = [choose(g, look, arguments.protect, arguments.keep) for g, look in zip(groups, looks, strict=True)]
    unnumbered = [Judged(0, group, choice) for group, choice in zip(groups, choices, strict=True)]
    unnumbered.sort(key=lambda one: (-one.bytes_to_free, one.group.representative.name))
    return [replace(one, number=number) for number, one in enumerate(unnumbered, 1)]


def _as_json(judged: Sequence[Judged], engine: Engine, arguments: argparse.Namespace) -> str:
    folder = str(engine.folder.absolute())
    facts = {"index": folder, "kind": arguments.kind, "n_pictures": len(engine), "rules": arguments.keep}
    return records.as_json(judged, facts)


def _write_reports(judged: Sequence[Judged], engine: Engine, arguments: argparse.Namespace) -> None:
    folder = engine.folder.absolute()
    if arguments.json_file:
        write_text(arguments.json_file, _as_json(judged, engine, arguments))
    if arguments.csv:
        write_text(arguments.csv, records.as_csv(judged))
    if arguments.html:
        from bof.grouping.page import build_page

        title, stored = f"{folder}, --kind {arguments.kind}", StoredPictures(engine.folder)
        write_text(arguments.html, build_page(judged, title, len(engine), stored))
    for flag in ("json_file", "csv", "html"):
        if path := getattr(arguments, flag):
            print(f"wrote {display_name(path)}", file=sys.stderr)


# -- Doing and undoing ------------------------------------------------------------------------------------------------


def _act(
    engine: Engine, judged: Sequence[Judged], action: Action, trash: Trash | None, arguments: argparse.Namespace
) -> int:
    groups, choices = [one.group for one in judged], [one.choice for one in judged]
    if arguments.move_to:
        require_outside(arguments.move_to, engine.roots, [Path(m.path) for group in groups for m in group.members])
    file_actions = plan(groups, choices, action, arguments.move_to, engine.roots)
    if not arguments.yes:
        print_plan(file_actions, action, arguments.groups)
        return 0
    if all(file_action.refusal for file_action in file_actions):
        refused = [Outcome(file_action, False, file_action.refusal) for file_action in file_actions]
        return print_outcomes(refused, action, arguments.groups)
    log = arguments.log or default_log(engine.folder)
    outcomes: list[Outcome] = []
    try:
        with one_writer(engine.folder), writing(log, action, engine.folder) as journal:
            print(f"log: {display_name(log)} (--undo {display_name(log)} puts back)")
            outcomes.extend(perform(file_actions, journal, trash))
    finally:
        gone = [outcome.file_action.member.name for outcome in outcomes if not outcome.problem and action != "link"]
        status = print_outcomes(outcomes, action, arguments.groups)
        if gone:
            engine.remove(gone)
    return status


def _undo(log: Path) -> int:
    undone = undo(read_entries(log))
    for one in undone:
        if one.state == "not undone":
            print(f"not undone {display_name(one.entry.path)}: {one.words}", file=sys.stderr)
        elif one.state == "put back":
            print(f"put back {display_name(one.entry.path)}")
    states = [one.state for one in undone]
    counts = [f"{states.count(state)} {state}" for state in ("put back", "as it was", "not undone")]
    print(f"{counted(len(undone), 'file')}: {', '.join(counts).replace('as it was', 'as before')}")
    if any(one.state == "put back" and one.entry.action == "move" for one in undone):
        print(f"{program_name('index')} makes what was put back searchable again")
    return 1 if "not undone" in states else 0


def _remember(engine: Engine, arguments: argparse.Namespace) -> int:
    if arguments.list_rejected:
        lines = rejecting.rejected_names(engine)
        print(
            "\n".join(f"{display_name(one)}  {display_name(other)}" for one, other in lines) or "no pair was rejected"
        )
        return 0
    one, other = arguments.reject or arguments.forget
    change = rejecting.reject_names if arguments.reject else rejecting.forget_names
    change(engine, one, other)
    verb = "are no duplicates from now on" if arguments.reject else "may be duplicates again"
    print(f"{display_name(one)} and {display_name(other)} {verb}")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
