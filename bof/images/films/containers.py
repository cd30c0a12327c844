"""A film's file is opened: no byte but its own is read, whatever it names, and its pictures are found."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from bof.errors import ImageError, reason_of
from bof.images.decode import PictureTooLargeError

_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf"
"""Playlists (HLS, DASH, concat) and lists of pictures are none: they name other files and addresses."""

_PROTOCOLS = "none"
_BUFFER_BYTES = 1 << 18
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_ENCRYPTED_TAGS = frozenset({"encv", "drmi"})
_ENCRYPTED_METADATA = frozenset({"enc_key_id", "ASF_Protection_Type"})
_WORDS = {"audio": "sound", "subtitle": "subtitles", "video": "film track", "attachment": "attachment", "data": "data"}


@dataclass(frozen=True, slots=True)
class FilmSource:
    """An opened container and the pictures in it. base: seconds of one unit of its clock; others: what else it holds,
    how many by kind.
    """

    path: str
    container: InputContainer
    stream: VideoStream
    base: Fraction
    others: Mapping[str, int]


@contextlib.contextmanager
def guarded(path: str) -> Iterator[None]:
    """What FFmpeg says of a hostile file is an ImageError."""
    try:
        yield
    except ImageError as error:
        error.path = error.path or path
        raise
    except MemoryError:
        raise
    except av.EOFError as error:
        raise ImageError(path=path, expected="a whole film", found="one that ends before its first frame") from error
    except Exception as error:  # of hostile bytes PyAV makes exceptions of many kinds
        found = f"a broken or unknown one: {getattr(error, 'strerror', None) or reason_of(error)}"
        raise ImageError(path=path, expected="a whole film", found=found) from error


class OwnBytes:
    """An open file as PyAV reads it. A jump to where no file can be is answered with an error's number: of an exception
    PyAV would print that it drops it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.read, self.tell = stream, stream.read, stream.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where the file stands then; negative: nowhere."""
        try:
            return self._stream.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL


def open_source(path: str, stream: BinaryIO, n_threads: int, max_pixels: int) -> FilmSource:
    """The film in an open file. n_threads: of the decoder, 0: as many as the machine has.

    Raises ImageError where there is none, it is encrypted, or its codec has no decoder, PictureTooLargeError before
    anything is decoded, av.FFmpegError.
    """
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": _PROTOCOLS, "max_pixels": str(max_pixels)}
    container = av.open(
        OwnBytes(stream),
        "r",
        options=options,
        metadata_errors="replace",
        buffer_size=_BUFFER_BYTES,
        io_open=_refuse_others,
    )
    film = _choose(container, path)
    _check(container, film, path, max_pixels)
    for other in container.streams:
        if other is not film:
            other.discard = av.stream.Discard.all
    context = film.codec_context
    context.thread_count = n_threads
    context.thread_type = "SLICE" if n_threads == 1 else "AUTO"
    context.options = {"max_pixels": str(max_pixels)}
    assert film.time_base is not None  # the demuxer of every container gives one
    return FilmSource(path, container, film, film.time_base, _count_others(container, film))


def _refuse_others(url: str, _flags: int, _options: Mapping[str, str]) -> NoReturn:
    """A file that names another file, or an address, is read without it."""
    raise PermissionError(f"a film may not open {Path(url).name}")


def _choose(container: InputContainer, path: str) -> VideoStream:
    """The pictures of the film: those that FFmpeg finds best and that are no cover."""
    films = [each for each in container.streams.video if not each.disposition & _NO_FILM]
    if not films:
        others = ", ".join(f"{n} {word}" for word, n in sorted(_count_others(container, None).items()))
        raise ImageError(path=path, expected="a film", found=f"a file without moving pictures ({others or 'empty'})")
    with contextlib.suppress(IndexError):  # one that came after the others were counted
        best: Any = container.streams.best("video")
        return best if best in films else films[0]
    return films[0]


def _check(container: InputContainer, film: VideoStream, path: str, max_pixels: int) -> None:
    """Can it be decoded here?"""
    if film.codec_context is None:
        found = f"one in {_describe_codec(container)}, for which FFmpeg has no decoder here"
        advice = "convert it to H.264 in MP4"
        raise ImageError(path=path, expected="a film that PyAV decodes", found=found, advice=advice)
    if film.metadata.keys() & _ENCRYPTED_METADATA or film.codec_context.codec_tag in _ENCRYPTED_TAGS:
        raise encrypted(path)
    if not film.width * film.height:
        found = f"one of no size, or of more than {max_pixels} pixels"
        raise ImageError(path=path, expected="a film with frames", found=found)
    if film.width * film.height > max_pixels:
        raise PictureTooLargeError(path, film.width, film.height, max_pixels)


def encrypted(path: str) -> ImageError:
    """What is to be said of an encrypted film."""
    return ImageError("the film is encrypted (DRM), and nothing but its own player reads it", path=path)


def _describe_codec(container: InputContainer) -> str:
    """A codec without a decoder, as FFmpeg describes it to people: nothing else that PyAV gives names it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        found = re.search(r"Video: (\w+)(?: \((\w+) /)?", str(cast(Any, container).dumps_format()))
    finally:
        av.logging.set_level(level)
    names = [name for name in (found.groups() if found else ()) if name and name != "none"]
    return f"the codec {' '.join(names)}" if names else "an unknown codec"


def _count_others(container: InputContainer, film: VideoStream | None) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for each in container.streams:
        if each is not film:
            is_cover = each.type == "video" and each.disposition & _NO_FILM
            counts["cover" if is_cover else _WORDS.get(each.type, "data")] += 1
    return dict(counts)
