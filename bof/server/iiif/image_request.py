"""A request of the IIIF Image API 3.0: which part of a picture in which size. Arithmetic alone.

Level 1, and besides it regions and sizes in per cent and sizes to fit into (`!w,h`). What the API has and this server
has not is `not-implemented` (501), what the API has not is a bad request (400): section 4 and 6 of the specification.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bof.server.http.problems import ProblemError

MAX_SIDE_PX = 4096
"""The most pixels of a side of what is sent."""

TILE_PX = 512
CONTEXT = "http://iiif.io/api/image/3/context.json"
LEVEL = "http://iiif.io/api/image/3/level1.json"
FEATURES = ("regionByPct", "sizeByConfinedWh", "sizeByPct", "canonicalLinkHeader", "profileLinkHeader")
"""What is offered beyond level 1."""

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PIXELS = re.compile(r"([0-9]{1,9}),([0-9]{1,9}),([0-9]{1,9}),([0-9]{1,9})")
_PER_CENT = re.compile(rf"pct:({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})")
_SIZE = re.compile(r"(?P<up>\^?)(?P<fit>!?)(?P<width>[0-9]{0,9}),(?P<height>[0-9]{0,9})")
_SIZE_PER_CENT = re.compile(rf"(?P<up>\^?)pct:(?P<percent>{_NUMBER})")
_ROTATION = re.compile(rf"!?({_NUMBER})")
_QUALITIES = ("color", "gray", "bitonal")
_FORMATS = ("tif", "png", "gif", "jp2", "pdf", "webp")

Size = tuple[int, int]
Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A part of a picture, x, y, width, height, and the size to send it in; full: the size of the picture."""

    region: Region
    size: Size
    full: Size

    @property
    def canonical(self) -> str:
        """The one way to write it, from the region on."""
        region = "full" if self.region == (0, 0, *self.full) else ",".join(map(str, self.region))
        size = "max" if self.size == largest(self.region[2:]) else ",".join(map(str, self.size))
        return f"{region}/{size}/0/default.jpg"


def read_request(full: Size, region: str, size: str, rotation: str, quality: str, form: str) -> ImageRequest:
    """The parts of a request's address. full: width and height of the picture. Raises ProblemError."""
    part = _region(region, full)
    found = ImageRequest(part, _size(size, part[2:]), full)
    _check_rotation(rotation)
    _check_name(quality, "quality", ("default",), _QUALITIES)
    _check_name(form, "format", ("jpg",), _FORMATS)
    return found


def describe_image(url: str, full: Size) -> dict[str, Any]:
    """The info.json of a picture. url: of the service; full: width and height."""
    smallest = [scale for scale in _scales(full) if max(full) / scale <= MAX_SIDE_PX]
    return {
        "@context": CONTEXT,
        "id": url,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level1",
        "width": full[0],
        "height": full[1],
        "maxWidth": MAX_SIDE_PX,
        "maxHeight": MAX_SIDE_PX,
        "sizes": [dict(zip(("width", "height"), _halved(full, scale), strict=True)) for scale in reversed(smallest)],
        "tiles": [{"width": TILE_PX, "height": TILE_PX, "scaleFactors": _scales(full)}],
        "extraFeatures": list(FEATURES),
    }


def largest(size: tuple[int, ...]) -> Size:
    """The size of a region that is sent as `max`: its own, or the largest of its shape within the limits."""
    scale = min(Fraction(1), Fraction(MAX_SIDE_PX, max(size)))
    return max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale))


def _scales(full: Size) -> list[int]:
    """Powers of two, the last of which leaves no more than a tile."""
    n_halved = max(0, math.ceil(math.log2(max(full) / TILE_PX)))
    return [1 << n for n in range(n_halved + 1)]


def _halved(full: Size, scale: int) -> Size:
    return math.ceil(full[0] / scale), math.ceil(full[1] / scale)


