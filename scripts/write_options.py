"""Writes docs/options.md from the options themselves: python scripts/write_options.py > docs/options.md"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bof.options import (
    PRESETS,
    DuplicateOptions,
    ExpandOptions,
    FeatureOptions,
    IndexOptions,
    QueryOptions,
    ServeOptions,
    TrainOptions,
    VerifyOptions,
    VoteOptions,
    flag,
)

COMMANDS = {
    FeatureOptions: "train_vocab, and index and evaluate for a new index",
    TrainOptions: "train_vocab",
    IndexOptions: "index, evaluate",
    QueryOptions: "search",
    VoteOptions: "search, evaluate",
    VerifyOptions: "search, evaluate",
    ExpandOptions: "search, evaluate",
    DuplicateOptions: "duplicates",
    ServeOptions: "serve",
}

PRESETS_HEAD = """A preset names all three at once, and a flag given beside it says more than it. `balanced` is how the
vocabulary that comes with bof was trained, and so what a new index gets without a preset. An index keeps what it was
made with.
"""

OTHERS = """## Beside these

Every command has `--help`, and `--debug`, which shows the traceback of an error. README.md shows most others.

- `search --top N`: hits to show. `--ranker votes` (or `--no-verify`) skips geometry, `--ranker tfidf` ranks by the
  plain cosine of TF-IDF histograms; docs/rankers.md lists all others, and what `--metric`, `--fusion` and `--columns`
  do, docs/embedding.md what `--model` and the flags that begin with it do. `--box x0,y0,x1,y1` searches with a part of
  the query, `--box auto` with what stands out in it. `--mirror always` looks for the query's mirror image too, `never`
  does not, and `auto`, the default, does where nothing was clearly the same, on 40 inliers. `evaluate` has all of these
  too, of boxes `--box auto`.
- `train_vocab --output DIR` (`-o`): where to write. `--levels` 1 or 2: flat k-means, or k-means inside the cells of a
  coarse k-means, the default above 4,096 words. `--workers`: processes, 0 for one a core. `--source`: what the
  photographs are, kept in the vocabulary.
"""


def document() -> str:
    """The page as Markdown."""
    head = "# Options\n\nWritten by `python scripts/write_options.py > docs/options.md`; a test compares.\n"
    sections = [_section(kind, commands) for kind, commands in COMMANDS.items()]
    return "\n".join([head, sections[0], _presets(), *sections[1:], OTHERS])


def _presets() -> str:
    names = [field.name for field in fields(FeatureOptions)]
    rows = [
        f"| `--preset {preset}` | " + " | ".join(str(getattr(options, name)) for name in names) + " |"
        for preset, options in PRESETS.items()
    ]
    head = f"| index, for a new index | {' | '.join(f'`{flag(name)}`' for name in names)} |"
    return "\n".join([PRESETS_HEAD, head, "| --- |" + " --- |" * len(names), *rows, ""])


def _section(kind: type[Any], commands: str) -> str:
    rows = [
        f"| `{flag(f.name)}` | {f.default} | {f.metadata['low']} to {f.metadata['high']} | {f.metadata['meaning']} |"
        for f in fields(kind)
    ]
    head = f"## {kind.__name__} ({commands})\n\n{(kind.__doc__ or '').strip()}\n"
    return "\n".join([head, "| option | default | range | meaning |", "| --- | --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    print(document(), end="")
