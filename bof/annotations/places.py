"""Where a picture of the index stands for other programs: its canvas, its image service, and regions in both.

A picture that was harvested from IIIF (bof/iiif) stands where its archive has it: the fields of its row say where. Any
other stands on the canvas that the server makes of it, or, where there is no server, is its file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from bof.iiif.naming import BOX, CANVAS, IMAGE, LEVEL, MANIFEST, REGION, SERVICE
from bof.images.address import Address
from bof.images.cloud import is_cloud, url_of
from bof.types import Box

PREFIX = "/iiif/3"
"""Below which the server has its images and manifests."""

REGION_PX = 1024
"""The most that the picture of a region is wide, in pixels."""

_IN_URL = "/:%!$&'()*+,;=@~"
_BOX = re.compile(r"[0-9]{1,9},[0-9]{1,9}(?:,[1-9][0-9]{0,8}){2}")

Fields = Mapping[str, Sequence[str]]
Whole = tuple[int, int, int, int]
"""x, y, width, height in whole pixels."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one picture stands.

    kind: of the resource that annotations are about, a Canvas or, for a file, an Image; source: its id; service: the
    image service, image: the picture itself where there is no service, each "" for none; size: the picture's, in
    pixels; box: where the picture lies on the canvas; manifests: that show the canvas.
    """

    kind: str
    source: str
    service: str
    image: str
    size: tuple[int, int]
    box: Whole
    manifests: tuple[str, ...] = ()

    def region(self, bounds: Box | None) -> Whole | None:
        """The box x0, y0, x1, y1 of the picture, in pixels from its edges, in the frame of the canvas.

        Rounded outwards, at least one pixel; None for the whole picture, if it is the whole canvas.
        """
        left, top, width, height = self.box
        if bounds is None:
            return None if self.box == (0, 0, *self.size) else self.box
        across, down = width / self.size[0], height / self.size[1]
        x0, y0, x1, y1 = bounds
        scaled = left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down
        return _outwards(scaled, (left, top, left + width, top + height))

    def region_in(self, size: tuple[int, int], bounds: Box | None) -> Whole | None:
        """The same of a box in the pixels of a picture of this size, which is a smaller version of this place's."""
        if bounds is None:
            return self.region(None)
        across, down = self.size[0] / size[0], self.size[1] / size[1]
        return self.region((bounds[0] * across, bounds[1] * down, bounds[2] * across, bounds[3] * down))

    def picture_of(self, bounds: Box | None) -> str:
        """The URL of the picture of a region: of the image service, or the picture with a media fragment."""
        region = None if bounds is None else _outwards(bounds, (0, 0, *self.size))
        if self.service:
            width = min(region[2] if region else self.size[0], REGION_PX)
            # `w,` means the same in every version of the Image API, and every service that cuts out regions has it.
            return f"{self.service}/{joined(region) if region else 'full'}/{width},/0/default.jpg"
        return f"{self.image}#xywh={joined(region)}" if self.image and region else self.image


def harvested_place(fields: Fields, size: tuple[int, int]) -> Place | None:
    """Where a harvested picture stands, by the fields of its row; None for one that was not harvested."""
    if not (canvas := _first(fields, CANVAS)):
        return None
    text = _first(fields, BOX)
    box = tuple(map(int, text.split(","))) if _BOX.fullmatch(text) else (0, 0, *size)
    whole = (box[0], box[1], box[2], box[3])
    # A service of level 0 cuts nothing out, and the frame of a part of its picture is not the service's.
    has_regions = _first(fields, LEVEL) != "0" and not fields.get(REGION)
    named = _first(fields, SERVICE) if has_regions else "", _first(fields, IMAGE)
    return Place("Canvas", canvas, *named, size, whole, tuple(fields.get(MANIFEST, ())))


def served_place(server: str, number: int, size: tuple[int, int]) -> Place:
    """Where the server shows a picture of its index. server: its URL without a slash at the end; number: the id."""
    base = f"{server}{PREFIX}/images/{number}"
    return Place("Canvas", f"{base}/canvas", base, "", size, (0, 0, *size), (f"{base}/manifest",))


def file_place(path: PurePath, size: tuple[int, int]) -> Place:
    """A picture that is a file, or a part of one, on this machine."""
    url = file_url(path)
    return Place("Image", url, "", url, size, (0, 0, *size))


def file_url(path: PurePath) -> str:
    """The URL of a picture's path: of a part `file:///books/a.pdf#page=12`."""
    address = Address.parse(path)
    if is_cloud(path):
        url = quote(url_of(address.file), safe=_IN_URL, errors="surrogateescape")
    elif PurePath(address.file).is_absolute():
        url = PurePath(address.file).as_uri()
    else:  # a picture in memory
        url = quote(address.file, safe=_IN_URL, errors="surrogateescape")
    return f"{url}#{quote(address.part, safe='=&%', errors='surrogateescape')}" if address.part else url


def joined(region: Whole) -> str:
    """As xywh= and the Image API have it."""
    return ",".join(map(str, region))


def _outwards(bounds: Box, limits: Whole) -> Whole:
    """Whole pixels around a box x0, y0, x1, y1, within others of that kind, as x, y, width, height."""
    low = [min(max(math.floor(bounds[i]), limits[i]), limits[i + 2] - 1) for i in (0, 1)]
    high = [min(max(math.ceil(bounds[i + 2]), low[i] + 1), limits[i + 2]) for i in (0, 1)]
    return low[0], low[1], high[0] - low[0], high[1] - low[1]


def _first(fields: Fields, key: str) -> str:
    return next(iter(fields.get(key, ())), "")
