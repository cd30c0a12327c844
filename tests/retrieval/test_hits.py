"""Hits as a list, a table of plain columns, and a table with pictures; an engine as people use it in a shell."""

from __future__ import annotations

import csv
import io
import json
import pickle
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bof import Engine, Hits, IndexOptions, SearchOptions
from bof.errors import BofError, ImageError, IndexStoreError, OptionError
from bof.images.decode import read_image
from bof.search import main
from bof.types import U8
from tests.support.scenes import N_SCENES, draw_scene, write_picture

ALONE = IndexOptions(workers=1)
COLUMNS = [
    "rank", "name", "path", "part", "verdict", "basis", "score", "probability", "inliers", "mirrored", "variant",
    "query_overlap", "hit_overlap", "left", "top", "right", "bottom", "width", "height", "query_number",
    "group", "group_agree", "group_found", "group_pictures", "margin", "time", "shot_start", "shot_stop", "shots",
]  # fmt: skip


def scene(seed: int) -> U8:
    return np.ascontiguousarray(draw_scene(seed)[:, :, ::-1])


@pytest.fixture
def engine(index_folder: Path) -> Engine:
    """Read it only."""
    return Engine.open(str(index_folder))


@pytest.fixture
def fresh(tmp_path: Path, vocabulary_folder: Path) -> Engine:
    """An empty index."""
    return Engine.create(str(tmp_path / "fresh"), str(vocabulary_folder))


# -- Whatever a query is ----------------------------------------------------------------------------------------------


def test_every_form_of_a_query_finds_the_same(engine: Engine, photos: Path) -> None:
    path = photos / "scene-04.png"
    forms: list[Any] = [path, str(path), path.read_bytes(), Image.open(path), scene(4), read_image(path)]
    answers = [engine.search(form, top=3) for form in forms]
    assert len({tuple((hit.name, round(hit.score, 6)) for hit in hits[1:]) for hits in answers}) == 1
    assert [hits[0].verdict for hits in answers] == ["same"] * len(forms)
    assert [hits[0].basis for hits in answers] == ["content"] * 3 + ["pixels"] * 3


