"""What programs count on: open answers, examples, places of what is made, validators, ranges, many pictures at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bof.server.api.openapi import TAGS, document
from bof.server.app import ENDPOINTS
from tests.support.scenes import N_SCENES
from tests.support.serving import API, PNG, X_BOF, TestClient, copied, ended, refused, scene, served

DOCUMENT = document(ENDPOINTS)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (method.upper(), path, operation)
    for path, known in DOCUMENT["paths"].items()
    for method, operation in known.items()
]


@pytest.fixture(scope="module")
def client(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(copied(index_folder, tmp_path_factory.mktemp("contract"))) as client:
        yield client


def objects(schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Every object with named properties in a schema, through its references."""
    if isinstance(schema, list):
        for each in schema:
            yield from objects(each, seen)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        yield from objects(SCHEMAS[name], seen | {name})
    if schema.get("type") == "object" and "properties" in schema:
        yield schema
    for key, value in schema.items():
        if key != "examples":
            yield from objects(value, seen)


def schemas_of(messages: Any) -> list[dict[str, Any]]:
    return [content["schema"] for message in messages for content in message.get("content", {}).values()]


# -- The document -----------------------------------------------------------------------------------------------------


def test_answers_are_open_to_new_fields_and_words_and_what_is_sent_is_not() -> None:
    for method, path, operation in OPERATIONS:
        for schema in schemas_of(operation["responses"].values()):
            assert not [one for one in objects(schema) if one.get("additionalProperties") is False], path
        sent = operation.get("requestBody", {}).get("content", {})
        for one in objects([content["schema"] for content in sent.values()]):
            assert one.get("additionalProperties") is False, f"{method} {path}"
    words = SCHEMAS["Hit"]["properties"]["verdict"]
    jsonschema_rs.validate(words, "a verdict of a later version")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_has_an_example_that_it_allows(name: str) -> None:
    assert SCHEMAS[name].get("examples"), f"bof/server/api/examples.py has no {name}"
    for example in SCHEMAS[name]["examples"]:
        jsonschema_rs.validate({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}, example)


def test_every_operation_has_a_group_a_description_and_a_name_of_its_own() -> None:
    for method, path, operation in OPERATIONS:
        assert operation["tags"][0] in TAGS, f"{method} {path}"
        assert operation["description"].endswith(".") or operation["description"].endswith("?"), path
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {operation["tags"][0] for _, _, operation in OPERATIONS}


def test_pictures_are_bytes() -> None:
    for _, path, operation in OPERATIONS:
        sent = operation.get("requestBody", {}).get("content", {})
        for kind, content in sent.items():
            schema = content["schema"]
            if kind == "multipart/form-data":
                image = schema["properties"]["image"]
                schema = image.get("items", image)
            assert kind == "application/json" or schema["format"] == "binary", path


