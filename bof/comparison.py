"""Two pictures compared without an index: verdict and proof as a search gives them, and the bits of their hashes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.alignment.agreement import DECODED
from bof.errors import OptionError
from bof.features.sift import extract_features
from bof.global_descriptors import hashes
from bof.global_descriptors.describe import SIDE, ColumnSpec
from bof.images.decode import Picture, shrink, to_rgb
from bof.images.draw import draw_hit
from bof.images.sources import Channels, OpenedSource, Source, open_source
from bof.options import HASHES, SKETCH, FeatureOptions, PixelLimit, SearchOptions
from bof.retrieval.answer import describe_hit
from bof.retrieval.hits import PlacedImage, hit_of
from bof.retrieval.query import Query, QuerySource, prepare
from bof.retrieval.searcher import Searcher
from bof.store.catalog.catalogue_columns import gather_rows
from bof.store.inverted_file import Weights, squared_norms
from bof.store.segments import ImageColumns, columns_of, segment_in_memory
from bof.store.snapshot import Snapshot
from bof.types import F32, U8, Features, Hit
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary


@dataclass(frozen=True, slots=True)
class HashDistance:
    """How far apart two pictures are by one hash: similarity in [0, 1]; bits: that differ, of n_bits.

    bits and n_bits are None for the hashes that are no bits, radial and moments.
    """

    similarity: float
    bits: int | None
    n_bits: int | None


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """What is known of two pictures.

    hit: the other picture, as a search with the first one would give it in a collection whose words are all equally
    rare; its score is that of such a collection; hashes: by name; points, other_points f32 (m, 2): where inliers lie,
    in pixels; picture, other: both in RGB; n_features: of each.
    """

    name: str
    hit: Hit
    hashes: Mapping[str, HashDistance]
    points: F32
    other_points: F32
    picture: Picture
    other: Picture
    n_features: tuple[int, int]

    def __repr__(self) -> str:
        return f"Comparison({self.name!r}, {self.hit.name!r}: {describe_hit(self.hit)})"

    def proof(self) -> U8:
        """Both pictures side by side with what agrees, u8 (h, w, 3), RGB."""
        caption = f"{self.name} | {self.hit.name}\n{describe_hit(self.hit)}"
        return draw_hit(self.picture, self.other, self.points, self.other_points, self.hit, caption)


def compare_pictures(
    one: Source,
    other: Source,
    options: SearchOptions | None = None,
    *,
    vocabulary: Path | None = None,
    channels: Channels = "RGB",
) -> Comparison:
    """Do two pictures show the same thing? The first is the query. Needs no index.

    Each may have any form that `Engine.search` takes; channels: the order of the colours of arrays; vocabulary: its
    folder, default bof's own. Raises ImageError for what is no picture, OptionError where the options name another
    ranker than bof, or a filter.
    """
    first = open_source(one, channels, name="the first picture")
    return compare_opened(first, open_source(other, channels, name="the second picture"), options, vocabulary)


def compare_opened(
    one: OpenedSource, other: OpenedSource, options: SearchOptions | None = None, vocabulary: Path | None = None
) -> Comparison:
    """`compare_pictures` of pictures that are opened."""
    options = options or SearchOptions()
    if options.ranker != "bof" or options.where or options.text:
        expected, found = "bof, and no filter: there are only two pictures", repr(options.ranker)
        raise OptionError(option="ranker", expected=expected, found=found)
    words = load_vocabulary(Path(os.path.abspath(vocabulary or default_vocabulary_path())))
    extraction = words.new_index_features
    query = _query(one, extraction)
    grey = other.grey(extraction.extent)
    features = extract_features(grey, extraction, lambda: other.colours(DECODED))
    pictures = _OtherPicture(other) if options.verify.pixels else None
    rows = ColumnSpec((SKETCH,)).describe(grey.pixels, other.name)
    collection = _collection(other.name, columns_of(features, words, rows), features, words)
    answer = Searcher(collection, words, options, pictures=pictures).match(query, 0).answer
    hit = hit_of(collection.rows[0], query, answer, PlacedImage(0, float(answer.scores[0])), options.verify)
    hit = dataclasses.replace(hit, verdict="no") if hit.verdict == "unverified" else hit
    return _compared(one, other, hit, query, features, extraction.extent)


def _in_rgb(source: OpenedSource, max_side: PixelLimit) -> Picture:
    picture = source.colours(max_side)
    return dataclasses.replace(picture, pixels=to_rgb(picture.pixels))


def _query(one: OpenedSource, features: FeatureOptions) -> Query:
    grey = one.grey(features.extent)
    query = prepare(grey, None, features, colours=_in_rgb(one, DECODED), sha256=one.sha256)
    return dataclasses.replace(query, source=QuerySource(one, grey.width, grey.height, features))


def _compared(
    one: OpenedSource, other: OpenedSource, hit: Hit, query: Query, features: Features, max_side: PixelLimit
) -> Comparison:
    pictures = _in_rgb(one, max_side), _in_rgb(other, max_side)
    points = np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    if hit.verification is not None:
        in_other = features.geometry.xy_px[hit.verification.inliers.database]
        points = hit.verification.points_in(query.features.geometry), in_other
    n_features = len(query.features), len(features)
    return Comparison(one.name, hit, _hash_distances(*pictures), *points, *pictures, n_features)


# -- A collection of one picture -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OtherPicture:
    """The pixels of the only picture of a collection."""

    picture: OpenedSource

    def contents(self, images: object) -> Mapping[int, str]:
        return {0: self.picture.sha256}

    def find(self, sha256: str) -> list[int]:
        return [0] if sha256 == self.picture.sha256 else []

    def read(self, image: int, max_side: PixelLimit) -> Picture:
        return _in_rgb(self.picture, max_side)


def _collection(name: str, columns: ImageColumns, features: Features, vocabulary: Vocabulary) -> Snapshot:
    """A picture as a collection in memory.

    Every word is equally rare: how rare each is in the pictures that are not here nobody knows, and by the two at hand
    alone the words that they share would be common.
    """
    segment = segment_in_memory([columns], vocabulary.n_words)
    idf, live = np.ones(vocabulary.n_words), np.ones(1, np.bool_)
    norm = np.sqrt(squared_norms(segment.postings, idf))
    weights = Weights(idf, np.where(norm > 0, norm, 1.0), live)
    size = features.geometry.width, features.geometry.height
    path = os.fsencode(name)
    rows = gather_rows([[(path, path, *size, 1, 0, 0, 1)]])
    return Snapshot(0, [""], [segment], rows, np.zeros(1, np.int32), weights, 1, len(features))


def _hash_distances(one: Picture, other: Picture) -> dict[str, HashDistance]:
    mine, others = (hashes.describe(shrink(picture.pixels, SIDE)) for picture in (one, other))
    found = {name: float(hashes.similarity(mine[name], others[name][None], name)[0]) for name in HASHES}
    return {name: HashDistance(alike, *hashes.bits_of(name, alike)) for name, alike in found.items()}
