"""Segments: what is stored comes back, views share the file's memory, damage is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bof.errors import IndexStoreError
from bof.geometry.hypotheses import placement_of
from bof.native import document_frequency
from bof.native.mapped_file import MappedFile
from bof.store.segments import (
    ARRAYS,
    ImageColumns,
    Segment,
    facts_of,
    open_segment,
    restore_geometry,
    store_geometry,
    write_segment,
)
from bof.system.files import FileFact
from bof.types import Geometry
from scripts.torture.npy import shifted

N_WORDS = 50


def random_columns(n_features: int, seed: int) -> ImageColumns:
    rng = np.random.default_rng(seed)
    return ImageColumns(
        rng.integers(0, N_WORDS, n_features).astype(np.int32),
        rng.integers(0, 1 << 63, n_features, dtype=np.uint64),
        rng.integers(0, 65536, (n_features, 2)).astype(np.uint16),
        rng.integers(0, 65536, (n_features, 2)).astype(np.uint16),
    )


def random_images(sizes: Sequence[int] = (40, 0, 7, 120, 0)) -> list[ImageColumns]:
    return [random_columns(size, seed) for seed, size in enumerate(sizes)]


def write_and_open(folder: Path, images: list[ImageColumns], first_image: int = 0) -> Segment:
    return open_segment(folder, write_segment(folder, images, N_WORDS), N_WORDS, first_image)


@pytest.fixture
def facts(tmp_path: Path) -> dict[str, FileFact]:
    return write_segment(tmp_path, random_images(), N_WORDS)


# -- Geometry ---------------------------------------------------------------------------------------------------------


def random_geometry(width: int, height: int, seed: int, n: int = 500) -> Geometry:
    rng = np.random.default_rng(seed)
    xy_px = rng.uniform(-0.5, [width - 0.5, height - 0.5], (n, 2)).astype(np.float32)
    scale_px = (max(width, height) * 2.0 ** rng.uniform(-15.9, -0.1, n)).astype(np.float32)
    return Geometry(xy_px, scale_px, rng.uniform(0, 359.9999, n).astype(np.float32), width, height)


def round_trip(geometry: Geometry) -> Geometry:
    return restore_geometry(*store_geometry(geometry), geometry.width, geometry.height)


def angle_between(a_deg: NDArray[np.float32], b_deg: NDArray[np.float32]) -> NDArray[np.float64]:
    difference = np.abs(a_deg.astype(np.float64) - b_deg) % 360
    found: NDArray[np.float64] = np.minimum(difference, 360 - difference)
    return found


@settings(max_examples=40)
@given(width=st.integers(1, 20000), height=st.integers(1, 20000), seed=st.integers(0, 1000))
def test_geometry_comes_back_within_its_steps(width: int, height: int, seed: int) -> None:
    geometry = random_geometry(width, height, seed)
    restored = round_trip(geometry)
    assert np.abs(restored.xy_px - geometry.xy_px).max() <= geometry.long_side / 65535
    ratio = restored.scale_px.astype(np.float64) / geometry.scale_px
    assert np.abs(np.log2(ratio)).max() <= 16 / 65535
    assert angle_between(restored.angle_deg, geometry.angle_deg).max() <= 0.003
    assert (restored.width, restored.height) == (width, height)


@pytest.mark.parametrize("angle", [0.0, 359.999, 359.9999, 180.0, 0.001])
def test_angles_at_the_turn_stay_near_and_below_360(angle: float) -> None:
    one = np.ones(1, np.float32)
    restored = round_trip(Geometry(np.ones((1, 2), np.float32), one, np.float32(angle) * one, 100, 80))
    assert angle_between(restored.angle_deg, np.float32(angle) * one) <= 0.003
    assert 0 <= restored.angle_deg[0] < 360


def test_scales_outside_the_range_stop_at_its_ends() -> None:
    scale_px = np.array([1e-9, 0.0, 5000.0], np.float32)
    restored = round_trip(Geometry(np.zeros((3, 2), np.float32), scale_px, np.zeros(3, np.float32), 1000, 500))
    assert restored.scale_px == pytest.approx([1000 * 2**-16, 1000 * 2**-16, 1000], rel=1e-4)


def test_restored_geometry_is_float32() -> None:
    restored = round_trip(random_geometry(640, 480, 0))
    assert {a.dtype for a in (restored.xy_px, restored.scale_px, restored.angle_deg)} == {np.dtype(np.float32)}


def test_geometry_without_features_comes_back() -> None:
    none = np.empty(0, np.float32)
    assert len(round_trip(Geometry(none.reshape(0, 2), none, none, 640, 480))) == 0


# -- Round trip against dense numpy -----------------------------------------------------------------------------------


def dense_counts(images: list[ImageColumns]) -> NDArray[np.int64]:
    return np.stack([np.bincount(image.word, minlength=N_WORDS) for image in images], axis=1)


def sorted_postings(images: list[ImageColumns]) -> list[tuple[int, int, int, int]]:
    """(word, image, feature, signature) of every feature."""
    return sorted(
        (int(image.word[row]), number, row, int(image.signature[row]))
        for number, image in enumerate(images)
        for row in range(len(image))
    )


def stored_postings(segment: Segment) -> list[tuple[int, int, int, int]]:
    stored = segment.postings
    word = np.repeat(np.arange(N_WORDS), np.diff(stored.indptr))
    columns = (word, stored.image, stored.feature, stored.signature)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_a_segment_holds_what_was_written(sizes: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    images = random_images(sizes)
    segment = write_and_open(tmp_path_factory.mktemp("segment"), images)
    counts = segment.postings.inverted_index(np.arange(N_WORDS))
    np.testing.assert_array_equal(counts.toarray(), dense_counts(images))
    assert segment.word.tolist() == [word for image in images for word in image.word.tolist()]
    assert stored_postings(segment) == sorted_postings(images)


def test_each_image_keeps_its_geometry(tmp_path: Path) -> None:
    images = random_images()
    segment = write_and_open(tmp_path, images)
    for position, image in enumerate(images):
        expected = restore_geometry(image.xy, image.scale_angle, 640, 480)
        found = segment.geometry(position, 640, 480)
        np.testing.assert_array_equal(found.xy_px, expected.xy_px)
        np.testing.assert_array_equal(found.scale_px, expected.scale_px)
        np.testing.assert_array_equal(found.angle_deg, expected.angle_deg)


def test_each_image_keeps_its_words_and_signatures_in_the_order_of_its_features(tmp_path: Path) -> None:
    images = random_images()
    segment = write_and_open(tmp_path, images, first_image=70)
    for position, columns in enumerate(images):
        word, signature = segment.words(position)
        assert word.dtype == np.int32
        assert np.array_equal(word, columns.word)
        assert np.array_equal(signature, columns.signature)


def test_features_are_placed_where_their_geometry_says(tmp_path: Path) -> None:
    images, (width, height) = random_images(), (400, 300)
    segment = write_and_open(tmp_path, images)
    position, features = [3, 0, 2], [[119, 5], [0, 39, 7], [6]]
    indptr = np.array([0, 2, 5, 6])
    placed = np.full((4, 6), np.nan)
    segment.place(np.array([2, 0, 1]), indptr, np.array(position), np.concatenate(features).astype(np.uint16), placed)
    for number, (image, rows) in enumerate(zip(position, features, strict=True)):
        expected = placement_of(segment.geometry(image, width, height, np.array(rows, np.uint16)))
        found = placed[:, indptr[number] : indptr[number + 1]]
        assert found[:2] == pytest.approx(expected[:2], abs=1e-6)
        assert found[2] == pytest.approx(expected[2], rel=1e-5)
        assert found[3] == pytest.approx(expected[3], abs=1e-4)


def test_a_word_that_fills_an_image_is_counted_to_the_last_feature(tmp_path: Path) -> None:
    n = 65535
    full = ImageColumns(
        np.full(n, 3, np.int32), np.zeros(n, np.uint64), np.zeros((n, 2), np.uint16), np.zeros((n, 2), np.uint16)
    )
    segment = write_and_open(tmp_path, [full])
    assert segment.postings.inverted_index(np.array([3]))[0, 0] == n
    assert (segment.words(0)[0] == 3).all()
    assert segment.postings.feature[-1] == n - 1


def test_images_without_features_have_their_place(tmp_path: Path) -> None:
    segment = write_and_open(tmp_path, random_images([0, 0, 0]))
    assert segment.n_images == 3
    counts = segment.postings.inverted_index(np.arange(N_WORDS))
    assert (counts.shape, counts.nnz) == ((N_WORDS, 3), 0)
    assert [len(segment.geometry(i, 10, 10)) for i in range(3)] == [0, 0, 0]


def test_the_first_image_is_where_the_segment_starts(tmp_path: Path) -> None:
    segment = write_and_open(tmp_path, random_images(), first_image=17)
    assert segment.postings.first_image == 17
    assert segment.moved(3).postings.first_image == 3
    assert segment.postings.image.max() < segment.n_images


def test_facts_name_size_and_checksum_of_every_file(tmp_path: Path, facts: dict[str, FileFact]) -> None:
    assert sorted(facts) == sorted(path.name for path in tmp_path.iterdir())
    assert all((tmp_path / name).stat().st_size == fact.n_bytes for name, fact in facts.items())
    assert all(len(fact.sha256) == 64 for fact in facts.values())


def test_writing_changes_none_of_its_arguments(tmp_path: Path) -> None:
    images, untouched = random_images(), random_images()
    write_segment(tmp_path, images, N_WORDS)
    for image, before in zip(images, untouched, strict=True):
        np.testing.assert_array_equal(image.word, before.word)
        np.testing.assert_array_equal(image.signature, before.signature)


# -- Memory -----------------------------------------------------------------------------------------------------------


def mapped_bytes(array: NDArray[np.generic]) -> MappedFile | None:
    """The map of a file that an array is a view of."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, MappedFile) else None