def _region(text: str, full: Size) -> Region:
    if text == "full":
        return 0, 0, *full
    if text == "square":
        side = min(full)
        return (full[0] - side) // 2, (full[1] - side) // 2, side, side
    if found := _PIXELS.fullmatch(text):
        x, y, width, height = map(int, found.groups())
    elif found := _PER_CENT.fullmatch(text):
        x, y, width, height = _of_per_cent([Fraction(value) for value in found.groups()], full)
    else:
        raise _wrong("region", "full, square, x,y,w,h or pct:x,y,w,h", text)
    if not width or not height or x >= full[0] or y >= full[1]:
        raise _wrong("region", f"a part of {full[0]} x {full[1]} pixels", text)
    return x, y, min(width, full[0] - x), min(height, full[1] - y)


def _of_per_cent(values: list[Fraction], full: Size) -> Region:
    x, y, width, height = (round(value * full[i % 2] / 100) for i, value in enumerate(values))
    return x, y, max(width, values[2] > 0), max(height, values[3] > 0)


def _size(text: str, region: tuple[int, ...]) -> Size:
    """The size of what is sent of a region of this width and height."""
    if text in ("^max", "^full") or text[:1] == "^":
        _require_size_up(text)
    if text == "max":
        return largest(region)
    if found := _SIZE_PER_CENT.fullmatch(text):
        percent = Fraction(found["percent"])
        if percent > 100:
            raise _wrong("size", "at most 100 per cent", text)
        size = round(region[0] * percent / 100), round(region[1] * percent / 100)
        size = (max(size[0], percent > 0), max(size[1], percent > 0))
    elif (found := _SIZE.fullmatch(text)) and (found["width"] or found["height"]):
        size = _by_pixels(text, found["width"], found["height"], region, is_fit=bool(found["fit"]))
    else:
        raise _wrong("size", "max, w,, ,h, w,h, !w,h or pct:n", text)
    if not all(size):
        raise _wrong("size", "one pixel or more", text)
    if size[0] > region[0] or size[1] > region[1]:
        raise _wrong("size", f"no more than the region's {region[0]} x {region[1]} pixels", text)
    if max(size) > MAX_SIDE_PX:
        raise _wrong("size", f"at most {MAX_SIDE_PX} pixels a side", text)
    return size


def _by_pixels(text: str, width: str, height: str, region: tuple[int, ...], *, is_fit: bool) -> Size:
    if is_fit:
        if not width or not height:
            raise _wrong("size", "!w,h", text)
        scale = min(Fraction(int(width), region[0]), Fraction(int(height), region[1]), Fraction(1))
        scale = min(scale, Fraction(MAX_SIDE_PX, max(region)))
        size = round(region[0] * scale), round(region[1] * scale)
        return (max(size[0], 1), max(size[1], 1)) if scale else size
    if not height:
        return int(width), max(1, round(Fraction(int(width) * region[1], region[0])))
    if not width:
        return max(1, round(Fraction(int(height) * region[0], region[1]))), int(height)
    return int(width), int(height)


def _require_size_up(text: str) -> None:
    """Raises ProblemError: what begins with ^ is not there, or is no size at all."""
    rest = text[1:]
    if rest == "max" or _SIZE_PER_CENT.fullmatch(rest) or (_SIZE.fullmatch(rest) and rest.strip("!") != ","):
        raise ProblemError("not-implemented", f"size: expected one that enlarges nothing, found {text[:50]!r}")
    raise _wrong("size", "max, w,, ,h, w,h, !w,h or pct:n", text)


def _check_rotation(text: str) -> None:
    if text == "0":
        return
    found = _ROTATION.fullmatch(text)
    if found is None or Fraction(found[1]) > 360:
        raise _wrong("rotation", "0", text)
    if text.startswith("!") or Fraction(found[1]) not in (0, 360):
        raise ProblemError("not-implemented", f"rotation: expected 0, found {text[:50]!r}")


def _check_name(text: str, what: str, offered: tuple[str, ...], others: tuple[str, ...]) -> None:
    if text in others:
        raise ProblemError("not-implemented", f"{what}: expected {' or '.join(offered)}, found {text!r}")
    if text not in offered:
        raise _wrong(what, " or ".join(offered), text)


def _wrong(what: str, expected: str, found: str) -> ProblemError:
    return ProblemError("bad-request", f"{what}: expected {expected}, found {found[:50]!r}")
