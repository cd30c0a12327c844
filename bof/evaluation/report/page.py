"""The page of a report: the summary, the figures, queries as pictures, and a table of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bof.evaluation.report.cases import N_SHOWN, Case, Missed, Ranked, first_counted, has_verified_wrong, is_imperfect
from bof.evaluation.report.figures import FigureFiles, setting_names
from bof.evaluation.report.html import cell, figure, page, row, section, text
from bof.evaluation.report.pictures import Shot, Thumbnail
from bof.evaluation.report.summary import summary
from bof.evaluation.run import MAIN, QueryResult, Report

_WORDS = {"positive": "correct", "negative": "wrong", "junk": "does not count"}

_LEGEND = (
    f'<p class="soft">Each query and its first {N_SHOWN} hits with rank, verdict and score. '
    "The query's own picture is passed over where it does not count.</p>\n"
)


@dataclass(frozen=True, slots=True)
class Material:
    """What a page is made of, apart from the figures of merit.

    worst and wrong: the queries to show as pictures, for a low average precision and for a wrong `same`;
    thumbnails: a file for each of their shots.
    """

    figures: Sequence[FigureFiles]
    worst: Sequence[Case]
    wrong: Sequence[Case]
    thumbnails: Mapping[Shot, Thumbnail]


def build_page(report: Report, whole: Mapping[str, Any], material: Material) -> str:
    """The whole page as HTML. whole: the dictionary that `bof.evaluate` writes as JSON."""
    common = common_folder(report.queries)
    base = f'<p class="soft">Paths are relative to {text(common)}</p>\n' if common else ""
    links = {case.number: f"worst-{case.number}" for case in material.worst}
    links |= {case.number: f"wrong-{case.number}" for case in material.wrong if case.number not in links}
    worst = f"Worst queries: {len(material.worst)} of {sum(map(is_imperfect, report.queries))}"
    wrong = f"Wrong and yet verified: {len(material.wrong)} of {sum(map(has_verified_wrong, report.queries))}"
    body = (
        summary(report, whole)
        + section("Figures", _figures(material.figures))
        + section(worst, _cases(material.worst, "worst", material.thumbnails, common))
        + section(wrong, _cases(material.wrong, "wrong", material.thumbnails, common))
        + section("All queries", base + _table(report, links, common))
    )
    return page(f"{report.benchmark}: retrieval report", body)


def common_folder(results: Sequence[QueryResult]) -> str:
    """The deepest folder that holds every query and hit, "" where only the root of the file system does."""
    paths = {os.path.dirname(path) for r in results for path in (r.image, *(hit.path for hit in r.hits))}
    try:
        common = os.path.commonpath(paths)
    except ValueError:  # none at all, several drives, or relative beside absolute
        return ""
    return "" if common == os.path.dirname(common) else common


def _short(path: str, common: str) -> str:
    """The path below the common folder, as HTML text."""
    return text(path[len(common) :].lstrip(os.sep) if common and path.startswith(common + os.sep) else path)


def _figures(figures: Sequence[FigureFiles]) -> str:
    return f'<div class="figures">\n{"".join(map(_figure, figures))}</div>\n' if figures else ""


def _figure(item: FigureFiles) -> str:
    return (
        f"<figure>\n<h3>{text(item.title)}</h3>\n"
        f'<picture><source srcset="{item.dark}" media="(prefers-color-scheme: dark)">'
        f'<img src="{item.light}" alt="{text(item.description)}"></picture>\n'
        f"<figcaption>{text(item.description)}</figcaption>\n</figure>\n"
    )


# -- Queries as pictures ----------------------------------------------------------------------------------------------


def _cases(cases: Sequence[Case], kind: str, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    if not cases:
        return ""
    return _LEGEND + "".join(_case(case, kind, thumbnails, common) for case in cases)


def _case(case: Case, kind: str, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    result = case.result
    query = _picture("query", case.query, "<b>query</b>", thumbnails, common)
    hits = "".join(_hit(item, thumbnails, common) for item in case.shown)
    group = f' <span class="soft">{text(result.group)}</span>' if result.group else ""
    return (
        f'<article class="case" id="{kind}-{case.number}">\n<h3>{_short(result.image, common)}{group}</h3>\n'
        f'<p class="soft">{_standing(result)}</p>\n<div class="strip">\n{query}{hits}</div>\n'
        f"{_missed(case, thumbnails, common)}</article>\n"
    )


def _standing(result: QueryResult) -> str:
    """The figures of one query in a line."""
    parts = []
    named = {name: setting for name, setting in result.settings.items() if name != MAIN}
    for name, setting in (named or result.settings).items():
        label = "" if name == MAIN else f"{text(name)}: "
        ranks = ", ".join(map(str, setting.positive_ranks[:10])) or "none"
        more = ", …" if len(setting.positive_ranks) > 10 else ""
        parts.append(
            f"{label}AP {setting.average_precision:.4f}, {len(setting.positive_ranks)} of {setting.n_positives} "
            f"correct pictures ranked (ranks {ranks}{more})"
        )
    return "; ".join(parts) or "nothing in the collection shows this query's subject"


def _hit(item: Ranked, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    hit = item.hit
    rank = "" if item.rank is None else f"{item.rank}. "
    caption = f'<span class="word">{rank}{_WORDS[hit.relevance]}</span><br>{text(hit.verdict)}, {hit.score:.2f}'
    return _picture(hit.relevance, Shot(hit.path), caption, thumbnails, common)


def _missed(case: Case, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    """The correct pictures that are not among the hits shown."""
    if not case.n_missed:
        return ""
    hidden = case.n_missed - len(case.missed)
    more = f" ({hidden} more not shown)" if hidden and case.missed else ""
    shown = "".join(_missed_picture(item, thumbnails, common) for item in case.missed)
    strip = f'<div class="strip">\n{shown}</div>\n' if shown else ""
    return f"<p>{case.n_missed} correct, not among these{more}</p>\n{strip}"


def _missed_picture(item: Missed, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    caption = f'<span class="word">{text(item.where)}</span>'
    return _picture("positive", Shot(item.path), caption, thumbnails, common)


def _picture(kind: str, shot: Shot, caption: str, thumbnails: Mapping[Shot, Thumbnail], common: str) -> str:
    """A framed thumbnail over its caption (HTML), or a grey tile where the picture cannot be read."""
    made, name = thumbnails[shot], _short(shot.path, common)
    if made.file:
        shown = f'<img src="{made.file}" alt="{name}" loading="lazy" width="{made.width}" height="{made.height}">'
    else:
        shown = f'<div class="tile" title="{text(made.problem)}">{name}: cannot be read</div>'
    return f'<figure class="{kind}">{shown}<figcaption>{caption}<br>{name}</figcaption></figure>\n'


# -- The table of all queries -----------------------------------------------------------------------------------------

_NUMBERS = ("first correct", "top four", "score", "ms")


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which columns the table has, beside those that it always has."""

    settings: Sequence[str]
    grouped: bool
    top_four: bool

    @property
    def columns(self) -> list[str]:
        precisions = ["AP" if name == MAIN else f"AP {name}" for name in self.settings]
        group, top_four = ["group"] * self.grouped, ["top four"] * self.top_four
        return ["query", *group, *precisions, "first correct", *top_four, "top hit", "is", "verdict", "score", "ms"]


