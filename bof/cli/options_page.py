"""docs/options.md, made from the options themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bof.cli.arguments import FOR_EXPERTS, flag
from bof.options import (
    BOX,
    COLUMNS,
    FORMAT,
    GRAPH_ORDER,
    GROUPS_SHOWN,
    IIIF_SERVER,
    KEEP,
    KIND,
    PARTNERS,
    PRESET,
    PRESETS,
    QUERY_MEMORY,
    REQUIRE,
    SAVE_AS,
    TOP,
    VERDICT,
    ClipOptions,
    DuplicateOptions,
    ExpandOptions,
    FeatureOptions,
    IndexOptions,
    ModelOptions,
    ReuseOptions,
    SearchOptions,
    ServeOptions,
    TrainOptions,
    VerifyOptions,
    VideoOptions,
    VoteOptions,
)
from bof.options.cluster import DASK, DEADLINE, REPLICAS
from bof.options.option import Option, options_of
from bof.options.published import CacheOptions
from bof.options.serving import MAPPED_MEMORY, PORT

STAGES: dict[type[Any], tuple[str, Sequence[Option]]] = {
    FeatureOptions: ("train_vocab, and index and evaluate for a new index", ()),
    TrainOptions: ("train_vocab", (DASK,)),
    IndexOptions: ("index, evaluate", (PARTNERS, DASK)),
    VideoOptions: ("index and evaluate, for films", ()),
    SearchOptions: (
        "search, evaluate",
        (TOP, VERDICT, FORMAT, IIIF_SERVER, REQUIRE, SAVE_AS, BOX, QUERY_MEMORY, DASK, REPLICAS, DEADLINE),
    ),
    VoteOptions: ("search, compare, evaluate", ()),
    VerifyOptions: ("search, compare, evaluate", ()),
    ExpandOptions: ("search, evaluate", ()),
    ModelOptions: ("index, evaluate", (COLUMNS,)),
    ReuseOptions: ("index --graph", (GRAPH_ORDER,)),
    ClipOptions: ("search, duplicates", ()),
    DuplicateOptions: ("duplicates", (KIND, GROUPS_SHOWN, KEEP, DASK, REPLICAS, DEADLINE)),
    ServeOptions: ("serve", (PORT, MAPPED_MEMORY, DASK, REPLICAS, DEADLINE)),
    CacheOptions: ("search, serve, mcp, evaluate, for a published index", ()),
}
"""Class -> the commands that have its options, and what these have beside them."""

_HEAD = """# Options

Made from the declarations in `bof/options/` by `python -m scripts.write_options > docs/options.md`; a test compares.
"""

_PRESETS_HEAD = """A preset names all three at once, and a flag given beside it says more than it. `balanced` is how the
vocabulary that comes with bof was trained, and so what a new index gets without a preset. An index keeps what it was
made with.
"""

_OTHERS = """## Beside these

Every command has `--help` and `--help-all`, `--version`, and `--debug`, which shows the traceback of an error.
docs/command-line.md shows most others. What is marked *expert* stands in `--help-all` alone.

- `search`: `--no-verify` is `--ranker votes`, which skips geometry. docs/rankers.md says what the rankers, `--metric`,
  `--fusion` and `--columns` do, docs/embedding.md what `--model` and the flags that begin with it do. Where nothing was
  clearly the same, on 40 inliers, `--mirror auto` looks for the query's mirror image too, and so do `--inverse`,
  `--enlarge` and `--tilt` for what they say, in this order, until something is. `evaluate` has all of these
  but `--top`, `--where` and `--text`; of boxes it takes `--box auto`.
- `train_vocab --output DIR` (`-o`): where to write. `--levels` 1 or 2: flat k-means, or k-means inside the cells of a
  coarse k-means. `--source`: what the photographs are, kept in the vocabulary.
"""


def document() -> str:
    """The page as Markdown."""
    sections = [_section(kind, commands, others) for kind, (commands, others) in STAGES.items()]
    return "\n".join([_HEAD, sections[0], _presets(), *sections[1:], _OTHERS])


def _presets() -> str:
    names = list(FeatureOptions().cost)
    rows = [
        f"| `{flag(PRESET.name)} {preset}` | " + " | ".join(str(getattr(options, name)) for name in names) + " |"
        for preset, options in PRESETS.items()
    ]
    head = f"| index, for a new index | {' | '.join(f'`{flag(name)}`' for name in names)} |"
    return "\n".join([_PRESETS_HEAD, head, "| --- |" + " --- |" * len(names), *rows, ""])


def _section(kind: type[Any], commands: str, others: Sequence[Option]) -> str:
    head = f"## {kind.__name__} ({commands})\n\n{(kind.__doc__ or '').strip()}\n"
    table = ["| option | default | values | meaning |", "| --- | --- | --- | --- |"]
    rows = [_row(option, option.expert or kind in FOR_EXPERTS) for option in options_of(kind)]
    rows += [_row(option, option.expert) for option in others]
    return "\n".join([head, *table, *rows, ""])


def _row(option: Option, is_expert: bool) -> str:
    default = "" if option.default in (None, "", ()) else option.default
    values = ", ".join(map(str, option.choices)) or option.form or " ".join([option.range, option.unit]).strip()
    expert = " *expert*" if is_expert else ""
    return f"| `{flag(option.name)}`{expert} | {default} | {values} | {option.meaning} |"
