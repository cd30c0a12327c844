"""An index in parts is the same index: through any life, however it is split, and whenever a process dies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from bof.errors import IndexStoreError, MismatchError, OptionError
from bof.store import catalog
from bof.store import index as index_module
from bof.store.catalog import changes, commits
from bof.store.index import EpochGoneError, Index, refuse_part
from bof.store.parts import redo
from bof.store.parts.combining import combine
from bof.store.parts.index import PartedIndex
from bof.store.parts.layout import FOLDER, PartShare, number_of
from bof.store.parts.making import repart
from bof.store.snapshot import Snapshot
from tests.store.test_crashes import Death, Failure, Steps, act, add_columns, append, error_of, quick, rearrange
from tests.store.test_state_machine import Life
from tests.support.living import (
    ALL_PATHS,
    N_WORDS,
    QUERIES,
    columns_by_name,
    empty,
    empty_in_parts,
    is_clean,
    make,
    picture,
    state,
    votes_by_name,
    writer_of,
)

BY = st.sampled_from(["hash", "folder"])


class LifeInParts(Life):
    """The life of an ordinary index, in parts that come and go."""

    @initialize(n_parts=st.integers(1, 7), by=BY)
    def split(self, n_parts: int, by: str) -> None:
        self.index = empty_in_parts(self.folder / "parts", n_parts, by)  # type: ignore[arg-type]
        self.writer = writer_of(self.index.folder)

    @rule(n_parts=st.integers(1, 7), by=BY)
    def repart(self, n_parts: int, by: str) -> None:
        before = {record.path: record.id for record in self.index.records()}
        generation = self.index.generation()
        self.index = repart(self.index, n_parts, by)  # type: ignore[arg-type]
        assert len(self.index.parts) == n_parts
        assert {record.path: record.id for record in self.index.records()} == before
        assert self.index.generation() > generation
        self.writer = writer_of(self.index.folder)

    @rule()
    def merge(self) -> None:
        self.writer.merge()
        assert all(len(part.segments()) <= 1 for part in self.index.parts)

    @rule()
    def crash(self) -> None:
        """A part that nothing names is left behind."""
        stray = self.index.folder / FOLDER / ("0" * 32)
        (stray / "segments" / "half").mkdir(parents=True)
        assert [path.name for path in self.index.check().strays] == [stray.name]
        with self.index.writer():
            assert not stray.exists()

    @rule()
    def keep_what_is_derived(self) -> None:
        with mock.patch.object(index_module, "WORTH_CACHING", 1):
            self.index.keep_derived(self.held[-1][0] if self.held else None)

    @precondition(lambda self: bool(self.images))
    @rule(data=st.data())
    def lose_a_segment(self, data: st.DataObject) -> None:
        """Its images are lost, what was said of them is not."""
        part = data.draw(st.sampled_from([part for part in self.index.parts if part.count()]))
        with catalog.reading(part.folder) as database:
            commit = catalog.read_commit(database)
        row = data.draw(st.sampled_from(list(commit.segments)))
        (part.folder / "segments" / row.name / "signature.npy").unlink()
        (damage,) = self.writer.repair().damages
        lost = [image.path for image in commit.images if image.segment == row.number and not image.deleted]
        assert [image.path for image in damage.lost] == lost
        for path in lost:
            del self.images[path]


TestLifeInParts = LifeInParts.TestCase
TestLifeInParts.settings = settings(
    max_examples=15, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture
def index(tmp_path: Path) -> PartedIndex:
    make(tmp_path / "index", 3)
    found = Index.open(tmp_path / "index")
    assert isinstance(found, PartedIndex)
    return found


# -- Death and failure ------------------------------------------------------------------------------------------------

MAKES = [append, rearrange, add_columns]


def repart_it(writer: object) -> None:
    """Done by itself: see `do`."""


def do(change: object, folder: Path, steps: Steps | None = None) -> None:
    if change is repart_it:
        with (steps or Steps()).at_work():
            repart(Index.open(folder), 2, "hash")
    else:
        act(change, folder, steps)  # type: ignore[arg-type]


assert quick, "a fixture"


class DeathAfterChange(Death):
    """Steps that changed no file since the last one kept leave the same."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: object = None

    def step(self, do: Callable[[], Any], kind: str) -> Any:
        found = sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.folder.rglob("*"))
        if found == self.seen:
            return do()
        self.seen = found
        return super().step(do, kind)


