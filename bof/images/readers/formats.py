"""The one table of picture formats: what they are called, which library reads them, what must be installed for it.

Errors, the help, README.md and docs/formats.md say what stands here; a test holds them together.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Format:
    """A format of picture files.

    kind: its name; suffixes: of its files, in lower case, the usual one first; media_type: for HTTP. library, licence:
    of what reads it. modules: one of them must be there; extra: the extra of bof-search that installs it; install: what
    else does, where bof has no extra. is_isolated: its decoder gets a process of its own, also in commands.
    """

    kind: str
    suffixes: tuple[str, ...]
    media_type: str
    library: str = "Pillow"
    licence: str = "MIT-CMU"
    modules: tuple[str, ...] = ()
    extra: str = ""
    install: str = ""
    is_isolated: bool = False

    @property
    def is_readable(self) -> bool:
        """Is what reads it installed?"""
        return not self.modules or any(map(_is_there, self.modules))

    @property
    def advice(self) -> str:
        """The command that installs what reads it."""
        return f'pip install "bof-search[{self.extra}]"' if self.extra else self.install


_RAW = (
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".nrw", ".crw", ".sr2", ".srf",
    ".3fr", ".fff", ".iiq", ".mos", ".mrw", ".x3f", ".erf", ".kdc", ".dcr", ".mef", ".rwl", ".gpr", ".raw",
)  # fmt: skip

JPEG = Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "image/jpeg")
PNG = Format("PNG", (".png", ".apng"), "image/png")
WEBP = Format("WebP", (".webp",), "image/webp")
TIFF = Format("TIFF", (".tiff", ".tif"), "image/tiff")
BMP = Format("BMP", (".bmp", ".dib"), "image/bmp")
GIF = Format("GIF", (".gif",), "image/gif")
PNM = Format("PNM", (".pnm", ".ppm", ".pgm", ".pbm"), "image/x-portable-anymap")
AVIF = Format("AVIF", (".avif",), "image/avif", "Pillow with libavif")
JPEG_2000 = Format(
    "JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), "image/jp2", "Pillow with OpenJPEG"
)  # fmt: skip
ICO = Format("ICO", (".ico",), "image/x-icon")
TGA = Format("TGA", (".tga", ".icb", ".vda", ".vst"), "image/x-tga")
HEIC = Format(
    "HEIC", (".heic", ".heif", ".hif"), "image/heic", "pi-heif with libheif and libde265",
    "BSD-3-Clause; LGPL-3.0", ("pi_heif",), "heic", is_isolated=True,
)  # fmt: skip
RAW = Format(
    "RAW", _RAW, "image/x-raw", "rawpy with LibRaw", "MIT; LGPL-2.1 or CDDL-1.0", ("rawpy",), "raw", is_isolated=True
)
SVG = Format("SVG", (".svg",), "image/svg+xml", "resvg_py with resvg", "MIT; MIT or Apache-2.0", ("resvg_py",), "svg",
             is_isolated=True)  # fmt: skip
JPEG_XL = Format(
    "JPEG XL", (".jxl",), "image/jxl", "a plug-in of Pillow", "pillow-jxl-plugin: GPL-3.0",
    ("PIL.JpegXlImagePlugin", "pillow_jxl"), is_isolated=True,
    install="a plug-in of Pillow reads it; one is pillow-jxl-plugin (GPL-3.0)",
)  # fmt: skip

FORMATS: tuple[Format, ...] = (
    JPEG, PNG, WEBP, TIFF, BMP, GIF, PNM, AVIF, JPEG_2000, ICO, TGA, HEIC, RAW, SVG, JPEG_XL,
)  # fmt: skip
"""Every format that bof knows how to read, those that Pillow reads by itself first."""


def describe_formats(formats: Sequence[Format] = FORMATS, conjunction: str = "or") -> str:
    """The formats in words: `JPEG, PNG or WebP`."""
    *first, last = [each.kind for each in formats]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def formats_of_bof() -> list[Format]:
    """Those that bof reads as it is installed without any extra."""
    return [each for each in FORMATS if not each.modules]


@functools.cache
def format_of(suffix: str) -> Format | None:
    """The format whose files have this suffix, in lower case."""
    return next((each for each in FORMATS if suffix in each.suffixes), None)


@functools.cache
def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
