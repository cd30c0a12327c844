"""A picture in whatever form a Python user has it: a path, the bytes of a file, a PIL image, an array, a Picture."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bof.errors import ImageError, OptionError, reason_of
from bof.images.cloud import source_of
from bof.images.decode import Picture, View, decode_image, shrink, to_grey
from bof.images.limited import LimitedReader, content_of
from bof.images.opening import stamp_of
from bof.options import PixelLimit
from bof.types import U8

Channels = Literal["RGB", "BGR"]
"""The order of an array's colours: RGB as PIL, matplotlib and imageio have it, BGR as OpenCV has it."""

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | NDArray[Any] | Picture
"""One picture. Text is a path. An array is u8 (h, w) grey or u8 (h, w, 3) in colour."""

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""One path, or many."""

_FORMS = "a path, bytes of a picture file, a PIL image, a numpy array or a bof.Picture"


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A picture that can be read in the sizes that are needed.

    name: for messages; n_bytes: of the file, or, where there is none, of the pixels.
    """

    name: str
    n_bytes: int
    _hash: Callable[[], str]
    _read: Callable[[Sequence[View]], list[Picture]]

    @property
    def sha256(self) -> str:
        """Of the file, or of the pixels; hashed when it is first asked for, after what is too large was refused."""
        return self._hash()

    def grey(self, max_side: PixelLimit | None = None) -> Picture:
        """Its light, with at most so long a side. Raises ImageError."""
        return self._read([(max_side, True)])[0]

    def colours(self, max_side: PixelLimit | None = None) -> Picture:
        """RGB, or grey where no colours were given. Raises ImageError."""
        return self._read([(max_side, False)])[0]

    def both(self, grey_side: PixelLimit, colour_side: PixelLimit) -> tuple[Picture, Picture]:
        """`grey` and `colours`, decoded once where the kind of file allows. Raises ImageError."""
        grey, colours = self._read([(grey_side, True), (colour_side, False)])
        return grey, colours


def as_picture(source: Source, *, channels: Channels = "RGB", max_side: PixelLimit | None = None) -> Picture:
    """The picture in RGB, or grey where a grey array was given; max_side: it is shrunk to so long a side.

    channels: the order of an array's colours; nothing else needs it. Raises ImageError where it is no picture, or an
    array of another type or shape.
    """
    return open_source(source, channels).colours(max_side)


def open_source(source: Source, channels: Channels = "RGB", *, name: str = "", memory: int = 0) -> OpenedSource:
    """Make a picture ready to be read. memory: megabytes that decoding a file may take, 0: half of the machine's.

    name: what messages call a picture that has no path. Raises ImageError, OptionError for other channels.
    """
    check_channels(channels)
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source), str(source), memory)
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_file(bytes(source), name or "picture", memory)
    if isinstance(source, Image.Image):
        return _of_pixels(_of_image(source, name or "PIL image"), name or "PIL image")
    if isinstance(source, np.ndarray):
        return _of_pixels(_of_array(source, channels, name or "array"), name or "array")
    if isinstance(source, Picture):
        checked = replace(source, pixels=_checked(source.pixels, name or "Picture"))
        return _of_pixels(checked, name or "Picture")
    raise ImageError(path=name, expected=_FORMS, found=_kind(source), advice=_advice_of(source))


def check_channels(channels: object) -> None:
    """Raises OptionError for an order that there is not."""
    if channels not in ("RGB", "BGR"):
        raise OptionError(option="channels", expected="RGB or BGR", found=repr(channels))


def is_one(pictures: object) -> bool:
    """Is this one picture, not many? What is neither is treated as one, so that a message says what it is."""
    is_source = isinstance(pictures, str | os.PathLike | bytes | bytearray | memoryview | np.ndarray | Picture)
    is_other = isinstance(pictures, Image.Image | Mapping) or hasattr(pictures, "read")
    return is_source or is_other or not isinstance(pictures, Iterable)


def as_paths(paths: Paths) -> list[Path]:
    """One path, or many, as a list. Raises OptionError where something is no path."""
    if isinstance(paths, str | os.PathLike):
        return [source_of(paths)]
    found = list(paths) if isinstance(paths, Iterable) and not isinstance(paths, bytes) else [paths]
    for path in found:
        if not isinstance(path, str | os.PathLike):
            advice = "pictures in memory are added with add_images"
            raise OptionError("paths", expected="a path, or a list of paths", found=_kind(path), advice=advice)
    return [source_of(path) for path in found]


def as_names(names: str | Iterable[str]) -> list[str]:
    """One name, or many, as a list: the letters of a name are no names."""
    return [names] if isinstance(names, str) else list(names)


# -- Each form --------------------------------------------------------------------------------------------------------


