"""A picture becomes features: SIFT keypoints in the frame of the original picture, RootSIFT descriptors in bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np

from bof.errors import MismatchError
from bof.features.descriptor_bytes import N_DIMENSIONS as N_DIMENSIONS
from bof.features.learned import learned_features
from bof.features.native_sift import native_sift
from bof.features.second_look import ENLARGED_PX, look_again, look_closer, needs_second_look
from bof.features.tiles import extract_tiled
from bof.images.decode import Picture
from bof.options import LEARNED, MOST_FEATURES, NATIVE, OPENCV, Extent, FeatureOptions
from bof.types import F32, U8, Box, Features, Geometry

ROOT_NORM = 512.0
"""Length of a RootSIFT vector in bytes: large enough for fine steps, small enough that few elements reach 255."""


def extract_features(
    picture: Picture, options: FeatureOptions, colours: Callable[[], Picture] | None = None
) -> Features:
    """The strongest features of a grey picture; of one that shows little, those of a second look.

    picture: pixels u8 (h, w) as `images.decode(..., grey=True, max_side=options.extent)` returns them;
    options.extractor says who finds features; colours: reads the picture in RGB, at any size, where grey shows
    little and options.reading is adaptive.
    Returns features in the frame of the original upright picture, in an order that depends on the picture alone;
    none for a picture without texture. Sources: Lowe 2004; Arandjelovic and Zisserman 2012 (RootSIFT).
    """
    if options.extractor not in _EXTRACTORS:
        expected, advice = "an extractor of pictures", "search it with search_features"
        raise MismatchError(expected=expected, found="an index of features of your own", advice=advice)
    found = _extract(picture, options)
    if not options.is_adaptive or not needs_second_look(picture, len(found), options.max_features):
        return found

    def extract(seen: Picture, contrast: float, n_most: int) -> Features:
        side = max(options.max_side, ENLARGED_PX)  # what is enlarged is no long picture
        return _extract(seen, options.replaced(contrast_threshold=contrast, max_features=n_most, max_side=side))

    if options.is_learned:  # which knows no contrast, and sees grey
        return look_closer(picture, found, options.max_features, extract)
    return look_again(picture, found, options.contrast_threshold, options.max_features, extract, colours)


def _extract(picture: Picture, options: FeatureOptions) -> Features:
    """The strongest features of one look."""
    keypoints, descriptors = _described(picture.pixels, options)
    if not len(keypoints):
        return no_features(picture.width, picture.height)
    return Features(_geometry(keypoints, picture), descriptors)


def _described(pixels: U8, options: FeatureOptions) -> tuple[F32, U8]:
    """Key points f32 (n, 4) in pixels, and descriptors; of what is larger than the side, which is long, in tiles."""
    extract = _EXTRACTORS[options.extractor]
    height, width = pixels.shape
    if not options.is_adaptive or max(width, height) <= options.max_side:
        return extract(pixels, options)
    n_most = min(MOST_FEATURES, round(options.max_features * Extent(options.max_side).areas(width, height)))

    def extract_at_most(tile: U8, n: int) -> tuple[F32, U8]:
        return extract(tile, options.replaced(max_features=n))

    return extract_tiled(pixels, options.max_side, n_most, extract_at_most)


def no_features(width: int, height: int) -> Features:
    """The features of a picture that has none."""
    empty = np.empty(0, np.float32)
    geometry = Geometry(np.empty((0, 2), np.float32), empty, empty, width, height)
    return Features(geometry, np.empty((0, N_DIMENSIONS), np.uint8))


def crop_features(features: Features, box: Box) -> Features:
    """The features whose centres lie in a box (x0, y0, x1, y1) of the original picture, 0 being its left or top edge.

    Positions stay in the frame of the picture; width and height become the box's, which is now all there is to see.
    """
    x0, y0, x1, y1 = box
    x, y = features.geometry.xy_px.T + np.float32(0.5)
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    width, height = max(1, round(x1 - x0)), max(1, round(y1 - y0))
    geometry = dataclasses.replace(features.geometry.take(inside), width=width, height=height)
    return Features(geometry, features.descriptors[inside])


def mirror_features(features: Features) -> Features:
    """The features of the mirror image, without extracting them: row i is the mirrored row i.

    x becomes width - 1 - x. A descriptor's 4 x 4 cells and 8 directions are seen from the key point's own direction, so
    a mirror turns the order of the rows of cells and the sense of the directions (Lowe 2004, section 6).
    """
    cells = features.descriptors.reshape(-1, 4, 4, 8)[:, ::-1][..., -np.arange(8) % 8]
    return Features(mirror_geometry(features.geometry), np.ascontiguousarray(cells).reshape(-1, N_DIMENSIONS))


def inverse_features(features: Features) -> Features:
    """The features of the picture with light and dark exchanged, without extracting them, row for row.

    Extrema stay where they are, every gradient turns by 180 degrees, and so does a key point's direction. Seen from
    that, cells and directions of gradients stay in their order, and the cells' places turn by 180 degrees (Lowe 2004,
    sections 5 and 6).
    """
    cells = features.descriptors.reshape(-1, 4, 4, 8)[:, ::-1, ::-1]
    return Features(inverse_geometry(features.geometry), np.ascontiguousarray(cells).reshape(-1, N_DIMENSIONS))


def inverse_geometry(geometry: Geometry) -> Geometry:
    """Where the features lie, and point, with light and dark exchanged."""
    return dataclasses.replace(geometry, angle_deg=(geometry.angle_deg + np.float32(180)) % np.float32(360))


def mirror_geometry(geometry: Geometry) -> Geometry:
    """Where the features of the mirror image lie."""
    xy_px = geometry.xy_px * np.array([-1, 1], np.float32) + np.array([geometry.width - 1, 0], np.float32)
    return dataclasses.replace(geometry, xy_px=xy_px, angle_deg=(180 - geometry.angle_deg) % np.float32(360))


def root_sift(descriptors: U8) -> U8:
    """L1-normalise, take square roots, keep bytes: u8 (n, 128) -> u8 (n, 128) of Euclidean length about 512.

    The Euclidean distance of the result is the Hellinger distance of the histograms (Arandjelovic and Zisserman
    2012, section 2).
    """
    histogram = descriptors.astype(np.float32)
    total = np.maximum(histogram.sum(axis=1, keepdims=True), 1.0)
    root = np.sqrt(histogram / total) * ROOT_NORM
    return np.asarray(np.minimum(np.rint(root), 255), np.uint8)


def opencv_sift(pixels: U8, options: FeatureOptions) -> tuple[F32, U8]:
    """Key points f32 (n, 4) as OpenCV has them, in pixels of u8 (h, w): x, y, size, angle; RootSIFT u8 (n, 128)."""
    keypoints, descriptors = _sift(options).detectAndCompute(pixels, None)
    table = _keypoint_table(keypoints)
    rows = _strongest(table, options.max_features)
    if not len(rows):
        return table[:0, :4], np.empty((0, N_DIMENSIONS), np.uint8)
    return table[rows, :4], root_sift(np.asarray(descriptors, np.uint8)[rows])


def own_sift(pixels: U8, options: FeatureOptions) -> tuple[F32, U8]:
    """The same from bof's own extractor."""
    return native_sift(pixels, options.contrast_threshold, options.max_features)


