"""The server as IIIF has it: image services, canvases, manifests, collections, and answers as annotations."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from bof.annotations.matches import NAMESPACE
from bof.annotations.pages import CONTENT_SEARCH, WEB_ANNOTATION
from bof.engine import Engine
from bof.images.decode import decode
from bof.options import IndexOptions, ServeOptions
from bof.server.api.openapi import document
from bof.server.app import IIIF_ENDPOINTS
from tests.support.scenes import N_SCENES, draw_scene, write_picture
from tests.support.serving import API, PNG, TestClient, bearer, copied, refused, scene, search, served

IIIF = "/iiif/3"
SERVER = "http://127.0.0.1"
CANVAS = "https://archive.example/canvas/4"
SERVICE = "https://images.example/p4"
MANIFEST = "https://archive.example/manifest"
HARVESTED = {
    "iiif_canvas": [CANVAS], "iiif_service": [SERVICE], "iiif_manifest": [MANIFEST], "label": ["p. 4"],
    "iiif_box": ["10,20,640,480"], "iiif_version": ["2"], "shelf mark": ["Ms. 4"],
}  # fmt: skip
TOKEN = "a-token-of-sixteen-letters"


@pytest.fixture(scope="module")
def index(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenes; scene 4 is said to come from an archive, where it has twice the pixels."""
    folder = copied(index_folder, tmp_path_factory.mktemp("iiif"))
    with Engine.open(folder) as engine:
        engine.annotate("scene-04.png", HARVESTED)
        engine.annotate(["scene-05.png", "scene-06.png"], {"year": ["1890"]})
        engine.annotate("scene-07.png", {"year": ['it\'s "new"']})
    return folder


@pytest.fixture(scope="module")
def client(index: Path) -> Iterator[TestClient]:
    with served(index, read_only=True) as client:
        yield client


def number_of(client: TestClient, name: str) -> int:
    images = client.get(f"{API}/images", params={"where": f"name = {name}"}).json()["images"]
    return int(images[0]["id"])


def get(client: TestClient, url: str, **more: Any) -> dict[str, Any]:
    """A document by its own address, which its id is."""
    response = client.get(url.removeprefix(SERVER), **more)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/ld+json;profile=")
    found: dict[str, Any] = response.json()
    return found


def picture(client: TestClient, place: str, **more: Any) -> np.ndarray[Any, Any]:
    response = client.get(f"{IIIF}/images/{place}", **more)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/jpeg"
    return np.asarray(Image.open(io.BytesIO(response.content)), np.int32)


def presentation(value: dict[str, Any]) -> Any:
    """A document as a model of the Presentation API reads it, which refuses what is none."""
    prezi = pytest.importorskip("iiif_prezi3", reason="needs pip install iiif-prezi3, which wants an older Pillow")
    kind = {"Manifest": prezi.Manifest, "Collection": prezi.Collection, "Canvas": prezi.Canvas}[value["type"]]
    return kind.model_validate_json(json.dumps(value))


# -- Image API --------------------------------------------------------------------------------------------------------


def test_a_region_is_that_part_of_the_picture(client: TestClient) -> None:
    number = number_of(client, "scene-03.png")
    pixels = decode(scene(3)).pixels.astype(np.int32)
    height, width = pixels.shape[:2]
    info = client.get(f"{IIIF}/images/{number}/info.json").json()
    assert (info["width"], info["height"]) == (width, height)
    cut = picture(client, f"{number}/100,50,120,80/max/0/default.jpg")
    assert cut.shape[:2] == (80, 120)
    assert np.abs(cut - pixels[50:130, 100:220]).mean() < 6  # JPEG
    small = picture(client, f"{number}/square/60,/0/default.jpg")
    assert small.shape[:2] == (60, 60)
    side = (width - height) // 2
    square = Image.fromarray(pixels[:, side : side + height].astype(np.uint8)).resize((60, 60), Image.Resampling.BOX)
    near, far = (np.abs(small - np.roll(square, shift, axis=1).astype(np.int32)).mean() for shift in (0, 2))
    assert near < 15
    assert near < far / 2


