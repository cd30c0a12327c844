"""What `bof index` says of watched pictures, once it has added some."""

from __future__ import annotations

import sys

from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.errors import display_name
from bof.standing_queries.matching import StandingQueries
from bof.system.units import counted

_NAMED = 20


def compare_with_watched(engine: Engine) -> None:
    """Compare what is new with the watch-list, and name on stderr what shows a watched picture."""
    queries = StandingQueries(engine)
    if queries.watch_list.last_compared() is None:
        return
    with stage_bars() as show:
        hits = queries.catch_up(show)
    names = {one.id: one.name for one in queries.watch_list.pictures()}
    for hit in hits[:_NAMED]:
        what = f"{display_name(hit.name)} shows {display_name(names.get(hit.watched, ''))}, which is watched"
        print(f"{what} ({hit.verdict})", file=sys.stderr)
    if len(hits) > _NAMED:
        print(f"and {counted(len(hits) - _NAMED, 'more hit')}; `bof watch-list hits` has all", file=sys.stderr)
