"""Where a picture stands: a region keeps its place in every frame, and is never outside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.annotations.places import Place, file_place, file_url, harvested_place, served_place
from bof.images.cloud import source_of

CANVAS = "https://archive.example/iiif/7/canvas/p3"
SERVICE = "https://images.example/iiif/p3"
HARVESTED = {
    "iiif_canvas": [CANVAS],
    "iiif_service": [SERVICE],
    "iiif_manifest": ["https://archive.example/iiif/7/manifest", "https://archive.example/iiif/8/manifest"],
    "iiif_box": ["100,50,800,600"],
}

sides = st.integers(1, 20_000)


def test_a_harvested_picture_stands_on_the_canvas_of_its_archive() -> None:
    place = harvested_place(HARVESTED, (1600, 1200))
    assert place is not None
    assert (place.kind, place.source, place.manifests) == ("Canvas", CANVAS, tuple(HARVESTED["iiif_manifest"]))
    # The picture has twice the pixels of its box on the canvas, which begins at 100, 50.
    assert place.region((200, 100, 1000, 700)) == (200, 100, 400, 300)
    assert place.picture_of((200, 100, 1000, 700)) == f"{SERVICE}/200,100,800,600/800,/0/default.jpg"
    assert place.region(None) == (100, 50, 800, 600)  # the rest of the canvas shows other things
    assert place.picture_of(None) == f"{SERVICE}/full/1024,/0/default.jpg"


def test_a_box_that_was_not_recorded_is_the_whole_canvas() -> None:
    for text in ("", "1,2,3", "a,b,c,d", "0,0,0,5"):
        fields = {**HARVESTED, "iiif_box": [text]}
        place = harvested_place(fields, (40, 30))
        assert place is not None
        assert place.region((0, 0, 20, 30)) == (0, 0, 20, 30), text


def test_an_archive_without_a_service_has_the_picture_with_a_fragment() -> None:
    place = harvested_place({"iiif_canvas": [CANVAS], "iiif_image": ["https://archive.example/p3.jpg"]}, (40, 30))
    assert place is not None
    assert place.picture_of((1.2, 2.0, 3.4, 9.0)) == "https://archive.example/p3.jpg#xywh=1,2,3,7"
    assert place.picture_of(None) == "https://archive.example/p3.jpg"


@pytest.mark.parametrize("field", [{"iiif_level": ["0"]}, {"iiif_region": ["0,0,500,500"]}])
def test_a_service_that_has_no_such_regions_is_not_asked_for_any(field: dict[str, list[str]]) -> None:
    place = harvested_place({**HARVESTED, **field}, (1600, 1200))
    assert place is not None
    assert place.region((200, 100, 1000, 700)) == (200, 100, 400, 300)
    assert place.picture_of((200, 100, 1000, 700)) == place.picture_of(None) == ""


def test_what_was_not_harvested_stands_on_the_server_or_is_its_file(tmp_path: Path) -> None:
    assert harvested_place({"label": ["p. 3"]}, (40, 30)) is None
    served = served_place("http://127.0.0.1:8000", 12, (40, 30))
    assert served.source == "http://127.0.0.1:8000/iiif/3/images/12/canvas"
    assert served.region((0, 0, 10, 10)) == (0, 0, 10, 10)
    assert served.region(None) is None
    assert served.picture_of((0, 0, 10, 10)) == "http://127.0.0.1:8000/iiif/3/images/12/0,0,10,10/10,/0/default.jpg"
    found = file_place(PurePosixPath("/books/a b.pdf/#page=12"), (40, 30))
    assert (found.kind, found.source) == ("Image", "file:///books/a%20b.pdf#page=12")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/a/ü?.jpg", "file:///a/%C3%BC%3F.jpg"),
        ("/a/x.zip/#member=b%2Fc d.jpg", "file:///a/x.zip#member=b%2Fc%20d.jpg"),
        (str(source_of("s3://bucket/a/b c.jpg")), "s3://bucket/a/b%20c.jpg"),
        ("memory:a%20b", "memory:a%20b"),
    ],
)
def test_every_path_has_a_url(path: str, url: str) -> None:
    assert file_url(PurePosixPath(path)) == url


@given(
    size=st.tuples(sides, sides), box=st.tuples(st.integers(0, 5000), st.integers(0, 5000), sides, sides),
    corners=st.tuples(*[st.floats(-100, 21_000)] * 4),
)  # fmt: skip
def test_a_region_is_in_its_canvas_and_covers_what_it_was_made_of(
    size: tuple[int, int], box: tuple[int, int, int, int], corners: tuple[float, float, float, float]
) -> None:
    place = Place("Canvas", CANVAS, SERVICE, "", size, box)
    x0, x1 = sorted(min(max(corners[i], 0), size[0]) for i in (0, 2))
    y0, y1 = sorted(min(max(corners[i], 0), size[1]) for i in (1, 3))
    found = place.region((x0, y0, x1, y1))
    assert found is not None
    x, y, width, height = found
    left, top, across, down = box
    assert left <= x < x + width <= left + across
    assert top <= y < y + height <= top + down
    scaled = [left + x0 * across / size[0], left + x1 * across / size[0]]
    assert x <= scaled[0] + 1e-6
    assert scaled[1] - 1e-6 <= x + width or scaled[0] == scaled[1]