def test_tiles_make_the_picture(client: TestClient) -> None:
    number = number_of(client, "scene-02.png")
    whole = picture(client, f"{number}/full/max/0/default.jpg")
    height, width = whole.shape[:2]
    made = np.zeros_like(whole)
    for y in range(0, height, 64):
        for x in range(0, width, 64):
            tile = picture(client, f"{number}/{x},{y},64,64/max/0/default.jpg")
            made[y : y + 64, x : x + 64] = tile
    assert np.abs(made - whole).mean() < 4


def test_the_base_leads_to_the_description_in_the_type_that_is_accepted(client: TestClient) -> None:
    number = number_of(client, "scene-02.png")
    response = client.get(f"{IIIF}/images/{number}", follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == f"{SERVER}{IIIF}/images/{number}/info.json"
    kinds = {
        "application/ld+json": "application/ld+json", "application/json": "application/json",
        "*/*": "application/ld+json", "text/html": "application/ld+json",
        "application/json, application/ld+json;q=0.5": "application/json",
    }  # fmt: skip
    for accept, kind in kinds.items():
        found = client.get(response.headers["location"], headers={"Accept": accept})
        assert found.headers["content-type"].partition(";")[0] == kind, accept
        assert found.json()["id"] == f"{SERVER}{IIIF}/images/{number}"


def test_a_known_picture_is_not_sent_again_and_is_made_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{IIIF}/images/{number_of(client, 'scene-02.png')}/7,7,50,50/25,/0/default.jpg"
    first = client.get(place)
    canonical = re.search('<([^>]*)>;rel="canonical"', first.headers["link"])
    assert canonical is not None
    assert canonical[1].endswith("/7,7,50,50/25,25/0/default.jpg")
    assert client.get(place, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    monkeypatch.setattr(client.application.service, "in_worker", None)
    assert client.get(canonical[1].removeprefix(SERVER)).content == first.content


def test_errors_are_those_of_the_specification(client: TestClient) -> None:
    number = number_of(client, "scene-02.png")
    refused(client.get(f"{IIIF}/images/999999/info.json"), 404)
    refused(client.get(f"{IIIF}/images/x/full/max/0/default.jpg"), 404)
    assert "region" in refused(client.get(f"{IIIF}/images/{number}/all/max/0/default.jpg"), 400)
    assert "size" in refused(client.get(f"{IIIF}/images/{number}/full/9999,/0/default.jpg"), 400)
    assert "rotation" in refused(client.get(f"{IIIF}/images/{number}/full/max/90/default.jpg"), 501)
    assert "format" in refused(client.get(f"{IIIF}/images/{number}/full/max/0/default.png"), 501)
    refused(client.post(f"{IIIF}/images/{number}/info.json"), 405)


def test_pages_of_files_and_turned_photographs_are_services(vocabulary_folder: Path, tmp_path: Path) -> None:
    pages = [Image.fromarray(draw_scene(seed)[:, :, ::-1]) for seed in (20, 21, 22)]
    pages[0].save(tmp_path / "book.tif", save_all=True, append_images=pages[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    pages[0].save(tmp_path / "turned.jpg", exif=exif, quality=95)
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "book.tif", tmp_path / "turned.jpg"], IndexOptions(workers=1))
    with served(tmp_path / "index", read_only=True) as client:
        images = client.get(f"{API}/images").json()["images"]
        ids = {image["name"]: image["id"] for image in images}
        number = next(id for name, id in ids.items() if name.endswith("book.tif#page=2"))
        found = picture(client, f"{number}/full/max/0/default.jpg")
        assert np.abs(found - np.asarray(pages[1], np.int32)).mean() < 6
        upright = np.rot90(np.asarray(pages[0], np.int32), -1)
        number = next(id for name, id in ids.items() if name.endswith("turned.jpg"))
        info = client.get(f"{IIIF}/images/{number}/info.json").json()
        assert (info["height"], info["width"]) == upright.shape[:2]
        cut = picture(client, f"{number}/20,30,100,90/max/0/default.jpg")
        assert np.abs(cut - upright[30:120, 20:120]).mean() < 8
        write_picture(tmp_path / "turned.jpg", draw_scene(23))
        refused(client.get(f"{IIIF}/images/{number}/full/100,/0/default.jpg"), 410)


# -- Presentation API -------------------------------------------------------------------------------------------------


def test_an_answer_is_a_manifest_with_a_canvas_a_hit(client: TestClient) -> None:
    number = number_of(client, "scene-05.png")
    answer = client.post(f"{API}/search/image/{number}", params={"top": 4}).json()
    found = get(client, f"{IIIF}/search/{number}/manifest?top=4")
    presentation(found)
    assert get(client, found["id"]) == found
    assert len(found["items"]) == len(answer["hits"]) > 1
    for canvas, hit in zip(found["items"], answer["hits"], strict=True):
        assert (canvas["width"], canvas["height"]) == (hit["width"], hit["height"])
        (label,) = canvas["label"]["none"]
        assert f"{hit['name']}: {hit['verdict']}, score {hit['score']:.2f}" in label
        (annotation,) = canvas["annotations"][0]["items"]
        assert annotation["target"]["source"]["id"] == canvas["id"]
        assert annotation["bof:score"] == pytest.approx(hit["score"])
        assert annotation["bof:inliers"] == hit["n_inliers"]
        service = canvas["items"][0]["items"][0]["body"]["service"][0]
        assert get(client, f"{service['id']}/info.json")["width"] == hit["width"]
    first = found["items"][0]["annotations"][0]["items"][0]
    whole = f"xywh=0,0,{answer['hits'][0]['width']},{answer['hits'][0]['height']}"
    selectors = first["target"]["selector"]
    assert [one["value"] for one in selectors if one["type"] == "FragmentSelector"] == [whole]
    assert first["body"][0]["source"]["id"] == f"{SERVER}{IIIF}/images/{number}/canvas"


def test_an_answer_with_filters_and_pages(client: TestClient) -> None:
    number = number_of(client, "scene-05.png")
    url = f"{IIIF}/search/{number}/manifest"
    found = get(client, f"{url}?top=2&offset=2&ranker=votes")
    (label,) = found["items"][0]["label"]["none"]
    assert label.startswith("3. ")
    assert "offset=2" in found["id"]
    assert {"label": {"en": ["Ranker"]}, "value": {"none": ["votes"]}} in found["metadata"]
    assert len(get(client, f"{url}?where=year%20%3D%201890")["items"]) == 2
    refused(client.get(f"{url}?offset=1000"), 404)
    refused(client.get(f"{url}?page=2"), 400)
    refused(client.get(f"{IIIF}/search/999999/manifest"), 404)


def test_a_picture_of_the_server_and_one_of_an_archive(client: TestClient) -> None:
    number = number_of(client, "scene-03.png")
    own = get(client, f"{IIIF}/images/{number}/manifest")
    presentation(own)
    assert get(client, own["items"][0]["id"])["items"] == own["items"][0]["items"]
    harvested = get(client, f"{IIIF}/images/{number_of(client, 'scene-04.png')}/manifest")
    presentation(harvested)
    (canvas,) = harvested["items"]
    body = canvas["items"][0]["items"][0]["body"]
    assert body["id"].startswith(f"{SERVICE}/full/")
    assert body["service"][0]["@type"] == "ImageService2"
    assert canvas["seeAlso"][0]["id"] == MANIFEST
    assert {"label": {"none": ["shelf mark"]}, "value": {"none": ["Ms. 4"]}} in canvas["metadata"]
    assert "iiif_canvas" not in json.dumps(harvested)


def test_the_index_is_a_collection_down_to_its_pictures(client: TestClient) -> None:
    top = get(client, f"{IIIF}/collection")
    presentation(top)
    (reference,) = top["items"]
    found = get(client, reference["id"])
    presentation(found)
    assert [canvas["label"]["none"] for canvas in found["items"]] == [[f"scene-{i:02d}.png"] for i in range(N_SCENES)]
    assert len(get(client, f"{IIIF}/manifest?limit=3&offset=2")["items"]) == 3
    refused(client.get(f"{IIIF}/manifest?offset=1000"), 404)
    refused(client.get(f"{IIIF}/manifest?where=height%20%3E"), 400)


def test_a_collection_by_field_leads_to_the_pictures_of_each_value(client: TestClient) -> None:
    years = get(client, f"{IIIF}/collection?by=year&where=width%20%3E%201")
    presentation(years)
    assert [item["label"]["none"] for item in years["items"]] == [["1890 (2)"], ['it\'s "new" (1)']]
    sizes = []
    for item in years["items"]:
        (reference,) = get(client, item["id"])["items"]
        sizes.append(len(get(client, reference["id"])["items"]))
    assert sizes == [2, 1]
    assert get(client, f"{IIIF}/collection?by=year&offset=1&limit=1")["items"] == [
        {**item, "id": item["id"].replace("%28width+%3E+1%29+and+", "")} for item in years["items"][1:]
    ]
    assert get(client, f"{IIIF}/collection?by=nothing")["items"] == []


def test_a_collection_by_folder(vocabulary_folder: Path, tmp_path: Path) -> None:
    for place, seed in (("a/1.png", 1), ("a/b/2.png", 2), ("c d/3.png", 3), ("4.png", 4)):
        (tmp_path / "photos" / place).parent.mkdir(parents=True, exist_ok=True)
        write_picture(tmp_path / "photos" / place, draw_scene(seed))
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
    with served(tmp_path / "index") as client:
        folders = get(client, f"{IIIF}/collection?by=folder")["items"]
        assert [item["label"]["none"] for item in folders] == [["a (2)"], ["c d (1)"]]
        (reference,) = get(client, folders[1]["id"])["items"]
        (canvas,) = get(client, reference["id"])["items"]
        assert canvas["label"]["none"] == ["c d/3.png"]


# -- Annotations ------------------------------------------------------------------------------------------------------


def annotated(client: TestClient, profile: str, number: int | None = None, **parameters: Any) -> dict[str, Any]:
    place = f"{API}/search" if number is None else f"{API}/search/image/{number}"
    headers = {**PNG, "Accept": f'application/ld+json;profile="{profile}"'}
    body = scene(4) if number is None else b""
    response = client.post(place, content=body, headers=headers, params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == headers["Accept"]
    found: dict[str, Any] = response.json()
    return found


def test_an_answer_is_a_page_of_web_annotations(client: TestClient) -> None:
    answer = search(client, scene(4), top=3)
    page = annotated(client, WEB_ANNOTATION, top=3)
    first, own = page["@context"]
    assert first == WEB_ANNOTATION
    assert client.get(own.removeprefix(SERVER)).json() == {"@context": {"bof": NAMESPACE}}
    assert page["partOf"]["total"] == answer["total"]
    assert [item["bof:name"] for item in page["items"]] == [hit["name"] for hit in answer["hits"]]
    assert len({item["id"] for item in page["items"]}) == 3
    for item in page["items"]:
        assert item["motivation"] == ["linking", "commenting"]
        assert item["body"][0]["source"]["id"].startswith("ni:///sha-256;")
        assert urlsplit(item["id"]).scheme == "http"
    other = client.post(f"{API}/search", content=scene(5), headers={**PNG, "Accept": "application/ld+json"}).json()
    assert other["id"] != page["id"]


def test_a_harvested_hit_stands_on_the_canvas_of_its_archive(client: TestClient) -> None:
    box = "40,30,200,190"
    number = number_of(client, "scene-04.png")
    page = annotated(client, WEB_ANNOTATION, number, box=box)
    item = page["items"][0]
    assert item["target"]["source"] == {
        "id": CANVAS, "type": "Canvas", "partOf": [{"id": MANIFEST, "type": "Manifest"}]
    }  # fmt: skip
    (fragment,) = [one["value"] for one in item["target"]["selector"] if one["type"] == "FragmentSelector"]
    x, y, width, height = map(int, fragment.removeprefix("xywh=").split(","))
    assert np.abs(np.array([x, y, width, height]) - [10 + 80, 20 + 60, 320, 320]).max() <= 4
    assert re.fullmatch(rf"{SERVICE}/\d+,\d+,\d+,\d+/\d+,/0/default\.jpg", item["bof:picture"]["id"])
    assert item["body"][0]["selector"]["value"] == "xywh=90,80,320,320"
    hit = client.post(f"{API}/search/image/{number}", params={"box": box}).json()["hits"][0]
    assert hit["iiif"]["canvas"] == CANVAS
    assert hit["iiif"]["xywh"] == [x, y, width, height]
    assert hit["iiif"]["picture"] == item["bof:picture"]["id"]
    others = search(client, scene(3))["hits"]
    assert others[0]["iiif"] is None


def test_pages_of_annotations_lead_to_each_other(client: TestClient) -> None:
    number = number_of(client, "scene-05.png")
    url = f"{SERVER}{IIIF}/search/{number}/annotations?top=4"
    names: list[str] = []
    while url:
        page = get(client, url)
        assert page["id"] == url
        assert page["startIndex"] == len(names)
        names += [item["bof:name"] for item in page["items"]]
        previous, url = url, page.get("next", "")
        assert not url or get(client, url)["prev"] == previous
    assert names == [hit["name"] for hit in client.post(f"{API}/search/image/{number}").json()["hits"]]
    searched = annotated(client, CONTENT_SEARCH, number, top=4)
    assert searched["@context"][-1] == CONTENT_SEARCH
    assert searched["next"]["type"] == "AnnotationPage"
    assert get(client, searched["id"])["items"] == searched["items"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json;q=0.5, application/ld+json", "application/ld+json"),
        ("application/ld+json;q=0.5, application/json", "application/json"),
        ('application/ld+json;profile="http://www.w3.org/ns/activitystreams"', "application/json"),
    ],
)
def test_what_is_accepted_is_what_is_sent(client: TestClient, accept: str, kind: str) -> None:
    response = client.post(f"{API}/search", content=scene(3), headers={**PNG, "Accept": accept})
    assert response.headers["content-type"].partition(";")[0] == kind
    assert response.headers["vary"] == "Accept"


# -- Doors ------------------------------------------------------------------------------------------------------------


def test_tokens_and_sessions_hold_here_too(index: Path) -> None:
    with served(index, read_token=TOKEN) as client:
        number = number_of_known(client)
        places = [f"/images/{number}/info.json", f"/images/{number}/full/max/0/default.jpg", "/collection", "/manifest",
                  f"/search/{number}/manifest", f"/search/{number}/annotations", f"/images/{number}"]  # fmt: skip
        for place in places:
            refused(client.get(IIIF + place), 401)
            assert client.get(IIIF + place, headers=bearer(TOKEN), follow_redirects=False).status_code < 400
        assert client.get(f"{IIIF}/openapi.json").status_code == 200
        assert client.post(f"{API}/session", json={"token": TOKEN}).status_code == 200
        for place in places:  # as a viewer on the same site does, which sends no headers
            assert client.get(IIIF + place, follow_redirects=False).status_code < 400


def number_of_known(client: TestClient) -> int:
    images = client.get(f"{API}/images", headers=bearer(TOKEN)).json()["images"]
    return int(images[0]["id"])


def test_the_rate_holds_for_searches_and_not_for_tiles(index: Path) -> None:
    with served(index, ServeOptions(rate=0.5)) as client:
        number = number_of(client, "scene-02.png")
        for _ in range(4):
            assert client.get(f"{IIIF}/images/{number}/info.json").status_code == 200
        statuses = [client.get(f"{IIIF}/search/{number}/manifest?top=1").status_code for _ in range(3)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        metrics = client.get(f"{API}/metrics").text
        assert 'path="/iiif/3/search/{id}/manifest",status="429"' in metrics


def test_only_sites_that_are_named_may_read_and_show(index: Path) -> None:
    with served(index, origins=frozenset({"https://viewer.example"})) as client:
        place = f"{IIIF}/images/{number_of(client, 'scene-02.png')}/full/max/0/default.jpg"
        named = client.get(place, headers={"Origin": "https://viewer.example"})
        assert named.headers["access-control-allow-origin"] == "https://viewer.example"
        assert "access-control-allow-origin" not in client.get(place, headers={"Origin": "https://x.example"}).headers
        assert client.get(place).headers["cross-origin-resource-policy"] == "cross-origin"
        api = client.get(f"{API}/images")
        assert api.headers["cross-origin-resource-policy"] == "same-origin"


def test_no_site_may_show_pictures_where_none_is_named(client: TestClient) -> None:
    place = f"{IIIF}/images/{number_of(client, 'scene-02.png')}/full/max/0/default.jpg"
    assert client.get(place).headers["cross-origin-resource-policy"] == "same-origin"


def test_every_address_is_described(client: TestClient) -> None:
    described = client.get(f"{IIIF}/openapi.json").json()
    assert described == json.loads(json.dumps(document(IIIF_ENDPOINTS, IIIF)))
    assert described["servers"] == [{"url": IIIF}]
    assert len(described["paths"]) == len(IIIF_ENDPOINTS)
    answers = described["paths"]["/collection"]["get"]["responses"]["200"]["content"]
    assert set(answers) == {"application/json", "application/ld+json"}
