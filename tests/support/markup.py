"""Pages of HTML as the tests read them, and a name that tries to become markup."""

from __future__ import annotations

from html.parser import HTMLParser

from bof.errors import display_name

HOSTILE = """<script>alert("1")'&amp;\n\udcff\x1b[31m$^{{7}}.jpg"""

VOID = {"meta", "img", "br", "source", "input"}


def shown(name: str) -> str:
    """A name as a page shows it, in the text of a Page."""
    return " ".join(display_name(name).split())


class Page(HTMLParser):
    """Tags, text, identifiers and addresses of a page; fails where a tag is not closed in its place."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.structure: list[tuple[str, ...]] = []
        self.files: list[str] = []
        self.links: set[str] = set()
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.structure.append((tag, *(name for name, _ in attrs)))
        values = {name: value or "" for name, value in attrs}
        self.files += [values[name] for name in ("src", "srcset") if name in values]
        self.links |= {values["href"]} if "href" in values else set()
        self.names |= {values["id"]} if "id" in values else set()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def sources(self) -> list[str]:
        """All that the page loads or leads to."""
        return [*self.files, *self.links]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
