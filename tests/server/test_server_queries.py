"""Queries that the server stores answer as their pictures do, for who sent them, as long as there is room and time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bof.options import ServeOptions
from bof.retrieval.query import QuerySpec, read_query, read_whole
from bof.server.http.problems import ProblemError
from bof.server.poses import Pose, PosedPicture
from bof.server.queries.reading import SentPicture
from bof.server.queries.store import QueryStore, Sender, StoredQuery, new_id
from tests.support.scenes import draw_scene, warp
from tests.support.serving import API, PNG, TestClient, bearer, encoded, names, refused, scene, search, served

READ, WRITE = "read-token-0123456789", "write-token-0123456789"
SHIFT = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, -10.0], [0.0, 0.0, 1.0]])
BOXES: list[dict[str, Any]] = [
    {},
    {"box": "40,30,200,180"},
    {"box": "100.5,20.25,310,200", "turn": 180},
    {"box": "0,0,12,12"},
    {"turn": 90, "flip": 1},
    {"box": "auto"},
    {"box": "auto", "turn": 270},
    {"ranker": "votes", "box": "10,10,300,220"},
    {"mirror": "always", "top": 3, "offset": 2},
]


@pytest.fixture(scope="module")
def client(index_folder: Path) -> Iterator[TestClient]:
    with served(index_folder, read_only=True) as client:
        yield client


def sent(client: TestClient, data: bytes, headers: dict[str, str] | None = None, **parameters: Any) -> dict[str, Any]:
    """The query that a picture is from now on."""
    response = client.post(f"{API}/queries", content=data, headers={**PNG, **(headers or {})}, params=parameters)
    assert response.status_code == 201, response.text
    query: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{API}/queries/{query['id']}"
    return query


def searched(client: TestClient, query: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    response = client.post(f"{API}/search/query/{query['id']}", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def without_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "seconds"}


# -- The same answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", BOXES, ids=str)
def test_a_stored_query_answers_as_its_picture(client: TestClient, parameters: dict[str, Any]) -> None:
    data = encoded(warp(draw_scene(3), SHIFT))
    query = sent(client, data)
    searched(client, query)  # so that what is stored of the whole picture is used
    assert without_seconds(searched(client, query, **parameters)) == without_seconds(search(client, data, **parameters))


def test_boxes_are_cut_out_with_the_very_bits_of_reading_anew(index_folder: Path) -> None:
    data = encoded(warp(draw_scene(4), SHIFT), ".jpg")
    spec = QuerySpec(features=served_features(index_folder))
    for pose in (Pose(), Pose(90), Pose(0, flip=True)):
        whole = read_whole(PosedPicture(data, pose, 10**7), spec)
        for box in (None, (10.0, 20.0, 150.0, 160.5), (3.0, 3.0, 9.0, 9.0)):
            anew, cut = read_query(PosedPicture(data, pose, 10**7), box, spec).query, whole.query(box)
            np.testing.assert_array_equal(anew.features.descriptors, cut.features.descriptors)
            np.testing.assert_array_equal(anew.features.geometry.xy_px, cut.features.geometry.xy_px)
            np.testing.assert_array_equal(anew.outline, cut.outline)
            assert anew.picture is not None
            assert cut.picture is not None
            np.testing.assert_array_equal(anew.picture.pixels, cut.picture.pixels)
            assert anew.sha256 == cut.sha256
            assert {name: row.tobytes() for name, row in anew.rows.items()} == {
                name: row.tobytes() for name, row in cut.rows.items()
            }


def served_features(index_folder: Path) -> Any:
    from bof.engine import Engine

    return Engine.open(index_folder).features


def test_matches_and_subjects_are_those_of_its_picture(client: TestClient) -> None:
    ground = np.full((480, 640, 3), 255, np.uint8)
    ground[120:360, 160:480] = draw_scene(10)
    data = encoded(ground)
    query = sent(client, data)
    number = search(client, data, top=1)["hits"][0]["id"]
    for parameters in ({}, {"box": "150,110,490,370", "mirror": "never"}, {"turn": 90}):
        stored = client.get(f"{API}/matches/query/{query['id']}/{number}", params=parameters).json()
        again = client.post(f"{API}/matches/{number}", content=data, headers=PNG, params=parameters).json()
        assert without_seconds(stored) == without_seconds(again)
    for parameters in ({}, {"turn": 90, "flip": 1}):
        stored = client.get(f"{API}/subject/query/{query['id']}", params=parameters).json()
        assert stored == client.post(f"{API}/subject", content=data, headers=PNG, params=parameters).json()


def test_columns_are_compared_of_a_box_too(tmp_path: Path, photos: Path, vocabulary_folder: Path) -> None:
    from bof.engine import Engine
    from bof.options import IndexOptions

    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add_columns(["color", "hash"])
        engine.add([photos], IndexOptions(workers=1))
    data = scene(5)
    with served(tmp_path / "index") as client:
        query = sent(client, data)
        for ranker in ("phash", "color", "bof+color"):
            for parameters in ({}, {"box": "20,20,300,220"}, {"turn": 90}):
                stored = searched(client, query, ranker=ranker, **parameters)
                anew = search(client, data, ranker=ranker, **parameters)
                assert without_seconds(stored) == without_seconds(anew)


def test_the_next_page_is_not_searched_for_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    data = scene(2)
    query = sent(client, data)
    pages = [searched(client, query, top=4, offset=offset) for offset in (0, 4, 8)]
    assert [hit for page in pages for hit in page["hits"]] == search(client, data, top=12)["hits"]
    assert "vote" in pages[0]["seconds"]
    assert "vote" not in pages[1]["seconds"]
    assert "vote" in searched(client, query, top=4, box="10,10,200,200")["seconds"]
    assert names(searched(client, query, verdict="same")) == ["scene-02.png"]


# -- A smaller copy ---------------------------------------------------------------------------------------------------


def test_a_smaller_copy_has_the_coordinates_of_its_picture(client: TestClient) -> None:
    large = np.asarray(cv2.resize(warp(draw_scene(6), SHIFT), (1280, 960)), np.uint8)
    small = encoded(np.asarray(cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA), np.uint8))
    query = sent(client, small, frame="1280,960", name="large.png")
    assert (query["width"], query["height"], query["name"]) == (1280, 960, "large.png")
    box = "200,100,1200,900"
    of_copy, of_large = searched(client, query, box=box, top=1), search(client, encoded(large), box=box, top=1)
    assert of_copy["query"]["box"] == of_large["query"]["box"]
    for stored, anew in zip(of_copy["hits"], of_large["hits"], strict=True):
        assert (stored["name"], stored["verdict"]) == (anew["name"], anew["verdict"]) == ("scene-06.png", "same")
        np.testing.assert_allclose(stored["outline"], anew["outline"], atol=2.0)
    turned = searched(client, query, turn=90, box="100,100,900,1200")
    assert (turned["query"]["width"], turned["query"]["height"]) == (960, 1280)
    subject = client.get(f"{API}/subject/query/{query['id']}").json()
    assert (subject["width"], subject["height"]) == (1280, 960)


@pytest.mark.parametrize("frame", ["1280,900", "160,120", "0,0", "1280", "1e3,960", "12800000,9600000", "-4,-3"])
def test_a_frame_that_fits_no_copy_is_refused(client: TestClient, frame: str) -> None:
    response = client.post(f"{API}/queries", content=scene(1), headers=PNG, params={"frame": frame})
    assert "frame" in refused(response, 400)


def test_a_copy_says_which_file_it_is_of(client: TestClient) -> None:
    half = encoded(np.asarray(cv2.resize(draw_scene(7), (160, 120), interpolation=cv2.INTER_AREA), np.uint8))
    digest = hashlib.sha256(scene(7)).hexdigest()
    query = sent(client, half, frame="320,240", sha256=digest)
    assert query["version"] == digest[:16]
    assert searched(client, query, top=1)["hits"][0]["basis"] == "content"
    assert searched(client, query, top=1, turn=90)["hits"][0]["basis"] != "content"
    assert "scene-07.png" not in names(searched(client, query, exclude_self=1))
    assert searched(client, sent(client, half, frame="320,240"), top=1)["hits"][0]["basis"] != "content"
    refused(client.post(f"{API}/queries", content=half, headers=PNG, params={"sha256": digest}), 400)
    refused(client.post(f"{API}/queries", content=half, headers=PNG, params={"frame": "320,240", "sha256": "x"}), 400)


def test_a_stored_query_and_others_are_one(client: TestClient) -> None:
    first, second = sent(client, scene(7)), sent(client, scene(8))["id"]
    files = [("image", (f"{i}.png", scene(i))) for i in (7, 8, 4)]
    joint = client.post(f"{API}/search/together", files=files).json()
    answer = searched(client, first, other=[second, "5"])
    assert answer["hits"] == joint["hits"]
    found = {hit["name"]: hit["query_number"] for hit in answer["hits"][:3]}
    assert found == {"scene-07.png": 0, "scene-08.png": 1, "scene-04.png": 2}
    assert searched(client, first, other=[second, "5"], offset=1)["hits"] == answer["hits"][1:]
    left = names(searched(client, first, other=[second, "5"], exclude_self=1))
    assert not {"scene-04.png", "scene-07.png", "scene-08.png"} & set(left)
    assert searched(client, first)["hits"] == search(client, scene(7))["hits"], "what was joined is not remembered"


def test_a_picture_of_the_index_and_others_are_one(client: TestClient) -> None:
    stored = sent(client, scene(8))["id"]
    answer = client.post(f"{API}/search/image/5", params={"other": [stored, "6"]}).json()
    assert set(names(answer)[:3]) == {"scene-04.png", "scene-05.png", "scene-08.png"}
    again = client.post(f"{API}/search/image/5", params={"other": ["6", stored]}).json()
    assert [hit["score"] for hit in again["hits"]] == pytest.approx([hit["score"] for hit in answer["hits"]])


@pytest.mark.parametrize(("other", "status"), [("99999", 404), (str(1 << 70), 404), ("x" * 24, 410), ("a b", 404)])
def test_other_pictures_that_are_not_there_are_refused(client: TestClient, other: str, status: int) -> None:
    response = client.post(f"{API}/search/query/{sent(client, scene(7))['id']}", params={"other": other})
    assert response.status_code == status, response.text


# -- One query --------------------------------------------------------------------------------------------------------


def test_a_query_is_told_shown_and_forgotten(client: TestClient) -> None:
    form = client.post(f"{API}/queries", files={"image": ("../a/holiday <b>.png", scene(1))}).json()
    assert form["name"] == "a/holiday <b>.png"
    assert re.fullmatch(r"[\w-]{24}", form["id"])
    assert client.get(f"{API}/queries/{form['id']}").json() | {"expires": ""} == form | {"expires": ""}
    picture = client.get(f"{API}/queries/{form['id']}/picture", params={"size": 320})
    assert picture.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.content)).size == (320, 240)
    again = client.get(
        f"{API}/queries/{form['id']}/picture", params={"size": 320}, headers={"If-None-Match": picture.headers["etag"]}
    )
    assert again.status_code == 304
    assert client.delete(f"{API}/queries/{form['id']}").json() == {"id": form["id"]}
    for method, path in (
        ("GET", f"/queries/{form['id']}"),
        ("GET", f"/queries/{form['id']}/picture"),
        ("DELETE", f"/queries/{form['id']}"),
        ("POST", f"/search/query/{form['id']}"),
        ("GET", f"/matches/query/{form['id']}/1"),
        ("GET", f"/subject/query/{form['id']}"),
    ):
        response = client.request(method, API + path)
        assert "send the picture again" in refused(response, 410)
        assert response.json()["type"] == "/problems/query-gone"
    refused(client.get(f"{API}/queries/no-id"), 404)


def test_the_picture_is_upright(client: TestClient) -> None:
    target = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw_scene(2)[:, :, ::-1]).save(target, "JPEG", exif=exif)
    query = sent(client, target.getvalue(), {"Content-Type": "image/jpeg"})
    assert (query["width"], query["height"]) == (240, 320)
    picture = client.get(f"{API}/queries/{query['id']}/picture").content
    assert Image.open(io.BytesIO(picture)).size == (240, 320)


def test_what_is_no_picture_is_not_stored(client: TestClient) -> None:
    store = client.application.service.stored
    before = len(store), store.used
    refused(client.post(f"{API}/queries", content=b"no picture", headers=PNG), 415)
    refused(client.post(f"{API}/queries", content=scene(1)[:500], headers=PNG), 422)
    refused(client.post(f"{API}/queries", params={"url": "http://example.org/a.jpg"}), 403)
    assert (len(store), store.used) == before


def test_nothing_of_a_query_is_written(index_folder: Path, tmp_path: Path) -> None:
    with served(index_folder, uploads=tmp_path / "uploads") as client:
        before = sorted(path.stat().st_mtime_ns for path in index_folder.rglob("*"))
        searched(client, sent(client, encoded(draw_scene(77))))
        assert sorted(path.stat().st_mtime_ns for path in index_folder.rglob("*")) == before
        assert not (tmp_path / "uploads").exists()
        assert client.get(f"{API}/index").json()["pictures"] == 12


# -- Whose it is ------------------------------------------------------------------------------------------------------


def test_only_who_sent_a_query_may_use_it(index_folder: Path) -> None:
    with served(index_folder, read_token=READ, write_token=WRITE) as client:
        refused(client.post(f"{API}/queries", content=scene(1), headers=PNG), 401)
        query = sent(client, scene(1), bearer(READ))
        path = f"{API}/queries/{query['id']}"
        refused(client.get(path), 401)
        assert client.get(path, headers=bearer(READ)).status_code == 200
        for stranger in ("get", "delete"):
            response = getattr(client, stranger)(path, headers=bearer(WRITE))
            assert response.json()["type"] == "/problems/query-gone"
        client.post(f"{API}/session", json={"token": READ})
        assert client.get(path).status_code == 410
        own = sent(client, scene(2))
        assert client.get(f"{API}/queries/{own['id']}").status_code == 200
        client.cookies.clear()
        client.post(f"{API}/session", json={"token": READ})
        assert client.get(f"{API}/queries/{own['id']}").status_code == 410
        assert client.get(path, headers=bearer(READ)).status_code == 200


def test_another_site_stores_nothing(client: TestClient) -> None:
    refused(client.post(f"{API}/queries", content=scene(1), headers={**PNG, "Origin": "https://evil.example"}), 403)


# -- Time and room ----------------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def store_of(clock: Clock, **options: Any) -> QueryStore:
    return QueryStore(ServeOptions(**{"query_megabytes": 1, "query_share": 100, **options}), clock)


def query_of(n_bytes: int, address: str = "a", key: str = "") -> StoredQuery:
    return StoredQuery(new_id(), "n", SentPicture(bytes(n_bytes)), "0" * 64, 1, 1, 0, Sender(key, address))


def is_stored(store: QueryStore, query: StoredQuery) -> bool:
    with contextlib.suppress(ProblemError):
        return store.get(query.id, query.sender.key) is query
    return False


async def put(store: QueryStore, *queries: StoredQuery) -> None:
    for query in queries:
        store.put(query)


def test_an_hour_begins_with_every_use() -> None:
    clock = Clock()
    store, query = store_of(clock), query_of(10)
    asyncio.run(put(store, query))
    for _ in range(3):
        clock.now += 3599
        assert is_stored(store, query)
    assert 3599 < store.seconds_left(query) <= 3600
    clock.now += 3600
    assert not is_stored(store, query)
    assert (len(store), store.used) == (0, 0)


def test_what_nobody_uses_leaves_without_a_request() -> None:
    clock = Clock()

    async def wait() -> int:
        store = store_of(clock, query_minutes=1)
        store.put(query_of(10))
        clock.now += 59.0
        store._watch()
        clock.now += 1.0
        await asyncio.sleep(1.2)
        return len(store)

    assert asyncio.run(wait()) == 0


def test_the_oldest_leaves() -> None:
    store = store_of(Clock(), stored_queries=2)
    first, second, third = (query_of(10) for _ in range(3))
    asyncio.run(put(store, first, second))
    assert is_stored(store, first)
    asyncio.run(put(store, third))
    assert [is_stored(store, query) for query in (first, second, third)] == [True, False, True]


def test_an_address_pushes_out_its_own() -> None:
    store = store_of(Clock(), stored_queries=4, query_share=50)
    others = [query_of(10, "b"), query_of(10, "b")]
    asyncio.run(put(store, *others))
    own = [query_of(10) for _ in range(3)]
    asyncio.run(put(store, *own))
    assert [is_stored(store, query) for query in (*others, *own)] == [True, True, False, True, True]
    with pytest.raises(ProblemError, match=r"POST /search"):
        asyncio.run(put(store, query_of(1 << 19)))
    heavy = [query_of(1 << 18) for _ in range(2)]
    asyncio.run(put(store, *heavy))
    assert [is_stored(store, query) for query in (*others, *own, *heavy)] == [True] * 2 + [False] * 4 + [True]


def test_what_can_be_made_again_leaves_before_pictures() -> None:
    store = store_of(Clock())
    first, second = query_of(100_000), query_of(100_000)
    asyncio.run(put(store, first, second))
    store.add_made(first, ("whole", 1), "made", 700_000, 2)
    assert store.made(first, ("whole", 1)) == "made"
    store.add_made(second, ("whole", 1), "made", 700_000, 2)
    assert store.made(first, ("whole", 1)) is None
    assert is_stored(store, first)
    store.add_made(second, ("whole", 2), "other", 10, 2)
    store.add_made(second, ("whole", 3), "third", 10, 2)
    assert [store.made(second, ("whole", i)) for i in (1, 2, 3)] == [None, "other", "third"]
    asyncio.run(put(store, query_of(500_000), query_of(500_000)))
    assert not is_stored(store, first)
    assert store.used == sum(entry.n_bytes for entry in store._entries.values())


def test_a_query_that_is_forgotten_takes_all_with_it() -> None:
    store, query = store_of(Clock()), query_of(10)
    asyncio.run(put(store, query))
    store.add_made(query, ("picture", 320), b"", 500, 3)
    store.remove(query.id, "")
    assert (len(store), store.used) == (0, 0)
    store.add_made(query, ("picture", 320), b"", 500, 3)
    assert store.used == 0


# -- Without itself ---------------------------------------------------------------------------------------------------


def test_the_query_itself_can_be_left_out(client: TestClient) -> None:
    for whole, rest in (
        (search(client, scene(4)), search(client, scene(4), exclude_self=1)),
        tuple(client.post(f"{API}/search/image/5", params={"exclude_self": own}).json() for own in (0, 1)),
        tuple(searched(client, sent(client, scene(4)), exclude_self=own) for own in (0, 1)),
    ):
        assert rest["hits"] == whole["hits"][1:]
        assert rest["total"] == whole["total"] - 1
    files = [("image", ("a.png", scene(4))), ("image", ("b.png", scene(1)))]
    answers = client.post(f"{API}/search/batch", files=files, params={"exclude_self": 1}).json()["answers"]
    assert [names(answer) for answer in answers] == [[], []]


# -- Shared from another app ------------------------------------------------------------------------------------------

FROM_THE_SYSTEM = {"Origin": "null", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}


def shared(client: TestClient, *parts: bytes, headers: dict[str, str] | None = None, **more: Any) -> Any:
    files = [("image", (f"IMG_{i}.png", part)) for i, part in enumerate(parts)]
    return client.post("/share", files=files, headers=headers or FROM_THE_SYSTEM, follow_redirects=False, **more)


def test_a_shared_picture_opens_the_page_at_its_search(client: TestClient) -> None:
    response = shared(client, scene(3), scene(4))
    assert response.status_code == 303
    found = re.fullmatch(r"/#/search\?query=([\w-]{24})&more=1", response.headers["location"])
    assert found is not None
    assert names(searched(client, {"id": found[1]})) == ["scene-03.png"]
    assert client.get(f"{API}/queries/{found[1]}").json()["name"] == "IMG_0.png"
    assert shared(client, b"no picture").headers["location"] == "/#/search?problem=not-a-picture"
    assert client.get("/share").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_only_the_user_shares(client: TestClient, headers: dict[str, str]) -> None:
    refused(shared(client, scene(3), headers=headers), 403)


def test_no_other_address_takes_a_form_without_an_origin(client: TestClient) -> None:
    for path in ("/search", "/queries", "/images"):
        files = {"image": ("a.png", scene(1))}
        refused(client.post(API + path, files=files, headers=FROM_THE_SYSTEM), 403)


def test_who_may_not_read_shares_nothing(index_folder: Path) -> None:
    with served(index_folder, read_token=READ) as client:
        assert shared(client, scene(3)).headers["location"] == "/#/search?problem=unauthorised"
        assert len(client.application.service.stored) == 0
        client.post(f"{API}/session", json={"token": READ})
        assert "query=" in shared(client, scene(3)).headers["location"]


def test_the_page_can_be_installed(client: TestClient) -> None:
    response = client.get("/static/app.webmanifest")
    assert response.headers["content-type"] == "application/manifest+json"
    manifest = response.json()
    for entry in manifest["icons"][1:]:
        icon = Image.open(io.BytesIO(client.get(f"/static/{entry['src']}").content))
        assert f"{icon.width}x{icon.height}" == entry["sizes"]
        assert (icon.mode == "RGB") == (entry.get("purpose") == "maskable")
        assert {(0x35, 0x53, 0xC4), (255, 255, 255)} <= {color[1][:3] for color in icon.getcolors(1 << 20)}
    home = client.get("/").text
    for name in re.findall(r'href="(static/[\w.-]+)"', home):
        assert client.get(f"/{name}").status_code == 200
