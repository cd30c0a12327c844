"""`bof index --publish PLACE`: an index as immutable files where others read it."""

from __future__ import annotations

import argparse
from pathlib import Path

from bof.cli.progress import progress_bar
from bof.errors import OptionError
from bof.store.index import Index
from bof.store.published.buckets import open_bucket, publication_place
from bof.store.published.publishing import publish, sweep
from bof.system.units import counted, human_bytes


def add_publish(group: argparse._ActionsContainer) -> None:
    """The flag that publishes."""
    group.add_argument(
        "--publish", type=publication_place, metavar="PLACE",
        help="publish the index for readers elsewhere: s3://BUCKET/PREFIX, gs://, az:// or a folder",
    )  # fmt: skip


def add_sweep(group: argparse._ActionsContainer) -> None:
    """The flag that goes with it."""
    group.add_argument("--sweep", action="store_true", help="with --publish: then delete there what it has no more")


def refuse_wrong_publishing(arguments: argparse.Namespace) -> None:
    """Raises OptionError where the flags contradict each other."""
    if arguments.sweep and not arguments.publish:
        raise OptionError(option="sweep", expected="{publish} PLACE beside it")


def publish_index(folder: Path, arguments: argparse.Namespace) -> int:
    """Publish it. It needs no vocabulary."""
    bucket = open_bucket(arguments.publish, write=True)
    with progress_bar("B") as show:
        report = publish(Index.open(folder), bucket, show)
    manifest = report.manifest
    print(
        f"{bucket.shown}: {counted(manifest.n_images, 'picture')} in {counted(len(manifest.contents), 'object')}, "
        f"{human_bytes(manifest.n_bytes)}; {counted(report.n_stored, 'object')}, "
        f"{human_bytes(report.n_bytes_stored)} new"
    )
    if arguments.sweep:
        n_swept, n_bytes = sweep(bucket, manifest)
        print(f"deleted {counted(n_swept, 'object')}, {human_bytes(n_bytes)}")
    return 0