def _of_file(source: Path | bytes, name: str, memory: int) -> OpenedSource:
    reader = LimitedReader.of(memory)
    loaded = reader.load(source) if isinstance(source, Path) else source

    def read(views: Sequence[View]) -> list[Picture]:
        return reader.decode_views(loaded, views, name)

    return OpenedSource(name, _size_of(loaded, name), cache(lambda: content_of(loaded)), read)


def _size_of(loaded: Path | bytes, name: str) -> int:
    """In bytes: of a part of a file, that of all of it. Raises ImageError."""
    try:
        return len(loaded) if isinstance(loaded, bytes) else stamp_of(loaded)[0]
    except OSError as error:
        raise ImageError(f"cannot read: {reason_of(error)}", path=name) from error


def _of_pixels(picture: Picture, name: str) -> OpenedSource:
    def read(views: Sequence[View]) -> list[Picture]:
        pixels = (shrink(to_grey(picture.pixels) if grey else picture.pixels, side) for side, grey in views)
        return [replace(picture, pixels=each) for each in pixels]

    return OpenedSource(name, picture.pixels.nbytes, cache(lambda: hash_pixels(picture)), read)


def hash_pixels(picture: Picture) -> str:
    """The SHA-256 of pixels and sizes: that of no file, and the same for a picture whatever held it."""
    facts = f"bof pixels 1 {picture.pixels.shape} {picture.width} {picture.height}\0"
    digest = hashlib.sha256(facts.encode("ascii"))
    digest.update(np.ascontiguousarray(picture.pixels).data)
    return digest.hexdigest()


def _of_image(image: Image.Image, name: str) -> Picture:
    """Upright and 8 bit, as decoding its file makes it; a grey image stays grey."""
    try:
        return decode_image(image.copy(), grey=image.mode in ("1", "L"))
    except Exception as error:  # it may not be loaded yet: Pillow answers a broken file with nearly every exception
        raise ImageError(path=name, expected="a whole picture", found=f"{type(error).__name__}: {error}") from error


def _of_array(array: NDArray[Any], channels: Channels, name: str) -> Picture:
    pixels = _checked(array, name)
    if pixels.ndim == 3 and channels == "BGR":
        pixels = np.ascontiguousarray(pixels[:, :, ::-1])
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


def _checked(array: NDArray[Any], name: str) -> U8:
    """u8 (h, w) or (h, w, 3), row by row. Raises ImageError, which says how to make one of what was found."""
    if isinstance(array, np.ndarray) and array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    is_shaped = isinstance(array, np.ndarray) and array.size and (array.ndim == 2 or array.shape[2:] == (3,))
    if is_shaped and array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    expected = "an array of uint8 of shape (height, width) or (height, width, 3)"
    raise ImageError(path=name, expected=expected, found=_kind(array), advice=_advice_of(array))


def _kind(value: object) -> str:
    """What something is, in words."""
    if not isinstance(value, np.ndarray):
        return f"{value!r:.40}" if isinstance(value, int | float | None) else type(value).__name__
    numbers = value.size and value.dtype.kind in "fiub"
    limits = f" from {value.min():g} to {value.max():g}" if numbers else ""
    return f"{value.dtype} of shape {value.shape}{limits}"


def _advice_of(value: object) -> str:
    """How to make a picture of something that is nearly one."""
    if not isinstance(value, np.ndarray):
        if hasattr(value, "read"):
            return "its .read() gives the bytes"
        return "numpy.asarray(it) makes an array of it" if hasattr(value, "__array__") else ""
    if not value.size:
        return "it is empty: was the file read? cv2.imread answers None or nothing where it fails"
    if value.ndim == 4 or (value.ndim == 1 and value.dtype.kind in "OU"):
        return "list(array) makes a list of pictures of it"
    if value.ndim == 3 and value.shape[2] == 4:
        return "array[:, :, :3] leaves the transparency out, PIL.Image.fromarray(array) puts it on white"
    if value.ndim == 3 and value.shape[2] != 3 and value.shape[0] in (1, 3):
        return "colours come last: array.transpose(1, 2, 0)"
    return _advice_of_type(value) if value.ndim in (2, 3) else ""


def _advice_of_type(array: NDArray[Any]) -> str:
    low, high = (float(array.min()), float(array.max())) if array.dtype.kind in "fiub" else (-1.0, 0.0)
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and 0 <= low <= high <= 1):
        return '(255 * array).round().astype("uint8")'
    if 0 <= low <= high <= 255:
        return 'array.round().astype("uint8")' if array.dtype.kind == "f" else 'array.astype("uint8")'
    return '(array // 257).astype("uint8") for 16 bits' if array.dtype == np.uint16 else "scale it to 0 to 255"
