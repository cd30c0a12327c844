"""bof and perceptual hashes behind one question: how much does each reference look like a copy of this picture?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from copy_scores import NEVER, MethodReport, Reply, judge
from numpy.typing import NDArray
from PIL import Image

from bof.engine import Engine
from bof.evaluation.benchmarks.types import Benchmark
from bof.images.decode import read_image
from bof.types import U8

Hash = Callable[[U8], NDArray[np.uint64]]
Progress = Callable[[int, int], None]

FAMILIES = ("bof", "imagehash", "imagededup")
SLOW_FAMILIES = ("crop_resistant",)
"""imagehash's hash of segments takes a quarter of a second a picture: it runs only when it is asked for."""

DISTANCE = 10
"""imagededup's default, max_distance_threshold=10 of 64 bits; used for imagehash too, which sets none for one hash."""
CROP_DISTANCE = 16
"""imagehash's default for crop_resistant_hash: one segment (region_cutoff=1) within bit_error_rate=0.25 of 64 bits."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method over indexed references: `ask` answers with a score for each, in their order."""

    name: str
    threshold: str
    index_seconds: float
    n_bytes: int
    ask: Callable[[Path], Reply]


def build_methods(family: str, references: Sequence[Path], scratch: Path) -> list[Method]:
    """The methods of a family, ready to ask. Raises ImportError when its package is not installed."""
    if family == "bof":
        return [bof_method(references, scratch)]
    hashes, limit = HASHES[family]
    return [hash_method(f"{family} {name}", kind, references, limit) for name, kind in hashes().items()]


def run(method: Method, benchmark: Benchmark, progress: Progress) -> MethodReport:
    """Ask every query and judge the replies."""
    outcomes, seconds = [], 0.0
    row_of = {path: row for row, path in enumerate(benchmark.database)}
    for number, query in enumerate(benchmark.queries, 1):
        start = time.perf_counter()
        reply = method.ask(query.image)
        seconds += time.perf_counter() - start
        outcomes.append(judge(query, row_of, reply))
        progress(number, len(benchmark.queries))
    milliseconds = 1e3 * seconds / len(benchmark.queries)
    return MethodReport(method.name, method.threshold, outcomes, method.index_seconds, milliseconds, method.n_bytes)


# -- bof --------------------------------------------------------------------------------------------------------------


def bof_method(references: Sequence[Path], folder: Path, vocabulary: Path | None = None) -> Method:
    """The engine with its defaults. Accepted is what it calls the same; a score counts where it says same or maybe."""
    engine = Engine.create(folder, vocabulary)
    start = time.perf_counter()
    engine.add(references)
    seconds = time.perf_counter() - start
    row_of = {path: row for row, path in enumerate(references)}
    rows = {image: row_of[Path(row.path)] for image, row in enumerate(engine.images)}

    def ask(path: Path) -> Reply:
        picture = read_image(path, grey=True, max_side=engine.features.max_side)
        query = engine.prepare(picture)
        reply = Reply(np.full(len(references), NEVER), np.zeros(len(references), np.bool_))
        answer = engine.answer(query)
        for hit in engine.hits(query, answer, top=len(answer.verifications)):  # what was verified comes first
            if hit.verdict in ("same", "maybe"):
                reply.scores[rows[hit.image]] = hit.score
                reply.accepted[rows[hit.image]] = hit.verdict == "same"
        return reply

    return Method("bof", "verdict same", seconds, engine.n_bytes(), ask)


# -- Perceptual hashes ------------------------------------------------------------------------------------------------


def hash_method(name: str, kind: Hash, references: Sequence[Path], limit: int) -> Method:
    """Nearest by Hamming distance. kind: a picture's hashes u64 (m,), m >= 1; the nearest two count."""
    start = time.perf_counter()
    hashes = [kind(_rgb(path)) for path in references]
    seconds = time.perf_counter() - start
    starts = np.concatenate([[0], np.cumsum([len(h) for h in hashes])[:-1]])
    column = np.concatenate(hashes)

    def ask(path: Path) -> Reply:
        distances = np.bitwise_count(kind(_rgb(path))[:, None] ^ column).min(axis=0)
        nearest = np.minimum.reduceat(distances, starts).astype(np.float64)
        return Reply(0.0 - nearest, nearest <= limit)

    return Method(name, f"at most {limit} of 64 bits differ", seconds, column.nbytes, ask)


def _rgb(path: Path) -> U8:
    return read_image(path).pixels


def _imagehash_kinds() -> dict[str, Hash]:
    import imagehash

    def single(function: Callable[[Image.Image], object]) -> Hash:
        return lambda rgb: _bits(np.asarray(function(Image.fromarray(rgb)).hash))  # type: ignore[attr-defined]

    kinds = ("phash", "dhash", "whash", "average_hash")
    return {kind: single(getattr(imagehash, kind)) for kind in kinds}


def _crop_resistant_kinds() -> dict[str, Hash]:
    import imagehash

    def segments(rgb: U8) -> NDArray[np.uint64]:
        found = imagehash.crop_resistant_hash(Image.fromarray(rgb)).segment_hashes
        return np.concatenate([_bits(np.asarray(part.hash)) for part in found])

    return {"hash": segments}


def _bits(values: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """64 truth values of any shape as u64 (1,)."""
    return np.packbits(values.reshape(-1)).view(np.uint64)


def _imagededup_kinds() -> dict[str, Hash]:
    """Its four hashes. Its neural network is left out: the weights are a download."""
    from imagededup import methods

    def encoder(name: str) -> Hash:
        hasher = getattr(methods, name)(verbose=False)
        return lambda rgb: np.array([int(hasher.encode_image(image_array=rgb), 16)], np.uint64)

    return {name: encoder(name) for name in ("PHash", "DHash", "WHash", "AHash")}


HASHES: dict[str, tuple[Callable[[], dict[str, Hash]], int]] = {
    "imagehash": (_imagehash_kinds, DISTANCE),
    "imagededup": (_imagededup_kinds, DISTANCE),
    "crop_resistant": (_crop_resistant_kinds, CROP_DISTANCE),
}
