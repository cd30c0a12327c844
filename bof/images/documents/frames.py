"""Pages of a TIFF, and the frames of an animation (GIF, WebP, AVIF, PNG) that show something new."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from PIL import AvifImagePlugin, GifImagePlugin, Image, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from bof.errors import ImageError, reason_of
from bof.images.decode import PictureTooLargeError
from bof.images.documents.base import MAX_PARTS, Document
from bof.images.regular import open_regular
from bof.options import MAX_PIXELS
from bof.types import F32

_MAX_FRAMES, _MAX_CHOSEN = 2_000, 32
"""So many frames of an animation are looked at, and so many become pictures: an index of clips is an index of films."""

_SMALL_PX = 32
_CHANGE = 12.0
"""Frames whose small grey pictures differ by less than this, in grey levels on average, show the same."""

_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
"""TIFF 6.0, section 8: a page may be a smaller copy of another, or a mask, and then it is no page of the document."""

_PLAIN_MODES, _PNG_MODES = ("L", "RGB"), ("1", "LA", "P", "PA", "RGBA", "I", "I;16", "I;16B")


@dataclass(frozen=True, slots=True)
class FramesKind:
    """A kind of picture file that may hold several, which Pillow reads. word: what one is called, page or frame."""

    name: str
    magic: re.Pattern[bytes]
    reader: Callable[[IO[bytes], str], Image.Image]
    word: str
    choose: Callable[[Image.Image], Iterator[int]]
    is_picture: bool = True
    is_isolated: bool = False

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce this kind?"""
        return self.magic.match(head) is not None

    def open(self, file: str) -> Document:
        """Open a file of this kind. Raises ImageError where it is broken."""
        opened = contextlib.ExitStack()
        try:
            with _guarded(file, self.name):
                image = self.reader(opened.enter_context(open_regular(Path(file))), "")
                n_frames = getattr(image, "n_frames", 1)
                chosen = list(self.choose(image)) if n_frames > 1 and _n_pixels(image) <= MAX_PIXELS else []
        except BaseException:
            opened.close()
            raise
        others = {f"{self.word}s beyond the first {MAX_PARTS}": n_frames - MAX_PARTS} if len(chosen) > MAX_PARTS else {}
        parts = [f"{self.word}={number + 1}" for number in chosen[:MAX_PARTS]] if len(chosen) > 1 else []
        return _Frames(file, self, image, opened, parts, others)


@dataclass(slots=True)
class _Frames:
    """Some frames of an image that Pillow has open."""

    file: str
    kind: FramesKind
    image: Image.Image
    opened: contextlib.ExitStack
    parts: Sequence[str]
    others: Mapping[str, int] = field(default_factory=dict)

    def read(self, part: str, max_pixels: int) -> bytes:
        word, _, number = part.partition("=")
        if part not in self.parts or word != self.kind.word:
            raise ImageError(path=self.file, expected=f"one of its {len(self.parts)} {self.kind.word}s", found=part)
        with _guarded(self.file, f"{self.kind.word} {number} of a {self.kind.name}"):
            self.image.seek(int(number) - 1)
            if _n_pixels(self.image) > max_pixels:
                raise PictureTooLargeError(self.file, *self.image.size, max_pixels)
            return _as_file(self.image)

    def close(self) -> None:
        self.image.close()
        self.opened.close()


@contextlib.contextmanager
def _guarded(file: str, kind: str) -> Iterator[None]:
    """Pillow answers hostile bytes with nearly every exception there is; all mean the same to us."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ImageError:
        raise
    except Exception as error:
        found = f"a broken, truncated or unsupported one: {reason_of(error)}"
        raise ImageError(path=file, expected=f"a whole {kind}", found=found) from error


def _n_pixels(image: Image.Image) -> int:
    return image.width * image.height


def _pages(image: Image.Image) -> Iterator[int]:
    """The pages of a TIFF that are no smaller copies and no masks of others."""
    for number in range(min(getattr(image, "n_frames", 1), MAX_PARTS + 1)):
        image.seek(number)
        tags = getattr(image, "tag_v2", {})
        kind, old = tags.get(_SUBFILE_TYPE, 0), tags.get(_OLD_SUBFILE_TYPE, 0)
        if not (isinstance(kind, int) and kind & (_REDUCED | _MASK)) and old != _OLD_REDUCED:
            yield number


def _changed_frames(image: Image.Image) -> Iterator[int]:
    """The first frame of an animation, and those that differ from the last one that was taken."""
    last: F32 | None = None
    n_chosen = 0
    for number in range(min(getattr(image, "n_frames", 1), _MAX_FRAMES)):
        try:
            image.seek(number)
            small = _small(image)
        except (EOFError, OSError):  # what is there before is shown
            return
        if last is None or float(np.abs(small - last).mean()) > _CHANGE:
            last, n_chosen = small, n_chosen + 1
            yield number
        if n_chosen == _MAX_CHOSEN:
            return


def _small(image: Image.Image) -> F32:
    """Grey f32 (32, 32) of a frame on white."""
    frame = image.convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame).convert("L")
    return np.asarray(on_white.resize((_SMALL_PX, _SMALL_PX), Image.Resampling.BOX), np.float32)


def _as_file(image: Image.Image) -> bytes:
    """The frame as a file of its own that loses nothing: PNM where possible, which is quickest, PNG, or TIFF."""
    image.load()
    frame = image if image.mode in (*_PLAIN_MODES, *_PNG_MODES, "F") else image.convert("RGB")
    written = io.BytesIO()
    if frame.mode in _PLAIN_MODES:
        Image.fromarray(np.asarray(frame)).save(written, "PPM")
    elif frame.mode in _PNG_MODES:
        frame.save(written, "PNG", compress_level=1, exif=b"", icc_profile=None)
    else:
        Image.fromarray(np.asarray(frame)).save(written, "TIFF")
    return written.getvalue()


FRAMES: tuple[FramesKind, ...] = (
    FramesKind("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImagePlugin.TiffImageFile, "page", _pages),
    *(
        FramesKind(name, re.compile(magic, re.DOTALL), reader, "frame", _changed_frames)
        for name, magic, reader in (
            ("GIF", rb"GIF8[79]a", GifImagePlugin.GifImageFile),
            ("WebP", rb"RIFF.{4}WEBP", WebPImagePlugin.WebPImageFile),
            ("AVIF", rb".{4}ftypavis", AvifImagePlugin.AvifImageFile),
            ("PNG", rb"\x89PNG\r\n\x1a\n(?:(?!IDAT).)*acTL", PngImagePlugin.PngImageFile),
        )
    ),
)
