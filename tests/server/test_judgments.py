"""Over HTTP: judgments of pairs, groups of hits, values of fields, metric and fusion, where a hit lies in the query."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.options import FUSIONS, METRICS
from tests.support.scenes import draw_scene
from tests.support.serving import API, X_BOF, TestClient, bearer, copied, encoded, scene, search, served

JUDGMENTS = f"{API}/judgments"


@pytest.fixture
def client(index_folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    with served(copied(index_folder, tmp_path)) as client:
        yield client


def number_of(client: TestClient, name: str) -> int:
    return int(client.get(f"{API}/images", params={"where": f"name = {name}"}).json()["images"][0]["id"])


def judge(client: TestClient, query: object, image: object, judgment: str = "same") -> Any:
    return client.put(JUDGMENTS, json={"query": query, "image": image, "judgment": judgment})


def hit_of(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(hit for hit in answer["hits"] if hit["name"] == name)


# -- Judgments --------------------------------------------------------------------------------------------------------


def test_a_judgment_holds_from_the_next_search_on_until_it_is_withdrawn(client: TestClient) -> None:
    picture = encoded(draw_scene(3)[2:, 2:])
    before = search(client, picture, top=12)
    content = before["query"]["sha256"]
    assert content == hashlib.sha256(picture).hexdigest()
    one, other = number_of(client, "scene-07.png"), number_of(client, "scene-03.png")
    made = judge(client, content, one).json()
    assert made["judgment"] == "same"
    assert sorted(side["images"] for side in (made["one"], made["other"])) == [[], [one]]
    assert judge(client, content, other, "different").status_code == 200
    answer = search(client, picture, top=12)
    assert answer["hits"][0]["name"] == "scene-07.png"
    assert answer["hits"][0]["explanation"]["key"] == "judged_same"
    assert answer["hits"][-1]["name"] == "scene-03.png"
    assert answer["hits"][-1]["verdict"] == "no"
    assert answer["hits"][-1]["explanation"]["key"] == "judged_different"
    turned = search(client, picture, top=12, turn=90)
    assert turned["query"]["sha256"] == content
    assert hit_of(turned, "scene-07.png")["basis"] == "person"
    part = search(client, picture, top=12, box="10,10,200,200")
    assert part["query"]["sha256"] is None
    assert "person" not in {hit["basis"] for hit in part["hits"]}
    for image in (one, other):
        assert client.delete(JUDGMENTS, params={"query": content, "image": image}, headers=X_BOF).status_code == 200
    assert search(client, picture, top=12)["hits"] == before["hits"]
    gone = client.delete(JUDGMENTS, params={"query": content, "image": one}, headers=X_BOF)
    assert gone.status_code == 404


def test_judgments_are_listed_the_last_first_and_by_picture(client: TestClient) -> None:
    numbers = [number_of(client, f"scene-0{n}.png") for n in range(4)]
    for other in numbers[1:]:
        judge(client, numbers[0], other, "different")
    page = client.get(JUDGMENTS, params={"limit": 2}).json()
    assert (page["total"], len(page["judgments"])) == (3, 2)
    rest = client.get(JUDGMENTS, params={"limit": 2, "offset": 2}).json()["judgments"]
    assert len({str(judged) for judged in [*page["judgments"], *rest]}) == 3
    (only,) = client.get(JUDGMENTS, params={"image": numbers[2]}).json()["judgments"]
    assert sorted([*only["one"]["images"], *only["other"]["images"]]) == [numbers[0], numbers[2]]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"query": 1, "image": 2}, {"query": 1, "image": 2, "judgment": "part"}, {"query": True, "image": 2,
        "judgment": "same"}, {"query": "A" * 64, "image": 2, "judgment": "same"}, {"query": 1, "image": -2, "judgment":
        "same"}, {"query": 1, "image": 2, "judgment": "same", "more": 1}, {"query": 1, "image": 1, "judgment": "same"},
        {"query": [1], "image": 2, "judgment": "same"}, {"query": 10**30, "image": 2, "judgment": "same"},
    ],
)  # fmt: skip
def test_what_is_no_judgment_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.put(JUDGMENTS, json=body).status_code == 400
    assert client.get(JUDGMENTS).json()["total"] == 0


def test_a_picture_that_is_not_there_is_no_picture_to_judge(client: TestClient) -> None:
    assert judge(client, 1, 999_999).status_code == 404
    assert client.get(JUDGMENTS, params={"image": 999_999}).status_code == 404
    assert client.delete(JUDGMENTS, params={"query": 1}, headers=X_BOF).status_code == 400
    assert client.delete(JUDGMENTS, params={"query": "x", "image": 1}, headers=X_BOF).status_code == 400


def test_who_may_not_write_may_not_judge(index_folder: Path, tmp_path: Path) -> None:
    read, write = "read-token-0123456789", "write-token-0123456789"
    with served(copied(index_folder, tmp_path), read_token=read, write_token=write, hosts=frozenset()) as client:
        body = {"query": 1, "image": 2, "judgment": "same"}
        assert client.put(JUDGMENTS, json=body).status_code == 401
        assert client.put(JUDGMENTS, json=body, headers=bearer(read)).status_code == 403
        assert client.delete(JUDGMENTS, headers=bearer(read)).status_code == 403
        assert client.get(JUDGMENTS, headers=bearer(read)).json()["total"] == 0


def test_a_folder_that_cannot_be_written_is_a_conflict(client: TestClient) -> None:
    folder = client.application.service.folder  # type: ignore[attr-defined]
    (folder / "judgments.sqlite").mkdir()
    assert judge(client, 1, 2).status_code == 409
    (folder / "judgments.sqlite").rmdir()
    assert judge(client, 1, 2).status_code == 200


def test_pictures_that_are_not_the_same_leave_their_group(client: TestClient) -> None:
    folder = client.application.service.folder  # type: ignore[attr-defined]
    judge(client, 1, 2, "different")
    (judged,) = Engine.open(folder).judgments()
    assert not judged.is_same


# -- Groups, values, metric and fusion --------------------------------------------------------------------------------


def test_hits_carry_fields_and_groups(client: TestClient) -> None:
    folder = client.application.service.folder  # type: ignore[attr-defined]
    with Engine.open(folder) as engine:
        engine.annotate(["scene-03.png", "scene-04.png"], {"product": ["cup"], "tag": ["old"]})
        engine.annotate("scene-05.png", {"product": ["plate"]})
    client.application.service.collection.refresh()  # type: ignore[attr-defined]
    plain = search(client, scene(3), top=12)
    first = plain["hits"][0]
    assert (first["fields"], first["tags"], first["group"], first["part"]) == ({"product": ["cup"]}, ["old"], None, "")
    assert plain["group_by"] is None
    answer = search(client, scene(3), group_by="product", top=2)
    assert answer["group_by"] == "product"
    assert answer["hits"][0]["group"]["value"] == "cup"
    assert answer["hits"][0]["group"]["n_pictures"] == 2
    assert answer["total"] < plain["total"]
    rest = search(client, scene(3), group_by="product", top=99, offset=2)["hits"]
    assert len(rest) == answer["total"] - 2
    faulty = client.post(f"{API}/search/image/1", params={"group_by": "prodct"})
    assert (faulty.status_code, faulty.json()["parameter"]) == (400, "group_by")
    assert "did you mean product" in faulty.json()["detail"]


def test_values_of_a_field_are_searched_and_paged(client: TestClient) -> None:
    folder = client.application.service.folder  # type: ignore[attr-defined]
    with Engine.open(folder) as engine:
        engine.annotate("scene-00.png", {"tag": [f"tag {n:03d}" for n in range(700)] + ["Été"]})
        engine.annotate("scene-01.png", {"tag": ["tag 500"]})
    client.application.service.collection.refresh()  # type: ignore[attr-defined]
    facts = client.get(f"{API}/index").json()
    assert (len(facts["tags"]), facts["n_tags"], facts["n_fields"]) == (500, 701, 0)
    page = client.get(f"{API}/values", params={"limit": 3}).json()
    assert (page["total"], page["values"][0]) == (701, {"name": "tag 500", "pictures": 2})
    assert [v["name"] for v in client.get(f"{API}/values", params={"contains": "TAG 69"}).json()["values"]] == [
        f"tag {n}" for n in range(690, 700)
    ]
    assert client.get(f"{API}/values", params={"contains": "e\u0301t"}).json()["values"][0]["name"] == "Été"
    last = client.get(f"{API}/values", params={"offset": 700, "limit": 500}).json()
    assert len(last["values"]) == 1
    refused = client.get(f"{API}/values", params={"field": "nothing"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "field")
    assert refused.json()["detail"].startswith("field: expected one of the fields")


def test_metric_and_fusion_are_checked_as_everywhere(client: TestClient) -> None:
    for name, values in (("metric", METRICS), ("fusion", FUSIONS)):
        for value in values:
            assert search(client, scene(1), **{name: value})["hits"]
        faulty = client.post(f"{API}/search/image/1", params={name: "other"})
        assert (faulty.status_code, faulty.json()["parameter"]) == (400, name)


# -- Where it lies in the query ---------------------------------------------------------------------------------------


def test_each_painting_of_a_wall_is_outlined_in_the_query(client: TestClient) -> None:
    wall = np.full((520, 1000, 3), 90, np.uint8)
    places = {"scene-01.png": (20, 30), "scene-02.png": (380, 250), "scene-06.png": (660, 20)}
    for name, (x, y) in places.items():
        wall[y : y + 240, x : x + 320] = draw_scene(int(name[6:8]))
    answer = search(client, encoded(wall), top=12)
    proved = {hit["name"]: hit for hit in answer["hits"] if hit["verdict"] in ("same", "part")}
    assert proved.keys() == places.keys()
    for name, (x, y) in places.items():
        outline = np.array(proved[name]["query_outline"]) + 0.5
        assert np.allclose([*outline.min(axis=0), *outline.max(axis=0)], [x, y, x + 320, y + 240], atol=6)
