"""The HTTP API answers what the engine answers: searches, pairs, pictures, figures."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bof.engine import Engine
from bof.images.decode import decode
from bof.options import SearchOptions
from bof.retrieval import inspection
from bof.server.api.openapi import document
from bof.server.app import ENDPOINTS
from bof.server.http.problems import TITLES
from bof.types import Overlay
from tests.support.scenes import N_SCENES, ROOT, draw_scene, warp
from tests.support.serving import API, PNG, TestClient, encoded, names, scene, search, served
from tests.support.verdicts import call_part

REGIONS = ("query_region", "hit_region")
SHIFT = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, -10.0], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def client(index_folder: Path) -> Iterator[TestClient]:
    with served(index_folder, read_only=True) as client:
        yield client


@pytest.fixture(scope="module")
def engine(index_folder: Path) -> Engine:
    return Engine.open(index_folder)


def number_of(client: TestClient, name: str) -> int:
    images = client.get(f"{API}/images", params={"where": f"name = {name}"}).json()["images"]
    return int(images[0]["id"])


# -- Searching --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranker", ["bof", "votes", "tfidf"])
def test_a_search_answers_what_the_engine_answers(client: TestClient, engine: Engine, ranker: str) -> None:
    data = encoded(warp(draw_scene(3), SHIFT))
    options = SearchOptions(ranker=ranker)
    grey, colours = (decode(data, grey=is_grey, max_side=engine.features.max_side) for is_grey in (True, False))
    query = engine.prepare(grey, None, options, colours=colours)
    hits = engine.hits(query, engine.answer(query, options), options, 7)
    answer = search(client, data, top=7, ranker=ranker)
    assert [hit["name"] for hit in answer["hits"]] == [hit.name for hit in hits]
    for ours, theirs in zip(answer["hits"], hits, strict=True):
        assert ours["score"] == pytest.approx(theirs.score)
        assert ours["verdict"] == theirs.verdict
        assert ours["probability"] == (None if theirs.probability is None else pytest.approx(theirs.probability))
        if theirs.outline is None:
            assert ours["outline"] is None
        else:
            np.testing.assert_allclose(ours["outline"], theirs.outline, atol=0.006)


def test_pages_follow_each_other(client: TestClient) -> None:
    data = scene(2)
    whole = search(client, data, top=10)
    pages = [search(client, data, top=4, offset=offset) for offset in (0, 4, 8)]
    assert [hit for page in pages for hit in page["hits"]][:10] == whole["hits"]
    assert {page["total"] for page in pages} == {whole["total"]}
    assert search(client, data, offset=1_000_000)["hits"] == []


def test_a_form_and_a_body_are_one(client: TestClient) -> None:
    data = scene(5)
    form = client.post(f"{API}/search", files={"image": ("q.png", data)}).json()
    raw = client.post(f"{API}/search", content=data, headers={"Content-Type": "application/octet-stream"}).json()
    assert form["hits"] == raw["hits"] == search(client, data)["hits"]


def test_a_picture_of_the_index_finds_itself_and_what_its_file_finds(client: TestClient) -> None:
    number = number_of(client, "scene-04.png")
    answer = client.post(f"{API}/search/image/{number}").json()
    assert answer["hits"] == search(client, scene(4))["hits"]
    assert answer["hits"][0]["id"] == number
    assert answer["hits"][0]["explanation"] == {"key": "same_file", "args": {}}
    assert answer["hits"][0]["basis"] == "content"


def test_a_batch_is_its_queries_one_by_one(client: TestClient) -> None:
    parts = [scene(1), b"no picture", scene(2, ".jpg")]
    files = [("image", (f"{i}.png", part)) for i, part in enumerate(parts)]
    answers = client.post(f"{API}/search/batch", files=files, params={"top": 3}).json()["answers"]
    assert answers[0]["hits"] == search(client, parts[0], top=3)["hits"]
    assert answers[1]["problem"]["status"] == 415
    assert answers[2]["hits"][0]["name"] == "scene-02.png"


def test_pictures_together_are_one_query(client: TestClient) -> None:
    files = [("image", (f"{i}.png", scene(i))) for i in (1, 2)]
    answer = client.post(f"{API}/search/together", files=files, params={"top": 2}).json()
    assert [query["n_features"] > 100 for query in answer["queries"]] == [True, True]
    assert [(hit["name"], hit["query_number"], hit["basis"]) for hit in answer["hits"]] == [
        ("scene-01.png", 0, "content"),
        ("scene-02.png", 1, "content"),
    ]
    left = client.post(f"{API}/search/together", files=files, params={"exclude_self": 1}).json()["hits"]
    assert not {"scene-01.png", "scene-02.png"} & {hit["name"] for hit in left}


def test_a_negative_is_told_to_be_one(client: TestClient) -> None:
    first = search(client, encoded(np.asarray(255 - draw_scene(9), np.uint8)), top=1)["hits"][0]
    assert (first["name"], first["verdict"], first["variant"]) == ("scene-09.png", "same", "inverted")
    assert first["explanation"]["key"] == "proved_inverted"
    never = search(client, encoded(np.asarray(255 - draw_scene(9), np.uint8)), top=1, inverse="never")["hits"]
    assert not never or never[0]["verdict"] == "no"


def test_a_stored_small_query_is_enlarged(client: TestClient) -> None:
    small = encoded(np.ascontiguousarray(draw_scene(9)[60:150, 80:200]))
    number = client.post(f"{API}/queries", content=small).json()["id"]
    stored = client.post(f"{API}/search/query/{number}", params={"enlarge": "always"}).json()
    assert "enlarge" in stored["seconds"]
    assert stored["hits"] == search(client, small, enlarge="always")["hits"]


def test_a_box_searches_with_what_is_in_it(client: TestClient) -> None:
    together = np.concatenate([draw_scene(6), draw_scene(7)], axis=1)
    data = encoded(together)
    assert {"scene-06.png", "scene-07.png"} <= set(names(search(client, data)))
    assert names(search(client, data, box="0,0,320,240")) == ["scene-06.png"]
    assert names(search(client, data, box="320,0,640,240")) == ["scene-07.png"]


@pytest.mark.parametrize(
    ("turn", "code"), [(90, cv2.ROTATE_90_CLOCKWISE), (180, cv2.ROTATE_180), (270, cv2.ROTATE_90_COUNTERCLOCKWISE)]
)
def test_turning_is_done_before_anything_else(client: TestClient, turn: int, code: int) -> None:
    turned = search(client, encoded(np.asarray(cv2.rotate(draw_scene(8), code), np.uint8)), top=1)
    requested = search(client, scene(8), turn=turn, top=1)
    assert requested["hits"] == turned["hits"]
    assert (requested["query"]["width"], requested["query"]["height"]) == ((240, 320) if turn != 180 else (320, 240))


def test_a_mirrored_query_is_told_to_be_one(client: TestClient) -> None:
    answer = search(client, scene(9), flip=1, top=1)
    assert answer["hits"] == search(client, encoded(np.ascontiguousarray(draw_scene(9)[:, ::-1])), top=1)["hits"]
    assert answer["hits"][0]["mirrored"]
    assert answer["hits"][0]["explanation"]["key"] == "proved_mirrored"


def test_the_subject_is_found_and_searched_with(client: TestClient) -> None:
    ground = np.full((480, 640, 3), 255, np.uint8)
    ground[120:360, 160:480] = draw_scene(10)
    found = client.post(f"{API}/subject", content=encoded(ground), headers=PNG).json()
    np.testing.assert_allclose(found["box"], [160, 120, 480, 360], atol=40)
    answer = search(client, encoded(ground), box="auto")
    assert answer["query"]["box"] == found["box"]
    assert names(answer) == ["scene-10.png"]


def test_verdicts_filter(client: TestClient) -> None:
    data = encoded(np.concatenate([draw_scene(0), draw_scene(1)], axis=1))
    whole = search(client, data, top=200)
    for chosen in (["same"], ["no"], ["same", "no"], ["unverified"]):
        answer = search(client, data, top=200, verdict=chosen)
        assert answer["hits"] == [hit for hit in whole["hits"] if hit["verdict"] in chosen]
        assert answer["total"] == len(answer["hits"])


def test_a_part_is_told_with_what_agrees(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    call_part(monkeypatch)
    data = encoded(warp(draw_scene(3), SHIFT))
    first = search(client, data)["hits"][0]
    assert (first["name"], first["verdict"], first["basis"]) == ("scene-03.png", "part", "pixels")
    assert min(first["query_overlap"], first["hit_overlap"]) > 0.5
    percent = min(99, round(100 * first["query_overlap"]))
    assert first["explanation"] == {"key": "part", "args": {"n_inliers": first["n_inliers"], "percent": percent}}
    in_query, in_hit = (np.column_stack([first[name], np.ones(len(first[name]))]) for name in REGIONS)
    mapped = in_hit @ SHIFT.T
    np.testing.assert_allclose(mapped[:, :2] / mapped[:, 2:], in_query[:, :2], atol=3)
    assert names(search(client, data, verdict="part"), "part") == ["scene-03.png"]
    assert search(client, data, verdict="same")["hits"] == []


def test_the_region_of_a_part_of_a_query_lies_in_the_query(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    call_part(monkeypatch)
    together = encoded(np.concatenate([draw_scene(6), draw_scene(7)], axis=1))
    first = search(client, together, box="320,0,640,240", verdict="part")["hits"][0]
    in_query, in_hit = (np.array(first[name]) for name in REGIONS)
    assert first["name"] == "scene-07.png"
    np.testing.assert_allclose(in_query - [320, 0], in_hit, atol=2)


def test_what_is_not_compared_by_pixels_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "agree", lambda *_: None)
    first = search(client, encoded(warp(draw_scene(3), SHIFT)))["hits"][0]
    assert (first["verdict"], first["basis"]) == ("same", "points")
    assert [first[name] for name in ("query_overlap", "hit_overlap", *REGIONS)] == [None] * 4


def test_an_overlay_that_was_left_out_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, overlay = Engine.answer, Overlay(np.arange(5), 31, (0.0, 0.0, 90.0, 40.125))
    monkeypatch.setattr(Engine, "answer", lambda *given: dataclasses.replace(answer(*given), overlay=overlay))
    assert search(client, scene(3))["overlay"] == {"n_features": 5, "n_images": 31, "box": [0, 0, 90, 40.12]}
    monkeypatch.undo()
    assert search(client, scene(3))["overlay"] is None


def test_what_this_index_cannot_do_is_said(client: TestClient) -> None:
    known = {ranker["name"]: ranker["available"] for ranker in client.get(f"{API}/rankers").json()["rankers"]}
    assert known["bof"]
    assert not known["color"]
    response = client.post(f"{API}/search?ranker=bof%2Bcolor", content=scene(1), headers=PNG)
    assert (response.status_code, response.json()["type"]) == (409, "/problems/not-available")


# -- Pairs ------------------------------------------------------------------------------------------------------------


def points(match: dict[str, Any]) -> tuple[Any, Any, Any]:
    return tuple(np.array(match["points"][name]) for name in ("query", "hit", "inlier"))  # type: ignore[return-value]


@pytest.mark.parametrize("flip", [0, 1])
def test_inliers_lie_where_the_transform_puts_them(client: TestClient, flip: int) -> None:
    number = number_of(client, "scene-03.png")
    data = encoded(warp(draw_scene(3), SHIFT))
    match = client.post(f"{API}/matches/{number}", content=data, headers=PNG, params={"flip": flip}).json()
    query, hit, inlier = points(match)
    assert match["hit"]["verdict"] == "same"
    assert match["mirrored"] == bool(flip)
    assert match["hit"]["n_inliers"] == inlier.sum() >= 40
    mapped = np.column_stack([query[inlier], np.ones(inlier.sum())]) @ np.array(match["hit_from_query"]).T
    distance = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - hit[inlier], axis=1)
    assert np.median(distance) < 1.5
    assert not inlier.all()
    assert match["points"]["weight"] == sorted(match["points"]["weight"], reverse=True) or flip
    planted = np.array([[-1.0, 0, 319], [0, 1, 0], [0, 0, 1]]) if flip else np.eye(3)
    back = np.linalg.inv(SHIFT) @ planted
    back_mapped = np.column_stack([query[inlier], np.ones(inlier.sum())]) @ back.T
    assert np.median(np.linalg.norm(back_mapped[:, :2] - hit[inlier], axis=1)) < 1.5


def test_a_pair_is_told_as_in_the_search(client: TestClient) -> None:
    number = number_of(client, "scene-03.png")
    data = encoded(warp(draw_scene(3), SHIFT))
    hit = client.post(f"{API}/matches/{number}", content=data, headers=PNG).json()["hit"]
    first = search(client, data, top=1)["hits"][0]
    for key in ("id", "verdict", "probability", "n_inliers", "outline", "explanation", "version"):
        assert hit[key] == first[key]


def test_two_pictures_that_share_nothing_are_told_too(client: TestClient) -> None:
    a, b = number_of(client, "scene-01.png"), number_of(client, "scene-02.png")
    match = client.get(f"{API}/matches/{a}/{b}").json()
    assert match["hit"]["id"] == b
    assert match["hit"]["verdict"] in ("no", "unverified")
    assert match["hit_from_query"] is None
    assert not any(match["points"]["inlier"])
    flat = encoded(np.full((50, 50, 3), 128, np.uint8))
    empty = client.post(f"{API}/matches/{b}", content=flat, headers=PNG).json()
    assert empty["points"] == {"query": [], "hit": [], "inlier": [], "weight": []}


# -- Pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_listed_in_pages_and_by_condition(client: TestClient) -> None:
    whole = client.get(f"{API}/images", params={"limit": 500}).json()
    assert whole["total"] == N_SCENES == len(whole["images"])
    listed = [image["name"] for image in whole["images"]]
    assert listed == sorted(listed)
    newest = client.get(f"{API}/images", params={"sort": "newest", "limit": 500}).json()["images"]
    assert [image["id"] for image in newest] == sorted((image["id"] for image in newest), reverse=True)
    page = client.get(f"{API}/images", params={"offset": 5, "limit": 3}).json()
    assert page["images"] == whole["images"][5:8]
    some = client.get(f"{API}/images", params={"text": "scene-03"}).json()["images"]
    assert [image["name"] for image in some] == ["scene-03.png"]
    assert client.get(f"{API}/images/{some[0]['id']}").json() == some[0]


def test_the_original_is_sent_as_what_it_is(client: TestClient, photos: Path) -> None:
    number = number_of(client, "scene-00.png")
    response = client.get(f"{API}/images/{number}/file")
    assert response.content == (photos / "scene-00.png").read_bytes()
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["etag"].strip('"') == hashlib.sha256(response.content).hexdigest()[:32]


@pytest.mark.parametrize("size", [160, 320, 640])
def test_a_thumbnail_is_small_and_shows_the_picture(client: TestClient, size: int) -> None:
    number = number_of(client, "scene-00.png")
    response = client.get(f"{API}/images/{number}/thumbnail", params={"size": size})
    image = Image.open(io.BytesIO(response.content))
    assert response.headers["content-type"] == "image/jpeg"
    assert image.size == (min(size, 320), min(size, 320) * 3 // 4)
    expected = cv2.cvtColor(cv2.resize(draw_scene(0), image.size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    assert np.abs(np.asarray(image, np.float32) - expected).mean() < 8


@pytest.mark.parametrize("what", ["file", "thumbnail"])
def test_what_is_known_is_not_sent_again(client: TestClient, what: str) -> None:
    number = number_of(client, "scene-01.png")
    version = client.get(f"{API}/images/{number}").json()["version"]
    first = client.get(f"{API}/images/{number}/{what}")
    again = client.get(f"{API}/images/{number}/{what}", headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "private, no-cache"
    named = client.get(f"{API}/images/{number}/{what}", params={"v": version})
    assert "immutable" in named.headers["cache-control"]
    other = client.get(f"{API}/images/{number}/{what}", params={"v": "0" * 16})
    assert "immutable" not in other.headers["cache-control"]


# -- Figures ----------------------------------------------------------------------------------------------------------


def test_the_figures_are_the_index_s(client: TestClient, engine: Engine) -> None:
    figures = client.get(f"{API}/index").json()
    snapshot = engine.searcher().collection
    assert (figures["pictures"], figures["features"]) == (snapshot.n_images, snapshot.n_features)
    assert figures["bytes"] == engine.n_bytes()
    assert sum(figures["features_per_image"]["counts"]) == N_SCENES
    assert 0 < figures["vocabulary"]["used"] <= figures["vocabulary"]["words"]
    assert not figures["writable"]


def test_metrics_count_requests(client: TestClient) -> None:
    def count() -> float:
        lines = client.get(f"{API}/metrics").text.splitlines()
        start = 'bof_requests_total{method="GET",path="/health",status="200"} '
        return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))

    before = count()
    client.get(f"{API}/health")
    assert count() == before + 1
    for line in client.get(f"{API}/metrics").text.splitlines():
        assert line.startswith("# ") or float(line.rsplit(" ", 1)[1]) >= 0


def test_the_document_describes_every_endpoint_and_is_served(client: TestClient) -> None:
    served_document = client.get(f"{API}/openapi.json").json()
    assert served_document == document(ENDPOINTS)
    documented = {(method.upper(), path) for path, known in served_document["paths"].items() for method in known}
    assert documented == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert not [f"{method} {path}" for method, path in documented if f"`{method} {path}`" not in page]
    assert not [kind for kind, (status, _) in TITLES.items() if f"| `/problems/{kind}` | {status} |" not in page]
    named = {each.name for endpoint in ENDPOINTS for each in endpoint.parameters if each.place == "query"}
    assert not [name for name in named if f"`{name}`" not in page and f"`{name}=" not in page]
    identifiers = [op["operationId"] for known in served_document["paths"].values() for op in known.values()]
    assert len(identifiers) == len(set(identifiers))
