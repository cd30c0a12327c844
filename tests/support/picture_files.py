"""One drawn photograph in every format and in some of the ways in which files go wrong, made by program."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scripts.common.camera_raw import make_dng
from tests.images.fixtures.make import FOLDER, HEIGHT, WIDTH, draw_photograph

RGB = NDArray[np.uint8]


def photograph() -> RGB:
    """What all files below show: u8 (768, 1024, 3)."""
    return draw_photograph()


def saved(image: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    """A file as Pillow writes it."""
    stream = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(stream, kind, **options)
    return stream.getvalue()


def fixture(name: str) -> bytes:
    """A file that nothing that the tests install can write."""
    return (FOLDER / name).read_bytes()


def as_ico(picture: bytes, width: int = 0, height: int = 0) -> bytes:
    """A file of icons with one PNG or bitmap."""
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(picture), 22) + picture


def as_svg(picture: bytes, width: str = f"{WIDTH}", height: str = f"{HEIGHT}", extra: str = "") -> bytes:
    """A drawing that holds a PNG."""
    link = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return (
        '<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="{height}">{extra}'
        f'<image xlink:href="{link}" width="{WIDTH}" height="{HEIGHT}"/></svg>'
    ).encode()


def stored(rgb: RGB, quarter_turns: int) -> RGB:
    """As a camera stores it that was turned."""
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns))


def _huge_png() -> bytes:
    """A PNG whose header claims 60,000 x 60,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, pixels, b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def whole_files() -> dict[str, bytes]:
    """File name -> the photograph in it."""
    rgb, image = photograph(), Image.fromarray(photograph())
    grey = np.asarray(image.convert("L"))
    jpeg, png = saved(rgb, "JPEG", quality=95), saved(rgb, "PNG")
    small = saved(np.ascontiguousarray(rgb[::8, ::8]), "JPEG")
    turned, upside_down = stored(rgb, 1), stored(rgb, 2)
    return {
        "plain.jpg": jpeg,
        "progressive.jpeg": saved(rgb, "JPEG", quality=95, progressive=True),
        "turned.jpg": saved(turned, "JPEG", quality=95, exif=_exif(6)),
        "cmyk.jpg": saved(image.convert("CMYK"), "JPEG", quality=95),
        "two-pictures.mpo": saved(rgb, "MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (9, 9))]),
        "plain.png": png,
        "sixteen-bits.png": saved(grey.astype(np.uint16) * 257, "PNG"),
        "transparent.png": saved(image.convert("RGBA"), "PNG"),
        "palette.png": saved(image.quantize(256), "PNG"),
        "plain.webp": saved(rgb, "WEBP", quality=95),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "plain.tif": saved(rgb, "TIFF"),
        "packed.tiff": saved(rgb, "TIFF", compression="tiff_lzw"),
        "jpeg.tiff": saved(rgb, "TIFF", compression="jpeg", quality=95),
        "float.tif": saved((grey / np.float32(255)).astype(np.float32), "TIFF"),
        "sixteen-bits.tif": saved(grey.astype(np.uint16) * 257, "TIFF"),
        "plain.bmp": saved(rgb, "BMP"),
        "palette.gif": saved(image.quantize(256), "GIF"),
        "plain.ppm": saved(rgb, "PPM"),
        "grey.pgm": saved(grey, "PPM"),
        "plain.avif": saved(rgb, "AVIF", quality=90),
        "plain.jp2": saved(rgb, "JPEG2000"),
        "stream.j2k": saved(rgb, "JPEG2000", no_jp2=True),
        "png.ico": as_ico(png),
        "plain.tga": saved(rgb, "TGA"),
        "packed.tga": saved(rgb, "TGA", compression="tga_rle"),
        "phone.heic": fixture("drawn.heic"),
        "turned.HEIC": fixture("turned.heic"),
        "developed.dng": make_dng(rgb),
        "preview.dng": make_dng(rgb, jpeg),
        "small-preview.dng": make_dng(rgb, small),
        "turned.dng": make_dng(turned, orientation=6),
        "turned-preview.nef": make_dng(turned, saved(turned, "JPEG", quality=95), orientation=6),
        "upside-down.dng": make_dng(upside_down, saved(upside_down, "JPEG", quality=95), orientation=3),
        "drawing.svg": as_svg(png),
        "jpeg-without-a-suffix": jpeg,
        "heic-without-a-suffix": fixture("drawn.heic"),
        "jpeg.jpg_large": jpeg,
        "heic-called.jpg": fixture("drawn.heic"),
        "png-called.jpg": png,
        "raw-called.tif": make_dng(rgb, jpeg),
    }


def faulty_files() -> dict[str, tuple[bytes, str]]:
    """File name -> its bytes, and what must be said of it, as a pattern."""
    rgb = photograph()
    png, tiff = saved(rgb, "PNG"), saved(rgb, "TIFF")
    film = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(500)
    entities = b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'
    broken = "a broken, truncated or unsupported one"
    return {
        "empty.jpg": (b"", "an empty file"),
        "text.jpg": (b"only words here\n" * 9, "found text, a file that begins with"),
        "page.png": (b"<!DOCTYPE html><html></html>", "found a web page"),
        "document.jpg": (b"%PDF-1.7\n" + bytes(99), "a whole PDF"),
        "archive.png": (b"PK\3\4" + bytes(99), "a whole archive"),
        "film.heic": (film, "expected a whole film"),
        "zeros.dng": (bytes(5000), "found nothing but zeros"),
        "half.png": (png[: len(png) // 2], broken),
        "half.tif": (tiff[: len(tiff) // 2], broken),
        "half.heic": (fixture("drawn.heic")[:9000], "a whole HEIC picture"),
        "header.dng": (make_dng(rgb)[-600:], "expected a picture"),
        "half.jp2": (saved(rgb, "JPEG2000")[:200], "a whole JPEG 2000 picture"),
        "huge.png": (_huge_png(), "too large"),
        "huge.ico": (as_ico(_huge_png()), "too large"),
        "bitmap.ico": (as_ico(struct.pack("<IiiHHIIIIII", 40, 60000, 120000, 1, 32, *[0] * 6)), "1 to 256 pixels"),
        "no-size.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a width and a height, or a viewBox"),
        "entities.svg": (entities, "entities of at most 200 characters"),
        "half.svg": (as_svg(png)[:900], "a whole SVG picture"),
    }


def truncated_jpegs() -> dict[str, bytes]:
    """Files whose end is missing; what is there can be read."""
    rgb = photograph()
    plain, progressive = (saved(rgb, "JPEG", quality=95, progressive=is_so) for is_so in (False, True))
    return {"half.jpg": plain[: len(plain) // 2], "most.jpeg": progressive[: len(progressive) * 9 // 10]}


OTHERS: dict[str, Callable[[], bytes]] = {
    "song.mp3": lambda: bytes(9), "book.docx": lambda: bytes(9), "layers.psd": lambda: b"8BPS", "notes.txt": bytes,
    ".hidden.jpg": lambda: b"x", "README": lambda: b"words", "picture.unknown": lambda: b"\1\2\3\4",
}  # fmt: skip
"""Files that are passed over."""


def write_files(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {**whole_files(), **truncated_jpegs()}.items():
        (folder / name).write_bytes(data)
    for name, (data, _) in faulty_files().items():
        (folder / name).write_bytes(data)
    for name, make in OTHERS.items():
        (folder / name).write_bytes(make())
