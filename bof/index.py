"""The command `python -m bof.index PHOTOS [--index DIR]`: make pictures searchable."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bof.command import human_bytes, index_folder, peak_memory, progress_bar, run
from bof.engine import AddReport, Engine
from bof.errors import ImageError
from bof.images import display_name, walk_images
from bof.options import FeatureOptions, IndexOptions, add_options, chosen, options_from

_NAMED = 20


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bof.index", description="Index pictures, so that search finds them."
    )
    parser.add_argument("photos", type=Path, nargs="+", help="folders (searched recursively) or pictures")
    parser.add_argument(
        "--index", type=Path, metavar="DIR", help="the index's folder (default $BOF_INDEX or ./bof-index)"
    )
    parser.add_argument(
        "--vocabulary", type=Path, metavar="DIR", help="vocabulary for a new index (default: bof's own)"
    )
    add_options(parser, IndexOptions)
    add_options(parser, FeatureOptions, only_if_given=True)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    for source in arguments.photos:
        if not source.exists():
            raise ImageError(f"{display_name(source)}: expected a folder or a picture, found nothing there")
    _refuse_nothing(arguments.photos)
    options = options_from(arguments, IndexOptions)
    folder = index_folder(arguments.index)
    wanted = chosen(arguments, FeatureOptions)
    with Engine.open_or_create(folder, arguments.vocabulary, **wanted) as engine, progress_bar(" images") as show:
        report = engine.add(arguments.photos, options, show)
        _print_report(report, engine, folder)
    if not len(engine):
        raise ImageError(
            f"{display_name(folder)}: no picture could be read, so the index is empty; see what was skipped"
        )
    return 0


def _refuse_nothing(sources: list[Path]) -> None:
    """A wrong folder should not leave an empty index behind."""
    if not any(source.is_file() or any(True for _ in walk_images(source)) for source in sources):
        names = ", ".join(display_name(source) for source in sources)
        raise ImageError(f"{names}: expected pictures (JPEG, PNG, WebP, TIFF, BMP, GIF), found none")


def _print_report(report: AddReport, engine: Engine, folder: Path) -> None:
    for skipped in report.skipped[:_NAMED]:
        print(f"skipped {display_name(skipped.path)}: {skipped.reason}", file=sys.stderr)
    if len(report.skipped) > _NAMED:
        print(f"... and {len(report.skipped) - _NAMED} more", file=sys.stderr)
    rate = report.n_added / max(report.seconds, 1e-9)
    print(
        f"indexed {report.n_added} new pictures in {report.seconds:.1f} s ({rate:.1f} a second), "
        f"{report.n_unchanged} unchanged, {len(report.skipped)} skipped; {report.n_features} features"
    )
    print(
        f"{display_name(folder)}: {len(engine)} pictures, {human_bytes(engine.index.n_bytes())}; "
        f"peak memory of a process {human_bytes(peak_memory())}"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