def copied(folder: Path, name: str) -> Path:
    here = folder.parent / name
    shutil.copytree(folder, here)
    return here


@pytest.mark.parametrize("change", [*MAKES, repart_it], ids=lambda change: change.__name__)
def test_a_death_at_any_step_leaves_the_old_or_the_new_state(change: object, quick: Path) -> None:
    folder = quick / change.__name__ / "index"  # type: ignore[attr-defined]
    make(folder, 2)
    old = state(folder)
    done = copied(folder, "done")
    do(change, done)
    new = state(done)
    death = DeathAfterChange(copied(folder, "dying"))
    do(change, death.folder, death)
    states = [state(here) for here in death.left]
    n_old = states.index(new)
    assert all(one == old for one in states[:n_old])
    assert all(one == new for one in states[n_old:])
    for here in death.left:
        with Index.open(here).writer():
            pass
        assert is_clean(here)
    assert len(death.left) > 10


@pytest.mark.parametrize("lies", [False, True])
@pytest.mark.parametrize("change", [append, repart_it], ids=lambda change: change.__name__)
def test_a_failing_disk_at_any_step_leaves_the_old_or_the_new_state(change: object, lies: bool, quick: Path) -> None:
    folder = quick / f"{change.__name__} {lies}" / "index"  # type: ignore[attr-defined]
    make(folder, 2)
    old = state(folder)
    done = copied(folder, "done")
    do(change, done)
    new = state(done)
    for k in count(1, 1 if lies else 11):
        here, failure = copied(folder, f"failing {k}"), Failure(k, lies)
        reported = error_of(lambda here=here, failure=failure: do(change, here, failure))  # type: ignore[misc]
        assert state(here) in ((old, new) if reported else (new,))
        with Index.open(here).writer():
            pass
        assert is_clean(here)
        shutil.rmtree(here)
        if failure.n < k:
            break
    assert k > 2


def test_an_ordinary_index_becomes_one_in_parts_or_stays_what_it_is(tmp_path: Path) -> None:
    make(tmp_path / "index")
    old, death = state(tmp_path / "index"), DeathAfterChange(copied(tmp_path / "index", "dying"))
    with death.at_work():
        repart(Index.open(death.folder), 3, "hash")
    kinds = []
    for here in death.left:
        found = Index.open(here)
        assert state(here) == old
        with found.writer():
            pass
        kinds.append(isinstance(Index.open(here), PartedIndex))
    assert kinds == sorted(kinds)
    assert {*kinds} == {False, True}
    assert not (death.folder / "segments").exists()


def test_a_commit_of_several_parts_that_cannot_be_read_is_an_error_that_names_it(index: PartedIndex) -> None:
    step = {"part": "../x", "commit": 1, "changes": []}
    (index.folder / redo.FILE_NAME).write_text(json.dumps({"format": 1, "steps": [step]}))
    with pytest.raises(IndexStoreError, match="a commit that cannot be read"), index.writer():
        pass


# -- What does not belong together ------------------------------------------------------------------------------------


def test_a_missing_part_is_named_with_what_to_do(index: PartedIndex) -> None:
    shutil.move(index.parts[1].folder, index.folder.parent / "away")
    for use in (index.snapshot, index.check, index.records, index.epoch, lambda: index.writer().__enter__()):
        with pytest.raises(IndexStoreError, match="part 2 of 3 is missing; restore its folder, or mount its disk"):
            use()


def test_a_part_of_another_index_is_refused(index: PartedIndex) -> None:
    with catalog.transaction(index.parts[0].folder) as database:
        database.execute("UPDATE meta SET value = '13' WHERE key = 'n_words'")
    with pytest.raises(MismatchError, match="a part of another index: expected 12, found 13"):
        index.snapshot()


def test_a_part_opens_alone_and_is_changed_with_the_others_only(index: PartedIndex, tmp_path: Path) -> None:
    part = max(index.parts, key=lambda part: part.count())
    alone = Index.open(part.folder)
    assert alone.snapshot().n_images == part.count() > 0
    with pytest.raises(IndexStoreError, match="a part of an index in parts"), alone.writer():
        pass
    shutil.copytree(part.folder, tmp_path / "copy")
    with Index.open(tmp_path / "copy").writer() as writer:
        writer.append([picture("/photos/alone.jpg", 3)])
    refuse_part(tmp_path / "copy")
    assert Index.open(tmp_path / "copy").count() == part.count() + 1


