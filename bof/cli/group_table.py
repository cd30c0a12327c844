"""Groups of duplicates, and what is done to them, as lines for people: totals first, then what frees most."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bof.errors import display_name
from bof.grouping.actions import FileAction, Outcome
from bof.grouping.journal import Action
from bof.grouping.records import Judged
from bof.grouping.types import KINDS, Link, Member
from bof.system.units import counted, human_bytes

_WORDS: Mapping[Action, tuple[str, str]] = MappingProxyType({
    "move": ("move", "moved"),
    "link": ("link", "linked"),
    "trash": ("put into the trash", "put into the trash"),
})  # fmt: skip

_MEMBERS_SHOWN = 12
"""Of a group, unless all groups are asked for."""


def print_groups(judged: Sequence[Judged], n_pictures: int, most: int) -> None:
    """Totals, by kind too, then the first `most` groups, 0: all of them. judged: those that free most first."""
    _print_totals(judged, n_pictures)
    shown = judged[:most] if most else judged
    for one in shown:
        _print_group(one, _MEMBERS_SHOWN if most else len(one.group.members))
    if rest := judged[len(shown) :]:
        n_bytes = human_bytes(sum(one.bytes_to_free for one in rest))
        how = "--groups 0 prints all, --json-file FILE and --csv FILE write them"
        print(f"... and {counted(len(rest), 'more group')}, {n_bytes} to free ({how})")


def _print_totals(judged: Sequence[Judged], n_pictures: int) -> None:
    groups = counted(len(judged), "group")
    others = counted(sum(len(one.group.others) for one in judged), "duplicate")
    n_bytes = human_bytes(sum(one.bytes_to_free for one in judged))
    print(f"{groups} among {counted(n_pictures, 'picture')}: {others}, {n_bytes} to free")
    of_kind = {kind: [one for one in judged if one.group.kind == kind] for kind in KINDS}
    if sum(map(bool, of_kind.values())) > 1:
        for kind, some in of_kind.items():
            if some:
                n_bytes = human_bytes(sum(one.bytes_to_free for one in some))
                print(f"  {kind:<5}  {counted(len(some), 'group')}, {n_bytes}")


def _print_group(one: Judged, most: int) -> None:
    n_bytes = f", frees {human_bytes(one.bytes_to_free)}" if one.bytes_to_free else ""
    print(f"group {one.number}: {one.group.kind}, {len(one.group.members)} pictures{n_bytes}")
    print(f"  {'':<5}  {'size':<13}  {'bytes':>7}  {'agree':>5}  {'points':>6}  name")
    members = list(one.members())
    for member, link in members[:most]:
        _print_member(one, member, link)
    if len(members) > most:
        print(f"  ... and {len(members) - most} more")
    if one.choice.keeper is None:
        print(f"  none to keep: {one.choice.why}")


def _print_member(one: Judged, member: Member, link: Link | None) -> None:
    role = "keep" if one.is_keeper(member) else link.kind if link else "head"
    agreement = "" if link is None or link.agreement is None else f"{link.agreement:.2f}"
    points = str(link.n_inliers) if link and link.n_inliers else ""
    size = f"{member.width} x {member.height}"
    columns = f"{role:<5}  {size:<13}  {human_bytes(member.n_bytes):>7}  {agreement:>5}  {points:>6}"
    print(f"  {columns}  {display_name(member.name)}")
    changes = [", ".join(link.changes)] if link and link.changes and not one.is_keeper(member) else []
    words = "; ".join([*changes, *([one.why(member)] if one.why(member) else [])])
    if words:
        print(f"  {'':<44}  {display_name(words)}")


# -- Actions ----------------------------------------------------------------------------------------------------------


def print_plan(file_actions: Sequence[FileAction], action: Action, most: int) -> None:
    """What would be done: the sum first, then the first `most` files of it, and of those left alone; 0: all."""
    verb, _ = _WORDS[action]
    todo = [one for one in file_actions if not one.refusal]
    n_bytes = human_bytes(sum(one.member.n_bytes for one in todo))
    print(f"would {verb} {counted(len(todo), 'file')}, {n_bytes}; nothing was done, --yes does it")
    _print_some([_words_of(one, action) for one in todo], most)
    left = [f"leaves {display_name(one.member.name)}: {one.refusal}" for one in file_actions if one.refusal]
    _print_some(left, most)


def _words_of(file_action: FileAction, action: Action) -> str:
    verb, _ = _WORDS[action]
    keeper = display_name(file_action.keeper.name) if file_action.keeper else ""
    where = f" to {display_name(file_action.target)}" if file_action.target else ""
    where = f" to {keeper}" if action == "link" else where
    return f"would {verb} {display_name(file_action.member.name)}{where} (keeps {keeper})"


def print_outcomes(outcomes: Sequence[Outcome], action: Action, most: int) -> int:
    """What was done and what was left alone; what failed goes to stderr. Returns the exit status."""
    _, past = _WORDS[action]
    done = [outcome for outcome in outcomes if not outcome.problem]
    failed = [outcome for outcome in outcomes if outcome.failed]
    for outcome in failed:
        print(f"failed {display_name(outcome.file_action.member.name)}: {outcome.problem}", file=sys.stderr)
    left = [outcome for outcome in outcomes if outcome.problem and not outcome.failed]
    _print_some([f"left {display_name(one.file_action.member.name)}: {one.problem}" for one in left], most)
    n_bytes = human_bytes(sum(outcome.file_action.member.n_bytes for outcome in done))
    print(f"{past} {counted(len(done), 'file')}, {n_bytes}; {len(left)} left alone, {len(failed)} failed")
    return 1 if failed else 0


def _print_some(lines: Sequence[str], most: int) -> None:
    for line in lines[: most or len(lines)]:
        print(line)
    if most and len(lines) > most:
        print(f"... and {counted(len(lines) - most, 'more file')} (--groups 0 prints all)")
