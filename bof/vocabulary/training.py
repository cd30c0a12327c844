"""Training a vocabulary: sampled descriptors -> MiniBatchKMeans on one or two levels -> refinement -> thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from joblib import Parallel, delayed
from sklearn.cluster import MiniBatchKMeans

from bof.errors import VocabularyError
from bof.features.sift import N_DIMENSIONS
from bof.options import TrainOptions
from bof.types import F32, I32, I64, U8
from bof.vocabulary import hamming
from bof.vocabulary.assignment import Assigner, means
from bof.vocabulary.sampling import Sample
from bof.vocabulary.vocabulary import Vocabulary

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the steps done and the steps to do."""

FLAT_UP_TO = 4096
"""Up to this many words one level of k-means is affordable; above, its cost grows with words times descriptors."""

_REFINEMENTS = 3
_CHUNK = 65536


def silent(stage: str, done: int, total: int) -> None:
    """No progress."""


def train_vocabulary(sample: Sample, options: TrainOptions, *, progress: Progress = silent) -> Vocabulary:
    """Cluster a sample into visual words.

    options.levels: 1 for flat k-means, 2 for k-means inside the cells of a coarse k-means, 0 to choose by the number of
    words. The same sample, options and seed give the same bytes with any number of workers. Raises
    VocabularyError when there are fewer distinct descriptors than words. Sources: Sivic and Zisserman 2003;
    Sculley 2010 (mini-batch k-means); Philbin et al. 2007 (approximate k-means, the refinement).
    """
    _refuse_few(sample, options.words)
    levels = options.levels or (1 if options.words <= FLAT_UP_TO else 2)
    cluster = _flat if levels == 1 else _two_level
    centroids = _to_bytes(cluster(sample.descriptors, options, progress))
    centroids = _refine(sample.descriptors, centroids, options.seed, progress)
    return _finish(sample, centroids, options, levels, progress)


def _refuse_few(sample: Sample, n_words: int) -> None:
    n = _n_distinct(sample.descriptors)
    if n < n_words:
        raise VocabularyError(
            f"{n_words} words need as many different descriptors",
            path=sample.source,
            found=f"{n} in {sample.n_images} pictures",
            advice=f"give more pictures or {{words}} {max(2, n // 30)} (about 30 descriptors a word)",
        )


def _n_distinct(descriptors: U8) -> int:
    """Different rows, told apart by a 64-bit hash."""
    lanes = np.ascontiguousarray(descriptors).view(np.uint64)
    factors = np.random.default_rng(0).integers(0, 1 << 63, lanes.shape[1], np.uint64) * np.uint64(2) + np.uint64(1)
    return len(np.unique(lanes @ factors))


def _flat(descriptors: U8, options: TrainOptions, progress: Progress) -> F32:
    progress("cluster", 0, 1)
    centroids = _mini_batch(descriptors, options.words, options.seed)
    progress("cluster", 1, 1)
    return centroids


def _two_level(descriptors: U8, options: TrainOptions, progress: Progress) -> F32:
    """Coarse cells, then words inside each cell, as many as its share of the descriptors."""
    n_cells = max(2, round(options.words**0.5))
    progress("coarse cells", 0, 1)
    subset = np.sort(np.random.default_rng(options.seed).permutation(len(descriptors))[: 256 * n_cells])
    coarse = _to_bytes(_mini_batch(descriptors[subset], n_cells, options.seed))
    cell = _nearest(coarse, descriptors)
    progress("coarse cells", 1, 1)
    order = np.argsort(cell, kind="stable")
    ends = np.searchsorted(cell[order], np.arange(len(coarse) + 1))
    shares = proportional_shares(np.diff(ends), options.words)
    jobs = (
        delayed(_mini_batch)(descriptors[np.sort(order[ends[i] : ends[i + 1]])], int(shares[i]), options.seed + i)
        for i in np.flatnonzero(shares)
    )
    parts = Parallel(n_jobs=options.n_workers, prefer="threads", return_as="generator", pre_dispatch="2*n_jobs")(jobs)
    return np.concatenate(list(_counted(parts, "words in cells", int((shares > 0).sum()), progress)))


def _counted(parts: Iterator[F32], stage: str, total: int, progress: Progress) -> Iterator[F32]:
    for done, part in enumerate(parts, 1):
        progress(stage, done, total)
        yield part


