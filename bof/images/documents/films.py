"""Films as files with many pictures: each frame is one, by the time at which it is shown (`film.mp4#t=83.240`).

They are not listed: `bof.video` chooses those that become pictures of an index. FFmpeg reads them, by PyAV: in a
process of its own, because decoders meet bytes that nobody has checked.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from PIL import Image

from bof.errors import ImageError
from bof.images.decode import PictureTooLargeError
from bof.images.films.film import Film
from bof.images.films.times import text_of, times_of
from bof.options import MAX_PIXELS
from bof.system.threads import n_threads

_MOST_THREADS = 4
"""Of a decoder for one frame; each needs memory of its own."""

_PICTURE_BRANDS = rb"avi[fs]|he[iv][cxms]|mif1|mi[af]f|msf1|jp[2xmh]|jxl |crx "
_SYNC = 0x47
_PACKET_BYTES = (188, 192, 204)
"""Of MPEG-TS: plain, with a time before (M2TS), with parity behind (DVB)."""

_MAGIC = re.compile(
    rb"""
    .{4} (?: ftyp (?! PICTURE_BRANDS ) | moov | mdat | wide | free | skip | pnot )   # MP4, QuickTime
    | \x1aE\xdf\xa3                       # Matroska, WebM
    | RIFF .{4} AVI[ ]
    | \0\0\x01\xba                        # MPEG-PS
    | FLV [\x01-\x09]
    | \x30\x26\xb2\x75\x8e\x66\xcf\x11     # ASF: WMV
    | OggS .{22} .{1,8} (?: \x80theora | fishead | BBCD | VP80 | \x01video )   # Ogg with pictures
    | \x06\x0e\x2b\x34\x02\x05\x01\x01     # MXF
    """.replace(b"PICTURE_BRANDS", _PICTURE_BRANDS),
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class FilmKind:
    """Films."""

    name: str = "film"
    is_picture: bool = False
    is_isolated: bool = True

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce a film?"""
        return _MAGIC.match(head) is not None or _is_transport_stream(head)

    def open(self, file: str) -> FilmDocument:
        """Open a film. Raises ImageError where it is broken or encrypted, or its extra is missing."""
        return FilmDocument(file, Film(file, n_threads=min(n_threads(), _MOST_THREADS)))


def _is_transport_stream(head: bytes) -> bool:
    """Has it the mark of a packet where packets begin? Those of M2TS begin behind a time of four bytes."""
    for length in _PACKET_BYTES:
        first = length - 188 if length == 192 else 0
        marks = head[first : first + 4 * length : length]
        if len(marks) == 4 and set(marks) == {_SYNC}:
            return True
    return False


@dataclass(frozen=True, slots=True)
class FilmDocument:
    """An open film. Its parts are not listed: there is one at every time."""

    file: str
    film: Film
    parts: Sequence[str] = ()
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def duration(self) -> Fraction:
        """In seconds."""
        return self.film.facts.duration

    def read(self, part: str, max_pixels: int) -> bytes:
        """The frame that is shown at the time of a part, as PNM."""
        times = times_of(part)
        if times is None:
            expected = f"t=SECONDS, a time before {text_of(self.duration)} s, the length of the film"
            raise ImageError(path=self.file, expected=expected, found=part)
        if max_pixels < MAX_PIXELS:
            facts = self.film.facts
            if facts.width * facts.height > max_pixels:
                raise PictureTooLargeError(self.file, facts.width, facts.height, max_pixels)
        written = io.BytesIO()
        Image.fromarray(self.film.frame_at(times.time).pixels).save(written, "PPM")
        return written.getvalue()

    def close(self) -> None:
        """Give the file back."""
        self.film.close()


FILMS = FilmKind()
