"""Where a picture lies: it is a file, or a part of one (a page, a frame, a file in an archive)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_PART = re.compile(r"(?s)(?P<file>.+?)[/\\]#(?P<part>(?:page|frame|member|t)=.+)\Z")
_SPOKEN = re.compile(r"#(?:page|frame|member|t)=(?=.)", re.DOTALL)


Stamp = tuple[int, int]
"""Size in bytes and time of modification, in nanoseconds, of the file that a picture is or lies in."""


@dataclass(frozen=True, slots=True)
class Address:
    """A file, and what of it: part is `page=12`, `page=12&image=2`, `frame=7`, `t=83.240&shot=80.080,91.440` (a
    frame of a film, in seconds, and its shot), `member=NAME` (percent-encoded), or nothing for the whole file.

    As text it is a path *in* the file, `/books/a.pdf/#page=12`: no such file can exist beside a file `/books/a.pdf`,
    and what joins paths, sorts them, or looks whether one lies below another does right by it.
    """

    file: str
    part: str = ""

    @classmethod
    def parse(cls, path: str | os.PathLike[str]) -> Address:
        """The address of a path as the index has it."""
        text = os.fspath(path)
        found = _PART.match(text)
        return cls(found["file"], found["part"]) if found else cls(text)

    @classmethod
    def parse_spoken(cls, text: str) -> Address:
        """The address of what a person writes: `a.pdf#page=12` is a page, unless there is a file of that name."""
        places = [] if os.path.lexists(text) else [found.start() for found in _SPOKEN.finditer(text) if found.start()]
        if not places:
            return cls.parse(text)
        place = next((place for place in places if os.path.isfile(text[:place])), places[0])
        word, _, value = text[place + 1 :].partition("=")
        return cls(text[:place].rstrip("/\\"), part_of_member(value) if word == "member" else f"{word}={value}")

    @classmethod
    def file_name(cls, path: str, name: str) -> str:
        """What the file is called of the picture with this path and this name."""
        address = cls.parse(path)
        return name.removesuffix(address.name("")) if address.part else name

    def __str__(self) -> str:
        return os.path.join(self.file, f"#{self.part}") if self.part else self.file

    @property
    def is_frame(self) -> bool:
        """Is it a frame of a film?"""
        return self.part.startswith("t=")

    @property
    def link(self) -> str:
        """What opens it in a viewer: of a picture in a PDF its page (`a.pdf#page=12`), of a frame of a film its time
        (`a.mp4#t=83.240`); of others, the file.
        """
        return f"{self.file}#{self.part.partition('&')[0]}" if self.part.startswith(("page=", "t=")) else self.file

    def name(self, file_name: str) -> str:
        """What the picture is called where its file is called file_name: `a.pdf#page=12`, `a.zip#member=b/c.jpg`,
        `a.mp4#t=83.240`.
        """
        shown = self.part.partition("&shot=")[0] if self.is_frame else self.part
        return f"{file_name}#{unquote(shown, errors='surrogateescape')}" if shown else file_name


def part_of_member(member: str) -> str:
    """The part that is a file in an archive; it has no slash, so that nothing changes it as a path."""
    return "member=" + quote(os.fsencode(member), safe=" ()=&+,")


def member_of(part: str) -> str:
    """The name in its archive of the part that `part_of_member` made."""
    return unquote(part.removeprefix("member="), errors="surrogateescape")


def is_part(path: str | os.PathLike[str]) -> bool:
    """Is the picture of this path a part of a file?"""
    return _PART.match(os.fspath(path)) is not None


def file_of(path: str | os.PathLike[str]) -> str:
    """The file in which the picture of this path lies: itself, where it is one."""
    return Address.parse(path).file


# -- Pictures on other machines ---------------------------------------------------------------------------------------

_REMOTE = "remote:"


def path_of_remote(url: str) -> str:
    """What stands in the place of a path for a picture that lies on another machine; no absolute path is like it."""
    return _REMOTE + quote(url, safe="")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Does the picture of this path lie on another machine? Then there is no file, but for what the index stores."""
    return os.fspath(path).startswith(_REMOTE)


def url_of_remote(path: str | os.PathLike[str]) -> str:
    """The URL that `path_of_remote` made the path of."""
    return unquote(os.fspath(path).removeprefix(_REMOTE))
