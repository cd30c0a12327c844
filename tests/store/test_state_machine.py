"""An index through any life that hypothesis can think of, against a dict and a scorer that knows no segments."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bof.store import catalog
from bof.store.catalog import Move
from bof.store.check import SEGMENTS
from bof.store.index import Index, Snapshot
from bof.store.writer import Writer
from tests.support.extracted import Extracted
from tests.support.living import (
    ALL_PATHS,
    N_WORDS,
    QUERIES,
    empty,
    picture,
    records_by_path,
    votes_by_hand,
    votes_by_name,
)

PATHS = st.lists(st.sampled_from(ALL_PATHS), min_size=1, max_size=5, unique=True)


class Life(RuleBasedStateMachine):
    """Model: path -> what was appended there, and path -> tags, which outlive a damaged image."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.index = empty(self.folder / "index")
        self.writer = Writer(self.index.folder, N_WORDS)
        self.images: dict[str, Extracted] = {}
        self.tags: dict[str, set[str]] = {}
        self.held: list[tuple[Snapshot, list[dict[str, float]]]] = []

    def teardown(self) -> None:
        fresh = empty(self.folder / "fresh")
        if self.images:
            Writer(fresh.folder, N_WORDS).append([self.images[path] for path in sorted(self.images)])
        one, other = self.index.snapshot(), fresh.snapshot()
        assert np.array_equal(one.weights.idf, other.weights.idf)
        assert (one.n_images, one.n_features) == (other.n_images, other.n_features)
        assert [votes_by_name(one, seed) for seed in QUERIES] == [votes_by_name(other, seed) for seed in QUERIES]
        shutil.rmtree(self.folder)

    @rule(paths=PATHS, seed=st.integers(0, 20))
    def append_or_update(self, paths: list[str], seed: int) -> None:
        self.append([picture(path, seed + i) for i, path in enumerate(paths)])

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data())
    def append_the_same_again(self, data: st.DataObject) -> None:
        self.append([self.images[path] for path in self.drawn(data)])

    def append(self, new: list[Extracted]) -> None:
        self.writer.append(new)
        self.images.update({facts.path: (facts, columns) for facts, columns in new})

    def drawn(self, data: st.DataObject) -> list[str]:
        return data.draw(st.lists(st.sampled_from(sorted(self.images)), min_size=1, max_size=4, unique=True))

    @rule(paths=PATHS)
    def remove(self, paths: list[str]) -> None:
        names = {path: self.images[path][0].name for path in paths if path in self.images}
        assert self.writer.remove([*names.values(), "nobody.jpg"]) == len(names)
        self.forget(names)

    def forget(self, paths: Mapping[str, str] | list[str]) -> None:
        for path in paths:
            del self.images[path]
            self.tags.pop(path, None)

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data(), long_names=st.booleans())
    def rearrange(self, data: st.DataObject, long_names: bool) -> None:
        """Any permutation of some images over their own paths, free paths and those of images that leave."""
        some = self.drawn(data)
        gone = [path for path in some[1:] if data.draw(st.booleans())]
        moved = [path for path in some if path not in gone]
        free = [path for path in ALL_PATHS if path not in self.images or path in some]
        targets = dict(zip(moved, data.draw(st.permutations(free)), strict=False))
        known = records_by_path(self.index.folder)
        facts = {
            old: dataclasses.replace(self.images[old][0], path=new, name=new if long_names else Path(new).name)
            for old, new in targets.items()
        }
        moves = [Move(known[old].id, one.name, one.path, 9, 9) for old, one in facts.items()]
        self.writer.rearrange(moves, [known[path].id for path in gone], ["/photos"])

        self.forget(gone)
        columns = {old: self.images.pop(old)[1] for old in targets}
        tags = {old: self.tags.pop(old, set()) for old in targets}
        for old, new in targets.items():
            self.images[new] = (facts[old], columns[old])
            self.tags[new] = tags[old]
        assert catalog.read_meta(self.index.folder)["roots"] == ["/photos"]

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data(), tag=st.sampled_from(["red", "blue"]), add=st.booleans())
    def tag(self, data: st.DataObject, tag: str, add: bool) -> None:
        paths = self.drawn(data)
        self.writer.annotate(paths, {"tag": [tag]} if add else {}, {} if add else {"tag": [tag]})
        for path in paths:
            (self.tags.setdefault(path, set()).add if add else self.tags.get(path, set()).discard)(tag)

    @rule()
    def merge(self) -> None:
        self.writer.merge()
        assert len(self.index.snapshot().segments) <= 1

    @rule()
    def crash(self) -> None:
        """Half a segment is left behind, and a file in a whole one."""
        strays = [self.index.folder / SEGMENTS / ".0123.partial"]
        strays += [segment / "half.npy" for segment in (self.index.folder / SEGMENTS).iterdir()][:1]
        strays[0].mkdir()
        for path in (strays[0] / "xy.npy", *strays[1:]):
            path.write_bytes(b"half")
        with self.index.writer():
            assert not any(path.exists() for path in strays)

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data())
    def lose_a_segment(self, data: st.DataObject) -> None:
        """Its images are lost, what was said of them is not."""
        with catalog.reading(self.index.folder) as database:
            commit = catalog.read_commit(database)
        row = data.draw(st.sampled_from(list(commit.segments)))
        (self.index.folder / SEGMENTS / row.name / "signature.npy").unlink()
        (damage,) = self.writer.repair().damages
        lost = [image.path for image in commit.images if image.segment == row.number and not image.deleted]
        assert [image.path for image in damage.lost] == lost
        for path in lost:
            del self.images[path]

    @rule()
    def reopen(self) -> None:
        self.index = Index.open(self.index.folder)
        report = self.index.check()
        assert (report.n_saved, list(report.damages), list(report.strays)) == (len(self.images), [], [])

    @rule()
    def hold(self) -> None:
        """A reader that looks now and is asked later."""
        snapshot = self.index.snapshot(self.held[-1][0] if self.held else None)
        self.held = [*self.held[-2:], (snapshot, [votes_by_hand(self.images, seed) for seed in QUERIES])]

    @invariant()
    def every_reader_answers_as_of_its_commit(self) -> None:
        for snapshot, expected in self.held:
            assert [votes_by_name(snapshot, seed) for seed in QUERIES] == expected

    @invariant()
    def the_index_is_what_the_model_says(self) -> None:
        snapshot = self.index.snapshot(self.held[-1][0] if self.held else None)
        live = {row.path: image for image, row in enumerate(snapshot.rows) if not row.deleted}
        assert set(live) == set(self.images)
        for path, image in live.items():
            facts, columns = self.images[path]
            row, (word, signature) = snapshot.rows[image], snapshot.words(image)
            where = snapshot.segments[snapshot.segment_of[image]]
            start, stop = where.feature_indptr[row.position : row.position + 2]
            assert row.name == facts.name
            found = word, signature, where.xy[start:stop], where.scale_angle[start:stop]
            assert all(map(np.array_equal, found, dataclasses.astuple(columns)))
        assert [votes_by_name(snapshot, seed) for seed in QUERIES] == [
            votes_by_hand(self.images, seed) for seed in QUERIES
        ]

    @invariant()
    def what_was_said_is_found(self) -> None:
        reported = {path: set(fields["tag"]) for path, fields in self.index.metadata().items()}
        assert reported == {path: tags for path, tags in self.tags.items() if tags}
        path_of = {row.id: row.path for row in self.index.snapshot().rows}
        red = {path for path in self.images if "red" in self.tags.get(path, ())}
        requested = [("tag = red", "", red), ("", "red", red), ("name ~ .jpg", "", set(self.images))]
        requested += [("", Path(path).stem, {path} & set(self.images)) for path in ALL_PATHS[:3]]
        for where, text, expected in requested:
            found = self.index.select_ids(where, text)
            assert {path_of[number] for number in found} == expected


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25, stateful_step_count=16, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