def test_the_header_that_a_change_needs_is_required(client: TestClient) -> None:
    """Where the document asks for it, a form without it is refused; where it does not, no form can be sent."""
    form = {"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    for endpoint in ENDPOINTS:
        if endpoint.access != "write":
            continue
        operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
        headers = [one for one in operation["parameters"] if one["in"] == "header"]
        assert ("application/json" in operation.get("requestBody", {}).get("content", {})) != bool(headers)
        assert all(one["required"] and one["name"] == "X-Bof" for one in headers)
        if headers:
            path = endpoint.path.replace("{id}", "1").replace("{job}", "j1")
            assert "X-Bof" in refused(client.request(endpoint.method, API + path, **form), 403)


# -- Places and validators --------------------------------------------------------------------------------------------


def test_what_is_accepted_says_where_to_follow_it(client: TestClient) -> None:
    for method, path, operation in OPERATIONS:
        for status in {"201", "202"} & operation["responses"].keys():
            assert "Location" in operation["responses"][status]["headers"], f"{method} {path}"
    response = client.post(f"{API}/images", files={"image": ("a.png", scene(70))}, headers=X_BOF)
    job = response.json()["job"]
    assert response.headers["location"] == f"{API}/jobs/{job['id']}"
    assert client.get(response.headers["location"]).json()["id"] == job["id"]
    (number,) = ended(client, job)["images"]
    assert client.delete(f"{API}/images/{number}", headers=X_BOF).status_code == 200


@pytest.mark.parametrize("path", ["/index", "/images", "/images?limit=1", "/images/1", "/rankers", "/jobs"])
def test_json_that_has_not_changed_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(API + path)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = client.get(API + path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(API + path, headers={"If-None-Match": '"another"'}).json() == first.json()


def test_a_change_changes_the_validator(client: TestClient) -> None:
    before = client.get(f"{API}/images/1").headers["etag"]
    assert client.put(f"{API}/images/1/tags", json={"tags": ["new"]}).status_code == 200
    again = client.get(f"{API}/images/1", headers={"If-None-Match": before})
    assert again.status_code == 200
    assert again.json()["tags"] == ["new"]


def test_answers_to_searches_and_refusals_are_not_stored(client: TestClient) -> None:
    found = client.post(f"{API}/search", content=scene(1), headers=PNG)
    assert found.headers["cache-control"] == "no-store"
    assert "etag" not in found.headers
    assert "etag" not in client.get(f"{API}/images/999").headers


# -- Ranges -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-999999999", 5, None)],
)
def test_a_range_of_an_original(client: TestClient, asked: str, first: int, stop: int | None) -> None:
    whole = scene(2)
    number = next(one["id"] for one in client.get(f"{API}/images").json()["images"] if one["name"] == "scene-02.png")
    path = f"{API}/images/{number}/file"
    part = client.get(path, headers={"Range": asked})
    assert (part.status_code, part.content) == (206, whole[first:stop])
    begin, _, size = part.headers["content-range"].removeprefix("bytes ").partition("/")
    assert (begin.split("-")[0], size) == (str(first % len(whole)), str(len(whole)))
    head = client.head(path, headers={"Range": asked})
    assert (head.status_code, head.headers["content-range"]) == (206, part.headers["content-range"])


@pytest.mark.parametrize("asked", ["bytes=0-4,9-12", "lines=1-2", "bytes=9-4", "bytes=-", "bytes=a-b", "bytes"])
def test_several_ranges_and_what_is_none_are_answered_with_all(client: TestClient, asked: str) -> None:
    whole = client.get(f"{API}/images/1/file", headers={"Range": asked})
    assert whole.status_code == 200
    assert whole.headers["accept-ranges"] == "bytes"
    assert "content-range" not in whole.headers


def test_a_range_behind_the_end_and_one_of_another_content(client: TestClient) -> None:
    path = f"{API}/images/1/file"
    whole = client.get(path)
    for asked in (f"bytes={len(whole.content)}-", "bytes=-0"):
        response = client.get(path, headers={"Range": asked})
        assert "range" in refused(response, 416)
        assert response.headers["content-range"] == f"bytes */{len(whole.content)}"
    same = {"Range": "bytes=0-9", "If-Range": whole.headers["etag"]}
    assert client.get(path, headers=same).status_code == 206
    for other in ('"another"', f"W/{whole.headers['etag']}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert client.get(path, headers={**same, "If-Range": other}).content == whole.content


# -- Many pictures ----------------------------------------------------------------------------------------------------


def test_fields_are_set_and_tags_stay(client: TestClient) -> None:
    client.put(f"{API}/images/3/tags", json={"tags": ["stays"]})
    path = f"{API}/images/3/fields"
    shown = client.put(path, json={"fields": {"year": ["1890"], "place": ["Paris", "Rome", "Paris"]}}).json()
    assert shown["fields"] == {"year": ["1890"], "place": ["Paris", "Rome"]}
    assert client.get(f"{API}/images", params={"where": "place = Rome"}).json()["total"] == 1
    shown = client.put(path, json={"fields": {"year": ["1891"]}}).json()
    assert (shown["fields"], shown["tags"]) == ({"year": ["1891"]}, ["stays"])
    assert client.put(path, json={"fields": {}}).json()["fields"] == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"width": ["9"]}, {"tag": ["a"]}, {" ": ["a"]}, {"a\n": ["b"]}, {"a": "b"}, {"a": [1]}, {"a": [""]},
        {"a": ["\0"]}, {"a": ["\ud800"]}, {"a": ["b"] * 101}, {"a": ["b" * 2001]}, {"a" * 201: ["b"]}, [], None,
        {f"f{i}": ["a"] for i in range(101)},
    ],
)  # fmt: skip
def test_fields_that_no_picture_may_have_are_refused(client: TestClient, fields: Any) -> None:
    body = json.dumps({"fields": fields}).encode()
    refused(client.put(f"{API}/images/3/fields", content=body, headers={"Content-Type": "application/json"}), 400)
    assert client.get(f"{API}/images/3").json()["fields"] == {}