def test_an_older_bof_does_not_take_it_for_an_empty_index(index: PartedIndex) -> None:
    assert catalog.read_meta(index.folder)["format"] == catalog.FORMAT_IN_PARTS > catalog.FORMAT


def test_an_index_that_was_opened_before_it_came_into_parts_says_so(tmp_path: Path) -> None:
    make(tmp_path / "index")
    before = Index.open(tmp_path / "index")
    repart(before, 2, "hash")
    with pytest.raises(IndexStoreError, match="was made an index in parts; open it again"):
        before.snapshot()


# -- Ids, and where pictures go ---------------------------------------------------------------------------------------


def test_ids_grow_through_all_parts_and_mean_one_picture(index: PartedIndex) -> None:
    with index.writer() as writer:
        for number in range(6):
            last = max(record.id for record in index.records())
            writer.append([picture(f"/photos/new {number}.jpg", number), picture(f"/photos/{number}.png", number)])
            assert min(record.id for record in index.records() if record.name in (f"new {number}.jpg",)) > last
            writer.remove([f"{number}.png"])
            writer.merge()
    ids = [record.id for record in index.records()]
    assert len(set(ids)) == len(ids) == len(ALL_PATHS) + 6
    newest = [record.id for record in index.select(order="newest").records]
    assert newest == sorted(newest, reverse=True)


def test_the_parts_of_a_file_lie_together_also_after_it_was_renamed(index: PartedIndex) -> None:
    pages = [f"/photos/book.pdf/#page={number}" for number in range(1, 6)]
    with index.writer() as writer:
        writer.append([picture(page, 3, f"book {number}") for number, page in enumerate(pages)])
        home = [part.count() for part in index.parts]
        moves = [
            catalog.Move(record.id, f"other {record.name}", record.path.replace("book", "zine"), 1, 1)
            for record in index.records()
            if "book" in record.path
        ]
        writer.rearrange(moves, [], ["/photos"])
        writer.append([picture("/photos/zine.pdf/#page=9", 3, "page 9")])
    grown = [after.count() - before for after, before in zip(index.parts, home, strict=True)]
    assert sorted(grown) == [0, 0, 1]
    of_file = [sum("zine" in record.path for record in part.records()) for part in index.parts]
    assert sorted(of_file) == [0, 0, 6]


def test_pages_of_a_selection_are_those_of_one_index(tmp_path: Path) -> None:
    make(tmp_path / "one")
    make(tmp_path / "many", 5)
    one, many = (Index.open(tmp_path / name) for name in ("one", "many"))
    for offset in range(9):
        found = [[r.name for r in index.select(offset=offset, limit=3).records] for index in (one, many)]
        assert found[0] == found[1]
    assert one.select("tag = kept").total == many.select("tag = kept").total == 3
    assert one.values_of("tag") == [(number, value) for number, value in one.values_of("tag")]
    assert [value for _, value in many.values_of("tag")] == ["kept"] * 3
    assert many.count_values("tag", [record.id for record in many.records()]) == {"kept": 3}
    assert one.count_annotated() == many.count_annotated()
    for index in (one, many):
        with pytest.raises(OptionError, match="one of the fields"):
            index.select("colour = red")


def test_shares_are_all_pictures_each_once() -> None:
    paths = [f"/photos/{number % 7}/{number}.jpg" for number in range(200)]
    for by in ("hash", "folder"):
        shares = [[path for path in paths if PartShare(number, 4, by).holds(path)] for number in range(1, 5)]  # type: ignore[arg-type]
        assert sorted(path for share in shares for path in share) == sorted(paths)
        assert [number_of(path, 4, by) for path in shares[2]] == [2] * len(shares[2])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="expected 1 to 4, found 5 of 4"):
        PartShare(5, 4)


# -- The epoch --------------------------------------------------------------------------------------------------------


def test_a_part_that_is_weighed_by_the_epoch_votes_as_in_the_whole(index: PartedIndex) -> None:
    epoch, whole = index.epoch(), index.snapshot()
    assert (epoch.number, epoch.n_images, epoch.n_features) == (whole.generation, whole.n_images, whole.n_features)
    assert epoch.n_rows == len(whole.rows)
    assert np.array_equal(epoch.idf, whole.weights.idf)
    for seed in QUERIES:
        together: dict[str, float] = {}
        for number, facts in enumerate(epoch.parts):
            part = index.open_part(epoch, number)
            assert (part.n_images, part.n_features) == (whole.n_images, whole.n_features)
            stop = facts.first_image + facts.n_rows
            assert np.array_equal(part.weights.norm, whole.weights.norm[facts.first_image : stop])
            together |= votes_by_name(part, seed)
        assert together == votes_by_name(whole, seed)
    image = epoch.n_rows - 1
    facts, number = epoch.part_of(image)
    assert index.open_part(epoch, epoch.parts.index(facts)).rows.names[number] == whole.rows.names[image]


