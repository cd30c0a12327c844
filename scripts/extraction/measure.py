"""CPU time a picture, accuracy through the engine, and the time of OpenCV's SIFT with knobs that bof has not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bof.cli.progress import progress_bar
from bof.evaluation.benchmarks import Benchmark, load_benchmark
from bof.evaluation.run import MAIN, Report, evaluate_ranker
from bof.features.sift import extract_features
from bof.images.decode import decode, read_bytes, read_image
from bof.options import FeatureOptions, SearchOptions
from bof.types import U8, Box, Features
from bof.vocabulary.vocabulary import default_vocabulary_path
from scripts.common.arguments import cache_or_temporary
from scripts.common.data import SETS, with_queries
from scripts.common.features import Collection, extract_all, strongest
from scripts.common.tables import table
from scripts.common.timing import least_cpu_ms
from scripts.peers.engine import fill, peer_of

MOST_FEATURES = 4000
"""Features come strongest first, so those of a lower limit are the first rows: one extraction serves all limits."""

Figures = Mapping[str, float]
Benchmarks = Mapping[str, Benchmark]  # ukbench, dvd, and detail: DVD asked with the middle ninth of each photograph

Knobs = Mapping[str, Mapping[str, float]]  # by row of the table: CPU milliseconds by set of pictures
AS_BOF = "as bof extracts"


def load(data: Path, n_ukbench: int, n_dvd: int) -> dict[str, Benchmark]:
    """UKBench and DVD covers with even subsets of their queries, and the details; 0: all."""
    found = {
        name: with_queries(load_benchmark(name, data / folder), n)
        for (name, (folder, _)), n in zip(SETS.items(), (n_ukbench, n_dvd), strict=True)
    }
    details = [dataclasses.replace(query, box=_middle(query.image)) for query in found["dvd"].queries]
    name = f"{found['dvd'].name} details"
    return {**found, "detail": dataclasses.replace(found["dvd"], name=name, queries=details)}


def _middle(path: Path) -> Box:
    with Image.open(path) as image:
        width, height = image.size
    return (width / 3, height / 3, width * 2 / 3, height * 2 / 3)


def database_of(benchmarks: Benchmarks) -> list[Path]:
    """The pictures of both: each benchmark is asked among its own and the other's."""
    return list(dict.fromkeys(path for benchmark in benchmarks.values() for path in benchmark.database))


