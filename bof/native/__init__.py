"""The loops that numpy cannot run at the machine's speed, in C (the .c files here); tests hold slow loops as oracles.

They are compiled when bof is installed, so nobody waits for a compiler later. Everything here lets go of the
interpreter, so callers share work between threads. Arrays are of just the types that are named, in C's order.

Every function raises TypeError and ValueError, with the names of the function and the parameter, before C is entered
where an argument's type, shape, order or range is wrong, and ValueError where C meets a number that leads nowhere: of
an image, a feature or a word that does not exist, or an offset. What it has filled so far is then worthless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.native.library import CALLS
from bof.native.table import SLOT, VOTE
from bof.types import F32, F64, I32, I64, U8, U16, U64, Bool

_FIRST_ROOM = 1 << 16


@dataclass(frozen=True, slots=True)
class VotePiece:
    """Votes of the query features `queried`: image i32, database feature u16 and Hamming distance u8 (n,).

    ends i64 (len(queried) * k,): where the votes end that each word of each of these features has found.
    """

    image: I32
    feature: U16
    distance: U8
    ends: I64
    queried: range

    def __len__(self) -> int:
        return len(self.image)


Points = NDArray[np.void]
"""Key points of SIFT: `table.POINT` (n,)."""

Swept = tuple[int, int, int]
"""Width and height in pixels of a picture that was swept in so many bands."""

Packed = tuple[NDArray[np.int8], I32, I32]
"""Vectors in blocks of 16, i8 (n_blocks, 32, 16, 4): four dimensions of each of 16 at a time, moved by -128; and of
each place i32 (n_blocks * 16): its squared length, and whose vector it is, -1 for padding. The last block is padding.
"""


def nearest_words(descriptors: U8, cells: Packed, n_probed: int, cell_start: I64, words: Packed, word: I32) -> None:
    """Fill word i32 (n, k) with the nearest words of descriptors u8 (n, 128), nearest first, ties to the lower.

    They are looked for in the n_probed nearest cells, in all where these hold fewer than k words, of which there must
    be k. cell_start i64 (n_cells + 1): the blocks of words where each cell starts.
    """
    CALLS["nearest_words"](descriptors, *cells, cell_start, n_probed, *words, word)


def sign(descriptors: U8, projection: F32, word: I32, thresholds: F32, signature: U64) -> None:
    """Fill signature u64 (n, k) of descriptors u8 (n, 128) in their words i32 (n, k).

    Bit b is set where projection b exceeds the word's threshold b; projection f32 (128, 64) of whole multiples of
    1/4096, thresholds f32 (n_words, 64).
    """
    CALLS["sign"](descriptors, projection, word, thresholds, signature)


def limit_processor(variant: int) -> int:
    """Use no better variant of each loop than this from now on (0 plain, 1 AVX2, 2 AVX-512); returns the one in use."""
    return CALLS["limit_processor"](variant)


def near_postings(
    postings: tuple[I32, I32, U16, U64],
    live: Bool,
    word: I32,
    query_signature: U64,
    queried: range,
    max_hamming: int,
    weight_of_distance: F64,
    weight_of_word: F64,
) -> tuple[F64, list[VotePiece]]:
    """Hamming votes of the query features `queried` in one segment: score f64 (n_images,), and the votes as columns.

    postings: indptr i32 (n_words + 1), image i32, feature u16, signature u64 (n_postings,) of the segment; live bool
    (n_images,); word i32 and query_signature u64 (n, k). A posting within max_hamming bits of its query feature votes
    weight_of_distance[h] * weight_of_word[w], divided by the square root of the votes that this query feature has
    for the image. Votes come in the query's order, in pieces. Scores are sums on a grid of 2**-32, exact in any order.
    """
    query, weights = (live, word, query_signature), (max_hamming, weight_of_distance, weight_of_word)
    score, slots = np.zeros(len(live)), np.zeros(len(live), SLOT)
    room, waiting, pieces = _FIRST_ROOM, queried, []
    while waiting:
        image, feature, distance = np.empty(room, np.int32), np.empty(room, np.uint16), np.empty(room, np.uint8)
        ends, reached = np.empty((len(waiting), word.shape[-1]), np.int64), np.empty(1, np.int64)
        filled = (slots, score, image, feature, distance, ends, reached)
        n = CALLS["near_postings"](*postings, *query, waiting, *weights, *filled)
        until = int(reached[0])
        done, waiting = range(waiting.start, until), range(until, waiting.stop)
        pieces.append(VotePiece(image[:n], feature[:n], distance[:n], ends[: len(done)].ravel(), done))
        room = 2 * room if waiting else room
    return score, pieces


def count_votes(place: I32, hits: VotePiece, n_places: int) -> I64:
    """How many of the votes are for each of some images, i64 (n_places,).

    place i32 (n_images,): where an image stands among those chosen, -1 where it is not.
    """
    count = np.zeros(n_places, np.int64)
    CALLS["count_votes"](place, hits.image, count)
    return count


def room_for_votes(n: int) -> NDArray[Any]:
    """Space for n votes to be collected into and sorted in."""
    return np.empty(n, VOTE)


def collect_votes(
    place: I32,
    hits: VotePiece,
    word: I32,
    weight_of_distance: F64,
    weight_of_word: F64,
    start: I64,
    votes: NDArray[Any],
) -> None:
    """Copy the votes for chosen images into `votes`, those of place i from start[i] on, i64 (n_places,).

    word i32 (n, k): of the query's features; the weights as for `near_postings`.
    """
    columns, ends = (hits.image, hits.feature, hits.distance), hits.ends.reshape(len(hits.queried), word.shape[-1])
    weights = (weight_of_distance, weight_of_word)
    CALLS["collect_votes"](place, *columns, word, hits.queried, ends, *weights, start.copy(), votes)


def share_features(
    place: I32, hits: VotePiece, indptr: I64, placed: F64, query: F64, shift: F64, limits: F64, shared: Bool
) -> None:
    """Mark in shared bool (n_places, n) which of a query's features have votes that lie at the same place in an image.

    place as for `count_votes`; placed f64 (4, m): where the features of the chosen images lie, those of the one at
    place i at indptr[i]:indptr[i + 1], and query f64 (4, n) the query's, as `place_features` has them; shift f64
    (2, n_places): by how much each image may be moved; limits f64 (3,): of the place, the turn in degrees, the scale.
    """
    ends = hits.ends.reshape(len(hits.queried), -1)
    votes = (place, hits.image, hits.feature, query, hits.queried, ends)
    CALLS["share_features"](*votes, indptr, placed, shift, limits, shared)


def sum_cells(values: F32, mask: Bool, side: int, total: F64) -> None:
    """Add to total f64 (rows, columns) what values f32 (h, w) sum up to in each cell of side x side pixels.

    mask bool (h, w): pixels that count. What is left at the right and the bottom is not looked at.
    """
    CALLS["sum_cells"](values, mask, side, total)


def sort_votes(
    starts: I64, indptr: I64, places: range, limit: int, votes: NDArray[Any], matches: tuple[I32, U16, F64]
) -> None:
    """The strongest votes for some of the chosen images, at most `limit`, ties by query and database feature.

    Each is divided by the square root of the votes that its query feature has for the image. Votes of place i lie from
    starts[i] to starts[i + 1]; they go to the columns query i32, feature u16 and weight f64 from indptr[i] on.
    """
    CALLS["sort_votes"](starts, indptr, places, limit, votes, *matches)


def place_features(
    pictures: I64, indptr: I64, position: I64, feature: U16, feature_indptr: I64, xy: U16, scale_angle: U16, placed: F64
) -> None:
    """Where features of some pictures of one segment lie.

    feature u16 (m,): those of picture p at indptr[p]:indptr[p + 1]; position i64: of each picture in the segment,
    whose columns are feature_indptr, xy and scale_angle. Fills placed f64 (4, m): x, y and scale as fractions of the
    long side, angle in degrees.
    """
    CALLS["place_features"](pictures, indptr, position, feature, feature_indptr, xy, scale_angle, placed)


def pair_up(
    query: F64, row: I32, database: F64, matches: range, cell_size: float, found: tuple[F64, F64, I32, F32]
) -> None:
    """Some matches become pairs of points with a similarity each.

    query f64 (4, n) and database f64 (4, m): x, y, scale, angle in degrees; row i32 (m,): the query's feature of each
    match. Fills places f64 (4, m): x and y in both pictures; turns f64 (3, m): scale, cosine and sine of database from
    query; cells i32 (2, m): the cells of a grid of size `cell_size`; columns f32 (8, m): what `best_hypotheses` reads.
    """
    CALLS["pair_up"](query, row, database, matches, cell_size, *found)


def best_hypotheses(
    indptr: I64, pictures: range, pairs: F32, weight: I32, cells: I32, limits: F32, n_hypotheses: int, min_fit: int,
    seed: I64, n_agreeing: I64, agreeing: I64,
) -> None:  # fmt: skip
    """For each picture, the pair whose similarity gathers most cells among the few that gather most weight.

    The pairs of picture i are columns indptr[i]:indptr[i + 1], strongest first. pairs f32 (8, m): x and y in the query
    and in the database picture, scale, cosine and sine of the turn, logarithm of the scale; weight i32 (m,), whole, so
    that sums are exact; cells i32 (2, m): the grid cell of each point. limits f32 (3,): tolerance, smallest cosine
    between two turns, largest difference of two logarithms. Fills, by picture, seed i64, the column of the pair, -1
    without pairs; n_agreeing i64; and agreeing i64 (m,): agreeing[indptr[i]:][:n_agreeing[i]] agree, one to one.
    """
    found = seed, n_agreeing, agreeing
    CALLS["best_hypotheses"](indptr, pictures, pairs, weight, cells, limits, n_hypotheses, min_fit, *found)


def refine(
    indptr: I64, pictures: range, places: F64, turns: F64, weight: F64, cells: I32, size: F64, rules: F64, seed: I64,
    n_inliers: I64, inliers: I64, transform: F64, inlier_weight: F64, spread: F64,
) -> None:  # fmt: skip
    """Each picture's best hypothesis becomes an affine transform, or a homography where perspective shows.

    Pictures and pairs as for `best_hypotheses`, whose n_agreeing and agreeing come in as n_inliers and inliers and are
    replaced. places f64 (4, m): x and y in the query and in the database picture; turns f64 (3, m): scale, cosine and
    sine; size f64 (2,): the query's width and height; rules f64 (8,): tolerance, largest stretch, F-test, smallest
    cosine and largest logarithm of the gate, pairs that an affine transform, a located picture and a homography need.
    Fills by picture transform f64 (n, 3, 3), inlier_weight f64, the sum of their weights, and spread f64, the smallest
    standard deviation of the inliers in any direction in either picture; nothing where too few pairs agree.
    """
    found = n_inliers, inliers, transform, inlier_weight, spread
    CALLS["refine"](indptr, pictures, places, turns, weight, cells, size, rules, seed, *found)


def document_frequency(indptr: I32, image: I32, live: Bool, words: range, frequency: I64) -> None:
    """Add to frequency i64 (n_words,), for each of some words, in how many live images it is."""
    CALLS["document_frequency"](indptr, image, live, words, frequency)


def squared_norms(indptr: I32, image: I32, n_images: int, squared_idf: F64, words: range) -> F64:
    """Sum of (tf idf)**2 over some words, by image: f64 (n_images,)."""
    total = np.zeros(n_images)
    CALLS["squared_norms"](indptr, image, squared_idf, words, total)
    return total


def find_postings(indptr: I32, image: I32, feature: U16, number: int, word: I32) -> I64:
    """The posting of each feature of one image, i64 (n,); feature i of it has word[i].

    Raises ValueError where a feature has no posting.
    """
    rows = np.empty(len(word), np.int64)
    CALLS["find_postings"](indptr, image, feature, number, word, rows)
    return rows


def are_sound(postings: tuple[I32, I32, U16, U64], feature_indptr: I64, word: U16 | I32, words: range) -> bool:
    """Do the postings of some words name only images and features that exist, and these just those words?

    feature_indptr i64 (n_images + 1); word (n_features,): of every feature, image by image. Arrays that do not fit
    together are not sound.
    """
    try:
        CALLS["check_postings"](*postings[:3], feature_indptr, word, words)
    except ValueError:
        return False
    return True


def count_retained(postings: tuple[I32, I32, U16, U64], new_number: I32, count: I64) -> None:
    """Add to count i64 (n_words,) how many postings of each word stay.

    new_number i32 (n_images,): what each image is called from now on, -1 where it is left out.
    """
    CALLS["count_retained"](*postings[:2], new_number, count)


def copy_retained(
    postings: tuple[I32, I32, U16, U64], new_number: I32, words: range, target: I64, merged: tuple[I32, U16, U64]
) -> None:
    """Copy the postings of some words that stay, as many as `count_retained` has counted.

    target i64 (len(words),): the place in the columns `merged` for the first posting of each word; it moves behind the
    last.
    """
    CALLS["copy_retained"](*postings, new_number, words, target, *merged)


def differing_bits(query: U64, rows: U64, some: range, distance: U16) -> None:
    """Fill distance u16 (n,), for some of the rows u64 (n, w), with how many bits differ from query u64 (w,)."""
    CALLS["differing_bits"](query, rows, some, distance)


def compare_histograms(
    metric: int, query: F32, block: I32, n_met: I32, facts: F64, rows: U8, some: range, alike: F32
) -> None:
    """Fill how alike some of the rows u8 (n, b) are to a query, f32 (n,) in [0, 1].

    rows u8 (n, b): codes of r regions, whose squares are shares q; each region has a multiple of 16 bins. query f32
    (b,): shares p, for metric 4 their roots. block i32 (b / 16,): the blocks of 16 bins of each region, those where the
    query has shares first, and n_met i32 (r,) of them. facts f64 (r, 3): a region's weight (all add up to 1), the sum
    of its p, of their squares. Metrics are 0: chi-square; 1: euclidean; 2: correlation; 3: intersection; 4:
    bhattacharyya, as `global_descriptors.color.similarity` has them.
    """
    CALLS["compare_histograms"](metric, query, block, n_met, facts, rows, some, alike)


def sift_room(width: int, height: int, n_bands: int) -> int:
    """Bytes of room for a picture of this size in pixels, swept in n_bands; what the room holds does not matter."""
    return CALLS["sift_room"](width, height, n_bands)


def sift_bands(width: int, height: int, n_bands: int, octave: int) -> int:
    """Into how many bands an octave is cut, n_bands at most; 0 where the picture has no such octave."""
    return CALLS["sift_bands"](width, height, n_bands, octave)


def sift_points(pixels: U8, limits: F32, room: U8, points: Points, octaves: range, band: int, n_bands: int) -> int:
    """Fill in the strongest key points in one band of some octaves of pixels u8 (h, w); returns how many.

    points POINT (n,): half of them at most. limits f32 (2,): OpenCV's contrastThreshold, and a response below which no
    point counts. room u8 (sift_room(w, h, n_bands) or more,): the octaves before these are in it already. Bands of an
    octave may be searched side by side.
    """
    return CALLS["sift_points"](pixels, limits, room, points, octaves.start, octaves.stop, band, n_bands)


def sift_strongest(points: Points, most: int) -> int:
    """Sort points POINT (n,), strongest first, ties by y, x and size, each once; returns how many of them stay."""
    return CALLS["sift_strongest"](points, most)


def sift_orient(room: U8, points: Points, some: range, angles: F32, n_angles: I32, swept: Swept) -> None:
    """Fill angles f32 (n, 18), in degrees, and n_angles i32 (n,) with the directions of some points."""
    CALLS["sift_orient"](room, points, some, angles, n_angles, *swept)


def sift_describe(
    room: U8, points: Points, some: range, directions: tuple[F32, I32, I32], features: tuple[F32, U8], swept: Swept
) -> None:
    """Fill in the features of some points: key points f32 (n_most, 4) and RootSIFT u8 (n_most, 128).

    directions: angles f32 (n, 18), how many of them i32 (n,), and where each point's features stand i32 (n,). A key
    point: x, y, size and angle as OpenCV's, in pixels and degrees. What stands behind n_most is left out.
    """
    CALLS["sift_describe"](room, points, some, *directions, *features, *swept)