def test_an_epoch_that_has_passed_is_refused(index: PartedIndex) -> None:
    epoch = index.epoch()
    with index.writer() as writer:
        writer.append([picture("/photos/new.jpg", 4)])
    number = next(n for n, part in enumerate(epoch.parts) if part.generation != index.epoch().parts[n].generation)
    with pytest.raises(EpochGoneError, match="open the epoch of now"):
        index.open_part(epoch, number)
    assert index.epoch().number > epoch.number


def test_an_ordinary_index_is_an_epoch_of_one_part(tmp_path: Path) -> None:
    make(tmp_path / "index")
    index = Index.open(tmp_path / "index")
    epoch, whole = index.epoch(), index.snapshot()
    assert (epoch.n_images, epoch.n_features, len(epoch.parts)) == (whole.n_images, whole.n_features, 1)
    assert votes_by_name(index.open_part(epoch, 0), 4) == votes_by_name(whole, 4)


@pytest.mark.parametrize("n_parts", [1, 2, 5])
def test_a_film_is_one_document_also_where_its_frames_lie_in_several_parts(n_parts: int, tmp_path: Path) -> None:
    frames = [
        (f"/films/{film}.mp4/#t={t}.500&shot={t}.000,{t + 1}.000", film * 10 + t) for film in range(3) for t in range(4)
    ]
    images = [picture(path, seed, path) for path, seed in frames] + [picture(f"/photos/{n}.jpg", n) for n in range(5)]
    one, many = empty(tmp_path / "one"), empty_in_parts(tmp_path / "many", n_parts)
    writer_of(one.folder).append(images)
    for number, image in enumerate(images):  # each frame to the next part
        writer_of(many.folder).parts[number % n_parts].append([image], last_id=number)
    expected, found = one.snapshot(), many.snapshot()
    assert expected.films is not None
    assert found.films is not None
    assert np.array_equal(expected.weights.idf, found.weights.idf)
    assert one.epoch().n_documents == many.epoch().n_documents == 8
    assert [votes_by_name(expected, seed) for seed in QUERIES] == [votes_by_name(found, seed) for seed in QUERIES]
    with mock.patch.object(index_module, "WORTH_CACHING", 1):
        many.keep_derived()
    assert np.array_equal(many.epoch().idf, expected.weights.idf)


def test_counts_are_kept_by_commit_and_damaged_ones_are_counted_again(index: PartedIndex) -> None:
    epoch = index.epoch()
    with mock.patch.object(index_module, "WORTH_CACHING", 1):
        index.keep_derived()
    part = index.parts[0]
    kept = part.folder / "counts.npz"
    assert part.known_counts(part.generation()) is not None
    assert part.known_counts(part.generation() + 1) is None
    for damaged in (kept.read_bytes()[:-40], b"", kept.read_bytes().replace(b"frequency", b"frequently", 1)):
        kept.write_bytes(damaged)
        assert part.known_counts(part.generation()) is None
        assert np.array_equal(index.epoch().document_frequency, epoch.document_frequency)


def test_a_refreshed_snapshot_reads_only_the_parts_that_changed(index: PartedIndex) -> None:
    before = index.snapshot()
    with index.writer() as writer:
        writer.append([picture("/photos/new.jpg", 4)])
    after = index.snapshot(before)
    unchanged = [part for part in before.parts if part.generation in [one.generation for one in after.parts]]
    assert unchanged
    assert columns_by_name(after) == columns_by_name(index.snapshot())
    assert _rows(after) == _rows(index.snapshot())


def _rows(snapshot: Snapshot) -> list[object]:
    return [snapshot.rows[image] for image in range(len(snapshot.rows))]


def test_what_needs_n_words_is_the_same_in_each_part(index: PartedIndex) -> None:
    assert {part.n_words for part in index.parts} == {N_WORDS}


