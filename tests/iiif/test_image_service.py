"""A picture is asked for in the size that is needed, in the way that its service understands."""

from __future__ import annotations

from typing import Any

import pytest

from bof.errors import ImageError
from bof.iiif.image_service import ImageService, service_of
from bof.iiif.reading import framed

BASE = "https://a.example/iiif/x"
TWO, THREE = "http://iiif.io/api/image/2/context.json", "http://iiif.io/api/image/3/context.json"


def service(version: int = 3, level: int | None = 2, **more: Any) -> ImageService:
    return ImageService(BASE, version, level, **{"width": 4000, "height": 6000, **more})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (service(), ["683,"]), (service(2, 1), ["683,"]), (service(width=6000, height=4000), ["1024,"]),
        (service(width=500, height=700), ["max"]), (service(2, width=500, height=700), ["full"]),
        (service(limits=(300, 0, 0)), ["200,"]), (service(limits=(0, 0, 60_000)), ["200,"]),
        (service(level=0, sizes=((400, 600), (1000, 1500), (4000, 6000))), ["1000,1500"]),
        (service(2, 0, sizes=((400, 600), (500, 750))), ["500,750", "500,"]), (service(level=0), ["max"]),
        (service(2, 0), ["full"]), (service(level=0, supports=frozenset({"sizeByW"})), ["683,"]),
        (service(level=0, supports=frozenset({"sizeByConfinedWh"})), ["!683,1024"]),
        (service(1, width=500, height=700), ["full"]),
    ],
    ids=str,
)  # fmt: skip
def test_sizes(found: ImageService, expected: list[str]) -> None:
    quality = "native" if found.version == 1 else "default"
    assert found.picture_urls(1024) == [f"{BASE}/full/{size}/0/{quality}.jpg" for size in expected]


def test_the_size_of_the_manifest_counts_where_the_service_says_none() -> None:
    found = service(width=0, height=0)
    assert found.needs_info()
    assert not found.needs_info((4000, 6000))
    assert found.picture_urls(1024, whole=(4000, 6000)) == [f"{BASE}/full/683,/0/default.jpg"]
    assert found.picture_urls(1024) == [f"{BASE}/full/!1024,1024/0/default.jpg"]


def test_a_level_that_is_not_known_is_asked_for() -> None:
    assert service(level=None).needs_info()
    assert service(level=0).needs_info()
    assert not service(level=0, sizes=((1, 1),)).needs_info()


def test_a_region_needs_a_service_that_cuts() -> None:
    assert service().picture_urls(50, "0,0,100,200") == [f"{BASE}/0,0,100,200/25,/0/default.jpg"]
    assert service().picture_urls(50, "pct:0,0,10,10") == [f"{BASE}/pct:0,0,10,10/!50,50/0/default.jpg"]
    with pytest.raises(ImageError, match="cuts out regions"):
        service(level=0).picture_urls(50, "0,0,100,200")


def test_services_are_recognised() -> None:
    old = {"@context": TWO, "@id": BASE + "/", "profile": [
        "http://iiif.io/api/image/2/level1.json", {"supports": ["sizeByW"], "maxWidth": 900},
    ]}  # fmt: skip
    assert service_of(old) == ImageService(BASE, 2, 1, supports=frozenset({"sizeByW"}), limits=(900, 0, 0))
    new = {"id": BASE, "type": "ImageService3", "profile": "level0", "sizes": [{"width": 3, "height": 4}, {"width": 0}]}
    assert service_of([{"type": "AuthService"}, new]) == ImageService(BASE, 3, 0, sizes=((3, 4),))
    first = {"@id": BASE, "profile": "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level1"}
    found = service_of(first)
    assert found is not None
    assert (found.version, found.level) == (1, 1)
    for odd in (None, [], "text", {"id": BASE}, {**new, "id": "file:///etc/passwd"}, {**new, "id": 7}):
        assert service_of(odd) is None


def test_a_description_completes_what_is_known() -> None:
    info = {"@context": THREE, "id": "https://evil.example/", "type": "ImageService3", "width": 40, "height": 60}
    found = ImageService(BASE, 2).described({**info, "profile": "level2"})
    assert (found.url, found.version, found.level, found.width, found.height) == (BASE, 3, 2, 40, 60)
    for odd in ({}, {**info, "width": 0}, {**info, "height": "x"}, {"width": 4, "height": 4}):
        with pytest.raises(ImageError, match="width and height"):
            ImageService(BASE, 2).described(odd)


@pytest.mark.parametrize(
    ("found", "frame", "expected"),
    [
        ((683, 1024), (4000, 6000), (4000, 6000)), ((1000, 1500), (0, 0), (1000, 1500)),
        ((683, 1024), (6000, 4000), (683, 1024)), ((1024, 1024), (4000, 6000), (1024, 1024)),
        ((800, 600), (400, 300), (800, 600)), ((1024, 1), (100_000, 60), (100_000, 60)),
    ],
)  # fmt: skip
def test_positions_are_in_the_frame_of_the_whole_picture(
    found: tuple[int, int], frame: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert framed(found, frame) == expected
