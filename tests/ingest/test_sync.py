"""What has changed in folders: every way in which files come, go, change and move, told apart by their content."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof.engine import Engine
from bof.images.decode import read_image
from bof.images.listing import list_files
from bof.ingest import sync
from bof.ingest.sync import Plan, is_below, plan_sync
from bof.options import IndexOptions
from bof.store import catalog
from bof.store.catalog import ImageRecord
from bof.system.files import sha256_of
from tests.support.living import records_by_path
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


def entry_of(number: int, name: str, path: str, n_bytes: int, mtime_ns: int, sha256: str) -> ImageRecord:
    """What an index knows of a file, whatever picture is in it."""
    return ImageRecord(name, path, n_bytes, mtime_ns, sha256, 640, 480, 0, number)


class Folder:
    """Files of a few bytes, and what an index would remember of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, ImageRecord] = {}

    def write(self, **contents: str) -> None:
        for name, content in contents.items():
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def path(self, name: str) -> Path:
        return self.root / (name.replace("__", "/") + ".jpg")

    def remember(self) -> None:
        """The index has seen all that is there now."""
        self.known = {}
        for number, (path, name) in enumerate(list_files([self.root]).items(), 1):
            status = os.stat(path)
            entry = entry_of(number, name, path, status.st_size, status.st_mtime_ns, sha256_of(Path(path)))
            self.known[path] = entry

    def plan(self, *, delete: bool = False) -> Plan:
        return plan_sync(list_files([self.root]), self.known.values(), [self.root], delete=delete)

    def reported(self, *, delete: bool = False) -> dict[str, object]:
        """The plan by names; only what there is."""
        plan = self.plan(delete=delete)
        name_of = {entry.id: entry.name for entry in self.known.values()}
        reported = {
            "new": [name for _, name in plan.new],
            "changed": [name for _, name in plan.changed],
            "moves": [(name_of[move.id], move.name) for move in plan.moves],
            "touched": [move.name for move in plan.touched],
            "known content": [one.name for one in plan.known_contents],
            "gone": [entry.name for entry in plan.gone],
            "replaced": [entry.name for entry in plan.replaced],
            "unchanged": plan.n_unchanged,
        }
        return {key: value for key, value in reported.items() if value}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Files a, b and c, known."""
    made = Folder(tmp_path / "p")
    made.write(a="content a", b="content bb", c="content ccc")
    made.remember()
    return made


def test_nothing_new(folder: Folder) -> None:
    assert folder.reported() == {"unchanged": 3}


def test_a_new_file(folder: Folder) -> None:
    folder.write(d="content d")
    assert folder.reported() == {"new": ["d.jpg"], "unchanged": 3}


def test_a_changed_file(folder: Folder) -> None:
    folder.write(a="another")
    assert folder.reported() == {"changed": ["a.jpg"], "unchanged": 2}


def test_a_changed_file_of_the_same_size(folder: Folder) -> None:
    folder.write(a="content A")
    os.utime(folder.path("a"), ns=(9, 9))
    assert folder.reported() == {"changed": ["a.jpg"], "unchanged": 2}


def test_a_touched_file_has_not_moved(folder: Folder) -> None:
    os.utime(folder.path("a"), ns=(9, 9))
    assert folder.reported() == {"touched": ["a.jpg"], "unchanged": 2}
    assert folder.plan().touched[0].mtime_ns == 9


def test_a_missing_file(folder: Folder) -> None:
    folder.path("a").unlink()
    assert folder.reported() == {"gone": ["a.jpg"], "unchanged": 2}
    assert folder.plan().leaving == []
    assert folder.plan(delete=True).leaving == [folder.known[str(folder.path("a"))].id]


def test_a_renamed_file(folder: Folder) -> None:
    folder.path("a").rename(folder.path("z"))
    assert folder.reported() == {"moves": [("a.jpg", "z.jpg")], "unchanged": 2}


def test_a_file_moved_into_a_folder(folder: Folder) -> None:
    (folder.root / "sub").mkdir()
    folder.path("a").rename(folder.path("sub__a"))
    assert folder.reported() == {"moves": [("a.jpg", "sub/a.jpg")], "unchanged": 2}


def test_two_files_that_change_places(folder: Folder) -> None:
    a, b = folder.path("a"), folder.path("b")
    a.rename(folder.root / "t")
    b.rename(a)
    (folder.root / "t").rename(b)
    assert folder.reported() == {"moves": [("b.jpg", "a.jpg"), ("a.jpg", "b.jpg")], "unchanged": 1}


def test_a_chain_of_renames(folder: Folder) -> None:
    folder.path("b").rename(folder.path("z"))
    folder.path("a").rename(folder.path("b"))
    assert folder.reported() == {"moves": [("b.jpg", "z.jpg"), ("a.jpg", "b.jpg")], "unchanged": 1}


def test_a_file_moved_over_another(folder: Folder) -> None:
    folder.path("a").replace(folder.path("b"))
    assert folder.reported() == {"moves": [("a.jpg", "b.jpg")], "replaced": ["b.jpg"], "unchanged": 1}
    assert folder.plan().leaving == [folder.known[str(folder.path("b"))].id]


def test_a_copy_is_new(folder: Folder) -> None:
    shutil.copy2(folder.path("a"), folder.path("d"))
    assert folder.reported() == {"new": ["d.jpg"], "known content": ["d.jpg"], "unchanged": 3}
    assert folder.plan().to_read == []


def test_of_new_files_of_one_content_one_is_read(folder: Folder) -> None:
    folder.write(d="content dddd", e="content dddd", f="content ffff")
    assert folder.reported()["known content"] == ["e.jpg"]
    assert [name for _, name in folder.plan().to_read] == ["d.jpg", "f.jpg"]


def test_a_file_that_becomes_a_copy_is_not_read(folder: Folder) -> None:
    folder.write(a="content bb")
    assert folder.reported() == {"changed": ["a.jpg"], "known content": ["a.jpg"], "unchanged": 2}


@pytest.mark.parametrize("delete", [False, True])
def test_the_content_of_what_leaves_is_not_there_to_be_used(folder: Folder, delete: bool) -> None:
    """The one file that is gone is found as d; what else holds its content has the features of d."""
    folder.write(d="content a", e="content a")
    folder.path("a").unlink()
    assert folder.reported(delete=delete) == {
        "new": ["e.jpg"], "known content": ["e.jpg"], "moves": [("a.jpg", "d.jpg")], "unchanged": 2,
    }  # fmt: skip


def test_a_rename_with_a_change_is_new_and_gone(folder: Folder) -> None:
    folder.path("a").rename(folder.path("z"))
    folder.write(z="content z")
    assert folder.reported() == {"new": ["z.jpg"], "gone": ["a.jpg"], "unchanged": 2}


def test_one_of_two_equal_files_is_renamed(folder: Folder) -> None:
    folder.write(b="content a")
    folder.remember()
    folder.path("a").rename(folder.path("z"))
    assert folder.reported() == {"moves": [("a.jpg", "z.jpg")], "unchanged": 2}


def test_what_lies_elsewhere_is_not_gone(folder: Folder, tmp_path: Path) -> None:
    known = {**folder.known, "/elsewhere/x.jpg": entry_of(9, "x.jpg", "/elsewhere/x.jpg", 1, 1, "0" * 64)}
    assert not plan_sync(list_files([folder.root]), known.values(), [folder.root], delete=True).gone


def test_a_file_moved_here_from_a_folder_that_is_not_looked_into(folder: Folder) -> None:
    away = "/elsewhere/x.jpg"
    folder.write(d="content dddd")
    known = {**folder.known, away: entry_of(9, "x.jpg", away, 12, 1, sha256_of(folder.path("d")))}
    plan = plan_sync(list_files([folder.root]), known.values(), [folder.root], delete=False)
    assert [(move.id, move.name) for move in plan.moves] == [(9, "d.jpg")]
    assert not plan.new


def test_a_name_that_is_taken_gives_way_to_the_path(folder: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "q")
    other.write(a="other a")
    plan = plan_sync(list_files([other.root]), folder.known.values(), [other.root], delete=False)
    assert plan.new == [(str(other.path("a")), str(other.path("a")))]


@pytest.mark.parametrize("delete", [False, True])
def test_the_name_of_what_leaves_is_free(folder: Folder, delete: bool) -> None:
    folder.write(sub__a="other a")
    folder.path("a").unlink()
    sources = [folder.root, folder.root / "sub"]
    plan = plan_sync(list_files([folder.root / "sub"]), folder.known.values(), sources, delete=delete)
    assert [name for _, name in plan.new] == ["a.jpg" if delete else str(folder.path("sub__a"))]


def test_a_link_that_leads_nowhere_is_gone(folder: Folder) -> None:
    folder.path("a").unlink()
    folder.path("a").symlink_to(folder.root / "nowhere.jpg")
    assert folder.reported() == {"gone": ["a.jpg"], "unchanged": 2}


def forbid(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """A file that is there and cannot be read."""

    def read(one: Path) -> str:
        if one == path:
            raise PermissionError(13, "Permission denied", str(one))
        return sha256_of(one)

    monkeypatch.setattr(sync, "sha256_of", read)


def test_a_touched_file_that_cannot_be_read_is_tried_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(folder.path("a"), ns=(9, 9))
    forbid(monkeypatch, folder.path("a"))
    assert folder.reported(delete=True) == {"changed": ["a.jpg"], "unchanged": 2}


def test_a_copy_of_a_file_that_cannot_be_read_now_is_new(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of the picture stays with the file, which may be readable again tomorrow."""
    shutil.copy2(folder.path("a"), folder.path("d"))
    os.utime(folder.path("a"), ns=(9, 9))
    forbid(monkeypatch, folder.path("a"))
    assert folder.reported(delete=True) == {"new": ["d.jpg"], "changed": ["a.jpg"], "unchanged": 2}


