"""What of a picture is searched with, and what is shown of the answer: options of a command, not of the search."""

from __future__ import annotations

import re
from typing import get_args

from bof.options.option import Option
from bof.types import Box, Verdict


def _read_box(text: str) -> Box | str:
    if text == AUTO:
        return text
    x0, y0, x1, y1 = (float(part) for part in text.split(","))
    return x0, y0, x1, y1


def _read_server(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^/?#\s]+/?", text):
        raise ValueError(text)
    return text.rstrip("/")


AUTO = "auto"
"""The box around what stands out."""

BOX = Option("box", None, "search with this part of the picture; auto: what stands out", parse=_read_box,
             form="x0,y0,x1,y1 in pixels, or auto")  # fmt: skip
QUERY_MEMORY = Option("memory", 0, "memory for reading a query's picture; 0: half of what the machine has", 0, 1 << 30,
                      unit="megabytes", expert=True)  # fmt: skip
TOP = Option("top", 20, "hits to show", 1, 1_000_000)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
VERDICT = Option("verdict", (), "show only hits with these verdicts", choices=VERDICTS, many=True)
REQUIRE = Option("require", (), "exit status 1 unless each query has a hit with one of these verdicts",
                 choices=VERDICTS, many=True)  # fmt: skip
FORMAT = Option("format", "table", "how hits are printed; csv: a row a hit, for spreadsheets; iiif: as pages of W3C "
                "annotations, which archives read; edl: of films, an edit decision list (CMX 3600)",
                choices=("table", "json", "csv", "iiif", "edl"))  # fmt: skip
IIIF_SERVER = Option("iiif_server", "", "the server that shows the pictures of the index, for --format iiif",
                     form="http://HOST:PORT", parse=_read_server)  # fmt: skip
SAVE_AS = Option("save_as", "copy", "what --save writes: copies, or links to the pictures in the collection",
                 choices=("copy", "symlink", "hardlink"))  # fmt: skip
