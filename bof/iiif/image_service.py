"""Image services: what one can do (Image API 1 to 3), and the URL of a picture in about the size that is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bof.errors import ImageError
from bof.iiif.json_values import Json, id_of, number, objects, several, type_of

_API = re.compile(r"image(?:-api)?/(?P<version>[123])(?:\.\d+)*/")
_LEVEL = re.compile(r"level(?P<level>[012])")
_REGION = re.compile(r"(?:full|square|(?:pct:)?\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?){3})")
_PIXELS = re.compile(r"\d{1,9},\d{1,9},(?P<width>\d{1,9}),(?P<height>\d{1,9})")
_MOST_SIZES = 64

FULL = "full"
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ImageService:
    """What is known of a service.

    url: its base; version: of the Image API; level: of compliance, None where nothing says; width, height: of the whole
    picture in pixels, 0 where nothing says; sizes: those that are ready; supports: features beyond the level; limits:
    maxWidth, maxHeight and maxArea, 0 for none.
    """

    url: str
    version: int
    level: int | None = None
    width: int = 0
    height: int = 0
    sizes: tuple[Size, ...] = ()
    supports: frozenset[str] = frozenset()
    limits: tuple[int, int, int] = (0, 0, 0)

    @property
    def info_url(self) -> str:
        """Where it describes itself."""
        return f"{self.url}/info.json"

    def needs_info(self, whole: Size = (0, 0)) -> bool:
        """Must it describe itself before a picture can be asked for? whole: the picture's size, if that is known."""
        makes_sizes = bool(self.level) and bool((self.width and self.height) or all(whole))
        return not makes_sizes and not (self.level == 0 and self.sizes)

    def described(self, info: Json) -> ImageService:
        """The same with what its info.json says. Raises ImageError where that describes no picture."""
        found = service_of({**info, "id": self.url, "@id": self.url})
        if found is None or not (found.width and found.height):
            raise ImageError(path=self.info_url, expected="the width and height of a picture", found="none")
        return replace(found, url=self.url, level=self.level or 0 if found.level is None else found.level)

    def picture_urls(self, side: int, region: str = FULL, whole: Size = (0, 0)) -> list[str]:
        """Where the picture is with a long side of about `side` pixels; of several the first that answers counts.

        region: of the picture, as the Image API has it; whole: the size of the picture where the service does not say.
        Raises ImageError where the service can make no such region.
        """
        size = self.width or whole[0], self.height or whole[1]
        if region != FULL:
            if not self.level:
                raise ImageError(path=self.url, expected="a service that cuts out regions", found="one of level 0")
            cut = _PIXELS.fullmatch(region)
            size = (int(cut["width"]), int(cut["height"])) if cut else (0, 0)
        return [f"{self.url}/{region}/{text}/0/{self._quality}.jpg" for text in self._sizes(size, side)]

    @property
    def _quality(self) -> str:
        return "native" if self.version == 1 else "default"

    @property
    def _whole(self) -> str:
        return "max" if self.version >= 3 else FULL

    def _sizes(self, size: Size, side: int) -> list[str]:
        """The size as the API writes it."""
        if not (self.level or self.supports & {"sizeByW", "sizeByConfinedWh"}):
            return self._ready(side)
        if not all(size):
            return [f"!{side},{side}"]
        width, height = self._limited(size, side)
        if (width, height) == size:
            return [self._whole]
        return [f"{width},"] if self.level or "sizeByW" in self.supports else [f"!{width},{height}"]

    def _limited(self, size: Size, side: int) -> Size:
        """The size to ask for: with this long side, within the service's limits, and no larger than it is."""
        max_width, max_height, max_area = self.limits
        max_height = max_height or max_width
        scales = [1.0, side / max(size)]
        scales += [max_width / size[0]] if max_width else []
        scales += [max_height / size[1]] if max_height else []
        scales += [math.sqrt(max_area / (size[0] * size[1]))] if max_area else []
        scale = min(scales)
        exact = scale == side / max(size)
        scaled = [max(1, round(one * scale) if exact else int(one * scale)) for one in size]
        return scaled[0], scaled[1]

    def _ready(self, side: int) -> list[str]:
        """The smallest of the sizes that are ready and large enough, else the largest; the whole where none are."""
        if not self.sizes:
            return [self._whole]
        large = [size for size in self.sizes if max(size) >= side]
        width, height = min(large, key=max) if large else max(self.sizes, key=max)
        # Version 2 demands `w,h`, and what makes its files in advance writes the canonical `w,`.
        return [f"{width},{height}", *([f"{width},"] if self.version < 3 else [])]


def service_of(value: object) -> ImageService | None:
    """The first image service among those that a resource names."""
    return next((found for one in objects(several(value)) if (found := _service(one))), None)


def is_region(region: str) -> bool:
    """Is this a region as the Image API has it?"""
    return _REGION.fullmatch(region) is not None


def _service(value: Json) -> ImageService | None:
    url, version = id_of(value).rstrip("/"), _version(value)
    if not version or not re.match(r"https?://", url, re.IGNORECASE):
        return None
    profiles = several(value.get("profile"))
    more = [value, *(one for one in profiles if isinstance(one, dict))]
    supports = {f for one in more for key in ("supports", "extraFeatures") for f in several(one.get(key))}
    limits = [next((n for one in more if (n := number(one.get(key)))), 0) for key in _LIMITS]
    return ImageService(
        url, version, _level(profiles), number(value.get("width")), number(value.get("height")),
        _sizes_of(value.get("sizes")), frozenset(one for one in supports if isinstance(one, str)),
        (limits[0], limits[1], limits[2]),
    )  # fmt: skip


_LIMITS = ("maxWidth", "maxHeight", "maxArea")


def _version(value: Json) -> int:
    """Of the Image API, 0 where this is no image service."""
    if (kind := type_of(value)).startswith("ImageService") and kind[-1] in "123":
        return int(kind[-1])
    named = [*several(value.get("@context")), *several(value.get("profile")), value.get("protocol")]
    found = [match for one in named if isinstance(one, str) and (match := _API.search(one))]
    if found:
        return int(found[0]["version"])
    return 2 if any(isinstance(one, str) and "iiif.io/api/image" in one for one in named) else 0


def _level(profiles: Sequence[object]) -> int | None:
    found = [match for one in profiles if isinstance(one, str) and (match := _LEVEL.search(one))]
    return int(found[0]["level"]) if found else None


def _sizes_of(value: object) -> tuple[Size, ...]:
    sizes = [(number(one.get("width")), number(one.get("height"))) for one in objects(several(value)[:_MOST_SIZES])]
    return tuple(size for size in sizes if all(size))