# -- Any history of two folders ---------------------------------------------------------------------------------------

PLACES = [f"{root}/{name}.jpg" for root in ("p", "q", "p/sub") for name in ("a", "b", "sub/a")]
KINDS = st.sampled_from(["write", "move", "copy", "swap", "delete", "touch"])
ACTS = st.tuples(KINDS, st.sampled_from(PLACES), st.sampled_from(PLACES), st.integers(0, 9))


def do(folder: Path, kind: str, one: Path, two: Path, content: str, mtime_ns: int) -> None:
    """One thing that happens to files, if it can."""
    two.parent.mkdir(parents=True, exist_ok=True)
    one.parent.mkdir(parents=True, exist_ok=True)
    if kind == "write":
        one.write_text(content, encoding="utf-8")
        os.utime(one, ns=(mtime_ns, mtime_ns))
    elif not one.exists():
        return
    elif kind == "move":
        one.replace(two)
    elif kind == "copy" and one != two:
        shutil.copy2(one, two)
    elif kind == "swap" and one != two and two.exists():
        one.rename(folder / "t")
        two.rename(one)
        (folder / "t").rename(two)
    elif kind == "delete":
        one.unlink()
    else:
        os.utime(one, ns=(mtime_ns, mtime_ns))


def follow(plan: Plan, known: dict[str, ImageRecord], first_id: int) -> dict[str, ImageRecord]:
    """What an index knows once it has done as planned."""
    by_id = {entry.id: entry for entry in known.values() if entry.id not in plan.leaving}
    assert len(by_id) == len(known) - len(plan.leaving)
    assert all(move.path == by_id[move.id].path for move in plan.touched)
    assert all(sha256_of(Path(one.path)) == one.sha256 for one in plan.known_contents)
    for move in (*plan.moves, *plan.touched):
        assert sha256_of(Path(move.path)) == by_id[move.id].sha256
        by_id[move.id] = entry_of(move.id, move.name, move.path, move.n_bytes, move.mtime_ns, by_id[move.id].sha256)
    then = {entry.path: entry for entry in by_id.values()}
    assert len(then) == len(by_id) == len({entry.name for entry in then.values()})
    read = {sha256_of(Path(path)) for path, _ in plan.to_read}
    assert {one.sha256 for one in plan.known_contents} <= read | {entry.sha256 for entry in by_id.values()}
    added = [*plan.to_read, *((one.path, one.name) for one in plan.known_contents)]
    assert sorted(added) == sorted([*plan.new, *plan.changed])
    for number, (path, name) in enumerate(added, first_id):
        status = os.stat(path)
        sha256 = sha256_of(Path(path))
        assert sha256 not in {entry.sha256 for entry in known.values() if entry.id in plan.leaving}
        then[path] = entry_of(number, name, path, status.st_size, status.st_mtime_ns, sha256)
    assert len({entry.name for entry in then.values()}) == len(then)
    return then