_EXTRACTORS: Mapping[str, Callable[[U8, FeatureOptions], tuple[F32, U8]]] = MappingProxyType(
    {OPENCV: opencv_sift, NATIVE: own_sift, LEARNED: learned_features}
)


@lru_cache(maxsize=4)
def _sift(options: FeatureOptions) -> cv2.SIFT:
    """OpenCV's detector; bytes out, and the precise first doubling, which removes a quarter pixel of bias."""
    layers, edge_threshold, sigma = 3, 10.0, 1.6
    return cv2.SIFT.create(
        options.max_features, layers, options.contrast_threshold, edge_threshold, sigma, cv2.CV_8U, True
    )


def _keypoint_table(keypoints: Sequence[cv2.KeyPoint]) -> F32:
    """Columns x, y, size, angle, response."""
    n = len(keypoints)
    table = np.empty((n, 5), np.float32)
    if not n:
        return table
    table[:, :2] = cv2.KeyPoint.convert(keypoints)
    table[:, 2] = np.fromiter((k.size for k in keypoints), np.float32, n)
    table[:, 3] = np.fromiter((k.angle for k in keypoints), np.float32, n)
    table[:, 4] = np.fromiter((k.response for k in keypoints), np.float32, n)
    return table


def _strongest(table: F32, max_features: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows to keep: OpenCV keeps all that tie with the weakest; cut them, and put rows in an order of their own."""
    x, y, size, angle, response = table.T
    order = np.lexsort((angle, size, y, x, -response))[:max_features]
    return order.astype(np.int64)


def _geometry(table: F32, picture: Picture) -> Geometry:
    """Into the frame of the original: pixel centres map by (x + 1/2) * zoom - 1/2."""
    height, width = picture.pixels.shape[:2]
    zoom = np.array([picture.width / width, picture.height / height], np.float32)
    xy_px = (table[:, :2] + np.float32(0.5)) * zoom - np.float32(0.5)
    scale_px = table[:, 2] * np.float32(np.sqrt(zoom[0] * zoom[1]))
    return Geometry(xy_px, scale_px, table[:, 3] % np.float32(360), picture.width, picture.height)