def _table(report: Report, links: Mapping[int, str], common: str) -> str:
    shape = _Shape(setting_names(report), any(r.group for r in report.queries), report.ns is not None)
    columns = ((name, "number" if name in _NUMBERS or name.startswith("AP") else "") for name in shape.columns)
    head = row(f'<th scope="col" class="{kind}"><button>{text(name)}</button></th>' for name, kind in columns)
    rows = (
        row(_cells(result, shape, links.get(number, ""), common)) for number, result in enumerate(report.queries, 1)
    )
    return (
        '<div class="wide"><table class="sortable">\n'
        f"<thead>{head}</thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table></div>\n"
    )


def _cells(result: QueryResult, shape: _Shape, link: str, common: str) -> Iterator[str]:
    name = _short(result.image, common)
    yield cell(f'<a href="#{link}">{name}</a>' if link else name, "name")
    if shape.grouped:
        yield cell(text(result.group))
    for setting in shape.settings:
        measured = result.settings.get(setting)
        yield cell(figure(measured.average_precision if measured else None), "number")
    yield cell(_first_rank(result), "number")
    if shape.top_four:
        yield cell("" if result.top_four is None else str(result.top_four), "number")
    yield from _top_hit_cells(result, common)
    yield cell(figure(1e3 * sum(result.seconds.values()), 1), "number")


def _first_rank(result: QueryResult) -> str:
    main = result.settings.get(MAIN)
    if main is None:
        return ""
    return str(main.positive_ranks[0]) if main.positive_ranks else "none"


def _top_hit_cells(result: QueryResult, common: str) -> Iterator[str]:
    """The first hit that counts: its name, what it is, its verdict and score."""
    hit = first_counted(result)
    if hit is None:
        yield from (cell(""), cell("no hit"), cell(""), cell("", "number"))
        return
    yield cell(_short(hit.path, common), "name")
    yield cell(f'<span class="word {hit.relevance}">{_WORDS[hit.relevance]}</span>')
    yield cell(text(hit.verdict))
    yield cell(figure(hit.score, 2), "number")
