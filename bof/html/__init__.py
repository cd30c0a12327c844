"""Pages of HTML: templates that escape every value, on one base and with one style sheet."""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from bof.errors import display_name
from bof.system.units import human_bytes

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_MARK = '<meta name="generator" content="{}">'
_MARK_BYTES = 1000


@dataclass(frozen=True, slots=True)
class PageImage:
    """A picture on a page: its address and its size in pixels; where src is empty, problem says why there is none."""

    src: str
    width: int = 0
    height: int = 0
    problem: str = ""


def inline_jpeg(data: bytes) -> str:
    """The address of a picture that lies in the page itself. data: a JPEG file."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def render(template: str, generator: str, **values: object) -> str:
    """The page that bof/html/templates/`template` makes of the values, with the name of its generator in its head.

    Every value becomes text, also within an attribute: it cannot become markup. Bytes that are no UTF-8 and control
    characters are shown as escapes. Raises jinja2.UndefinedError where the template names a value that is missing.
    """
    return _environment().get_template(template).render(generator=generator, **values)


def is_made_by(generator: str, page: Path) -> bool:
    """Whether a file is a page that `render` made for the generator."""
    if not page.is_file():
        return False
    with page.open("rb") as stream:
        return _MARK.format(generator).encode() in stream.read(_MARK_BYTES)


@functools.cache
def _environment() -> Environment:
    # A search makes no page, so it does not wait for jinja2.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_FOLDER / "templates", _FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(bytes=human_bytes, fixed=_fixed, sha256=_sha256)
    return environment


def _as_text(value: object) -> object:
    """What is shown of a value, before it is escaped; markup of the templates themselves stays as it is."""
    if hasattr(value, "__html__"):
        return value
    return display_name(value if isinstance(value, (str, PathLike)) else str(value))


def _fixed(value: float | None, places: int = 4) -> str:
    """A number with so many decimal places, nothing for None."""
    return "" if value is None else f"{value:.{places}f}"


def _sha256(text: str) -> str:
    """The hash by which a content security policy knows a script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