def all_arrays(segment: Segment) -> dict[str, NDArray[np.generic]]:
    postings = segment.postings
    views = (
        postings.indptr, postings.image, postings.feature, postings.signature,
        segment.feature_indptr, segment.word, segment.xy, segment.scale_angle,
    )  # fmt: skip
    return dict(zip(ARRAYS, views, strict=True))


def test_every_array_is_a_view_of_its_file(tmp_path: Path) -> None:
    for name, array in all_arrays(write_and_open(tmp_path, random_images())).items():
        mapped = mapped_bytes(array)
        assert mapped is not None, name
        assert mapped.path == tmp_path / f"{name}.npy"
        assert np.shares_memory(array, np.frombuffer(mapped, np.uint8))


def test_the_compiled_loops_read_the_mapped_files_themselves(tmp_path: Path) -> None:
    """They take only what is contiguous and of their type, and copy nothing: so the map is what they read."""
    segment = write_and_open(tmp_path, random_images())
    part = segment.postings
    for array, kind in zip(all_arrays(segment).values(), LOOPS_TAKE, strict=True):
        assert (array.dtype, array.flags.c_contiguous) == (np.dtype(kind), True)
    live, words = np.ones(segment.n_images, bool), range(N_WORDS)
    frequency = np.zeros(N_WORDS, np.int64)
    document_frequency(part.indptr, part.image, live, words, frequency)
    assert frequency.tolist() == (dense_counts(random_images()) > 0).sum(axis=1).tolist()


