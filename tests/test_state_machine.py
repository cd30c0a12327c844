"""An index through any life that hypothesis can think of, against a dict and a scorer that knows no segments."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_store import Described, described

from bof import catalog, metadata
from bof.changes import Move
from bof.checking import check
from bof.options import FeatureOptions, VoteOptions
from bof.scoring import vote
from bof.store import Index, Snapshot
from bof.types import QueryWords
from bof.writing import Writer

N_WORDS = 200
PATHS = st.sampled_from([f"/photos/{letter}.jpg" for letter in "abcdefgh"])
TAGS = st.sampled_from(["red", "blue"])


def votes_by_name(snapshot: Snapshot, seed: int) -> dict[str, float]:
    query = described("query", seed)[1]
    words = QueryWords(query.word[:, None], query.signature[:, None])
    score = vote(snapshot.postings, snapshot.weights, words, VoteOptions()).score
    return {row.name: float(score[image]) for image, row in enumerate(snapshot.rows) if not row.deleted}


def empty(folder: Path) -> Index:
    (folder / "segments").mkdir(parents=True)
    facts = dataclasses.asdict(FeatureOptions())
    catalog.create(folder, {"fingerprint": "", "n_words": N_WORDS, "features": facts, "vocabulary_folder": "v"})
    return Index.open(folder)


class Life(RuleBasedStateMachine):
    """Model: path -> what was appended there, and path -> tags."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.index = empty(self.folder / "index")
        self.writer = Writer(self.index.folder, N_WORDS)
        self.images: dict[str, Described] = {}
        self.tags: dict[str, set[str]] = {}
        self.reader: Snapshot | None = None
        self.held: dict[str, float] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(paths=st.lists(PATHS, min_size=1, max_size=4, unique=True), seed=st.integers(1, 6))
    def append(self, paths: list[str], seed: int) -> None:
        new = [self.picture(path, seed + i) for i, path in enumerate(paths)]
        self.writer.append(new)
        self.images.update({facts.path: (facts, columns) for facts, columns in new})

    def picture(self, path: str, seed: int) -> Described:
        facts, columns = described(Path(path).name, seed, n_features=seed * 7 % 40)
        return dataclasses.replace(facts, path=path), columns

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        assert self.writer.remove([Path(path).name]) == int(path in self.images)
        if self.images.pop(path, None):
            self.tags.pop(path, None)

    @precondition(lambda self: len(self.images) >= 2)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        one, two = data.draw(st.permutations(sorted(self.images)))[:2]
        known = catalog.read_known(self.index.folder)
        places = [(one, two), (two, one)]
        moves = [Move(known[old].id, Path(new).name, new, 1, 1) for old, new in places]
        self.writer.rearrange(moves, [], [])
        self.images = {**self.images, one: self.renamed(two, one), two: self.renamed(one, two)}
        tags = dict(self.tags)
        for old, new in places:
            self.tags[new] = tags.get(old, set())

    def renamed(self, old: str, new: str) -> Described:
        facts, columns = self.images[old]
        return dataclasses.replace(facts, path=new, name=Path(new).name), columns

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data(), tag=TAGS, add=st.booleans())
    def tag(self, data: st.DataObject, tag: str, add: bool) -> None:
        path = data.draw(st.sampled_from(sorted(self.images)))
        said = {"tag": [tag]}
        self.writer.describe([path], said if add else {}, {} if add else said)
        tags = self.tags.setdefault(path, set())
        (tags.add if add else tags.discard)(tag)

    @rule()
    def merge(self) -> None:
        self.writer.merge()
        assert len(self.index.snapshot().segments) <= 1

    @rule()
    def crash(self) -> None:
        """Half a segment is left behind."""
        stray = self.index.folder / "segments" / ".stray.partial"
        stray.mkdir()
        (stray / "xy.npy").write_bytes(b"half")
        with self.index.writer():
            assert not stray.exists()

    @rule()
    def reopen(self) -> None:
        self.index = Index.open(self.index.folder)
        assert not check(self.index.folder, N_WORDS).damages

    @rule()
    def hold(self) -> None:
        """A reader that looks now and is asked later."""
        self.reader = self.index.snapshot()
        self.held = votes_by_name(self.reader, 3)

    @invariant()
    def a_reader_stays_where_it_was(self) -> None:
        if self.reader is not None:
            assert votes_by_name(self.reader, 3) == self.held
            newer = self.index.snapshot(self.reader)
            assert votes_by_name(newer, 2) == votes_by_name(self.index.snapshot(), 2)

    @invariant()
    def the_index_is_what_the_model_says(self) -> None:
        snapshot = self.index.snapshot()
        rows = {row.path: image for image, row in enumerate(snapshot.rows) if not row.deleted}
        assert set(rows) == set(self.images)
        for path, image in rows.items():
            facts, columns = self.images[path]
            word, signature = snapshot.words(image)
            assert snapshot.rows[image].name == facts.name
            assert np.array_equal(word, columns.word)
            assert np.array_equal(signature, columns.signature)
        said = {path: set(fields["tag"]) for path, fields in metadata.read_metadata(self.index.folder).items()}
        assert said == {path: tags for path, tags in self.tags.items() if tags}
        red = metadata.select_ids(self.index.folder, "tag = red", "")
        assert {snapshot.rows[image].path for path, image in rows.items() if snapshot.rows[image].id in red} == {
            path for path, tags in self.tags.items() if "red" in tags
        }

    @invariant()
    def answers_are_those_of_a_fresh_index(self) -> None:
        fresh = empty(Path(tempfile.mkdtemp(dir=self.folder)) / "fresh")
        if self.images:
            Writer(fresh.folder, N_WORDS).append([self.images[path] for path in sorted(self.images)])
        one, other = self.index.snapshot(), fresh.snapshot()
        assert np.array_equal(one.weights.idf, other.weights.idf)
        assert (one.n_images, one.n_features) == (other.n_images, other.n_features)
        for seed in (1, 4):
            assert votes_by_name(one, seed) == votes_by_name(other, seed)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