def test_a_path_answers_as_the_command_does(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = write_picture(tmp_path / "q.jpg", draw_scene(5)[20:220, 30:])
    for box, flag in (
        (None, []),
        ((10.0, 10.0, 200.0, 150.0), ["--box", "10,10,200,150"]),
        ("auto", ["--box", "auto"]),
    ):
        assert main([str(query), "--index", str(engine.folder), "--json", *flag]) == 0
        expected = json.loads(capsys.readouterr().out)[0]["hits"]
        found = engine.search(query, box=box)
        assert [(hit.name, hit.score, hit.verdict) for hit in found] == [
            (hit["name"], hit["score"], hit["verdict"]) for hit in expected
        ]


def test_several_queries_have_an_answer_each(engine: Engine, photos: Path) -> None:
    queries = [photos / "scene-01.png", scene(2), str(photos / "scene-03.png")]
    names = ["scene-01.png", "scene-02.png", "scene-03.png"]
    for several in (queries, tuple(queries), iter(queries)):
        assert [hits[0].name for hits in engine.search(several, top=1)] == names
    assert engine.search([]) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda e: e.search(scene(1) / 255), r"float64 .*\(255 \* array\)"),
        (lambda e: e.search(np.stack([scene(1)] * 2)), r"list\(array\)"),
        (lambda e: e.search(None), "expected a path, bytes of a picture file"),
        (lambda e: e.search([scene(1), None]), "expected a path, bytes of a picture file"),
        (lambda e: e.search({"a": scene(1)}), "found dict"),
        (lambda e: e.search("none.jpg"), "none.jpg: cannot read"),
        (lambda e: e.search(scene(1), 5), "options: expected SearchOptions.*found int; top= says"),
        (lambda e: e.search(scene(1), top=0), "top"),
        (lambda e: e.search(scene(1), top=2.5), "top"),
        (lambda e: e.search(scene(1), box="subject"), "box: expected x0, y0, x1, y1 or \"auto\", found 'subject'"),
        (lambda e: e.search(scene(1), box=(1, 2, 3)), "box: expected x0, y0, x1, y1"),
        (lambda e: e.search(scene(1), box=(0, 0, 999, 999)), "box: expected x0 < x1"),
        (lambda e: e.search(scene(1), channels="BGRA"), "channels: expected RGB or BGR"),
        (lambda e: e.search(io.BytesIO(b"x")), r"found BytesIO; its .read\(\)"),
        (lambda e: e.search(np.array(["a.jpg", "b.jpg"])), r"list\(array\)"),
        (lambda e: e.lend([scene(1)]), "pictures: expected pictures by id, found list"),
        (lambda e: e.lend({}, channels="bgr"), "channels: expected RGB or BGR"),
        (lambda e: e.add([scene(1)]), "add_images"),
        (lambda e: e.add("nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_is_one_line(engine: Engine, call: Any, words: str) -> None:
    with pytest.raises(BofError, match=words) as caught:
        call(engine)
    assert "\n" not in str(caught.value)


def test_a_box_may_be_an_array(engine: Engine) -> None:
    assert engine.search(scene(3), box=np.array([20, 20, 280, 200]))[0].name == "scene-03.png"
    assert engine.search(scene(3)[:, :, 0], box="auto")[0].name == "scene-03.png"


# -- The collection ---------------------------------------------------------------------------------------------------


def test_one_or_many_paths_as_text(fresh: Engine, photos: Path) -> None:
    assert fresh.add(str(photos / "scene-00.png"), ALONE).n_added == 1
    assert fresh.add([str(photos / "scene-01.png"), photos / "scene-02.png"], ALONE).n_added == 2
    assert len(fresh.plan(str(photos)).new) == N_SCENES - 3
    assert list(fresh) == ["scene-00.png", "scene-01.png", "scene-02.png"]
    assert fresh.annotate("scene-0[01]*", {"tag": ["a"], "mood": "blue"}) == 2
    assert fresh.count_annotated() == ({"a": 2}, {"mood": 2})
    assert fresh.select_ids("mood = blue") == fresh.select_ids("tag = a")
    for wrong in (2019, [2019], [None]):
        with pytest.raises(OptionError, match="field: expected text as values of year, found"):
            fresh.annotate("scene-00.png", {"year": wrong})
    assert fresh.remove("scene-00.png") == 1
    assert fresh.remove(name for name in ["scene-01.png", "no"]) == 1
    assert list(fresh) == ["scene-02.png"]
    fresh.add_columns("hash")
    assert "hash" in fresh.column_spec.groups


def test_names_are_asked_for_with_in(engine: Engine) -> None:
    assert "scene-03.png" in engine
    assert not {"scene-3.png", "", "cene-03.png", "scene-03.pngs"} & set(engine)
    assert not any(name in engine for name in ("scene-3.png", "", "cene-03.png", "scene-03.pngs", None, 3, b"a"))
    assert len(list(engine)) == len(engine) == N_SCENES
    assert list(engine) == sorted(engine)


def test_a_removed_name_is_not_in(fresh: Engine, photos: Path) -> None:
    fresh.add(photos, ALONE)
    fresh.remove("scene-03.png")
    assert "scene-03.png" not in fresh
    assert "scene-04.png" in fresh
    assert fresh


def test_a_closed_engine_opens_again_and_one_that_is_gone_says_so(fresh: Engine, photos: Path) -> None:
    fresh.add(photos / "scene-00.png", ALONE)
    with fresh:
        pass
    assert fresh.search(scene(0))[0].name == "scene-00.png"
    fresh.close()
    fresh.folder.rename(fresh.folder.with_name("away"))
    assert repr(fresh) == f"Engine('{fresh.folder}', cannot be read: IndexStoreError, 200 words)"
    with pytest.raises(IndexStoreError):
        fresh.search(scene(0))


def test_two_threads_search_while_a_third_adds_and_merges(fresh: Engine, photos: Path) -> None:
    """Numbers of images change with a merge: a hit's name is that of the commit that was searched."""
    fresh.add_images({f"{n}": scene(n) for n in range(8)})
    stop, errors = threading.Event(), list[object]()

    def search() -> None:
        try:
            while not stop.is_set():
                for n in range(1, 8, 2):
                    first = fresh.search(scene(n)[5:])[0]
                    if (first.name, first.verdict) != (f"{n}", "same"):
                        errors.append(first)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(20, 26):
        fresh.add_images({f"{n}": scene(n)})
        fresh.remove(f"{n - 20 & 6}")
        fresh.merge()
        fresh.refresh()
        fresh.add_images({f"{n - 20 & 6}": scene(n - 20 & 6)})
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert fresh.check().is_sound


# -- Tables -----------------------------------------------------------------------------------------------------------


def test_records_are_plain_and_all_have_the_same_columns(engine: Engine, tmp_path: Path) -> None:
    hits = engine.search(scene(3)[20:220, 30:290], top=4)
    records = hits.to_records()
    assert [list(record) for record in records] == [COLUMNS] * 4
    first = records[0]
    assert (first["rank"], first["name"], first["verdict"], first["basis"]) == (1, "scene-03.png", "same", "pixels")
    assert np.allclose([first[side] for side in ("left", "top", "right", "bottom")], [30, 20, 290, 220], atol=2)
    assert {type(value) for record in records for value in record.values()} <= {int, float, str, bool, type(None)}
    assert json.loads(json.dumps(records)) == records
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS)
    writer.writerows(records)
    assert len(table.getvalue().splitlines()) == 4
    assert Hits().to_records() == engine.search(np.zeros((9, 9), np.uint8)).to_records() == []


def test_hits_are_a_list(engine: Engine) -> None:
    hits = engine.search(scene(3), top=4)
    assert hits == list(hits)
    assert isinstance(hits[:2], Hits)
    assert (len(hits[:2]), hits[-1].name) == (2, hits[3].name)
    again = pickle.loads(pickle.dumps(hits))
    assert (type(again), [hit.name for hit in again]) == (Hits, [hit.name for hit in hits])
    assert "not at hand" in again._repr_html_()


def test_reprs_are_one_short_line(engine: Engine, fresh: Engine, photos: Path) -> None:
    hits = engine.search(scene(3)[20:], top=5)
    query = engine.query(scene(3))
    answer = engine.answer(query)
    values = [
        engine, fresh, hits, hits[:1], Hits(), hits[0], hits[0].verification, hits[0].agreement, query, query.features,
        query.features.geometry, query.picture, answer, engine.searcher(), engine.match(query, 3), engine.vocabulary,
        engine.images, engine.images[0], engine.searcher().collection, fresh.add(photos / "scene-00.png", ALONE),
        engine.facts(), engine.plan(photos),
    ]  # fmt: skip
    shown = [repr(value) for value in values[:-2]]
    assert max(map(len, shown)) < 300
    assert not any("\n" in text or "array(" in text for text in shown)
    assert shown[0] == f"Engine('{engine.folder}', 12 pictures, 200 words)"
    assert shown[3] == "Hits(1: 'scene-03.png' same)"
    assert re.fullmatch(r"Hit\('scene-03.png', same, score [\d.]+, \d+ inliers, by pixels\)", shown[5])


def test_the_table_has_pictures_and_escapes_names(fresh: Engine, tmp_path: Path) -> None:
    odd = "<script>alert(1)</script> & 東京.png"
    fresh.add(write_picture(tmp_path / "x" / odd.replace("/", "-"), draw_scene(1)), ALONE)
    fresh.add_images({odd: scene(2)})
    html = fresh.search(scene(1)[9:])._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 2
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html
    html = fresh.search(scene(2)[9:])._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 2
    assert html.count("the picture is not at hand") == 1
    fresh.lend({odd: scene(2)})
    assert fresh.search(scene(2)[9:])._repr_html_().count("data:image/jpeg;base64,") == 3
    assert "0 hits" in fresh.search(np.zeros((9, 9), np.uint8))._repr_html_()


def test_a_file_that_is_gone_leaves_its_row(fresh: Engine, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "one.png", draw_scene(1))
    fresh.add(path, ALONE)
    path.write_bytes(b"something else")
    html = fresh.search(scene(1)[9:])._repr_html_()
    assert html.count("data:image/jpeg;base64,") == 1
    assert "one.png" in html


def test_whole_rankers_take_arrays(fresh: Engine) -> None:
    fresh.add_columns(["hash", "color"])
    fresh.add_images({f"{n}": scene(n) for n in range(5)})
    for ranker in ("phash", "color", "bof+color"):
        assert fresh.search(scene(3), SearchOptions(ranker=ranker))[0].name == "3"
        assert fresh.search(scene(3), SearchOptions(ranker=ranker), box=(0, 0, 320, 240))[0].name == "3"
    with pytest.raises(ImageError, match="a picture in colour"):
        fresh.search(scene(3)[:, :, 0], SearchOptions(ranker="color"))
    with pytest.raises(OptionError):
        fresh.search(scene(3), SearchOptions(where="tag ="))
