"""SVG by resvg: a drawing, without scripts, links, files and other documents.

resvg itself reads any file that an `image` names. So the drawing is parsed here first (expat), what leads out of the
document is left out, and resvg is given the rest. It is drawn with its own size, but with a long side of 1,024 to 4,096
pixels: it has no pixels of its own, and features need some. Text is drawn with the fonts of the machine.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder, tostring
from xml.parsers import expat

from PIL import PngImagePlugin

from bof.images.pixels import Picture, decode_image
from bof.images.readers import jpeg, pillow
from bof.images.readers.formats import SVG, Format
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture
from bof.options import MAX_PIXELS, Extent, PixelLimit

_LEAST_SIDE, _MOST_SIDE = 1024, 4096
_MOST_BYTES, _MOST_BYTES_WITH_ENTITIES = 16 << 20, 1 << 20
_MOST_ELEMENTS, _MOST_DEPTH = 200_000, 200
_MOST_ENTITY = 200
"""Characters of an entity: what programs of drawing declare are names of namespaces."""

_NAMESPACE = "http://www.w3.org/2000/svg"
_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE\s[^\[>]*(?:\[.*?\]\s*)?>\s*)*<(?:\w+:)?svg[\s>/]",
    re.DOTALL,
)
_ACTIVE = {"script", "foreignObject", "iframe", "audio", "video", "object", "embed", "handler", "style-sheet"}
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "em": 16.0,
          "ex": 8.0, "rem": 16.0}  # fmt: skip
"""Pixels of CSS."""

_LENGTH = re.compile(r"\s*\+?(\d*\.?\d+(?:[eE][+-]?\d+)?)\s*([a-z]*)\s*")
_DATA_URL = re.compile(r"data:image/(?:png|jpe?g|webp|gif)\s*;\s*base64\s*,", re.IGNORECASE)


class SvgReader:
    """As PictureReader."""

    @property
    def format(self) -> Format:
        """SVG."""
        return SVG

    def matches(self, probe: Probe) -> bool:
        """By the first element."""
        return _START.match(probe.head) is not None

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open. Raises ValueError where it is too large or has no size, ExpatError for no XML."""
        root = parse(stream.read(_MOST_BYTES + 1))
        return SvgPicture(root, *_own_size(root))


