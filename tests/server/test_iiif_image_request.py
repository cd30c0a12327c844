"""The addresses of the IIIF Image API 3.0, by the tables of its specification (sections 4.1 to 4.7 and 5)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.server.http.problems import ProblemError
from bof.server.iiif.image_request import MAX_SIDE_PX, TILE_PX, ImageRequest, describe_image, largest, read_request

FULL = (300, 200)
sides = st.integers(1, 30_000)


def read(
    region: str = "full", size: str = "max", rest: str = "0/default.jpg", full: tuple[int, int] = FULL
) -> ImageRequest:
    rotation, name = rest.split("/")
    return read_request(full, region, size, rotation, *name.split("."))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("full", (0, 0, 300, 200)),
        ("square", (50, 0, 200, 200)),
        ("125,15,120,140", (125, 15, 120, 140)),
        ("125,15,200,200", (125, 15, 175, 185)),  # cut at the edge of the picture: 4.1
        ("pct:41.6,7.5,40,70", (125, 15, 120, 140)),
        ("pct:41.6,7.5,66.6,100", (125, 15, 175, 185)),
        ("299,199,1,1", (299, 199, 1, 1)),
        ("pct:0,0,0.001,0.001", (0, 0, 1, 1)),
    ],
)
def test_regions(text: str, region: tuple[int, int, int, int]) -> None:
    assert read(text).region == region


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("max", (300, 200)),
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("!1000,1000", (300, 200)),  # it enlarges nothing: 4.2
        ("1,", (1, 1)),
        ("!1,1", (1, 1)),
    ],
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert read(size=text).size == size


@pytest.mark.parametrize(
    ("region", "size", "rest"),
    [
        ("0,0,0,5", "max", "0/default.jpg"),
        ("300,0,5,5", "max", "0/default.jpg"),
        ("0,200,5,5", "max", "0/default.jpg"),
        ("pct:0,0,0,10", "max", "0/default.jpg"),
        ("-1,0,5,5", "max", "0/default.jpg"),
        ("1,2,3", "max", "0/default.jpg"),
        ("0,0,1e3,5", "max", "0/default.jpg"),
        ("", "max", "0/default.jpg"),
        ("full", "full", "0/default.jpg"),
        ("full", "301,", "0/default.jpg"),
        ("full", ",201", "0/default.jpg"),
        ("full", "300,201", "0/default.jpg"),
        ("full", "pct:100.1", "0/default.jpg"),
        ("full", "0,", "0/default.jpg"),
        ("full", "!0,5", "0/default.jpg"),
        ("full", "!5,", "0/default.jpg"),
        ("full", "pct:0", "0/default.jpg"),
        ("full", ",", "0/default.jpg"),
        ("full", "^", "0/default.jpg"),
        ("full", "^full", "0/default.jpg"),
        ("full", "max", "361/default.jpg"),
        ("full", "max", "-90/default.jpg"),
        ("full", "max", "x/default.jpg"),
        ("full", "max", "0/native.jpg"),
        ("full", "max", "0/default.exe"),
        ("٣,0,1,1", "max", "0/default.jpg"),
    ],
)
def test_what_the_api_does_not_have_is_a_bad_request(region: str, size: str, rest: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read(region, size, rest)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("size", "rest"),
    [
        ("^max", "0/default.jpg"),
        ("^600,", "0/default.jpg"),
        ("^!600,600", "0/default.jpg"),
        ("^pct:200", "0/default.jpg"),
        ("max", "90/default.jpg"),
        ("max", "22.5/default.jpg"),
        ("max", "!0/default.jpg"),
        ("max", "0/gray.jpg"),
        ("max", "0/bitonal.jpg"),
        ("max", "0/default.png"),
        ("max", "0/default.webp"),
    ],
)
def test_what_the_api_has_and_this_server_has_not_is_not_implemented(size: str, rest: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read(size=size, rest=rest)
    assert caught.value.status == 501


def test_large_pictures_are_sent_within_the_limits() -> None:
    full = (40_000, 10_000)
    assert read(full=full).size == (MAX_SIDE_PX, MAX_SIDE_PX // 4)
    assert read(size="!9000,9000", full=full).size == (MAX_SIDE_PX, MAX_SIDE_PX // 4)
    with pytest.raises(ProblemError, match="4096"):
        read(size="5000,", full=full)


@given(full=st.tuples(sides, sides), corner=st.tuples(sides, sides), size=st.tuples(sides, sides), form=st.sampled_from(
    ["{0},", ",{1}", "!{0},{1}", "{0},{1}", "max", "pct:37.5"]))  # fmt: skip
def test_the_canonical_address_asks_for_the_same(
    full: tuple[int, int], corner: tuple[int, int], size: tuple[int, int], form: str
) -> None:
    try:
        found = read(f"{corner[0]},{corner[1]},{size[0]},{size[1]}", form.format(*size), full=full)
    except ProblemError:
        return
    x, y, width, height = found.region
    assert x + width <= full[0]
    assert y + height <= full[1]
    assert 1 <= found.size[0] <= min(width, MAX_SIDE_PX)
    assert 1 <= found.size[1] <= min(height, MAX_SIDE_PX)
    region, wish, rest = found.canonical.split("/", 2)
    again = read(region, wish, rest, full)
    assert (again.region, again.size, again.canonical) == (found.region, found.size, found.canonical)


@given(full=st.tuples(sides, sides))
def test_every_size_and_tile_that_is_described_can_be_had(full: tuple[int, int]) -> None:
    info = describe_image("http://127.0.0.1/iiif/3/images/1", full)
    for size in info["sizes"]:
        assert read(size=f"{size['width']},{size['height']}", full=full).size == (size["width"], size["height"])
    for scale in info["tiles"][0]["scaleFactors"]:
        side = TILE_PX * scale  # the tile at the lower right, as section 5.4 has it
        x, y = (full[0] - 1) // side * side, (full[1] - 1) // side * side
        width, height = min(side, full[0] - x), min(side, full[1] - y)
        wish = f"{math.ceil(width / scale)},{math.ceil(height / scale)}"
        assert read(f"{x},{y},{width},{height}", wish, full=full).region == (x, y, width, height)


def test_the_largest_keeps_the_shape() -> None:
    assert largest((300, 200)) == (300, 200)
    assert largest((8192, 1)) == (4096, 1)
