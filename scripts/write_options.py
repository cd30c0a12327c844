"""Writes docs/options.md from the options themselves: python -m scripts.write_options > docs/options.md"""

from __future__ import annotations

from bof.cli.options_page import document

if __name__ == "__main__":
    print(document(), end="")
