"""Manifests of versions 2 and 3 say the same; what a canvas holds besides its picture is counted, faults are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bof.errors import ImageError
from bof.iiif import json_values
from bof.iiif.json_values import parse, texts
from bof.iiif.manifest import Manifest, ManifestList, read_presentation

URL = "https://a.example/m"
SERVICE_3 = {"id": "https://a.example/iiif/1/", "type": "ImageService3", "profile": "level2"}


def body(name: str = "one", **more: Any) -> dict[str, Any]:
    return {"id": f"https://a.example/{name}.jpg", "type": "Image", "width": 400, "height": 300, **more}


def painting(resource: object, target: object = "https://a.example/c1") -> dict[str, Any]:
    return {"type": "Annotation", "motivation": "painting", "body": resource, "target": target}


def canvas(*annotations: dict[str, Any], name: str = "c1") -> dict[str, Any]:
    page = {"type": "AnnotationPage", "items": list(annotations)}
    url = f"https://a.example/{name}"
    return {"id": url, "type": "Canvas", "width": 800, "height": 600, "label": {"en": [name]}, "items": [page]}


def manifest(*canvases: object, **more: Any) -> Manifest:
    document = {"id": URL, "type": "Manifest", "label": {"en": ["Book"]}, "items": list(canvases), **more}
    found = read_presentation(document, URL)
    assert isinstance(found, Manifest)
    return found


def test_both_versions_say_the_same() -> None:
    three = manifest(
        canvas(painting(body(service=[SERVICE_3]))), metadata=[{"label": {"en": ["Date"]}, "value": {"en": ["1493"]}}]
    )
    image = {
        "@id": "https://a.example/one.jpg", "@type": "dctypes:Image", "width": 400, "height": 300,
        "service": {
            "@context": "http://iiif.io/api/image/2/context.json", "@id": "https://a.example/iiif/1",
            "profile": "http://iiif.io/api/image/2/level2.json",
        },
    }  # fmt: skip
    annotation = {"@type": "oa:Annotation", "motivation": "sc:painting", "resource": image}
    old = {"@id": "https://a.example/c1", "@type": "sc:Canvas", "width": 800, "height": 600, "label": "c1"}
    document = {
        "@id": URL, "@type": "sc:Manifest", "label": [{"@value": "Buch", "@language": "de"}, {"@value": "Book"}],
        "metadata": [{"label": "Date", "value": "1493"}],
        "sequences": [{"canvases": [{**old, "images": [annotation]}]}],
    }  # fmt: skip
    two = read_presentation(document, URL)
    assert isinstance(two, Manifest)
    (a,), (b,) = three.pictures, two.pictures
    assert (a.canvas, a.label, a.resource, a.width, a.height, a.box) == (
        b.canvas, b.label, b.resource, b.width, b.height, b.box,
    )  # fmt: skip
    assert a.box == (0, 0, 800, 600)
    assert a.service is not None
    assert b.service is not None
    assert (a.service.url, a.service.version, a.service.level) == ("https://a.example/iiif/1", 3, 2)
    assert (b.service.url, b.service.version, b.service.level) == ("https://a.example/iiif/1", 2, 2)
    assert (three.label, three.metadata, three.problems) == (two.label, two.metadata, two.problems)


def test_of_several_pictures_the_one_that_covers_most_is_taken() -> None:
    small = painting(body("small"), "https://a.example/c1#xywh=10,20,30,40")
    selector = {"type": "FragmentSelector", "value": "xywh=pixel:100,0,700,600"}
    large = painting(
        body("large"), {"type": "SpecificResource", "source": "https://a.example/c1", "selector": selector}
    )
    found = manifest(canvas(small, large))
    (picture,) = found.pictures
    assert (picture.resource, picture.box) == ("https://a.example/large.jpg", (100, 0, 700, 600))
    assert found.others == {"further on a canvas": 1}


def test_of_a_choice_the_default_is_taken() -> None:
    choice = {"type": "Choice", "items": [body("natural"), body("x-ray"), body("raking")]}
    found = manifest(canvas(painting(choice)))
    assert found.pictures[0].resource == "https://a.example/natural.jpg"
    assert found.others == {"of a choice": 2}
    old = {"@type": "oa:Choice", "item": [body("other")], "default": body("first")}
    assert manifest(canvas(painting(old))).pictures[0].resource == "https://a.example/first.jpg"


def test_what_is_no_picture_is_counted_by_kind() -> None:
    sound = painting({"id": "https://a.example/a.mp3", "type": "Sound"})
    comment = {**painting(body("no")), "motivation": "commenting"}
    elsewhere = {**canvas(painting(body())), "items": [{"id": "https://a.example/page", "type": "AnnotationPage"}]}
    found = manifest(canvas(painting(body()), sound, comment), {**elsewhere, "id": "https://a.example/c2"})
    assert [picture.canvas for picture in found.pictures] == ["https://a.example/c1"]
    assert found.others == {"sound": 1, "annotations elsewhere": 1}
    assert [(part.place, part.reason) for part in found.problems] == [
        ("https://a.example/c2", "expected a picture on the canvas, found none")
    ]


def test_a_part_of_a_picture_is_asked_for_as_such() -> None:
    selector = {"type": "ImageApiSelector", "region": "10,20,200,100"}
    part = {"type": "SpecificResource", "source": body(service=[SERVICE_3]), "selector": selector}
    (picture,) = manifest(canvas(painting(part))).pictures
    assert picture.region == "10,20,200,100"
    assert picture.service is not None
    assert picture.service.picture_urls(100, picture.region) == [
        "https://a.example/iiif/1/10,20,200,100/100,/0/default.jpg"
    ]


def test_faults_of_canvases_are_named_and_the_others_stay() -> None:
    found = manifest(
        canvas(painting(body()), name="good"), {"type": "Canvas"}, canvas(name="empty"), "nonsense",
        canvas(painting(body("again")), name="good"), canvas(painting({"type": "Image"}), name="nowhere"),
    )  # fmt: skip
    assert [picture.canvas for picture in found.pictures] == ["https://a.example/good"]
    assert [part.place for part in found.problems] == [
        f"{URL} canvas 2", "https://a.example/empty", "https://a.example/good", "https://a.example/nowhere",
    ]  # fmt: skip
    assert "found none" in manifest().problems[0].reason


def test_collections_list_manifests_and_collections() -> None:
    three = {
        "type": "Collection",
        "items": [
            {"id": "https://a.example/1", "type": "Manifest"}, {"id": "https://a.example/2", "type": "Collection"},
            {"id": "https://a.example/3", "type": "Range"},
        ],
    }  # fmt: skip
    found = read_presentation(three, URL)
    assert isinstance(found, ManifestList)
    assert (found.manifests, found.collections) == (["https://a.example/1"], ["https://a.example/2"])
    assert [part.place for part in found.problems] == ["https://a.example/3"]
    two = {
        "@type": "sc:Collection", "manifests": [{"@id": "https://a.example/1"}], "first": "https://a.example/page",
        "collections": [{"@id": "https://a.example/2"}],
        "members": [{"@id": "https://a.example/4", "@type": "sc:Manifest"}],
    }  # fmt: skip
    found = read_presentation(two, URL)
    assert isinstance(found, ManifestList)
    assert found.manifests == ["https://a.example/1", "https://a.example/4"]
    assert found.collections == ["https://a.example/2", "https://a.example/page"]


def test_the_id_counts_where_a_manifest_lies_in_a_file() -> None:
    document = {"id": URL, "type": "Manifest", "items": [canvas(painting(body()))]}
    found = read_presentation(document, "book.json")
    assert found.url == URL


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", ["text"]), ({"en": ["a", "b"], "de": ["c"]}, ["a", "b"]), ({"none": ["n"], "de": ["c"]}, ["n"]),
        ({"de": ["c"], "fr": ["d"]}, ["c"]), ({"@value": "v", "@language": "fr"}, ["v"]), (1493, ["1493"]),
        ([{"@value": "x", "@language": "de"}, {"@value": "y", "@language": "en"}], ["y"]),
        ("<p>a &amp;\n <b>b</b></p>", ["a & b"]), ("1 < 2", ["1 < 2"]), ("a\x00b\ud800c", ["a b c"]),
        (None, []), (True, []), ({"en": {"x": 1}}, []), ({"@value": {"deep": []}}, []), ("", []),
    ],
)  # fmt: skip
def test_texts_in_one_language(value: object, expected: list[str]) -> None:
    assert texts(value) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{", b"null", b'{"a": NaN' + b"}" * 2, b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="x: expected"):
        parse(data, "x")


def test_json_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match="values"):
        parse(b'{"a": [' + b"[]," * 2_000_000 + b"[]]}", "x")
    monkeypatch.setattr(json_values, "MOST_BYTES", 10)
    with pytest.raises(ImageError, match="10 bytes"):
        parse(json.dumps({"a": "b" * 10}).encode(), "x")


@pytest.mark.parametrize("document", [{}, {"type": "Range"}, {"type": 7}, {"type": ["x", "Manifest"]}])
def test_what_is_neither_manifest_nor_collection_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ImageError, match="a manifest or a collection"):
        read_presentation(document, URL)
