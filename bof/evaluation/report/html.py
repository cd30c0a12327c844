"""The HTML of a report in small pieces: escaping, tables, and the page that holds them, with its style and script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from os import PathLike

from bof.images.decode import display_name

# A report says who wrote it: only such a folder is overwritten.
MARK = '<meta name="generator" content="bof.report">'

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #24292f; --soft: #59636e; --line: #d5dae0; --tint: #f4f6f8;
  --link: #0b5cad; --good: #1b8a4b; --bad: #c8322b; --junk: #8a919a; --bar: #0b6bcb; }
@media (prefers-color-scheme: dark) { :root { --paper: #16191d; --ink: #d6dbe1; --soft: #98a1ac; --line: #353b43;
  --tint: #1f242a; --link: #7ab8f5; --good: #45b877; --bad: #f0716a; --junk: #7d858f; --bar: #62aef7; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; }
p { margin: 0.25rem 0; }
a { color: var(--link); }
.soft, caption, figcaption { color: var(--soft); }
.alert { border-left: 4px solid var(--bad); padding-left: 0.75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0; }
.tiles div { background: var(--tint); border-radius: 8px; padding: 0.6rem 0.9rem; }
.tiles dt { color: var(--soft); font-size: 0.85rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 1rem 0.3rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
.facts th { font-weight: 400; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
.wide { overflow: auto; max-height: 80vh; border: 1px solid var(--line); border-radius: 8px; }
.wide table { min-width: 100%; }
.wide th, .wide td { padding: 0.3rem 0.75rem; }
.wide thead th { position: sticky; top: 0; background: var(--tint); cursor: pointer; white-space: nowrap; }
.wide thead button { all: unset; cursor: pointer; }
.wide thead button:focus-visible { outline: 2px solid var(--link); }
.wide thead button::after { content: "\\2195"; margin-left: 0.3em; color: var(--junk); }
th[aria-sort="ascending"] button::after { content: "\\2191"; color: inherit; }
th[aria-sort="descending"] button::after { content: "\\2193"; color: inherit; }
.wide td { white-space: nowrap; }
.wide td.name { white-space: normal; min-width: 11rem; }
.groups { width: min(40rem, 100%); }
.bar { display: inline-block; height: 0.8em; background: var(--bar); border-radius: 2px; }
.track { width: 60%; min-width: 6rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
.figures figure { margin: 0; }
.figures img { width: 100%; height: auto; }
.case { border-top: 1px solid var(--line); padding: 1rem 0; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.75rem;
  margin-top: 0.5rem; }
.strip figure { margin: 0; font-size: 0.8rem; line-height: 1.35; }
.strip img, .tile { display: block; width: 100%; height: 8rem; object-fit: contain; background: var(--tint);
  border: 4px solid var(--frame, var(--line)); border-radius: 4px; }
.tile { padding: 0.4rem; background: #8884; overflow: hidden; font-size: 0.75rem; }
.query { --frame: var(--ink); }
.positive { --frame: var(--good); }
.negative { --frame: var(--bad); }
.junk { --frame: var(--junk); }
.word { font-weight: 600; color: var(--frame, inherit); }
@media (max-width: 40rem) { .strip { grid-template-columns: repeat(3, 1fr); gap: 0.5rem; }
  .strip img, .tile { height: 6rem; } .facts th { white-space: normal; } }
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (!head) return;
    const up = head.getAttribute("aria-sort") !== "ascending";
    const number = head.classList.contains("number");
    const text = row => row.cells[head.cellIndex].textContent;
    const compare = (a, b) => number ? parseFloat(text(a)) - parseFloat(text(b))
      : text(a).localeCompare(text(b), undefined, {numeric: true});
    const known = row => !number || !isNaN(parseFloat(text(row)));
    const rows = [...table.tBodies[0].rows];
    const sorted = rows.filter(known).sort((a, b) => up ? compare(a, b) : compare(b, a));
    table.tBodies[0].append(...sorted, ...rows.filter(row => !known(row)));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  });
}
"""


def text(value: object) -> str:
    """Any value as HTML text, safe in an attribute too; what is no Unicode, or a control character, as escapes."""
    return escape(display_name(value if isinstance(value, (str, PathLike)) else str(value)))


def figure(value: float | None, places: int = 4) -> str:
    """A number, or nothing for None."""
    return "" if value is None else f"{value:.{places}f}"


def cell(content: str, kind: str = "") -> str:
    """A table cell around HTML."""
    return f'<td class="{kind}">{content}</td>' if kind else f"<td>{content}</td>"


def row(cells: Iterable[str]) -> str:
    """A table row around cells."""
    return "<tr>" + "".join(cells) + "</tr>\n"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names (text) and values (HTML); those without a value are left out."""
    rows = (f'<tr><th scope="row">{text(name)}</th>{cell(value)}</tr>\n' for name, value in pairs if value)
    return f'<table class="facts">\n{"".join(rows)}</table>\n'


def section(title: str, content: str) -> str:
    """A section under its title, or nothing where there is no content."""
    return f"<section>\n<h2>{text(title)}</h2>\n{content}</section>\n" if content else ""


def items(lines: Sequence[str]) -> str:
    """A list of texts, or nothing."""
    entries = "".join(f"<li>{text(line)}</li>\n" for line in lines)
    return f"<ul>\n{entries}</ul>\n" if lines else ""


def folded(summary: str, content: str) -> str:
    """Content (HTML) that opens at a click, or nothing where there is none."""
    return f"<details>\n<summary>{text(summary)}</summary>\n{content}</details>\n" if content else ""


def page(title: str, body: str) -> str:
    """A whole page, with no need of any other file but the pictures that it shows."""
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n{MARK}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )
