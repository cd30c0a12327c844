"""Readers beside a writer at work: each sees one commit, whole."""

from __future__ import annotations

import dataclasses
import threading
import time
from itertools import count
from pathlib import Path

import numpy as np

from bof.store.index import Index
from bof.store.segments import ImageColumns
from tests.support.living import ALL_PATHS, N_WORDS, is_clean, make, picture, writer_of


def test_readers_see_whole_commits_while_a_writer_works(tmp_path: Path) -> None:
    """Every commit gives three images another word, and merges now and then; no snapshot sees two words."""
    make(tmp_path / "index")
    index = Index.open(tmp_path / "index")
    writer_of(index.folder).remove([Path(path).name for path in ALL_PATHS])
    seen, errors, end = set(), [], threading.Event()

    def read() -> None:
        before = None
        try:
            while not end.is_set():
                before = index.snapshot(before)
                live = [image for image, row in enumerate(before.rows) if not row.deleted]
                words = {int(word) for image in live for word in before.words(image)[0]}
                assert (len(live), len(words)) in ((3, 1), (0, 0)), (live, words)
                assert before.n_features == 4 * len(live)
                assert {float(one) > 0 for one in before.weights.idf[list(words)]} <= {True}
                seen.add(before.generation)
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    start = time.monotonic()
    for number in count():
        new = []
        for path in ALL_PATHS[:3]:
            facts, columns = picture(path, 3)
            words = np.full(4, number % N_WORDS, np.int32)
            four = ImageColumns(words, columns.signature[:4], columns.xy[:4], columns.scale_angle[:4])
            new.append((dataclasses.replace(facts, n_features=4), four))
        with index.writer() as writer:
            writer.append(new)
            if number % 5 == 0:
                writer.merge()
            if number % 7 == 0:
                writer.remove([Path(path).name for path in ALL_PATHS[:3]])
        seconds = time.monotonic() - start
        if errors or (seconds > 2 and number > 10 and len(seen) > 5) or seconds > 60:
            break
    end.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert number > 10
    assert len(seen) > 5
    assert is_clean(index.folder)
