"""What `bof index --iiif` does and says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bof.cli.add_report import describe_passed_over, report_added
from bof.cli.arguments import add_chosen_columns, chosen_features
from bof.cli.parting import chosen_split
from bof.cli.progress import stage_bars
from bof.cli.upkeep import fields_given
from bof.cli.watching import compare_with_watched
from bof.engine import Engine, plan_harvest_without_index
from bof.errors import OptionError, display_name
from bof.options import IndexOptions
from bof.store import catalog
from bof.system.units import counted

if TYPE_CHECKING:
    from bof.iiif.plan import HarvestPlan

_NAMED = 20


def add_harvest_options(parser: argparse.ArgumentParser) -> None:
    """The flags of a harvest."""
    group = parser.add_argument_group("Pictures of archives (docs/iiif.md)")
    add = group.add_argument
    add("--iiif", nargs="+", default=[], metavar="URL", help="manifests and collections of IIIF: URLs or files")
    hosts = "ask these hosts and no others: NAME, *.NAME or ADDRESS, with :PORT or without"
    add("--allow-urls", action="extend", nargs="+", default=[], metavar="HOST", help=hosts)
    add("--store-pictures", action="store_true", help="store what is fetched in the index, not thumbnails alone")


def refuse_contradictions(arguments: argparse.Namespace) -> None:
    """Raises OptionError for flags that make no sense together."""
    others = [name for name in ("photos", "add", "watch") if getattr(arguments, name)]
    if arguments.iiif and others:
        found = {"photos": "folders", "add": "{add}", "watch": "{watch}"}[others[0]]
        raise OptionError(option="iiif", expected="neither folders, {add} nor {watch} beside it", found=found)
    for name in ("allow_urls", "store_pictures"):
        if getattr(arguments, name) and not arguments.iiif:
            raise OptionError(option=name, expected="{iiif} URL beside it", found="none")
    if arguments.iiif and not arguments.allow_urls:
        expected, advice = "the hosts that may be asked", "name them with {allow_urls} HOST"
        raise OptionError(option="iiif", expected=expected, found="none", advice=advice)


def harvest_command(folder: Path, arguments: argparse.Namespace, options: IndexOptions) -> int:
    """Fetch, or say what would be fetched."""
    if arguments.dry_run and not catalog.exists(folder):
        _say_plan(plan_harvest_without_index(arguments.iiif, arguments.allow_urls), is_new=True, delete=False)
        return 0
    split = chosen_split(arguments)
    with Engine.open_or_create(folder, arguments.vocabulary, split=split, **chosen_features(arguments)) as engine:
        if arguments.dry_run:
            plan = engine.plan_harvest(arguments.iiif, arguments.allow_urls)
            _say_plan(plan, is_new=False, delete=arguments.delete)
            return 0
        add_chosen_columns(engine, arguments)
        return _harvest(engine, arguments, options)


def _harvest(engine: Engine, arguments: argparse.Namespace, options: IndexOptions) -> int:
    with stage_bars() as show:
        report = engine.harvest(
            arguments.iiif, arguments.allow_urls, options, show, delete=arguments.delete,
            store_pictures=arguments.store_pictures, fields=fields_given(arguments),
        )  # fmt: skip
    compare_with_watched(engine)
    report_added(report, engine, arguments, "no picture could be fetched, so the index is empty")
    return 0


def _say_plan(plan: HarvestPlan, *, is_new: bool, delete: bool) -> None:
    known = len(plan.canvases) - len(plan.new)
    if is_new:
        print("a new index")
    print(f"{counted(plan.n_manifests, 'manifest')}, {counted(len(plan.new), 'new picture')}")
    for canvas in plan.new[:_NAMED]:
        print(f"  {display_name(canvas.name)}")
    if len(plan.new) > _NAMED:
        print(f"  ... and {len(plan.new) - _NAMED} more")
    print(f"{counted(known, 'known picture')}, which their hosts are asked about")
    leaving = "to remove" if delete else "gone from the manifests, to be removed with --delete"
    print(f"{counted(len(plan.gone), 'picture')} {leaving}")
    for problem in plan.problems[:_NAMED]:
        print(f"skipped {display_name(problem.path)}: {problem.reason}")
    if plan.others:
        print(f"passed over: {describe_passed_over(plan.others)}")