LOOPS_TAKE = (np.int32, np.int32, np.uint16, np.uint64, np.int64, np.uint16, np.uint16, np.uint16)
"""By array, for a vocabulary of up to 65,536 words."""


def test_every_array_is_read_only(tmp_path: Path) -> None:
    for name, array in all_arrays(write_and_open(tmp_path, random_images())).items():
        assert not array.flags.writeable, name


def test_arrays_have_the_documented_types(tmp_path: Path) -> None:
    found = {name: str(array.dtype) for name, array in all_arrays(write_and_open(tmp_path, random_images())).items()}
    assert found == {
        "vote_indptr": "int32", "vote_image": "int32", "vote_feature": "uint16", "signature": "uint64",
        "feature_indptr": "int64", "word": "uint16", "xy": "uint16", "scale_angle": "uint16",
    }  # fmt: skip


@pytest.mark.parametrize(("n_words", "kind"), [(50, "uint16"), (1 << 16, "uint16"), ((1 << 16) + 1, "int32")])
def test_words_are_stored_as_small_as_they_are(n_words: int, kind: str, tmp_path: Path) -> None:
    columns = random_columns(9, 0)
    columns.word[:] = n_words - 1
    segment = open_segment(tmp_path, write_segment(tmp_path, [columns], n_words), n_words, 0)
    assert (str(segment.word.dtype), segment.word.tolist()) == (kind, [n_words - 1] * 9)
    assert segment.words(0)[0].tolist() == [n_words - 1] * 9


