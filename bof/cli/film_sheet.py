"""The contact sheet of a film: `bof index --contact-sheet FILM FILE`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from bof.engine import Engine
from bof.errors import ImageError, OptionError, display_name, reason_of
from bof.images.address import Address
from bof.images.contact_sheet import draw_contact_sheet
from bof.images.draw import encode_jpeg
from bof.images.films.film import Film
from bof.images.films.times import FrameTimes, text_of, times_of
from bof.store.catalog import ImageRecord
from bof.system.files import write_file
from bof.system.units import counted
from bof.types import U8

_FRAME_PX, _N_COLUMNS, _MOST_FRAMES = 320, 6, 600
"""A sheet of more frames would be longer than a JPEG may be."""


def contact_sheet_action(engine: Engine, arguments: argparse.Namespace) -> int:
    """Draw what the index has of a film. Raises OptionError where that is nothing."""
    film, target = arguments.contact_sheet
    path, every = frames_of(engine.records(), film)
    shown = every[:: -(-len(every) // _MOST_FRAMES)]
    captions = [f"{text_of(one.time)} s" for one in shown]
    data = encode_jpeg(draw_contact_sheet(_pixels(path, shown), captions, _N_COLUMNS))
    try:
        write_file(target, data)
    except OSError as error:
        raise ImageError(f"cannot be written: {reason_of(error)}", path=target) from error
    left_out = "" if len(shown) == len(every) else f" of {len(every)}"
    print(f"drew {counted(len(shown), 'frame')}{left_out} of {display_name(path)}: {display_name(target)}")
    return 0


def frames_of(records: Sequence[ImageRecord], film: Path) -> tuple[str, list[FrameTimes]]:
    """The film's path, and the times of the frames that the index has of it, in order.

    film: as a path, or as the index names it. Raises OptionError where there is none.
    """
    names = {str(film), os.path.abspath(film)}
    found: dict[str, list[FrameTimes]] = {}
    for record in records:
        address = Address.parse(record.path)
        times = times_of(address.part)
        if times is not None and names & {address.file, Address.file_name(record.path, record.name)}:
            found.setdefault(address.file, []).append(times)
    if len(found) != 1:
        advice = "name it as {export} does, or by its path"
        what = f"{len(found)} of that name" if found else "none"
        raise OptionError(option="contact_sheet", path=film, expected="a film of the index", found=what, advice=advice)
    ((path, times_found),) = found.items()
    return path, sorted(times_found, key=lambda one: one.time)


def _pixels(path: str, shown: Sequence[FrameTimes]) -> list[U8]:
    with Film(path, n_threads=0) as film:
        return [film.frame_at(one.time, max_side=_FRAME_PX).pixels for one in shown]
