"""Arrays that are kept beside an index: anything may stand in such a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.store.array_archive import ArrayKind, load_archive, save_archive
from bof.store.counts_cache import FILE_NAME, load_counts, save_counts
from bof.store.document_counts import DocumentCounts

N_WORDS = 16
COUNTS = DocumentCounts(np.arange(N_WORDS), 20, ("/films/a.mp4",), 30, 900, 31)


def test_counts_come_back(tmp_path: Path) -> None:
    save_counts(tmp_path, 5, COUNTS)
    found = load_counts(tmp_path, 5, N_WORDS)
    assert found is not None
    assert np.array_equal(found.frequency, COUNTS.frequency)
    assert (found.n_pictures, found.films, found.n_images) == (20, ("/films/a.mp4",), 30)
    assert (found.n_features, found.n_rows) == (900, 31)


@pytest.mark.parametrize("name", ["generation", "n_pictures", "frequency", "films"])
@pytest.mark.parametrize("shape", [(0,), (1,), (2, 2)])
def test_counts_of_another_shape_are_counted_again(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    save_counts(tmp_path, 5, COUNTS)
    with np.load(tmp_path / FILE_NAME) as saved:
        arrays = dict(saved)
    arrays[name] = np.zeros(shape, arrays[name].dtype)
    np.savez(tmp_path / FILE_NAME, allow_pickle=False, **arrays)
    if name == "films" and len(shape) == 1:
        found = load_counts(tmp_path, 5, N_WORDS)
        assert found is not None
        assert len(found.films) == shape[0]
    else:
        assert load_counts(tmp_path, 5, N_WORDS) is None


def test_an_array_longer_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    kind = ArrayKind(np.dtype(np.uint8), (8,), is_at_most=True)
    save_archive(tmp_path, "kept.npz", {"a": np.ones(9, np.uint8)})
    assert load_archive(tmp_path, "kept.npz", {"a": kind}) is None
    save_archive(tmp_path, "kept.npz", {"a": np.ones(8, np.uint8)})
    found = load_archive(tmp_path, "kept.npz", {"a": kind})
    assert found is not None
    assert found["a"].tolist() == [1] * 8
