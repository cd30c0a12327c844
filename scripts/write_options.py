"""Writes docs/options.md from the options themselves: python scripts/write_options.py > docs/options.md"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bof.options import ExpandOptions, FeatureOptions, IndexOptions, TrainOptions, VerifyOptions, VoteOptions, flag

COMMANDS = {
    FeatureOptions: "train_vocab, and index and evaluate for a new index",
    TrainOptions: "train_vocab",
    IndexOptions: "index, evaluate",
    VoteOptions: "search, evaluate",
    VerifyOptions: "search, evaluate",
    ExpandOptions: "search, evaluate",
}

OTHERS = """## Beside these

Every command has `--help`, and `--debug`, which shows the traceback of an error. README.md shows most others.

- `search --top N`: hits to show. `--ranker votes` (or `--no-verify`) skips geometry, `--ranker tfidf` ranks by the
  plain cosine of TF-IDF histograms. `--mirror always` looks for the query's mirror image too, `never` does not, and
  `auto`, the default, does where nothing was clearly the same, on 40 inliers. `evaluate` has all of these too.
- `train_vocab --output DIR` (`-o`): where to write. `--levels` 1 or 2: flat k-means, or k-means inside the cells of a
  coarse k-means, the default above 4,096 words. `--workers`: processes, 0 for one a core. `--source`: what the
  photographs are, kept in the vocabulary.
"""


def document() -> str:
    """The page as Markdown."""
    head = "# Options\n\nWritten by `python scripts/write_options.py > docs/options.md`; a test compares.\n"
    sections = [_section(kind, commands) for kind, commands in COMMANDS.items()]
    return "\n".join([head, *sections, OTHERS])


def _section(kind: type[Any], commands: str) -> str:
    rows = [
        f"| `{flag(f.name)}` | {f.default} | {f.metadata['low']} to {f.metadata['high']} | {f.metadata['meaning']} |"
        for f in fields(kind)
    ]
    head = f"## {kind.__name__} ({commands})\n\n{(kind.__doc__ or '').strip()}\n"
    return "\n".join([head, "| option | default | range | meaning |", "| --- | --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    print(document(), end="")
