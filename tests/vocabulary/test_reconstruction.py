"""Descriptors that are made again of words and signatures: near to what was extracted, also in the mirror."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bof.features.sift import extract_features, mirror_features
from bof.images.decode import Picture
from bof.types import Features, QueryWords
from bof.vocabulary.reconstruction import Reconstruction, with_own
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary
from tests.support.scenes import draw_scene


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return default_vocabulary()


@pytest.fixture(scope="module")
def features(vocabulary: Vocabulary) -> Features:
    grey = np.ascontiguousarray(draw_scene(3)[..., 1])
    return extract_features(Picture(grey, grey.shape[1], grey.shape[0]), vocabulary.features)


def test_it_is_what_floating_point_makes_of_planes_and_sides(vocabulary: Vocabulary, features: Features) -> None:
    found = vocabulary.quantize(features.descriptors)
    word, signature = found.word[:, 0], found.signature[:, 0]
    directions = vocabulary.projection.astype(np.float64)
    centre = vocabulary.centroids[word].astype(np.float64)
    bits = np.unpackbits(signature.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    along = vocabulary.thresholds[word] + 18.0 * (2.0 * bits - 1.0) - centre @ directions
    expected = np.clip(centre + along @ directions.T, 0, 255)
    made = Reconstruction.of(vocabulary).descriptors(word, signature)
    assert np.abs(made - expected).max() <= 0.5 * 9  # nine roundings


def test_it_is_nearer_to_the_descriptor_than_the_centre_of_its_word(vocabulary: Vocabulary, features: Features) -> None:
    found = vocabulary.quantize(features.descriptors)
    word = found.word[:, 0]
    made = Reconstruction.of(vocabulary).descriptors(word, found.signature[:, 0]).astype(float)
    true = features.descriptors.astype(float)
    from_made, from_centre = (np.linalg.norm(true - x, axis=1) for x in (made, vocabulary.centroids[word]))
    assert np.median(from_made) < 0.9 * np.median(from_centre)


def test_the_mirror_image_of_it_has_the_word_of_the_mirror_image(vocabulary: Vocabulary, features: Features) -> None:
    found = vocabulary.quantize(features.descriptors)
    made = Reconstruction.of(vocabulary).descriptors(found.word[:, 0], found.signature[:, 0])
    true = vocabulary.quantize(mirror_features(features).descriptors)
    mirrored = vocabulary.quantize(mirror_features(replace(features, descriptors=made)).descriptors, 4)
    has_it = mirrored.word == true.word
    assert has_it.any(axis=1).mean() > 0.5
    apart = np.bitwise_count(mirrored.signature[has_it] ^ true.signature[has_it.any(axis=1), 0])
    assert np.median(apart) <= 24  # by default such signatures vote


def test_the_word_of_the_index_comes_first_and_others_follow_in_their_order() -> None:
    nearest = QueryWords(np.array([[3, 5, 7], [5, 3, 7]], np.int32), np.array([[30, 50, 70], [50, 30, 70]], np.uint64))
    found = with_own(nearest, np.array([3, 9], np.int32), np.array([31, 90], np.uint64))
    assert found.word.tolist() == [[3, 5, 7], [9, 5, 3]]
    assert found.signature.tolist() == [[31, 50, 70], [90, 50, 30]]