def choose_sample(benchmarks: Benchmarks, n: int) -> dict[str, list[Path]]:
    """About n pictures of each benchmark, spread evenly: of UKBench's own, and of the photographs that ask DVD."""
    named = {name: [query.image for query in benchmarks[name].queries] for name in SETS}
    named["ukbench"] = list(benchmarks["ukbench"].database)
    return {name: paths[:: max(1, len(paths) // n)][:n] for name, paths in named.items()}


def measure_milliseconds(
    settings: Sequence[FeatureOptions], sample: Mapping[str, Sequence[Path]], rounds: int
) -> list[dict[str, float]]:
    """For each setting the mean CPU milliseconds a picture of each set, on one thread, as `ms_SET`."""
    calls, spent = [partial(_extract, options) for options in settings], {}
    for name, paths in sample.items():
        with progress_bar(" pictures", f"timing {name}") as show:
            spent[f"ms_{name}"] = least_cpu_ms(calls, [read_bytes(path) for path in paths], rounds, show)
    return [dict(zip(spent, row, strict=True)) for row in zip(*spent.values(), strict=True)]


def _extract(options: FeatureOptions, file: bytes) -> Features:
    return extract_features(decode(file, grey=True, max_side=options.max_side), options)


def measure_accuracy(options: FeatureOptions, benchmarks: Benchmarks, cache: Path, title: str) -> dict[str, float]:
    """Index both sets' pictures, ask both sets' queries with the default options. title: of the setting."""
    features = extract(options, benchmarks, cache, title)
    queries = [query for benchmark in benchmarks.values() for query in benchmark.queries]
    collection = Collection(database_of(benchmarks), queries, features)
    with cache_or_temporary(None) as folder:
        engine, _ = fill(folder / "index", default_vocabulary_path(), collection)
        ranker = peer_of("bof", engine, collection, SearchOptions())
        reports = {name: evaluate_ranker(ranker, benchmark, len(engine)) for name, benchmark in benchmarks.items()}
        n_bytes = engine.n_bytes() / len(engine)
    counted = {"ukbench": benchmarks["ukbench"].database, "dvd": [query.image for query in benchmarks["dvd"].queries]}
    return {
        **{f"features_{n}": float(np.mean([len(features[path]) for path in p])) for n, p in counted.items()},
        "index_bytes": n_bytes,
        "ns": reports["ukbench"].ns or 0.0,
        "recall_at_1": reports["dvd"].recall_at_1 or 0.0,
        **{f"map_{name}": report.map or 0.0 for name, report in reports.items()},
        **{f"same_{name}": same_share(report) for name, report in reports.items()},
    }


def same_share(report: Report) -> float:
    """The share of true pairs that are called the same, over all queries; those below the first ten hits do not count.

    Unlike a rank it does not end at one: it shows how much proof the features give.
    """
    hits = [hit for query in report.queries for hit in query.hits]
    called = sum(hit.relevance == "positive" and hit.verdict == "same" for hit in hits)
    return called / sum(query.settings[MAIN].n_positives for query in report.queries)


def extract(options: FeatureOptions, benchmarks: Benchmarks, cache: Path, title: str) -> dict[Path, Features]:
    """The features of every picture. Kept in the cache with more of them than most settings take."""
    most = options.replaced(max_features=max(options.max_features, MOST_FEATURES))
    queries = [query.image for query in benchmarks["dvd"].queries]
    found = extract_all([*database_of(benchmarks), *queries], most, cache, title)
    return {path: strongest(features, options.max_features) for path, features in found.items()}


def variants(options: FeatureOptions) -> dict[str, Callable[[U8], object]]:
    """By name: what to do with the pixels of a picture."""
    ours = _sift(options)
    bilinear = _sift(options, precise=False)
    floats = _sift(options, kind=cv2.CV_32F)
    return {
        AS_BOF: lambda pixels: ours.detectAndCompute(pixels, None),
        "plain doubling (enable_precise_upscale off)": lambda pixels: bilinear.detectAndCompute(pixels, None),
        "descriptors as 32-bit floats": lambda pixels: floats.detectAndCompute(pixels, None),
        "picture halved first, so that nothing is doubled": lambda pixels: ours.detectAndCompute(halved(pixels), None),
        "key points alone, no descriptors": lambda pixels: ours.detect(pixels, None),
    }


def _sift(options: FeatureOptions, *, kind: int = cv2.CV_8U, precise: bool = True) -> cv2.SIFT:
    return cv2.SIFT.create(options.max_features, 3, options.contrast_threshold, 10.0, 1.6, kind, precise)


def halved(pixels: U8) -> U8:
    """Half the width and height."""
    height, width = pixels.shape
    return np.asarray(cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def measure_variants(sample: Mapping[str, Sequence[Path]], rounds: int) -> dict[str, dict[str, float]]:
    """SIFT alone with the defaults; pictures are read and shrunk before."""
    options = FeatureOptions()
    found: dict[str, dict[str, float]] = {name: {} for name in variants(options)}
    for set_name, paths in sample.items():
        pictures = [read_image(path, grey=True, max_side=options.max_side).pixels for path in paths]
        spent = least_cpu_ms(list(variants(options).values()), pictures, rounds)
        for name, milliseconds in zip(found, spent, strict=True):
            found[name][set_name] = milliseconds
    return found


def lines_of_variants(knobs: Knobs) -> list[str]:
    """Milliseconds beside what they are of bof's."""
    sets = list(knobs[AS_BOF])
    rows = [
        [knob, *(f"{values[name]:.1f} ({values[name] / knobs[AS_BOF][name]:.0%})" for name in sets)]
        for knob, values in knobs.items()
    ]
    return table(["OpenCV's SIFT alone, CPU ms a picture", *sets], rows)
