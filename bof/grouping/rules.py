"""The rules by which pictures of a group are compared: each leaves those that are about as good as the best."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bof.errors import display_name
from bof.grouping.detail import Look
from bof.grouping.types import Change, Member
from bof.images.provenance import was_made_from

WHOLE = 0.9
"""A picture that shows less of another than this lacks a part of it."""

ALTERING: frozenset[Change] = frozenset({"turned", "mirrored", "overlaid", "recoloured"})
"""Changes after which bytes and sharpness say nothing of which picture was made from which."""

_MORE_DETAIL = 1.4
"""At one scale an enlarged copy looks up to 1.28 times as sharp as its original; with truly 1.1 times the side, 1.5."""
_SHARPER, _SURELY_SHARPER = 1.5, 2.5
"""Compression makes edges too: a picture that is less compressed than another is less sharp only beyond the second."""
_ABOUT = 1.05
_UNFRAMED = 0.98
_LESS_COMPRESSED = 1.2
_MOST_PAIRED = 40
_SAME_TIME_NS = 2_000_000_000  # FAT's clock

_COPY_NAME = re.compile(
    r"(\(\d{1,3}\)|(?<![a-z])cop(?:y|ie|ia)\d*(?![a-z])|(?<![a-z])kopie?(?![a-z])|(?<![a-z])duplicate(?![a-z])"
    r"|(?<![a-z])resized?(?![a-z])|(?<![a-z])thumb(?:nail)?s?(?![a-z])|(?<![a-z])preview(?![a-z])|~\d{1,3}$"
    r"|副本|拷贝|复件|コピー|사본)",
    re.IGNORECASE,
)
_PASSING_FOLDER = re.compile(
    r"^(downloads?|te?mp|temporary|cache|trash|\.trash.*|recycled?|\$recycle\.bin|duplicates?|copies|thumbs?|thumbnails)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may be kept. altered: what sets it apart from the group's representative, of ALTERING."""

    member: Member
    look: Look
    protected: bool
    altered: frozenset[Change]


@dataclass(frozen=True, slots=True)
class Reason:
    """What the picture to keep has that another has not.

    key: a word for programs, which other languages translate; text: in English; times: how much more or less, where it
    is a matter of degree; name: what is named: a part of a path, a program, a day, changes.
    """

    key: str
    text: str
    times: float | None = None
    name: str = ""


Rule = tuple[Callable[[Sequence[Candidate]], list[Candidate]], Callable[[Candidate, Candidate], Reason]]
"""Which candidates stay, and what the winner has that a loser has not."""


FIRST = Reason("first", "alike in every respect; first by path")


def _keep_protected(some: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in some if candidate.protected] or list(some)


def _keep_whole(some: Sequence[Candidate]) -> list[Candidate]:
    """Those that show as much as any; a coarse picture that shows more does not outdo a fine one that shows less."""
    fineness = {c.member.id: min(_fineness(o) for o in some if o is c or _is_enlarged(c, o)) for c in some}
    finest = max(fineness.values())
    most = max(c.look.area for c in some if fineness[c.member.id] >= finest / 2)
    return [c for c in some if c.look.area >= WHOLE * most] or list(some)


def _fineness(candidate: Candidate) -> float:
    """How many pixels there are to a length of what is shown."""
    return float(candidate.look.n_pixels / candidate.look.area) ** 0.5 if candidate.look.area else 0.0


def _is_enlarged(one: Candidate, other: Candidate) -> bool:
    """Has one picture more pixels to a length than another, and no more detail in them?"""
    if one.look.detail is None or other.look.detail is None or _fineness(one) <= _fineness(other):
        return False
    return one.look.detail < _MORE_DETAIL * other.look.detail


def is_finer_part(one: Candidate, other: Candidate) -> bool:
    """Does one picture show a part of what another shows, and in more detail? A print, and a photograph of its wall."""
    shows_less = one.look.area < WHOLE * other.look.area
    return shows_less and _fineness(one) > _ABOUT * _fineness(other) and not _is_enlarged(one, other)


def _say_whole(winner: Candidate, loser: Candidate) -> Reason:
    return _more("whole", "shows {} as much of the picture", winner.look.area, loser.look.area)


def _keep_sources(some: Sequence[Candidate]) -> list[Candidate]:
    """Those that were not stored again from the pixels of another of the same size; of very many nothing is asked."""
    if len(some) > _MOST_PAIRED:
        return list(some)
    return [c for c in some if not any(_is_source_of(other, c) for other in some)] or list(some)


