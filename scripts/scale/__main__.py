"""Cost against size: synthetic collections with planted matches, built by the engine's own writer and then asked.

python -m scripts.scale --data DIR --cache DIR --images 10000 100000 --features 1000

The data folder holds train/. Pictures are made up, so that words, bursts, signatures and geometry follow those of its
photographs; two lines say how well. Each collection is opened in fresh processes, with its files in the file cache
and not, and asked by real descriptors; a part of each query is planted in one picture. What --json wrote of earlier
runs joins the fits and the figures with --earlier.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bof.cli.command import run
from bof.errors import BofError, OptionError
from bof.evaluation.report.figures import require_matplotlib
from bof.system.files import read_json
from bof.types import Features
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures
from scripts.common.data import TRAIN
from scripts.common.process import python_command, run_measured
from scripts.scale import report
from scripts.scale.build import Build, Place, build, place_of
from scripts.scale.planting import plant
from scripts.scale.pool import Pool, load_pool
from scripts.scale.synthesis import Likeness, Synthesis, compare

SEED = 0
N_PHOTOS = 1500  # photographs in the pool, those that ask included


def main(argv: list[str] | None = None) -> int:
    """Build, open, ask and report."""
    parser = make_parser(
        __doc__,
        "data cache json",
        vocabulary=(None, "default: the one that comes with bof"),
        queries=(50, "planted matches"),
        runs=(3, "of each warm timing; medians are printed"),
        memory=(0, "megabytes of the index that may stay in memory; 0: bof's default"),
        plot=(None, "draw cost against size here, as SVG"),
    )
    for name, default, what in (("images", [10_000, 100_000], "sizes"), ("features", [300, 1000], "features an image")):
        parser.add_argument(f"--{name}", type=int, nargs="+", default=default, metavar="N", help=f"{what} to run")
    what = "results of --json to join"
    parser.add_argument("--earlier", type=Path, nargs="+", default=[], metavar="FILE", help=what)
    parser.add_argument("--keep", action="store_true", help="leave new collections in the cache, to be asked again")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "images", "features", "queries", "runs")
    if min(arguments.images) < arguments.queries:
        expected = f"one a query (--queries {arguments.queries}) or more"
        raise OptionError(f"--images: expected {expected}, found {min(arguments.images)}")
    if arguments.plot:
        require_matplotlib()
    results = [result for file in arguments.earlier for result in _read(file)]
    with cache_or_temporary(arguments.cache) as cache:
        vocabulary = load_vocabulary(arguments.vocabulary or default_vocabulary_path())
        source = load_pool(arguments.data / TRAIN, N_PHOTOS, arguments.queries, vocabulary, cache)
        for n_features, n_images in itertools.product(arguments.features, arguments.images):
            results = [r for r in results if (r.build.images, r.build.features) != (n_images, n_features)]
            results.append(_run_one(*source, n_images, n_features, arguments, cache))
    fits = report.fit_all(results)
    print("\ngrowth (along features, queries grow with the images: a vote may then cost up to features^2)")
    _print(*report.fit_lines(fits))
    write_figures(arguments.json, {"results": results})
    if arguments.plot:
        report.draw(arguments.plot, results, fits)
    return 0


def _read(file: Path) -> list[report.Result]:
    try:
        return [report.Result.from_json(fields) for fields in read_json(file)["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BofError(f"{file}: expected results that --json wrote ({error!r}); run them again") from error


def _run_one(
    pool: Pool, photos: Sequence[Features], n_images: int, n_features: int, arguments: argparse.Namespace, cache: Path
) -> report.Result:
    """One size. photos: those that ask."""
    print(f"\n{n_images} images of about {n_features} features", flush=True)
    folder = (arguments.vocabulary or default_vocabulary_path()).absolute()
    vocabulary, synthesis = load_vocabulary(folder), Synthesis.of(pool, n_features, SEED)
    planted = plant(photos, n_features, vocabulary, SEED)
    likeness = compare(synthesis, planted.queries, vocabulary)
    _print(report.planting_line(planted), *map(report.likeness_line, ("real", "synthetic"), likeness))
    identity = (vocabulary.fingerprint, str(arguments.data.absolute()), N_PHOTOS, arguments.queries, SEED)
    place = place_of(cache, n_images, n_features, *identity)
    stays = arguments.keep or place.record.exists()
    try:
        built = build(place, synthesis, planted, folder, n_images, n_features)
        result = measure(place, built, likeness, folder, arguments)
    finally:
        if not stays:
            shutil.rmtree(place.folder, ignore_errors=True)
    _print(*report.result_lines(result))
    return result


def measure(
    place: Place, built: Build, likeness: tuple[Likeness, Likeness], vocabulary: Path, arguments: argparse.Namespace
) -> report.Result:
    """Open and ask a collection in fresh processes: once from the disk, then as often as --runs from the file cache."""
    asking = ("--queries", place.queries, "--targets", place.targets)
    settings = ("--cold", "--runs", arguments.runs, "--memory", arguments.memory)
    cold = in_fresh_process(place.index, vocabulary, *settings, *asking)
    warm = [in_fresh_process(place.index, vocabulary)["open"] for _ in range(arguments.runs)]
    opening = {"cold": cold["open"], "warm": {part: median(each[part] for each in warm) for part in warm[0]}}
    names = ("segments", "memory", "milliseconds", "slowest_first", "found")
    real, synthetic = likeness
    return report.Result(built, opening=opening, real=real, synthetic=synthetic, **{name: cold[name] for name in names})


def in_fresh_process(*arguments: object) -> dict[str, Any]:
    """What scripts.scale.query says. Raises BofError where it fails."""
    return dict(json.loads(run_measured(python_command("scripts.scale.query", *arguments)).stdout))


def _print(*lines: str) -> None:
    for line in lines:
        print("  " + line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