@pytest.mark.parametrize("n_parts", [0, 3])
def test_images_of_segments_that_did_not_change_are_not_read_again(
    n_parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "index", n_parts)
    index, read = Index.open(tmp_path / "index"), list[int]()
    before = index.snapshot()
    with index.writer() as writer:
        writer.append([picture("/photos/new.jpg", 4), picture("/photos/a.jpg", 3)])
    original = commits._read_images

    def counted(database: Any, segments: Any, where: str) -> Any:
        read.append(sum(segment.n_images for segment in segments))
        return original(database, segments, where)

    monkeypatch.setattr(commits, "_read_images", counted)
    after, fresh = index.snapshot(before), index.snapshot()
    n_read_again = sum(read) - len(fresh.rows)
    assert 0 < n_read_again < len(fresh.rows)
    assert _rows(after) == _rows(fresh)
    assert votes_by_name(after, 4) == votes_by_name(fresh, 4)


# -- Indexes made apart -----------------------------------------------------------------------------------------------


def test_indexes_that_gave_the_same_ids_are_combined_with_others(tmp_path: Path) -> None:
    make(tmp_path / "one")
    writer = writer_of(empty(tmp_path / "two").folder)
    writer.append([picture(f"/archive/{letter}.jpg", seed, f"two {letter}.jpg") for seed, letter in enumerate("xyz")])
    writer.annotate(["/archive/y.jpg"], {"tag": ["kept"], "year": ["1999"]}, {})
    before = [state(tmp_path / name) for name in ("one", "two")]
    index = combine(tmp_path / "whole", [tmp_path / "one", tmp_path / "two"])
    ids = [record.id for record in index.records()]
    assert len(set(ids)) == len(ids) == len(ALL_PATHS) + 3
    found = index.select("tag = kept and year = 1999")
    assert [record.name for record in found.records] == ["two y.jpg"]
    assert [record.id for record in found.records] == list(index.select_ids("", "two y"))
    assert index.check().is_sound
    alone = writer_of(empty(tmp_path / "alone").folder)
    alone.append([picture(f"/archive/{letter}.jpg", seed, f"two {letter}.jpg") for seed, letter in enumerate("xyz")])
    alone.append([picture(path, seed) for seed, path in enumerate(ALL_PATHS[:5])])
    alone.append([picture(path, 5 + seed) for seed, path in enumerate(ALL_PATHS[5:])])
    assert [votes_by_name(index.snapshot(), seed) for seed in QUERIES] == [
        votes_by_name(Index.open(tmp_path / "alone").snapshot(), seed) for seed in QUERIES
    ]
    with index.writer() as writer:
        writer.append([picture("/photos/last.jpg", 4)])
    assert max(index.records(), key=lambda record: record.id).name == "last.jpg"
    assert [state(tmp_path / name) for name in ("one", "two")] == before


def test_what_does_not_belong_together_is_not_combined(tmp_path: Path) -> None:
    make(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    with pytest.raises(OptionError, match="expected pictures of different paths in each part"):
        combine(tmp_path / "whole", [tmp_path / "one", tmp_path / "copy"])
    with catalog.transaction(tmp_path / "copy") as database:
        database.execute("UPDATE meta SET value = '13' WHERE key = 'n_words'")
    with pytest.raises(MismatchError, match="other n_words than the first: expected 12, found 13"):
        combine(tmp_path / "whole", [tmp_path / "one", tmp_path / "copy"])
    empty_in_parts(tmp_path / "parts", 2)
    with pytest.raises(OptionError, match="expected ordinary indexes, found an index in parts"):
        combine(tmp_path / "whole", [tmp_path / "parts"])
    assert not catalog.exists(tmp_path / "whole")
    combine(tmp_path / "whole", [tmp_path / "one"])
    with pytest.raises(IndexStoreError, match="there is an index here already"):
        combine(tmp_path / "whole", [tmp_path / "one"])


def test_where_paths_are_is_looked_up_and_not_searched_for(index: PartedIndex) -> None:
    statements: list[str] = []
    with catalog.reading(index.parts[0].folder) as database:
        database.set_trace_callback(statements.append)
        changes.find_paths(database, ["/photos/a.jpg", "/photos/a.pdf/#page=1"])
        changes.find_ids(database, [1, 2])
        database.set_trace_callback(None)
        lookups = [one for one in statements if one.startswith(("SELECT 1", "SELECT id"))]
        plans = [" ".join(str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {one}")) for one in lookups]
    assert len(plans) >= 3
    assert all("SEARCH images" in plan for plan in plans), plans