@dataclass(frozen=True, slots=True)
class SvgPicture:
    """A drawing, safe to be drawn, and its size in pixels."""

    root: Element
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as it is drawn."""
        return self.width, self.height

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """As OpenedPicture.read."""
        import resvg_py

        most = max_side.long_side(*self.size) if isinstance(max_side, Extent) else max_side or _MOST_SIDE
        scale = min(1.0, most / max(self.size))
        sides = [max(1, round(side * scale)) for side in self.size]
        self.root.set("width", str(sides[0]))
        self.root.set("height", str(sides[1]))
        has_text = next(self.root.iter(f"{{{_NAMESPACE}}}text"), None) is not None
        text = tostring(self.root, encoding="unicode")
        drawn = resvg_py.svg_to_bytes(svg_string=text, background="#ffffff", skip_system_fonts=not has_text)
        picture = decode_image(PngImagePlugin.PngImageFile(io.BytesIO(drawn), ""), max_side, grey=grey)
        return Picture(picture.pixels, self.width, self.height)


# -- Parsing ----------------------------------------------------------------------------------------------------------


def parse(data: bytes) -> Element:
    """The root of a drawing without what leads out of it. Raises ValueError, ExpatError."""
    if len(data) > _MOST_BYTES:
        raise ValueError(f"expected at most {_MOST_BYTES} bytes of SVG, found more")
    if b"<!ENTITY" in data and len(data) > _MOST_BYTES_WITH_ENTITIES:
        raise ValueError(f"expected at most {_MOST_BYTES_WITH_ENTITIES} bytes of SVG with entities, found more")
    root = _DrawingParser().parse(data)
    if root.tag not in (f"{{{_NAMESPACE}}}svg", "svg"):
        raise ValueError(f"expected svg as the first element, found {root.tag:.80}")
    return root


class _DrawingParser:
    """Builds a tree of what is harmless; bounded in elements and depth."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._n_elements = self._depth = 0
        self._left_out = 0
        """How deep below the first element that is left out; 0: in none."""

    def parse(self, data: bytes) -> Element:
        """All of it."""
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.EntityDeclHandler = self._text, _refuse_entity
        parser.Parse(data, True)
        return self._builder.close()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._n_elements += 1
        self._depth += 1
        if self._n_elements > _MOST_ELEMENTS or self._depth > _MOST_DEPTH:
            raise ValueError(f"expected at most {_MOST_ELEMENTS} elements, {_MOST_DEPTH} deep, found more")
        if self._left_out or _leads_out(name.rpartition("}")[2], attributes):
            self._left_out += 1
        else:
            self._builder.start(_qualified(name), {_qualified(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._left_out:
            self._left_out -= 1
        else:
            self._builder.end(_qualified(name))

    def _text(self, text: str) -> None:
        if not self._left_out:
            self._builder.data(text)


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _refuse_entity(name: str, is_parameter: bool, value: str | None, *_: object) -> None:
    """Entities of names are common; those that name files, or each other, are attacks."""
    if is_parameter or value is None or len(value) > _MOST_ENTITY or "&" in value or "<" in value:
        raise ValueError(f"expected entities of at most {_MOST_ENTITY} characters in the drawing, found &{name:.40};")


def _leads_out(element: str, attributes: Mapping[str, str]) -> bool:
    """Is it a script, or does it name another document, a file, or a picture that is no small one of its own?"""
    if element in _ACTIVE:
        return True
    links = [value.strip() for key, value in attributes.items() if key.rpartition("}")[2] == "href"]
    if element in ("image", "feImage"):
        return not all(link.startswith("#") or _is_own_picture(link) for link in links)
    return element != "a" and not all(link.startswith("#") for link in links)


def _is_own_picture(link: str) -> bool:
    """Does a link hold the picture itself, in a format of pixels, and not more of them than may be decoded?"""
    start = _DATA_URL.match(link)
    if start is None:
        return False
    try:
        data = base64.b64decode(urllib.parse.unquote_to_bytes(link[start.end() :]))
        probe = Probe.of_bytes(data)
        readers = (jpeg.JpegReader(), pillow.PNG, pillow.WEBP, pillow.GIF)
        width, height = next(each for each in readers if each.matches(probe)).open(io.BytesIO(data)).size
    except (binascii.Error, StopIteration, OSError, ValueError, SyntaxError, EOFError):
        return False
    return width * height <= MAX_PIXELS // 8


# -- Size -------------------------------------------------------------------------------------------------------------


def _own_size(root: Element) -> tuple[int, int]:
    """Width and height in pixels, and the root's viewBox set. Raises ValueError where the drawing has no size."""
    box = _view_box(root.get("viewBox", ""))
    width, height = _length(root.get("width", "")), _length(root.get("height", ""))
    if box and not (width and height):
        width = width or (height * box[2] / box[3] if height else box[2])
        height = height or width * box[3] / box[2]
    if not (width and height):
        raise ValueError("expected a width and a height, or a viewBox, found none")
    if not box:
        root.set("viewBox", f"0 0 {width} {height}")
    scale = max(1.0, _LEAST_SIDE / max(width, height)) * min(1.0, _MOST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _view_box(text: str) -> list[float]:
    try:
        box = [float(part) for part in re.split(r"[\s,]+", text.strip())]
    except ValueError:
        return []
    is_sound = len(box) == 4 and all(abs(value) < 1e9 for value in box) and box[2] > 1e-6 and box[3] > 1e-6
    return box if is_sound else []


def _length(text: str) -> float:
    """In pixels; 0 where it is none, or a share of what is around."""
    match = _LENGTH.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        return 0.0
    value = float(match[1]) * _UNITS[match[2]]
    return value if 1e-6 < value < 1e9 else 0.0
