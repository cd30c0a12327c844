"""Which picture of a group to keep, and why, in words.

Rules are asked one after another; each leaves those that are about as good as the best, until one is left. So the
answer does not hang on the order of the members, and the rule that decided is the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.grouping.detail import Look
from bof.grouping.frames import wound
from bof.grouping.rules import (
    ALTERING,
    BY_NAME,
    CAMERA,
    FIRST,
    FIRST_BY_PATH,
    MIRRORED,
    PROTECTED,
    SOURCE,
    UNEDITED,
    UNFRAMED,
    USUAL,
    WHOLE,
    WHOLE_PICTURE,
    Candidate,
    Reason,
    Rule,
    is_finer_part,
)
from bof.grouping.types import Group, Member
from bof.options import KEEP

_BY_LOOK = ("pixels", "sharpness")
NONE_STANDS = "no file of the group is as it was indexed"
DEFAULT_RULES = ("pixels", "sharpness", "bytes", "folder", "oldest")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do with one group.

    keeper: the member to keep, None where no file of the group stands as it was indexed; reasons: of each other member,
    by id, why it gives way; held: of members, by id, why they must not be touched although they are duplicates
    (protected, gone, showing more than the keeper); looks: what was found of each file.
    """

    keeper: Member | None
    reasons: Mapping[int, Reason]
    held: Mapping[int, str]
    looks: Mapping[int, Look]

    @property
    def against(self) -> dict[int, str]:
        """Of each other member, by id, why it gives way, in words."""
        return {number: reason.text for number, reason in self.reasons.items()}

    @property
    def arguments(self) -> list[Reason]:
        """What speaks for the one to keep: each argument once, with its least number."""
        least: dict[str, Reason] = {}
        for reason in self.reasons.values():
            key = re.sub(r"[0-9.]+", "", reason.text)
            least[key] = min(least.get(key, reason), reason, key=lambda one: _number(one.text))
        return [reason for reason in least.values() if reason != FIRST] or [FIRST]

    @property
    def why(self) -> str:
        """Why it is kept, in words."""
        if self.keeper is None:
            return NONE_STANDS
        texts = [reason.text for reason in self.arguments]
        return "; ".join([*texts[:3], *([f"{len(texts) - 3} more reasons"] if len(texts) > 3 else [])])


def choose(
    group: Group, looks: Mapping[int, Look], protected: Sequence[Path] = (), first_rules: Sequence[str] = ()
) -> Choice:
    """The member to keep and why. protected: folders whose pictures stay; first_rules: names of RULES, asked first.

    Raises OptionError for a rule that there is none of.
    """
    KEEP.check(first_rules)
    members = sorted(group.members, key=lambda member: (os.fsencode(member.path), member.id))
    altered = {member.id: ALTERING & set(link.changes) for member, link in group.others}
    all_of = [
        Candidate(m, looks[m.id], is_protected(m.path, protected), altered.get(m.id, frozenset())) for m in members
    ]
    candidates = [candidate for candidate in all_of if not candidate.look.problem]
    if not candidates:
        return Choice(None, {}, _held(all_of, None, group), looks)
    reasons: dict[int, Reason] = {}
    lost: list[tuple[Rule, list[Candidate]]] = []
    for rule in _rules(first_rules, of_one_picture=group.kind != "scene"):
        best = rule[0](candidates)
        lost.append((rule, [candidate for candidate in candidates if candidate not in best]))
        candidates = best
    winner = candidates[0]
    for (_, say), losers in lost:
        reasons |= {loser.member.id: say(winner, loser) for loser in losers}
    return Choice(winner.member, reasons, _held(all_of, winner, group), looks)


def _rules(first: Sequence[str], *, of_one_picture: bool) -> list[Rule]:
    """Every rule in the order in which they are asked."""
    names = list(dict.fromkeys([*first, *DEFAULT_RULES]))
    if "newest" in names:
        names.remove("oldest")
    whole = [WHOLE_PICTURE] if of_one_picture else []
    chosen = [BY_NAME[name] for name in first if name in names]
    rest = [BY_NAME[name] for name in names if name not in first]
    # A frame says that a picture was made from another, whose resampling can look sharper. What EXIF and alterations
    # say comes after pixels and sharpness and before bytes.
    framed, place = (sum(name in some for name in names if name not in first) for some in (("pixels",), _BY_LOOK))
    origin = [CAMERA, UNEDITED, USUAL]
    later = [*rest[:framed], UNFRAMED, *rest[framed:place], *origin, *rest[place:]]
    return [PROTECTED, *whole, *chosen, SOURCE, *later, MIRRORED, FIRST_BY_PATH]


def _number(words: str) -> float:
    found = re.search(r"[0-9]+(\.[0-9]+)?", words)
    return float(found[0]) if found else 0.0


def is_protected(path: str | Path, folders: Sequence[Path]) -> bool:
    """Does a file lie in one of the folders or below, by its name or by where links lead?"""
    places = {os.path.abspath(path), os.path.realpath(path)}
    roots = {place for folder in folders for place in (os.path.abspath(folder), os.path.realpath(folder))}
    return any(place == root or place.startswith(root.rstrip(os.sep) + os.sep) for place in places for root in roots)


def _held(all_of: Sequence[Candidate], winner: Candidate | None, group: Group) -> dict[int, str]:
    """Which members must not be touched, and why."""
    held = {}
    for candidate in all_of:
        if candidate is winner:
            continue
        if candidate.look.problem:
            held[candidate.member.id] = candidate.look.problem
        elif candidate.protected:
            held[candidate.member.id] = "is in a protected folder"
        elif winner and candidate.look.inode == winner.look.inode:
            held[candidate.member.id] = "is one file with the kept one already"
        elif winner and group.kind != "scene" and not _shows(winner.look, candidate.look):
            held[candidate.member.id] = "shows parts that the kept picture lacks"
        elif winner and group.kind != "scene" and is_finer_part(candidate, winner):
            held[candidate.member.id] = "shows a part in more detail than the kept picture"
    return held


def _shows(look: Look, other: Look) -> bool:
    """Does one picture show all, or nearly all, that another shows?"""
    one, two = wound(look.outline), wound(other.outline)
    if not (np.isfinite(one).all() and np.isfinite(two).all() and other.area > 0):
        return False
    return float(cv2.intersectConvexConvex(one, two)[0]) >= WHOLE * other.area