def _is_source_of(one: Candidate, other: Candidate) -> bool:
    if one is other or one.look.provenance is None or other.look.provenance is None:
        return False
    return was_made_from(other.look.provenance, one.look.provenance)


def _say_source(winner: Candidate, loser: Candidate) -> Reason:
    own, other = winner.look.provenance, loser.look.provenance
    if own and other and own.coarseness < other.coarseness:
        return Reason("finer_steps", "less compressed (finer steps of JPEG)")
    return Reason("source", "the other was stored again from its pixels")


def _keep_from_camera(some: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in some if c.look.provenance and c.look.provenance.has_camera] or list(some)


def _keep_unedited(some: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in some if not (c.look.provenance and c.look.provenance.editor)] or list(some)


def _say_unedited(winner: Candidate, loser: Candidate) -> Reason:
    editor = display_name(loser.look.provenance.editor if loser.look.provenance else "")
    return Reason("unedited", f"not stored by {editor}", name=editor)


def _keep_pixels(some: Sequence[Candidate]) -> list[Candidate]:
    """Those with the most pixels that hold detail; of these, those that are not enlarged."""
    true = {c.member.id: min(o.look.n_pixels for o in some if _is_as_detailed(o, c)) for c in some}
    most = max(true.values())
    best = [c for c in some if true[c.member.id] * _ABOUT >= most]
    least = min(c.look.n_pixels for c in best)
    return [c for c in best if c.look.n_pixels <= _ABOUT * least]


def _is_as_detailed(one: Candidate, other: Candidate) -> bool:
    """Has one picture, of no more pixels, all the detail of the other?"""
    if one is other or one.look.detail is None or other.look.detail is None:
        return one is other
    return one.look.n_pixels <= other.look.n_pixels and other.look.detail < _MORE_DETAIL * one.look.detail


def _say_pixels(winner: Candidate, loser: Candidate) -> Reason:
    own, other = winner.look.n_pixels, loser.look.n_pixels
    if own >= other:
        return _more("pixels", "{} the pixels", own, other)
    return _more("not_enlarged", "not enlarged ({} the pixels hold no more detail)", other, own)


def _keep_unframed(some: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in some if not _is_framed(c)] or list(some)


def _is_framed(candidate: Candidate) -> bool:
    return candidate.look.n_pixels < _UNFRAMED * candidate.member.width * candidate.member.height


def _keep_usual(some: Sequence[Candidate]) -> list[Candidate]:
    """Those that were altered as most were: a picture is mirrored once, and copied many times, before and after."""
    counts = Counter(candidate.altered for candidate in some)
    return [c for c in some if counts[c.altered] == max(counts.values())]


def _say_usual(winner: Candidate, loser: Candidate) -> Reason:
    changes = sorted(winner.altered ^ loser.altered)
    return Reason("usual", f"like most of the group (not {' or '.join(changes)})", name=" ".join(changes))


def _keep_sharp(some: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in some if not any(_is_sharper(other, c) for other in some)] or list(some)


def _is_sharper(one: Candidate, other: Candidate) -> bool:
    if one.look.detail is None or other.look.detail is None:
        return False
    denser = _density(other) >= _LESS_COMPRESSED * _density(one)
    return one.look.detail >= (_SURELY_SHARPER if denser else _SHARPER) * other.look.detail


def _say_sharp(winner: Candidate, loser: Candidate) -> Reason:
    size = winner.look.n_pixels / max(loser.look.n_pixels, 1.0)
    is_same_size = 1 / _ABOUT <= size <= _ABOUT
    return Reason("sharper", "sharper at the same size" if is_same_size else "sharper")


def _density(candidate: Candidate) -> float:
    return candidate.member.n_bytes / max(1, candidate.member.width * candidate.member.height)


def _keep_dense(some: Sequence[Candidate]) -> list[Candidate]:
    """Only among pictures that were altered alike: drawing over a picture and storing it again takes more bytes."""
    return list(some) if len({candidate.altered for candidate in some}) > 1 else _least_lossy(some)


def _keep_dense_of_mirrored(some: Sequence[Candidate]) -> list[Candidate]:
    """The same among mirrored pictures, where nothing else tells: to mirror a picture takes no bytes."""
    return list(some) if len({candidate.altered - {"mirrored"} for candidate in some}) > 1 else _least_lossy(some)