def proportional_shares(population: I64, total: int) -> I64:
    """Split `total` words over cells by population, never more words than a cell has descriptors.

    population i64 (n,), its sum at least `total`. Returns i64 (n,) that sums to `total`.
    """
    shares = np.minimum(population, np.floor(population / population.sum() * total).astype(np.int64))
    while (missing := total - int(shares.sum())) > 0:
        open_cells = np.flatnonzero(shares < population)
        by_need = open_cells[np.argsort(shares[open_cells] / population[open_cells], kind="stable")]
        shares[by_need[:missing]] += 1
    return np.asarray(shares, np.int64)


def _mini_batch(descriptors: U8, n_clusters: int, seed: int) -> F32:
    """MiniBatchKMeans of scikit-learn: deterministic in its seed for any number of threads."""
    points = descriptors.astype(np.float32)
    if n_clusters == len(points):
        return points
    model = MiniBatchKMeans(
        n_clusters,
        init="random",
        n_init=1,
        batch_size=max(4096, 4 * n_clusters),
        max_iter=12,
        max_no_improvement=None,
        reassignment_ratio=0.01,
        random_state=seed % (1 << 32),
        compute_labels=False,
    )
    return np.asarray(model.fit(points).cluster_centers_, np.float32)


def _nearest(words: U8, descriptors: U8) -> I32:
    """The nearest word of each descriptor, i32 (n,), as queries and pictures will find it."""
    return Assigner.over(words).search(descriptors, 1)[:, 0]


def _to_bytes(centroids: F32) -> U8:
    return np.clip(np.rint(centroids), 0, 255).astype(np.uint8)


def _refine(descriptors: U8, centroids: U8, seed: int, progress: Progress) -> U8:
    """A few rounds of k-means with approximate assignment: words of neighbouring cells come to terms."""
    for done in range(_REFINEMENTS):
        progress("refine", done, _REFINEMENTS)
        word = _nearest(centroids, descriptors)
        centroids = means(descriptors, word, centroids)
        centroids = _reseed_starved(descriptors, word, centroids, seed + done)
    progress("refine", _REFINEMENTS, _REFINEMENTS)
    return centroids


def _reseed_starved(descriptors: U8, word: I32, centroids: U8, seed: int) -> U8:
    """A word that no descriptor chose moves onto a descriptor of one of the most crowded words."""
    count = np.bincount(word, minlength=len(centroids))
    starved = np.flatnonzero(count == 0)
    crowded = np.resize(np.argsort(-count, kind="stable")[: np.count_nonzero(count)], len(starved))
    moved = centroids.copy()
    generator = np.random.default_rng(seed)
    for empty, full in zip(starved, crowded, strict=True):
        moved[empty] = descriptors[generator.choice(np.flatnonzero(word == full))]
    return moved


def _finish(sample: Sample, centroids: U8, options: TrainOptions, levels: int, progress: Progress) -> Vocabulary:
    """Thresholds, figures, and the finished value."""
    progress("thresholds", 0, 1)
    word = _nearest(centroids, sample.descriptors)
    projection = hamming.make_projection(N_DIMENSIONS, options.seed)
    thresholds = hamming.learn_thresholds(sample.descriptors, word, centroids.astype(np.float32), projection)
    progress("thresholds", 1, 1)
    trained_on = {
        "source": sample.source,
        "n_images": sample.n_images,
        "n_descriptors": len(sample.descriptors),
        "seed": options.seed,
        "levels": levels,
        "distortion": round(_distortion(sample.descriptors, word, centroids), 1),
        "words_used": int((np.bincount(word, minlength=len(centroids)) > 0).sum()),
    }
    return Vocabulary.make(centroids, projection, thresholds, sample.features, trained_on, sample.image_keys)


def _distortion(descriptors: U8, word: I32, centroids: U8) -> float:
    """Mean squared distance of a descriptor to its word, in squared byte units."""
    total = 0
    for i in range(0, len(word), _CHUNK):
        difference = descriptors[i : i + _CHUNK].astype(np.int32) - centroids[word[i : i + _CHUNK]]
        total += int(np.square(difference, dtype=np.int64).sum())
    return total / len(word)
