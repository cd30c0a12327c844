"""The command `bof index [PHOTOS] [--index DIR]`: make pictures searchable, and keep it so."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bof.cli import dry_run, harvesting, parting, publishing, upkeep
from bof.cli.add_report import describe_passed_over, report_added
from bof.cli.arguments import (
    add_chosen_columns,
    add_column_options,
    add_feature_options,
    add_index,
    add_option,
    add_options,
    add_preset,
    chosen_features,
    index_folder,
    options_from,
)
from bof.cli.command import ended_like_interrupted, message_of, run
from bof.cli.graph import add_graph, refuse_wrong_graph
from bof.cli.judging import refuse_wrong_judging
from bof.cli.on_dask import cluster_of
from bof.cli.outputs import require_place
from bof.cli.parser import CommandParser
from bof.cli.progress import stage_bars
from bof.cli.watching import compare_with_watched
from bof.engine import Engine
from bof.errors import ImageError, OptionError, display_name
from bof.images.cloud import is_cloud, source_of
from bof.images.listing import PICTURES, list_everything, walk_images
from bof.images.written import require_no_photograph
from bof.ingest.watch import require_watchdog, watch
from bof.options import GRAPH_ORDER, PARTNERS, IndexOptions, ReuseOptions, VideoOptions
from bof.options.cluster import DASK
from bof.store import catalog

_USAGE = """\
[PHOTOS...] [--delete] [--dry-run] [--watch]
--iiif URL... --allow-urls HOST... [--delete] [--dry-run]
--add FILE... | --remove NAME... | --annotate NAME... --tag TAG
--merge | --check | --repair | --stats
[PHOTOS...] --parts N | [PHOTOS...] --part I --of N | --reparts N | --combine PART...
--publish PLACE [--sweep]
--export FILE [--where CONDITION] | --metadata FILE
--pairs FILE | --graph FILE... [--graph-order FIELD]
--judge {same,different,none} A B | --export-judgments FILE | --import-judgments FILE"""


def _parser() -> argparse.ArgumentParser:
    description = "Index pictures, so that search finds them, and keep the index as the pictures are."
    parser = CommandParser("index", _USAGE, description)
    photos = "folders (searched recursively) or pictures, s3://, gs:// and https:// too; without any those added before"
    parser.add_argument("photos", type=source_of, nargs="*", help=photos)
    add_index(parser, "vocabulary for a new index (default: bof's own)")
    parser.add_argument("--delete", action="store_true", help="take out pictures whose files are gone")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done, and what it would take")
    parser.add_argument("--watch", action="store_true", help="go on and follow the folders until interrupted")
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", help="give the named pictures this tag")
    parser.add_argument("--untag", action="append", default=[], metavar="TAG", help="take this tag from them")
    parser.add_argument(
        "--field", action="append", default=[], type=_field, metavar="KEY=VALUE", help="give them this value of a field"
    )
    add_preset(parser)
    add_column_options(parser)
    parser.add_argument(
        "--skipped", type=Path, metavar="FILE", help="write each file that is not indexed here, and why"
    )
    harvesting.add_harvest_options(parser)
    parting.add_part_options(parser)
    _add_actions(parser)
    add_options(parser, IndexOptions)
    add_option(parser, DASK)
    add_options(parser, VideoOptions)
    add_options(parser, ReuseOptions)
    add_feature_options(parser)
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    named = parser.add_argument_group("Instead of looking into folders")
    group = named.add_mutually_exclusive_group()
    group.add_argument("--add", type=source_of, nargs="+", metavar="FILE", help="add these pictures and no others")
    group.add_argument("--remove", nargs="+", metavar="NAME", help="take pictures out, by name or pattern (trips/*)")
    group.add_argument(
        "--annotate", nargs="+", metavar="NAME", help="give pictures of the index --tag, --untag, --field"
    )
    group.add_argument("--describe", nargs="*", action=_Renamed, help=argparse.SUPPRESS)
    group.add_argument("--merge", action="store_true", help="make one segment of all; no answer changes")
    group.add_argument("--check", action="store_true", help="read every byte and say what is damaged")
    group.add_argument("--repair", action="store_true", help="drop what is damaged and say what to index again")
    group.add_argument("--stats", action="store_true", help="say what the index holds")
    group.add_argument("--export", type=Path, metavar="FILE", help="write names and metadata (.csv or .jsonl)")
    group.add_argument("--metadata", type=Path, metavar="FILE", help="read metadata from such a file, by name")
    group.add_argument("--pairs", type=Path, metavar="FILE", help="write pairs to match, for COLMAP and hloc")
    group.add_argument(
        "--contact-sheet", type=Path, nargs=2, metavar=("FILM", "FILE"),
        help="draw the frames that the index has of a film, with their times, into FILE (.jpg)",
    )  # fmt: skip
    group.add_argument(
        "--judge", nargs=3, metavar=("JUDGMENT", "A", "B"),
        help="say that two pictures show the same thing (same), or not (different), or forget it (none)",
    )  # fmt: skip
    group.add_argument("--export-judgments", type=Path, metavar="FILE", help="write them (.csv or .jsonl)")
    group.add_argument("--import-judgments", type=Path, metavar="FILE", help="read them from such a file")
    parting.add_part_actions(group)
    publishing.add_publish(group)
    add_graph(group)
    named.add_argument("--where", default="", metavar="CONDITION", help="with --export: only these (tag = museum)")
    publishing.add_sweep(named)
    parting.add_replace_parts(named)
    add_option(named, PARTNERS)
    add_option(named, GRAPH_ORDER)
    named.add_argument("--json", action="store_true", help="print JSON: what was done; --check and --stats too")


class _Renamed(argparse.Action):
    """A flag that has another name now."""

    def __call__(self, *_: object) -> None:
        raise OptionError(option=self.dest, expected="its new name, {annotate}")


def _field(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, found {text!r}")
    return key, value


def _command(arguments: argparse.Namespace) -> int:
    options = replace(options_from(arguments, IndexOptions), video=options_from(arguments, VideoOptions))
    _refuse_contradictions(arguments)
    split = parting.chosen_split(arguments)
    folder = index_folder(arguments.index)
    if arguments.reparts is not None or arguments.combine:
        return parting.repart_or_combine(folder, arguments)
    if arguments.publish:
        return publishing.publish_index(folder, arguments)
    if arguments.iiif:
        with ended_like_interrupted():
            return harvesting.harvest_command(folder, arguments, options)
    if not (arguments.photos or arguments.add):
        if arguments.check or arguments.repair:
            return upkeep.check_or_repair(folder, arguments)
        action = upkeep.find_action(arguments)
        if action:
            with Engine.open(folder, arguments.vocabulary) as engine:
                return action(engine, arguments)
    sources = arguments.add or arguments.photos
    _refuse_missing(sources)
    feature_options = chosen_features(arguments)
    if arguments.dry_run and not catalog.exists(folder):
        return dry_run.say_plan_without_index(sources, arguments.vocabulary, feature_options, options)
    if not sources:
        Engine.open(folder, arguments.vocabulary)  # without folders to look into there must be an index
    opened = Engine.open_or_create(folder, arguments.vocabulary, split=split, **feature_options)
    with opened as engine, ended_like_interrupted():
        needs_no_folder = (
            bool(engine.column_spec.needs_colour or arguments.columns or arguments.model) and not engine.roots
        )
        sources = sources or ([] if needs_no_folder else upkeep.known_folders(engine))
        if arguments.dry_run:
            return dry_run.say_plan(engine, sources, options, delete=arguments.delete)
        add_chosen_columns(engine, arguments)
        if arguments.watch:
            return _follow(engine, sources, arguments, options)
        return _synchronise(engine, sources, arguments, options)


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    actions = (*upkeep.ACTIONS, *parting.ACTIONS, "publish")
    action = next((name for name in actions if getattr(arguments, name) not in (None, False, [])), None)
    harvesting.refuse_contradictions(arguments)
    if action and arguments.iiif:
        raise OptionError(option=action, expected="no manifests beside it", found="{iiif}")
    if action and arguments.photos:
        found = display_name(arguments.photos[0])
        raise OptionError(option=action, expected="no folders or pictures beside it", found=found)
    prints_json = action in ("check", "stats") if action else not arguments.dry_run
    if arguments.json and not prints_json:
        found = f"{{{action or 'dry_run'}}}"
        raise OptionError(option="json", expected="folders, {check} or {stats} beside it", found=found)
    if arguments.replace_parts and not arguments.repair:
        raise OptionError(option="replace_parts", expected="{repair} beside it")
    if arguments.untag and not arguments.annotate:
        raise OptionError(option="untag", expected="{annotate} NAME beside it")
    if arguments.watch and (arguments.dry_run or arguments.add):
        raise OptionError(option="watch", expected="folders, and neither {dry_run} nor {add}")
    if arguments.watch:
        require_watchdog()
    refuse_wrong_graph(arguments)
    publishing.refuse_wrong_publishing(arguments)
    refuse_wrong_judging(arguments)
    for option in ("skipped", "pairs", "export", "export_judgments"):
        if path := getattr(arguments, option):
            require_no_photograph(path, option)
    if arguments.contact_sheet:
        require_place(arguments.contact_sheet[1], "contact_sheet")


def _refuse_missing(sources: Sequence[Path]) -> None:
    """A wrong name or folder should not leave an empty index behind."""
    for source in sources:
        if not is_cloud(source) and not source.exists():
            raise ImageError(path=source, expected="a folder or a picture", found="nothing there")
    if sources and not any(map(_may_have_pictures, sources)):
        others = list_everything(sources).count_passed_over()
        found = f"none, but {describe_passed_over(others)}" if others else "none"
        raise ImageError(path=", ".join(map(str, sources)), expected=PICTURES, found=found)


def _may_have_pictures(source: Path) -> bool:
    """What lies in the cloud is listed once, when it is added."""
    return is_cloud(source) or source.is_file() or any(True for _ in walk_images(source))


def _synchronise(engine: Engine, sources: Sequence[Path], arguments: argparse.Namespace, options: IndexOptions) -> int:
    seen = [str(engine.folder.absolute()), *(str(source.absolute()) for source in sources if not is_cloud(source))]
    with cluster_of(arguments.dask, options.n_workers, seen) as cluster, stage_bars() as show:
        report = engine.add(sources, options, show, delete=arguments.delete, cluster=cluster)
    upkeep.annotate_sources(engine, sources, arguments)
    compare_with_watched(engine)
    report_added(report, engine, arguments, "no picture could be read, so the index is empty")
    return 0


def _follow(engine: Engine, sources: Sequence[Path], arguments: argparse.Namespace, options: IndexOptions) -> int:
    folders = [source for source in sources if source.is_dir()]
    following = f"following {', '.join(map(display_name, folders))} (end with Ctrl-C)"
    for _ in watch(folders, threading.Event()):
        if following:
            print(following, file=sys.stderr if arguments.json else sys.stdout, flush=True)
            following = ""
        try:
            _synchronise(engine, folders, arguments, options)
        except ImageError as error:  # a folder that is away for a while comes back
            print(f"warning: {message_of(error)}", file=sys.stderr)
        sys.stdout.flush()
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