def test_many_pictures_are_annotated_at_once_or_none(client: TestClient) -> None:
    body = {"images": [4, 5, 4], "add": {"tag": ["a", "b"], "year": ["1900"]}}
    assert client.post(f"{API}/images/annotate", json=body).json() == {"images": [4, 5]}
    assert [client.get(f"{API}/images/{i}").json()["tags"] for i in (4, 5)] == [["a", "b"]] * 2
    body = {"images": [4, 5, 999], "add": {"tag": ["c"]}}
    assert "999" in refused(client.post(f"{API}/images/annotate", json=body), 404)
    body = {"images": [4], "add": {"tag": ["c"]}, "remove": {"tag": ["a"], "year": ["1900"]}}
    assert client.post(f"{API}/images/annotate", json=body).status_code == 200
    shown = client.get(f"{API}/images/4").json()
    assert (shown["tags"], shown["fields"]) == (["b", "c"], {})
    for wrong in ({"images": [4]}, {"images": [], "add": {}}, {"images": [True], "add": {}}, {"add": {}}):
        refused(client.post(f"{API}/images/annotate", json=wrong), 400)


def test_many_pictures_leave_at_once_or_none(client: TestClient) -> None:
    files = [("image", (f"{i}.png", scene(80 + i))) for i in range(3)]
    ids = ended(client, client.post(f"{API}/images", files=files, headers=X_BOF).json()["job"])["images"]
    assert len(ids) == 3
    refused(client.post(f"{API}/images/remove", json={"images": [*ids, 999]}), 404)
    assert client.get(f"{API}/images").json()["total"] == N_SCENES + 3
    assert client.post(f"{API}/images/remove", json={"images": ids}).json() == {"images": ids}
    assert client.get(f"{API}/images").json()["total"] == N_SCENES
    refused(client.post(f"{API}/images/remove", json={"images": ids, "all": True}), 400)


# -- Lists ------------------------------------------------------------------------------------------------------------


def test_answers_of_a_batch_say_whose_they_are(client: TestClient) -> None:
    files = [("image", (name, body)) for name, body in [("one.png", scene(1)), ("notes.txt", b"text")]]
    answers = client.post(f"{API}/search/batch", files=files).json()["answers"]
    assert [answer["name"] for answer in answers] == ["one.png", "notes.txt"]
    assert [sorted(answer) for answer in answers][1] == ["name", "problem"]


def test_jobs_are_listed_page_by_page_the_newest_first(client: TestClient) -> None:
    for _ in range(3):
        ended(client, client.post(f"{API}/sync", headers=X_BOF).json()["job"])
    whole = client.get(f"{API}/jobs").json()
    ids = [job["id"] for job in whole["jobs"]]
    assert whole["total"] == len(ids) >= 3
    assert ids == sorted(ids, key=lambda name: -int(name[1:]))
    page = client.get(f"{API}/jobs", params={"offset": 1, "limit": 1}).json()
    assert ([job["id"] for job in page["jobs"]], page["offset"]) == (ids[1:2], 1)


def test_pictures_are_listed_in_the_order_and_the_pages_that_are_documented(client: TestClient) -> None:
    for sort, key in (("name", "name"), ("newest", "id")):
        whole = client.get(f"{API}/images", params={"sort": sort}).json()["images"]
        values = [image[key] for image in whole]
        assert values == sorted(values, reverse=sort == "newest")
        pages = [
            client.get(f"{API}/images", params={"sort": sort, "offset": i, "limit": 5}).json()["images"]
            for i in range(0, len(whole), 5)
        ]
        assert [image for page in pages for image in page] == whole
