"""The loops of `retrieval.pair_join`: many pictures are joined with the postings of a segment at once.

Errors as those of the other loops (see `bof.native`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.native.library import CALLS
from bof.types import F64, I32, I64, U16, U64


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """Features of many pictures, each a row, best sorted by word: word i32, signature u64, owner i32, whose it is, and
    number i32, which of all their features (n,).
    """

    word: I32
    signature: U64
    owner: I32
    number: I32


def join_scores(
    postings: tuple[I32, I32, U16, U64],
    rows: FeatureRows,
    max_hamming: int,
    weight_of_distance: F64,
    weight_of_word: F64,
    score: F64,
) -> None:
    """Add to score f64 (n_pictures, n_images) what the rows of each picture vote for each image of a segment.

    postings as for `near_postings`, those of a word sorted by image. What a row says of an image is divided by the
    square root of its votes there; on a grid of 2**-32, so in any order of rows.
    """
    indptr, image, _, signature = postings
    joined = rows.word, rows.signature, rows.owner, max_hamming
    CALLS["join_scores"](indptr, image, signature, *joined, weight_of_distance, weight_of_word, score)


def join_counts(
    postings: tuple[I32, I32, U16, U64], rows: FeatureRows, max_hamming: int, place: I32, count: I64
) -> None:
    """Add to count i64 (n_places,) the votes of each pair of a picture and an image.

    place i32 (n_pictures, n_images): the number of a pair, -1 where votes are not counted.
    """
    indptr, image, _, signature = postings
    CALLS["join_counts"](indptr, image, signature, rows.word, rows.signature, rows.owner, max_hamming, place, count)


def join_votes(
    postings: tuple[I32, I32, U16, U64],
    rows: FeatureRows,
    max_hamming: int,
    weights: tuple[F64, F64],
    place: I32,
    start: I64,
    votes: NDArray[Any],
) -> None:
    """Copy the votes of such pairs into `votes`, those of pair i from start[i] on, i64 (n_places,); for `sort_votes`.

    weights: by distance and by word, as for `near_postings`. A vote's query feature is the row's number.
    """
    joined = rows.word, rows.signature, rows.owner, rows.number, max_hamming
    CALLS["join_votes"](*postings, *joined, *weights, place, start.copy(), votes)


def heaviest_windows(indptr: I64, bins: I32, weight: F64, shape: tuple[int, int], width: int) -> F64:
    """The most that votes weigh which turn and scale about alike, f64 (n_pairs,).

    Votes of pair i at indptr[i]:indptr[i + 1]; bins i32 (m,): turn * shape[1] + scale of each, of so many turns, which
    go around the circle, and scales; weight f64 (m,). About alike are `width` bins of each that follow each other.
    """
    heaviest = np.empty(len(indptr) - 1)
    CALLS["heaviest_windows"](indptr, bins, weight, width, np.zeros(shape), np.empty(shape[1]), heaviest)
    return heaviest
