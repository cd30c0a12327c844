"""Every function of the C library: its parameters in C's order, and the sizes that C gets behind them, each an i64.

`parameters` says what a row means and checks it at each call; bof/native/__init__.py says what the functions do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bof.native.parameters import Parameter, Positive, Rows, Whole, fills, reads

VOTE = np.dtype([("weight", np.float64), ("key", np.int64)], align=True)
"""One vote while it is sorted."""

SLOT = np.dtype([("total", np.float64), ("count", np.int64)], align=True)
"""What one query feature has said of an image so far."""

POINT = np.dtype(
    [(name, np.float32) for name in ("response", "y", "x", "size", "scale")]
    + [(name, np.int32) for name in ("octave", "layer", "row", "column")],
    align=True,
)
"""A key point of SIFT: response, place and size in pixels of the doubled picture, and where it lies in its octave."""

U8, U16, U64, I8, I32, I64 = np.uint8, np.uint16, np.uint64, np.int8, np.int32, np.int64
F32, F64, BOOL = np.float32, np.float64, np.bool_

N_DISTANCES = 65
"""Hamming distances of two signatures: 0 to 64."""

MOST_ANGLES = 18
"""Directions of a key point: at most every second bin of a histogram of 36."""

MOST_BANDS = 16
"""Bands of rows of a picture that threads sweep side by side."""

N_MAPPINGS = 1 << 16
"""Mapped files that are watched at once."""

_MOST = 2**31 - 1
_MOST_SIDE = 2**24
"""Pixels, and features, of one picture: products of three stay whole numbers of 64 bits."""


@dataclass(frozen=True, slots=True)
class Function:
    """bof_<name> of the library, which returns a count, 0 or more, or one of the codes of `library`."""

    name: str
    parameters: tuple[Parameter, ...]
    sizes: tuple[str, ...] = ()


_INDPTR = reads("indptr", I32, "n_words + 1", offsets="n_postings")
_IMAGE = reads("image", I32, "n_postings", below="n_images")
_FEATURE = reads("feature", U16, "n_postings")
_SIGNATURE = reads("signature", U64, "n_postings")
_LIVE = reads("live", BOOL, "n_images")
_WORDS = Rows("words", "n_words")

_BY_PICTURE = reads("indptr", I64, "n_pictures + 1", offsets="m")
_PICTURES = Rows("pictures", "n_pictures")
_CELLS = reads("cells", I32, 2, "m")

_SIZE = (Whole("width", 1, _MOST_SIDE), Whole("height", 1, _MOST_SIDE))
_N_BANDS = Whole("n_bands", 1, MOST_BANDS)

_PLACE = reads("place", I32, "n_images", below="n_places", may_be_negative=True)
_HITS_IMAGE = reads("image", I32, "n_votes", below="n_images")
_WEIGHT_OF_DISTANCE = reads("weight_of_distance", F64, N_DISTANCES)
_WEIGHT_OF_WORD = reads("weight_of_word", F64, "n_words")

_MAX_HAMMING = Whole("max_hamming", 0, N_DISTANCES - 1)
_ROWS = (
    reads("word", I32, "n", below="n_words"),
    reads("row_signature", U64, "n"),
    reads("owner", I32, "n", below="n_pictures"),
)
_JOINED = (_INDPTR, _IMAGE, _SIGNATURE, *_ROWS, _MAX_HAMMING)
"""Features of pictures, each a row, and the postings that they are joined with."""
_PAIR_PLACE = reads("place", I32, "n_pictures", "n_images", below="n_places", may_be_negative=True)


def _packed(name: str, below: str | None) -> tuple[Parameter, ...]:
    """Vectors in blocks of 16, of which the last is padding: `bof.native.Packed`."""
    lanes, blocks = f"16 * n_{name}_blocks + 16", f"n_{name}_blocks + 1"
    return (
        reads(f"{name}s", I8, blocks, 32, 16, 4),
        reads(f"{name}_length", I32, lanes),
        reads(f"{name}_number", I32, lanes, below=below, may_be_negative=True),
    )


_FUNCTIONS = (
    Function(
        "nearest_words",
        (
            reads("descriptors", U8, "n", 128),
            *_packed("cell", "n_cells"),
            reads("cell_start", I64, "n_cells + 1", offsets="n_word_blocks"),
            Whole("n_probed", 1, "n_cells"),
            *_packed("word", None),
            fills("word", I32, "n", "k"),
        ),
        ("n", "k", "n_cell_blocks", "n_cells", "n_word_blocks"),
    ),
    Function(
        "sign",
        (
            reads("descriptors", U8, "n", 128),
            reads("projection", F32, 128, 64),
            reads("word", I32, "n", "k", below="n_words"),
            reads("thresholds", F32, "n_words", 64),
            fills("signature", U64, "n", "k"),
        ),
        ("n", "k", "n_words"),
    ),
    Function("limit_processor", (Whole("variant", 0, _MOST),)),
    Function(
        "near_postings",
        (
            *(_INDPTR, _IMAGE, _FEATURE, _SIGNATURE, _LIVE),
            reads("word", I32, "n", "k", below="n_words"),
            reads("query_signature", U64, "n", "k"),
            Rows("queried", "n", "n_queried"),
            _MAX_HAMMING,
            *(_WEIGHT_OF_DISTANCE, _WEIGHT_OF_WORD),
            fills("slots", SLOT, "n_images"),
            fills("score", F64, "n_images"),
            fills("vote_image", I32, "room"),
            fills("vote_feature", U16, "room"),
            fills("vote_distance", U8, "room"),
            fills("ends", I64, "n_queried", "k"),
            fills("reached", I64, 1),
        ),
        ("n_words", "n_postings", "n_images", "k", "room"),
    ),
    Function(
        "count_votes",
        (_PLACE, _HITS_IMAGE, fills("count", I64, "n_places")),
        ("n_images", "n_votes", "n_places"),
    ),
    Function(
        "collect_votes",
        (
            *(_PLACE, _HITS_IMAGE),
            reads("feature", U16, "n_votes"),
            reads("distance", U8, "n_votes", below=N_DISTANCES),
            reads("word", I32, "n", "k", below="n_words"),
            Rows("queried", "n", "n_queried"),
            reads("ends", I64, "n_queried", "k"),
            *(_WEIGHT_OF_DISTANCE, _WEIGHT_OF_WORD),
            fills("next", I64, "n_places"),
            fills("votes", VOTE, "n_room"),
        ),
        ("n_images", "n_votes", "k", "n_words", "n_places", "n_room"),
    ),
    Function(
        "share_features",
        (
            *(_PLACE, _HITS_IMAGE),
            reads("feature", U16, "n_votes"),
            reads("query", F64, 4, "n"),
            Rows("queried", "n", "n_queried"),
            reads("ends", I64, "n_queried", "k"),
            reads("indptr", I64, "n_places + 1", offsets="m"),
            reads("placed", F64, 4, "m"),
            reads("shift", F64, 2, "n_places"),
            reads("limits", F64, 3),
            fills("shared", BOOL, "n_places", "n"),
        ),
        ("n_images", "n_votes", "k", "n_places", "m", "n"),
    ),
    Function(
        "join_scores",
        (*_JOINED, *(_WEIGHT_OF_DISTANCE, _WEIGHT_OF_WORD), fills("score", F64, "n_pictures", "n_images")),
        ("n_words", "n_postings", "n_images", "n", "n_pictures"),
    ),
    Function(
        "join_counts",
        (*_JOINED, _PAIR_PLACE, fills("count", I64, "n_places")),
        ("n_words", "n_postings", "n_images", "n", "n_pictures", "n_places"),
    ),
    Function(
        "join_votes",
        (
            *(_INDPTR, _IMAGE, _FEATURE, _SIGNATURE),
            *_ROWS,
            reads("number", I32, "n"),
            _MAX_HAMMING,
            *(_WEIGHT_OF_DISTANCE, _WEIGHT_OF_WORD),
            _PAIR_PLACE,
            fills("next", I64, "n_places"),
            fills("votes", VOTE, "n_room"),
        ),
        ("n_words", "n_postings", "n_images", "n", "n_pictures", "n_places", "n_room"),
    ),
    Function(
        "heaviest_windows",
        (
            reads("indptr", I64, "n_pairs + 1", offsets="m"),
            reads("bin", I32, "m"),
            reads("weight", F64, "m"),
            Whole("width", 1, _MOST),
            fills("total", F64, "n_turns", "n_scales"),
            fills("across", F64, "n_scales"),
            fills("heaviest", F64, "n_pairs"),
        ),
        ("n_pairs", "m", "n_turns", "n_scales"),
    ),
    Function(
        "sum_cells",
        (
            reads("values", F32, "height", "width"),
            reads("mask", BOOL, "height", "width"),
            Whole("side", 1, _MOST_SIDE),
            fills("sum", F64, "n_rows", "n_columns"),
        ),
        ("height", "width", "n_rows", "n_columns"),
    ),
    Function(
        "sort_votes",
        (
            reads("starts", I64, "n_places + 1", offsets="n_votes"),
            reads("indptr", I64, "n_places + 1", offsets="m"),
            Rows("places", "n_places"),
            Whole("limit", 0, 2**63 - 1),
            fills("votes", VOTE, "n_votes"),
            fills("query", I32, "m"),
            fills("feature", U16, "m"),
            fills("weight", F64, "m"),
        ),
        ("n_votes", "m"),
    ),
    Function(
        "place_features",
        (
            reads("pictures", I64, "n", below="n_pictures"),
            _BY_PICTURE,
            reads("position", I64, "n_pictures", below="n_images"),
            reads("feature", U16, "m"),
            reads("feature_indptr", I64, "n_images + 1", offsets="n_features"),
            reads("xy", U16, "n_features", 2),
            reads("scale_angle", U16, "n_features", 2),
            fills("placed", F64, 4, "m"),
        ),
        ("n", "n_pictures", "n_images", "n_features", "m"),
    ),
    Function(
        "pair_up",
        (
            reads("query", F64, 4, "n_query"),
            reads("row", I32, "m", below="n_query"),
            reads("database", F64, 4, "m"),
            Rows("matches", "m"),
            Positive("cell_size"),
            fills("places", F64, 4, "m"),
            fills("turns", F64, 3, "m"),
            fills("cells", I32, 2, "m"),
            fills("columns", F32, 8, "m"),
        ),
        ("n_query", "m"),
    ),
    Function(
        "best_hypotheses",
        (
            *(_BY_PICTURE, _PICTURES),
            reads("pairs", F32, 8, "m"),
            reads("weight", I32, "m"),
            _CELLS,
            reads("limits", F32, 3),
            Whole("n_hypotheses", 0, _MOST),
            Whole("min_fit", 0, _MOST),
            fills("seed", I64, "n_pictures"),
            fills("n_agreeing", I64, "n_pictures"),
            fills("agreeing", I64, "m"),
        ),
        ("m",),
    ),
    Function(
        "refine",
        (
            *(_BY_PICTURE, _PICTURES),
            reads("places", F64, 4, "m"),
            reads("turns", F64, 3, "m"),
            reads("weight", F64, "m"),
            _CELLS,
            reads("size", F64, 2),
            reads("rules", F64, 8),
            reads("seed", I64, "n_pictures", below="m"),
            fills("n_inliers", I64, "n_pictures"),
            fills("inliers", I64, "m"),
            fills("transform", F64, "n_pictures", 3, 3),
            fills("inlier_weight", F64, "n_pictures"),
            fills("spread", F64, "n_pictures"),
        ),
        ("m",),
    ),
    Function(
        "document_frequency",
        (_INDPTR, _IMAGE, _LIVE, _WORDS, fills("frequency", I64, "n_words")),
        ("n_postings", "n_images"),
    ),
    Function(
        "squared_norms",
        (
            *(_INDPTR, _IMAGE),
            reads("squared_idf", F64, "n_words"),
            _WORDS,
            fills("squared_norm", F64, "n_images"),
        ),
        ("n_postings", "n_images"),
    ),
    Function(
        "find_postings",
        (
            *(_INDPTR, reads("image", I32, "n_postings"), _FEATURE),
            Whole("number", 0, _MOST),
            reads("word", I32, "n", below="n_words"),
            fills("row", I64, "n"),
        ),
        ("n_words", "n_postings", "n"),
    ),
    Function(
        "check_postings",
        (
            *(_INDPTR, _IMAGE, _FEATURE),
            reads("feature_indptr", I64, "n_images + 1", offsets="n_features"),
            reads("word", (U16, I32), "n_features", below="n_words"),
            _WORDS,
        ),
        ("n_postings", "n_images", "n_features"),
    ),
    Function(
        "count_retained",
        (
            *(_INDPTR, _IMAGE),
            reads("new_number", I32, "n_images"),
            fills("count", I64, "n_words"),
        ),
        ("n_words", "n_postings", "n_images"),
    ),
    Function(
        "copy_retained",
        (
            *(_INDPTR, _IMAGE, _FEATURE, _SIGNATURE),
            reads("new_number", I32, "n_images"),
            Rows("words", "n_words", "n_copied"),
            fills("next", I64, "n_copied"),
            fills("to_image", I32, "n_merged"),
            fills("to_feature", U16, "n_merged"),
            fills("to_signature", U64, "n_merged"),
        ),
        ("n_postings", "n_images", "n_merged"),
    ),
    Function(
        "differing_bits",
        (
            reads("query", U64, "w"),
            reads("rows", U64, "n", "w"),
            Rows("some", "n"),
            fills("distance", U16, "n"),
        ),
        ("w",),
    ),
    Function(
        "compare_histograms",
        (
            Whole("metric", 0, 4),
            reads("query", F32, "16 * n_blocks"),
            reads("block", I32, "n_blocks", below="n_blocks"),
            reads("n_met", I32, "n_regions"),
            reads("facts", F64, "n_regions", 3),
            reads("rows", U8, "n", "16 * n_blocks"),
            Rows("some", "n"),
            fills("alike", F32, "n"),
        ),
        ("n_blocks", "n_regions"),
    ),
    Function("sift_room", (*_SIZE, _N_BANDS)),
    Function("sift_bands", (*_SIZE, _N_BANDS, Whole("octave", 0, _MOST))),
    Function(
        "sift_points",
        (
            reads("pixels", U8, "height", "width"),
            reads("limits", F32, 2),
            fills("room", U8, "n_room"),
            fills("point", POINT, "n_points"),
            Whole("first", 0, _MOST),
            Whole("stop", 0, _MOST),
            Whole("band", 0, MOST_BANDS - 1),
            _N_BANDS,
        ),
        ("height", "width", "n_room", "n_points"),
    ),
    Function("sift_strongest", (fills("point", POINT, "n"), Whole("most", 1, _MOST)), ("n",)),
    Function(
        "sift_orient",
        (
            *(fills("room", U8, "n_room"), reads("point", POINT, "n"), Rows("some", "n")),
            fills("angles", F32, "n", MOST_ANGLES),
            fills("n_angles", I32, "n"),
            *(*_SIZE, _N_BANDS),
        ),
        ("n_room",),
    ),
    Function(
        "sift_describe",
        (
            *(fills("room", U8, "n_room"), reads("point", POINT, "n"), Rows("some", "n")),
            reads("angles", F32, "n", MOST_ANGLES),
            reads("n_angles", I32, "n", below=MOST_ANGLES + 1),
            reads("start", I32, "n"),
            fills("keypoints", F32, "n_most", 4),
            fills("descriptors", U8, "n_most", 128),
            *(*_SIZE, _N_BANDS),
        ),
        ("n_room", "n_most"),
    ),
    Function("watch_mapping", (reads("mapping", U8, "n"), fills("n_faults", I64, 1)), ("n",)),
    Function("unwatch_mapping", (Whole("slot", 0, N_MAPPINGS - 1),)),
)

FUNCTIONS = {function.name: function for function in _FUNCTIONS}