def _least_lossy(some: Sequence[Candidate]) -> list[Candidate]:
    if any(map(_is_lossless, some)):
        return [c for c in some if _is_lossless(c)]
    steps = [_coarseness(c) for c in some]
    if all(steps):
        return [c for c, step in zip(some, steps, strict=True) if step <= _ABOUT * min(steps)]
    most = max(map(_density, some))
    return [c for c in some if _density(c) * _ABOUT >= most]


def _coarseness(candidate: Candidate) -> float:
    """The mean quantisation step of a JPEG, 0 of other files."""
    return candidate.look.provenance.coarseness if candidate.look.provenance else 0.0


def _is_lossless(candidate: Candidate) -> bool:
    return candidate.look.provenance is not None and candidate.look.provenance.is_lossless


def _say_dense(winner: Candidate, loser: Candidate) -> Reason:
    if _is_lossless(winner) and not _is_lossless(loser):
        return Reason("lossless", "stored without loss")
    if _coarseness(winner) and _coarseness(loser):
        text = "less compressed (steps of JPEG {} as large)"
        return _more("smaller_steps", text, _coarseness(winner), _coarseness(loser))
    return _more("bytes", "less compressed ({} the bytes for a pixel)", _density(winner), _density(loser))


def _keep_well_placed(some: Sequence[Candidate]) -> list[Candidate]:
    marks = {c.member.id: len(marks_of(Path(c.member.path))) for c in some}
    return [c for c in some if marks[c.member.id] == min(marks.values())]


def _say_well_placed(winner: Candidate, loser: Candidate) -> Reason:
    own, others = marks_of(Path(winner.member.path)), marks_of(Path(loser.member.path))
    mark = display_name(next((mark for mark in others if mark not in own), others[0]))
    return Reason("folder", f"no {mark!r} in its path", name=mark)


def _say_older(winner: Candidate, loser: Candidate) -> Reason:
    return Reason("oldest", f"the older file ({_day(winner.member)})", name=_day(winner.member))


def _say_newer(winner: Candidate, loser: Candidate) -> Reason:
    return Reason("newest", f"the newer file ({_day(winner.member)})", name=_day(winner.member))


def marks_of(path: Path) -> list[str]:
    """What in a path speaks of a copy or of a folder that things only pass through."""
    found = _COPY_NAME.findall(path.stem)
    return [text.strip(" _-") for text in found] + [part for part in path.parts[:-1] if _PASSING_FOLDER.match(part)]


def _keep_oldest(some: Sequence[Candidate]) -> list[Candidate]:
    first = min(c.member.mtime_ns for c in some)
    return [c for c in some if c.member.mtime_ns <= first + _SAME_TIME_NS]


def _keep_newest(some: Sequence[Candidate]) -> list[Candidate]:
    last = max(c.member.mtime_ns for c in some)
    return [c for c in some if c.member.mtime_ns >= last - _SAME_TIME_NS]


def _day(member: Member) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(member.mtime_ns // 1_000_000_000))


def _always(key: str, text: str) -> Callable[[Candidate, Candidate], Reason]:
    """What needs no figures."""
    return lambda winner, loser: Reason(key, text)


def _more(key: str, text: str, much: float, little: float) -> Reason:
    """A matter of degree. text: with {} for how many times."""
    return Reason(key, text.format(_times(much, little)), round(much / max(little, 1e-9), 2))


def _times(much: float, little: float) -> str:
    factor = much / max(little, 1e-9)
    places = 0 if factor >= 9.95 else 1 if factor >= 1.05 else 2
    return f"{factor:.{places}f} times"


MIRRORED: Rule = (_keep_dense_of_mirrored, _say_dense)
FIRST_BY_PATH: Rule = (lambda some: list(some[:1]), lambda winner, loser: FIRST)
UNFRAMED: Rule = (_keep_unframed, _always("unframed", "without a frame"))
SOURCE: Rule = (_keep_sources, _say_source)
CAMERA: Rule = (_keep_from_camera, _always("camera", "with its camera's data"))
UNEDITED: Rule = (_keep_unedited, _say_unedited)
USUAL: Rule = (_keep_usual, _say_usual)
PROTECTED: Rule = (_keep_protected, _always("protected", "in a protected folder"))
WHOLE_PICTURE: Rule = (_keep_whole, _say_whole)
BY_NAME: Mapping[str, Rule] = MappingProxyType(
    {
        "pixels": (_keep_pixels, _say_pixels),
        "sharpness": (_keep_sharp, _say_sharp),
        "bytes": (_keep_dense, _say_dense),
        "folder": (_keep_well_placed, _say_well_placed),
        "oldest": (_keep_oldest, _say_older),
        "newest": (_keep_newest, _say_newer),
    }
)
