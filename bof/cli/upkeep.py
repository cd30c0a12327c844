"""What `bof index` does besides reading pictures: remove, annotate, merge, check, repair, count, export."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bof.cli.export import find_pairs, image_records, read_records, write_pairs, write_records
from bof.cli.film_sheet import contact_sheet_action
from bof.cli.graph import graph_action
from bof.cli.judging import export_action, import_action, judge_action
from bof.cli.on_dask import cluster_of
from bof.cli.parser import program_name
from bof.cli.progress import progress_bar
from bof.engine import Engine
from bof.errors import OptionError, display_name
from bof.images.cloud import is_cloud
from bof.ingest.sync import is_below
from bof.store.catalog import FORMAT, TAG, ImageRecord
from bof.store.check import CheckReport
from bof.store.index import Index
from bof.store.pictures import StoredPictures
from bof.system.units import counted, human_bytes

log = logging.getLogger("bof")

ACTIONS = (
    "remove", "annotate", "merge", "check", "repair", "stats", "export", "metadata", "pairs", "graph", "judge",
    "export_judgments", "import_judgments", "contact_sheet",
)  # fmt: skip
_NAMED = 20

Action = Callable[[Engine, argparse.Namespace], int]


def find_action(arguments: argparse.Namespace) -> Action | None:
    """What was asked for, if it is not to look into folders."""
    chosen = next((name for name in ACTIONS if getattr(arguments, name)), None)
    actions: dict[str, Action] = {
        "remove": _remove, "annotate": _annotate, "merge": _merge, "stats": _stats, "export": _export,
        "metadata": _read_metadata, "pairs": _pairs, "graph": graph_action, "judge": judge_action,
        "export_judgments": export_action, "import_judgments": import_action,
        "contact_sheet": contact_sheet_action,
    }  # fmt: skip
    return actions[chosen] if chosen else None


def known_folders(engine: Engine) -> list[Path]:
    """The folders that were added before; one that is not there now is passed over with a warning."""
    roots = engine.roots
    if not roots:
        found = "none named and none that was added before"
        raise OptionError("PHOTOS", expected="a folder of pictures", found=found)
    for root in roots:
        if not _is_there(root):
            log.warning("%s: the folder is not there now; its pictures stay in the index", display_name(root))
    return [root for root in roots if _is_there(root)]


def _is_there(root: Path) -> bool:
    """A folder in the cloud says so itself when it is listed."""
    return is_cloud(root) or root.is_dir()


# -- Pictures by name -------------------------------------------------------------------------------------------------


def _remove(engine: Engine, arguments: argparse.Namespace) -> int:
    entries = _find(engine, arguments.remove)
    n_removed = engine.remove([entry.name for entry in entries])
    print(f"removed {counted(n_removed, 'picture')}, {engine.count()} are left")
    return 0


def _annotate(engine: Engine, arguments: argparse.Namespace) -> int:
    if not (arguments.tag or arguments.untag or arguments.field):
        raise OptionError(option="annotate", expected="{tag}, {untag} or {field} beside it", found="none")
    _find(engine, arguments.annotate)
    remove = {TAG: arguments.untag} if arguments.untag else {}
    n_annotated = engine.annotate(arguments.annotate, fields_given(arguments), remove)
    print(f"annotated {counted(n_annotated, 'picture')}")
    return 0


def _find(engine: Engine, names: Sequence[str]) -> Sequence[ImageRecord]:
    """The pictures that are meant; a name that means none stops all before anything is done."""
    for name in names:
        if not engine.find([name]):
            expected = "the name of a picture in the index, or a pattern"
            advice = "{stats} and {export} say which there are; nothing was changed"
            raise OptionError(path=name, expected=expected, advice=advice)
    return engine.find(names)


def fields_given(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """The tags and fields that flags name."""
    fields: dict[str, list[str]] = {TAG: list(arguments.tag)} if arguments.tag else {}
    for key, value in arguments.field:
        fields.setdefault(key, []).append(value)
    return fields


def annotate_sources(engine: Engine, sources: Sequence[Path], arguments: argparse.Namespace) -> None:
    """Give every picture under the sources the tags and fields that were named."""
    fields = fields_given(arguments)
    if fields:
        paths = [record.path for record in engine.records() if is_below(record.path, sources)]
        with engine.writer() as writer:
            writer.annotate(paths, fields, {})


def _read_metadata(engine: Engine, arguments: argparse.Namespace) -> int:
    given = read_records(arguments.metadata)
    path_of = {record.name: record.path for record in engine.records()}
    unknown = [name for name in given if name not in path_of]
    for name in unknown[:_NAMED]:
        print(f"not in the index: {display_name(name)}", file=sys.stderr)
    with engine.writer() as writer:
        writer.set_fields({path_of[name]: fields for name, fields in given.items() if name in path_of})
    absent = f"{counted(len(unknown), 'name')} not in the index"
    print(f"annotated {counted(len(given) - len(unknown), 'picture')}, {absent}")
    return 1 if unknown else 0


# -- The whole index --------------------------------------------------------------------------------------------------


def _merge(engine: Engine, arguments: argparse.Namespace) -> int:
    before, n_before = engine.n_bytes(), engine.merge()
    after, n_after = engine.n_bytes(), len(engine.segments())
    print(f"{counted(n_before, 'segment')} became {n_after}; {human_bytes(before)} became {human_bytes(after)}")
    return 0


def check_or_repair(folder: Path, arguments: argparse.Namespace) -> int:
    """Neither needs the vocabulary, which may be what is damaged."""
    index = Index.open(folder)
    return _check(index, arguments) if arguments.check else _repair(index, arguments)


def _check(index: Index, arguments: argparse.Namespace) -> int:
    report = index.check()
    if arguments.json:
        print(json.dumps(_as_json(report), indent=2))
    else:
        _print_check(report)
        if report.damages:
            print("--repair drops the damaged segments; the pictures named above must then be indexed again")
        elif report.wrong_metadata:
            print("--repair takes the metadata as they are, and makes the words to look for from them")
        elif report.wrong_vocabulary:
            print("--repair copies it again, from --vocabulary DIR or from where it was copied; all pictures are sound")
        elif report.wrong_pictures:
            print("--repair drops them; --iiif with their manifests fetches them again; all features are sound")
        elif report.wrong_commit:
            print("--repair drops it; the next bof index adds what it was to add")
        elif report.wrong_judgments:
            print("restore the file from a copy, or delete it and read an export with --import-judgments")
    return 0 if report.is_sound else 1


def _repair(index: Index, arguments: argparse.Namespace) -> int:
    chosen = [arguments.vocabulary] if arguments.vocabulary else []
    report = index.repair(chosen, replace_parts=arguments.replace_parts)
    _print_check(report)
    if report.wrong_vocabulary:
        print("the vocabulary is copied again")
    if report.lost_parts:
        roots = ", ".join(map(display_name, index.roots)) or "no folder: none was added"
        print(f"{program_name('index')} reads again what lies in {roots}; with --dry-run it says how much")
        print("what was added in other ways is lost with these parts, and so are the tags and fields of all of it")
    if report.damages:
        print(f"the damaged segments are dropped; index the pictures named above again: {program_name('index')}")
    return 0


def _print_check(report: CheckReport) -> None:
    for damage in report.damages:
        for reason in damage.reasons:
            print(f"damaged: {display_name(reason)}")
        for image in damage.lost:
            print(f"lost: {display_name(image.name)} ({display_name(image.path)})")
    if report.wrong_metadata:
        print(f"damaged: {display_name(report.wrong_metadata)}")
    if report.wrong_vocabulary:
        print(f"damaged: {display_name(report.wrong_vocabulary)}")
    for part in report.lost_parts:
        print(f"lost: {display_name(part)}")
    for reason in [*report.wrong_pictures, report.wrong_judgments, report.wrong_commit]:
        if reason:
            print(f"damaged: {display_name(reason)}")
    for path in report.strays:
        print(f"belongs to nothing: {display_name(path)} (the next change of the index sweeps it away)")
    print(
        f"checked {counted(report.n_segments, 'segment')}, {human_bytes(report.n_bytes)}: "
        f"{len(report.damages)} damaged; {report.n_saved} of {report.n_images} pictures are sound"
    )


def _as_json(report: CheckReport) -> dict[str, Any]:
    damages = [
        {
            "segment": d.segment.name,
            "reasons": list(d.reasons),
            "lost": [{"name": i.name, "path": i.path} for i in d.lost],
        }
        for d in report.damages
    ]
    strays = [str(path) for path in report.strays]
    counts = {"n_segments": report.n_segments, "n_images": report.n_images, "n_saved": report.n_saved}
    wrong = {
        "wrong_metadata": report.wrong_metadata, "wrong_vocabulary": report.wrong_vocabulary,
        "wrong_pictures": list(report.wrong_pictures), "wrong_judgments": report.wrong_judgments,
        "wrong_commit": report.wrong_commit,
    }  # fmt: skip
    return {**counts, "damages": damages, **wrong, "strays": strays}


def _stats(engine: Engine, arguments: argparse.Namespace) -> int:
    stats = _count(engine)
    if arguments.json:
        print(json.dumps(stats, indent=2, ensure_ascii=False))
    else:
        width = max(len(key) for key in stats)
        for key, value in stats.items():
            shown = ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"{key.replace('_', ' '):<{width}}  {display_name(str(shown))}")
    return 0


def _count(engine: Engine) -> dict[str, Any]:
    segments, records = engine.segments(), engine.records()
    tags, _ = engine.count_annotated()
    n_features = sum(record.n_features for record in records)
    return {
        "pictures": len(records),
        "features": n_features,
        "bytes": engine.n_bytes(),
        "stored_pictures": sum(1 for _ in StoredPictures(engine.folder).files()),
        "parts": len(engine.index.parts),
        "segments": len(segments),
        "features_of_segments": ", ".join(str(row.n_features) for row in segments),
        "removed_pictures_not_yet_purged": sum(row.n_images for row in segments) - len(records),
        "folders": {str(root): sum(is_below(i.path, [root]) for i in records) for root in engine.roots},
        "tags": dict(sorted(tags.items(), key=lambda item: (-item[1], item[0]))),
        "vocabulary": f"{engine.vocabulary.n_words} words, {engine.vocabulary.fingerprint[:12]}",
        "columns": _count_columns(engine),
        "max_side": engine.features.max_side,
        "extractor": engine.features.extractor,
        "format": FORMAT,
    }


def _count_columns(engine: Engine) -> dict[str, int]:
    """Pictures that have rows, by group of optional columns."""
    return {group: engine.count_known(group) for group in engine.column_spec.groups}


def _export(engine: Engine, arguments: argparse.Namespace) -> int:
    n = write_records(arguments.export, image_records(engine, arguments.where))
    print(f"{display_name(arguments.export)}: {counted(n, 'picture')}")
    return 0


def _pairs(engine: Engine, arguments: argparse.Namespace) -> int:
    seen = [str(engine.folder.absolute())]
    with cluster_of(arguments.dask, os.cpu_count() or 1, seen) as cluster, progress_bar(" images") as show:
        pairs = find_pairs(engine, arguments.partners, show, cluster)
    n_left_out = write_pairs(arguments.pairs, pairs)
    if n_left_out:
        log.warning("%d pairs left out: their names have spaces, which the format cannot hold", n_left_out)
    print(f"{display_name(arguments.pairs)}: {counted(len(pairs) - n_left_out, 'pair')}")
    return 0
