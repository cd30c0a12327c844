"""Which images are frames of films; and that a film is one document, whatever it has of frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bof.images.films.times import part_of_frame
from bof.ingest.extract import Extracted
from bof.store import index as index_module
from bof.store import merge as merge_module
from bof.store.catalog.catalogue_columns import gather_rows
from bof.store.film_frames import FilmFrames, find_film_frames
from bof.store.film_words import count_films
from bof.store.index import Index, Snapshot
from bof.store.inverted_file import Weights, derive_weights
from bof.store.segments import segment_in_memory
from bof.types import F64, I32, Bool
from tests.support.living import N_WORDS, make, picture


def frame(film: str, second: int, seed: int, shot: int = 0) -> Extracted:
    part = part_of_frame(Fraction(second), Fraction(shot), Fraction(shot + 10))
    return picture(f"/films/{film}/#{part}", seed, f"{film}#t={second}")


def made(folder: Path) -> Index:
    """Eight pictures in two segments."""
    make(folder)
    return Index.open(folder)


def expected_idf(snapshot: Snapshot, n_words: int) -> F64:
    """By sets of words, a document at a time."""
    documents: dict[str, set[int]] = {}
    for image in np.flatnonzero(snapshot.weights.live).tolist():
        path = snapshot.rows[image].path
        documents.setdefault(path.partition("/#t=")[0], set()).update(snapshot.words(image)[0].tolist())
    frequency = np.zeros(n_words)
    for words in documents.values():
        frequency[sorted(words)] += 1
    present = frequency > 0
    return np.where(present, np.log1p(len(documents) / np.maximum(frequency, 1)), 0.0)


def test_frames_are_known_by_their_paths() -> None:
    paths = [
        "/f/a.mp4/#t=1.000&shot=0.000,4.000", "/f/a.png", "/f/a.mp4/#t=2.000&shot=0.000,4.000",
        "/f/a.mp4/#t=5.000&shot=4.000,9.000", "/f/#t=1.png", "/f/b.mp4/#t=1.000&shot=0.000,4.000",
        "/f/x.zip/#member=%23t=1.png", "/f/#t=/c.png",
    ]  # fmt: skip
    rows = gather_rows([[(b"n%d" % i, path.encode(), 1, 1, 1, i, 0, i + 1) for i, path in enumerate(paths)]])
    found = find_film_frames(rows.paths)
    assert found is not None
    assert found.film.tolist() == [0, -1, 0, 0, -1, 1, -1, -1]
    assert found.shot.tolist() == [0, -1, 0, 1, -1, 2, -1, -1]
    alone = gather_rows([[(b"a", b"/f/a#t.png", 1, 1, 1, 0, 0, 1)]])
    assert find_film_frames(alone.paths) is None


def test_one_of_each() -> None:
    films = FilmFrames(np.array([-1, 0, 0, 1, -1, 0], np.int32), np.array([-1, 0, 0, 1, -1, 2], np.int32))
    images = np.array([5, 4, 2, 1, 0, 3])
    assert images[films.first_of_each(images)].tolist() == [5, 4, 0, 3]
    assert images[films.first_of_each(images, by_shot=True)].tolist() == [5, 4, 2, 0, 3]
    assert films.place_in_film(images).tolist() == [0, 0, 1, 2, 0, 0]
    nothing = np.empty(0, np.int64)
    assert films.first_of_each(nothing).tolist() == films.place_in_film(nothing).tolist() == []


def test_a_film_counts_once_for_each_of_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge_module, "MERGE_AT", 100)
    index = made(tmp_path / "index")
    frames = [frame("a.mp4", second, 20 + second, 10 * (second // 3)) for second in range(9)]
    with index.writer() as writer:
        writer.append([*frames[:4], picture("/photos/y.jpg", 40)])
        writer.append([frames[4], frame("b.mp4", 0, 41), *frames[5:]])
        writer.remove([frames[2][0].name])
    before = index.snapshot()
    assert before.films is not None
    np.testing.assert_array_equal(before.weights.idf, expected_idf(before, N_WORDS))
    with index.writer() as writer:
        assert writer.merge() > 1
    after = index.snapshot()
    assert after.weights.idf.tobytes() == before.weights.idf.tobytes()
    of_path = [{each.rows[i].path: each.weights.norm[i] for i in range(len(each.rows))} for each in (before, after)]
    assert all(of_path[0][path] == norm for path, norm in of_path[1].items())


def test_without_films_nothing_changes(tmp_path: Path) -> None:
    snapshot = made(tmp_path / "index").snapshot()
    assert snapshot.films is None
    live = snapshot.weights.live
    plain = derive_weights(snapshot.postings, live, N_WORDS)
    none = count_films(snapshot.segments, live, np.full(len(live), -1, np.int32), N_WORDS)
    assert (none.n_films, none.frequency.sum()) == (0, 0)
    again = derive_weights(snapshot.postings, live, N_WORDS, none)
    assert plain.idf.tobytes() == again.idf.tobytes() == snapshot.weights.idf.tobytes()


def test_words_that_do_not_exist_are_damage() -> None:
    segment = segment_in_memory([picture("/a.jpg", 3)[1]], N_WORDS)
    live: Bool = np.ones(1, np.bool_)
    film: I32 = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="words that do not exist"):
        count_films([segment], live, film, int(segment.word.max()))


def test_kept_weights_that_count_frames_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "WORTH_CACHING", 1)
    index = made(tmp_path / "index")
    frames = [frame("a.mp4", second, 20 + second) for second in range(4)]
    with index.writer() as writer:
        writer.append(frames)
    snapshot = index.snapshot()
    kept = (tmp_path / "index" / "weights.npz").read_bytes()
    as_pictures = derive_weights(snapshot.postings, snapshot.weights.live, N_WORDS)
    assert as_pictures.idf.tobytes() != snapshot.weights.idf.tobytes()
    index_module.save_weights(index.folder, snapshot.generation, snapshot.names, as_pictures)
    assert index.snapshot().weights.idf.tobytes() == snapshot.weights.idf.tobytes()
    (tmp_path / "index" / "weights.npz").write_bytes(kept)
    assert loads(index).idf.tobytes() == snapshot.weights.idf.tobytes()


def loads(index: Index) -> Weights:
    snapshot = index.snapshot()
    found = index_module.load_weights(
        index.folder, snapshot.generation, snapshot.names, snapshot.weights.live, N_WORDS, counts_films=True
    )
    assert found is not None
    return found
