"""Pictures that bof writes carry a mark: it overwrites its own, and never somebody's photograph."""

from __future__ import annotations

from pathlib import Path

from bof.errors import OptionError
from bof.images.decode import kind_of

_START = b"\xff\xd8"
_TEXT = b"made by bof"
_MARK = b"\xff\xfe" + (len(_TEXT) + 2).to_bytes(2, "big") + _TEXT
"""A comment of JPEG (ITU T.81, B.2.4.5), right behind the start of the file."""

_HEAD_BYTES = 64


def marked(jpeg: bytes) -> bytes:
    """A JPEG file as one that bof made."""
    return _START + _MARK + jpeg.removeprefix(_START)


def require_no_photograph(path: Path, option: str) -> None:
    """Raises OptionError where a file of this name is a picture that bof did not make."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:  # there is none, or writing will say why it cannot be
        return
    if kind_of(head) is not None and not head.startswith(_START + _MARK):
        advice = f"name another {{{option}}}, or delete it first"
        raise OptionError(option=option, path=path, expected="a new file", found="a picture of yours", advice=advice)