@settings(max_examples=40)
@given(
    rounds=st.lists(
        st.tuples(st.lists(ACTS, max_size=8), st.sampled_from(["p", "q", "pq"]), st.booleans()), min_size=1, max_size=5
    )
)
def test_a_plan_makes_the_index_show_its_folders_and_reads_nothing_twice(
    rounds: list[tuple[list[tuple[str, str, str, int]], str, bool]],
) -> None:
    known: dict[str, ImageRecord] = {}
    now = 0
    with tempfile.TemporaryDirectory() as place:
        for number, (acts, roots, delete) in enumerate(rounds, 1):
            for kind, one, two, content in acts:
                now += 1
                do(Path(place), kind, Path(place, one), Path(place, two), f"content {content}", now)
            sources = [Path(place, root) for root in roots]
            for source in sources:
                source.mkdir(exist_ok=True)
            files = list_files(sources)
            plan = plan_sync(files, known.values(), sources, delete=delete)
            lost = {path for path in known if not os.path.exists(path)}
            known = follow(plan, known, 1000 * number)
            shown = {path: entry.sha256 for path, entry in known.items() if path not in lost}
            assert {path: shown[path] for path in files} == {path: sha256_of(Path(path)) for path in files}
            assert all(path in files or not is_below(path, sources) or not delete for path in known)
            again = plan_sync(files, known.values(), sources, delete=delete)
            assert [*again.new, *again.changed, *again.moves, *again.touched, *again.leaving] == []
            assert again.n_unchanged == len(files)


