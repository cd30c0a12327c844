"""Cost against size: synthetic collections with planted matches, built by the engine's own writer and then asked.

python scripts/scale_bench.py --data DIR --cache DIR --images 10000 100000 --features 1000

The data folder holds train/. Pictures are made up, so that words, bursts, signatures and geometry follow those of its
photographs; two lines say how well. Each collection is opened in fresh processes, with its files in the file cache
and not, and asked by real descriptors; a part of each query is planted in one picture. A size that is not run can be
extrapolated from those that are; what --json wrote of earlier runs joins the fits and the figures with --earlier.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from peer_common import Workshop
from scale_build import Build, Place, build, place_of
from scale_fit import Result, fit_all
from scale_likeness import Likeness, compare
from scale_planting import plant
from scale_plot import draw
from scale_pool import Pool, load_pool
from scale_report import describe_fits, describe_likeness, describe_planting, describe_result
from scale_synthesis import Synthesis

from bof.cli.command import run
from bof.errors import BofError, OptionError
from bof.evaluation.report.figures import require_matplotlib
from bof.types import Features
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

SEED = 0
_QUERY_SCRIPT = Path(__file__).with_name("scale_query.py")


@dataclass(frozen=True, slots=True)
class Source:
    """What every collection is made from."""

    pool: Pool
    photos: Sequence[Features]
    vocabulary_folder: Path
    identity: tuple[object, ...]


def main(argv: list[str] | None = None) -> int:
    """Build, open, ask and report."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the pool is drawn from DIR/train")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="for the pool and the collections")
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000], metavar="N", help="sizes to run")
    parser.add_argument("--features", type=int, nargs="+", default=[300, 1000], metavar="N", help="features an image")
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help="default: the one that comes with bof")
    parser.add_argument(
        "--photos", type=int, default=1500, metavar="N", help="photographs in the pool, queries included"
    )
    parser.add_argument("--queries", type=int, default=50, metavar="N", help="planted matches")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each warm timing; medians are printed")
    parser.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="MB",
        help="of the index that may stay in memory; 0: the default",
    )
    parser.add_argument(
        "--extrapolate", type=int, nargs="+", default=[], metavar="N", help="images: say what the fits say"
    )
    parser.add_argument("--earlier", type=Path, nargs="+", default=[], metavar="FILE", help="results of --json to join")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw cost against size")
    parser.add_argument("--keep", action="store_true", help="leave new collections in the cache, to be asked again")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    _refuse_nonsense(arguments)
    results = [result for file in arguments.earlier for result in _read(file)]
    source = _gather(arguments)
    for n_features, n_images in itertools.product(arguments.features, arguments.images):
        results = [r for r in results if (r.build.images, r.build.features) != (n_images, n_features)]
        results.append(_run_one(source, n_images, n_features, arguments))
    fits = fit_all(results)
    print("\ngrowth (along features, queries grow with the images: a vote may then cost up to features^2)")
    _print(*describe_fits(fits, arguments.extrapolate))
    if arguments.json:
        document = {"results": [r.as_json() for r in results]}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if arguments.plot:
        draw(arguments.plot, results, fits, arguments.extrapolate)
    return 0


def _refuse_nonsense(arguments: argparse.Namespace) -> None:
    """Before hours are spent."""
    for name in ("images", "features", "photos", "queries", "runs", "extrapolate"):
        given = getattr(arguments, name)
        smallest = min(given, default=1) if isinstance(given, list) else given
        if smallest < 1:
            raise OptionError(f"--{name}: expected 1 or more, found {smallest}")
    if min(arguments.images) < arguments.queries:
        expected = f"one a query (--queries {arguments.queries}) or more"
        raise OptionError(f"--images: expected {expected}, found {min(arguments.images)}")
    if arguments.plot:
        require_matplotlib()


def _read(file: Path) -> list[Result]:
    try:
        return [Result.from_json(fields) for fields in json.loads(file.read_text(encoding="utf-8"))["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BofError(f"{file}: expected results that --json wrote ({error!r}); run them again") from error


def _gather(arguments: argparse.Namespace) -> Source:
    """Pool and queries, the same for all sizes."""
    folder = (arguments.vocabulary or default_vocabulary_path()).absolute()
    vocabulary = load_vocabulary(folder)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(vocabulary.n_words, arguments.data, arguments.cache, arguments.cache, os.cpu_count() or 1)
    sizes = (arguments.photos, arguments.queries)
    pool, photos = load_pool(arguments.data / "train", *sizes, vocabulary, workshop)
    identity = (vocabulary.fingerprint, str(arguments.data.absolute()), *sizes, SEED)
    return Source(pool, photos, folder, identity)


def _run_one(source: Source, n_images: int, n_features: int, arguments: argparse.Namespace) -> Result:
    print(f"\n{n_images} images of about {n_features} features", flush=True)
    vocabulary = load_vocabulary(source.vocabulary_folder)
    synthesis = Synthesis.of(source.pool, n_features, SEED)
    planted = plant(source.photos, n_features, vocabulary, SEED)
    likeness = compare(synthesis, planted.queries, vocabulary)
    _print(describe_planting(planted), *map(describe_likeness, ("real", "synthetic"), likeness))
    place = place_of(arguments.cache, n_images, n_features, *source.identity)
    stays = arguments.keep or place.record.exists()
    try:
        built = build(place, synthesis, planted, source.vocabulary_folder, n_images, n_features)
        asking = ("--runs", str(arguments.runs), "--memory", str(arguments.memory))
        result = measure(place, built, likeness, source.vocabulary_folder, arguments.runs, asking)
    finally:
        if not stays:
            shutil.rmtree(place.folder, ignore_errors=True)
    _print(*describe_result(result))
    return result


def measure(
    place: Place,
    built: Build,
    likeness: tuple[Likeness, Likeness],
    vocabulary_folder: Path,
    runs: int,
    asking: Sequence[str],
) -> Result:
    """Open and ask a collection in fresh processes: once from the disk, then as often as `runs` from the file cache.

    asking: flags of scale_query.py.
    """
    cold = _in_fresh_process(place.index, vocabulary_folder, "--cold", "--queries", str(place.queries), *asking)
    warm = [_in_fresh_process(place.index, vocabulary_folder)["open"] for _ in range(runs)]
    opening = {"cold": cold["open"], "warm": {part: median(each[part] for each in warm) for part in warm[0]}}
    names = ("segments", "memory", "milliseconds", "slowest_first", "found")
    real, synthetic = likeness
    return Result(built, opening=opening, real=real, synthetic=synthetic, **{name: cold[name] for name in names})


def _in_fresh_process(index: Path, vocabulary_folder: Path, *more: str) -> dict[str, Any]:
    """What scale_query.py says. Raises BofError, with its last line of complaint, where it fails."""
    command = [sys.executable, str(_QUERY_SCRIPT), str(index), str(vocabulary_folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BofError(f"{index}: cannot be asked: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return dict(json.loads(done.stdout))


def _print(*lines: str) -> None:
    for line in lines:
        print("  " + line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
