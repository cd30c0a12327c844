"""Writes docs/options.md from the options themselves: python scripts/write_options.py > docs/options.md"""

from __future__ import annotations

from bof.cli.options_page import document

if __name__ == "__main__":
    print(document(), end="")