# -- Through the engine -----------------------------------------------------------------------------------------------


def answers(engine: Engine, n: int) -> list[list[tuple[str, float]]]:
    found = []
    for seed in range(n):
        pixels = draw_scene(seed)
        path = write_picture(engine.folder.parent / "query.png", pixels)
        hits = engine.search(read_image(path, grey=True, max_side=1024), top=100)
        found.append([(hit.name, hit.score) for hit in hits])
    return found


def test_a_renamed_folder_is_not_read_again_and_keeps_its_tags(tmp_path: Path, vocabulary_folder: Path) -> None:
    for seed in range(4):
        write_picture(tmp_path / "p" / "old" / f"{seed}.png", draw_scene(seed))
    with Engine.create(tmp_path / "ix", vocabulary_folder) as engine:
        engine.add([tmp_path / "p"], ALONE)
        engine.annotate(["old/2.png"], {"tag": ["kept"]})
        before = answers(engine, 4)
        (tmp_path / "p" / "old").rename(tmp_path / "p" / "new")
        report = engine.add([tmp_path / "p"], ALONE)
        assert (report.n_added, report.n_moved, report.n_gone) == (0, 4, 0)
        assert answers(engine, 4) == [[(name.replace("old", "new"), s) for name, s in hits] for hits in before]
        assert catalog.read_metadata(engine.folder) == {str(tmp_path / "p" / "new" / "2.png"): {"tag": ["kept"]}}


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_the_index_is_that_of_a_fresh_start(
    seed: int, tmp_path: Path, vocabulary_folder: Path
) -> None:
    rng, folder = np.random.default_rng(seed), tmp_path / "p"
    for scene in range(5):
        write_picture(folder / f"{scene}.png", draw_scene(scene))
    engine = Engine.create(tmp_path / "living", vocabulary_folder)
    options = IndexOptions(workers=1, commit_images=int(rng.integers(1, 4)))
    engine.add([folder], options)
    for _ in range(3):
        for _ in range(int(rng.integers(1, 5))):
            change_something(folder, rng)
        engine.add([folder], options, delete=True)
    fresh = Engine.create(tmp_path / "fresh", vocabulary_folder)
    fresh.add([folder], ALONE)
    assert engine.vocabulary.n_words == fresh.vocabulary.n_words
    assert answers(engine, 6) == answers(fresh, 6)
    known, expected = (records_by_path(e.folder) for e in (engine, fresh))
    assert {p: k.sha256 for p, k in known.items()} == {p: k.sha256 for p, k in expected.items()}


def change_something(folder: Path, rng: np.random.Generator) -> None:
    """One thing that people do to files."""
    files = sorted(folder.rglob("*.png"))
    one, two = (files[int(i)] for i in rng.permutation(len(files))[:2])
    free = folder / f"sub{rng.integers(3)}" / f"{rng.integers(1000)}.png"
    free.parent.mkdir(exist_ok=True)
    act = int(rng.integers(7))
    if act == 0 and len(files) > 3:
        one.unlink()
    elif act == 1:
        one.rename(free)
    elif act == 2:
        shutil.copy2(one, free)
    elif act == 3:
        write_picture(free, draw_scene(int(rng.integers(6, 20))))
    elif act == 4:
        write_picture(one, draw_scene(int(rng.integers(20, 40))))
    elif act == 5:
        os.utime(one, ns=(int(rng.integers(1 << 40)), int(rng.integers(1 << 40))))
    else:
        one.rename(folder / "t")
        two.rename(one)
        (folder / "t").rename(two)
