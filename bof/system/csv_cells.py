"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations

import re

from bof.errors import display_name

_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
"""What a spreadsheet takes a text for a formula by, in its first character; some take the wide ones too."""


def text_cell(text: str) -> str:
    """A text as a cell: bytes that are no UTF-8 and control characters are escapes, and what a spreadsheet would take
    for a formula begins with an apostrophe.
    """
    shown = display_name(text)
    return f"'{shown}" if _FORMULA.match(shown) else shown
