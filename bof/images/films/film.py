"""An opened film: its facts, and its frames at their presentation times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bof.errors import ImageError
from bof.images.films.times import text_of
from bof.images.films.types import FilmFacts, Frame
from bof.options import MAX_PIXELS

if TYPE_CHECKING:
    from bof.images.films.picture import DecodedFrame

FILM_EXTRA, FILM_LIBRARY = "video", "av"
BEGINNING = Fraction(0)


def can_read_films() -> bool:
    """Is what reads films installed?"""
    return find_spec(FILM_LIBRARY) is not None


class Film:
    """A film of a file. One reading goes on at a time: a new one ends those before it."""

    def __init__(self, path: str, *, n_threads: int = 1, max_pixels: int = MAX_PIXELS) -> None:
        """n_threads: of the decoder, 0: as many as the machine has cores, where somebody waits.

        Raises ImageError where there is no film, it cannot be decoded, or the extra is missing, PictureTooLargeError
        before a frame of more than max_pixels is decoded.
        """
        if not can_read_films():
            advice = f'pip install "bof-search[{FILM_EXTRA}]"'
            raise ImageError("a film, which PyAV reads: it is not installed", path=path, advice=advice)
        from bof.images.films.reader import FilmReader

        self._reader = FilmReader(path, n_threads, max_pixels)

    @property
    def facts(self) -> FilmFacts:
        """What the film says of itself, as far as it is so: its duration is that of the frames that are there."""
        return self._reader.facts

    @property
    def flaws(self) -> Counter[str]:
        """What was wrong with what was read until now, how often, by kind."""
        return self._reader.flaws

    def decoded(self, start: Fraction = BEGINNING, stop: Fraction | None = None) -> Iterator[DecodedFrame]:
        """Every frame that is shown from start on and before stop, in order of time; the first is the one shown at
        start. Of each, pixels are made in the sizes that are asked for. Raises ImageError.
        """
        return self._reader.decoded(start, stop)

    def frames(
        self, start: Fraction = BEGINNING, stop: Fraction | None = None, *, max_side: int | None = None,
        grey: bool = False,
    ) -> Iterator[Frame]:  # fmt: skip
        """The same as pixels. max_side: they are shrunk to so long a side; grey: u8 (h, w), else RGB u8 (h, w, 3)."""
        for found in self.decoded(start, stop):
            yield Frame(found.time, found.grey(max_side) if grey else found.rgb(max_side))

    def frame_at(self, time: Fraction, *, max_side: int | None = None, grey: bool = False) -> Frame:
        """The frame that is shown at a time. Raises ImageError where the film is over by then."""
        found = next(self.frames(time, max_side=max_side, grey=grey), None)
        if found is None:
            expected = f"a time before {text_of(self.facts.duration)} s, the length of the film"
            raise ImageError(path=self._reader.path, expected=expected, found=f"{text_of(time)} s")
        return found

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