# -- Damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARRAYS)
def test_a_truncated_file_is_named_with_both_sizes(name: str, tmp_path: Path, facts: dict[str, FileFact]) -> None:
    path = tmp_path / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-2])
    expected = facts[path.name].n_bytes
    with pytest.raises(IndexStoreError) as caught:
        open_segment(tmp_path, facts, N_WORDS, 0)
    assert f"{path}: expected {expected} bytes, found {expected - 2}" in str(caught.value)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_file_is_named(name: str, tmp_path: Path, facts: dict[str, FileFact]) -> None:
    (tmp_path / f"{name}.npy").unlink()
    with pytest.raises(IndexStoreError, match=f"{name}.npy: cannot be opened"):
        open_segment(tmp_path, facts, N_WORDS, 0)


def test_a_file_that_the_catalogue_does_not_know_is_named(tmp_path: Path, facts: dict[str, FileFact]) -> None:
    del facts["xy.npy"]
    with pytest.raises(IndexStoreError, match=r"xy.npy: the catalogue does not know this file"):
        open_segment(tmp_path, facts, N_WORDS, 0)


@pytest.mark.parametrize("filler", [b"\0", b"A", b"\xff"])
@pytest.mark.parametrize("name", ["vote_indptr", "signature", "word", "xy"])
def test_garbage_of_the_right_size_is_named(
    name: str, filler: bytes, tmp_path: Path, facts: dict[str, FileFact]
) -> None:
    path = tmp_path / f"{name}.npy"
    path.write_bytes(filler * path.stat().st_size)
    with pytest.raises(IndexStoreError, match=f"{name}.npy: cannot be opened"):
        open_segment(tmp_path, facts, N_WORDS, 0)


@pytest.mark.parametrize("by", [1, 2, 8])
@pytest.mark.parametrize("name", ["vote_indptr", "signature", "xy"])
def test_numbers_that_are_not_aligned_are_named(name: str, by: int, tmp_path: Path, facts: dict[str, FileFact]) -> None:
    path = tmp_path / f"{name}.npy"
    path.write_bytes(shifted(path.read_bytes(), by))
    with pytest.raises(IndexStoreError, match=rf"{name}\.npy: cannot be opened \(its numbers begin at byte {128 + by}"):
        open_segment(tmp_path, facts_of(tmp_path), N_WORDS, 0)


def opening_error(folder: Path, facts: dict[str, FileFact]) -> Exception | None:
    try:
        open_segment(folder, facts, N_WORDS, 0)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("name", ["vote_indptr", "vote_image", "feature_indptr", "word"])
def test_no_damaged_byte_of_a_header_raises_anything_but_index_errors(
    name: str, tmp_path: Path, facts: dict[str, FileFact]
) -> None:
    path = tmp_path / f"{name}.npy"
    whole = path.read_bytes()
    seen = set()
    for at in range(8, 128, 2):
        for value in b"\0('9":
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            seen.add(type(opening_error(tmp_path, facts)))
    assert seen <= {type(None), IndexStoreError}


def rewritten(folder: Path, name: str, change: Callable[[NDArray[Any]], None]) -> dict[str, FileFact]:
    """Facts of a segment one of whose arrays holds something else, and was written so."""
    array = np.load(folder / f"{name}.npy").copy()
    change(array)
    np.save(folder / f"{name}.npy", array)
    return facts_of(folder)


@pytest.mark.usefixtures("facts")
def test_words_that_are_not_those_of_the_postings_are_named_where_they_are_read(tmp_path: Path) -> None:
    def other(word: NDArray[Any]) -> None:
        word[0] = (word[0] + 1) % N_WORDS

    segment = open_segment(tmp_path, rewritten(tmp_path, "word", other), N_WORDS, 0)
    with pytest.raises(ValueError, match="image 0 of a segment has features without postings"):
        segment.words(0)
    assert len(segment.words(3)[0]) == 120


@pytest.mark.usefixtures("facts")
def test_a_word_that_the_vocabulary_lacks_is_named_where_it_is_read(tmp_path: Path) -> None:
    def beyond(word: NDArray[Any]) -> None:
        word[3] = N_WORDS

    segment = open_segment(tmp_path, rewritten(tmp_path, "word", beyond), N_WORDS, 0)
    with pytest.raises(ValueError, match="image 0 of a segment has words that do not exist"):
        segment.words(0)
