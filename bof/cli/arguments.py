"""Options as flags: made from their declarations (bof/options), and read back into them."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from bof.cli.parser import for_experts, program_name, takes_several
from bof.engine import Engine
from bof.errors import OptionError
from bof.features.learned import learned_options
from bof.global_descriptors.describe import ModelChoice
from bof.options import (
    COLUMNS,
    PRESET,
    PRESETS,
    ExpandOptions,
    FeatureOptions,
    ModelOptions,
    ReuseOptions,
    SearchOptions,
    ServeOptions,
    VerifyOptions,
    VoteOptions,
)
from bof.options.option import Option, option_of, options_of
from bof.options.published import CacheOptions
from bof.store.published.buckets import publication_place, shown_place
from bof.store.published.copies import is_published, local_folder

T = TypeVar("T")

DEFAULT_INDEX = Path("bof-index")
INDEX_VARIABLE = "BOF_INDEX"

_OF_MODELS = frozenset(option.name for option in options_of(ModelOptions))
_OF_GRAPHS = frozenset(option.name for option in options_of(ReuseOptions))
FOR_EXPERTS = frozenset({ModelOptions, ServeOptions})
"""All options of these classes are."""

_METAVARS = {int: "N", float: "X", str: "TEXT"}
_AS_TRAINED = "as the vocabulary was trained"


def flag(name: str) -> str:
    """What an option of this name is called on a command line; of `bof NAME`, what was typed to run that command."""
    if name.startswith("bof "):
        return program_name(name.removeprefix("bof "))
    return "--" + _destination(name).replace("_", "-")


def _destination(name: str) -> str:
    """The names of ModelOptions and ReuseOptions say too little beside those of other options."""
    return f"model_{name}" if name in _OF_MODELS else f"graph_{name}" if name in _OF_GRAPHS else name


# -- Any options ------------------------------------------------------------------------------------------------------


def add_option(parser: argparse._ActionsContainer, option: Option, *, only_if_given: str = "") -> None:
    """The flag of one option. only_if_given: what holds where it is not given, in words; its value is None then."""
    several: dict[str, Any] = {"action": "append"} if option.many else {}
    default = list(option.default) if option.many else option.default
    if option.many:
        takes_several(parser, flag(option.name), option.choices)
    if option.expert:
        for_experts(parser, flag(option.name))
    parser.add_argument(
        flag(option.name),
        type=option.read,
        default=None if only_if_given else default,
        metavar=_metavar(option),
        help=help_of(option, only_if_given).replace("%", "%%"),
        **several,
    )


def _metavar(option: Option) -> str:
    if option.choices and not option.joined:
        return f"{{{','.join(map(str, option.choices))}}}"
    return _METAVARS[option.kind]


def help_of(option: Option, default: str = "") -> str:
    """What an option means, its default and its range, in one line."""
    shown = default or ("" if option.default in (None, "", ()) else f"{option.default}")
    limits = " ".join(part for part in (option.form or option.range, option.unit) if part)
    known = "; ".join(part for part in (shown and f"default {shown}", limits) if part)
    return f"{option.meaning} ({known})" if known else option.meaning


def add_options(
    parser: argparse.ArgumentParser,
    kind: type[Any],
    *,
    only_if_given: str = "",
    without: Sequence[str] = (),
) -> None:
    """One flag for every option of a class, in a group named after its docstring."""
    group = parser.add_argument_group((kind.__doc__ or "").split(".")[0])
    for option in options_of(kind):
        if option.name not in without:
            expert = option.expert or kind in FOR_EXPERTS
            add_option(group, dataclasses.replace(option, expert=expert), only_if_given=only_if_given)


def given(arguments: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """The options of a class by name, without those that have no flag or whose flag the user did not give."""
    values = {option.name: getattr(arguments, _destination(option.name), None) for option in options_of(kind)}
    return {name: value for name, value in values.items() if value is not None}


def options_from(arguments: argparse.Namespace, kind: type[T]) -> T:
    """The options that the flags of `add_options` were given."""
    return kind(**given(arguments, kind))


# -- Of several commands ----------------------------------------------------------------------------------------------


def add_index(parser: argparse.ArgumentParser, vocabulary: str = "its vocabulary, if it is not where it was") -> None:
    """The flags --index, which `index_folder` reads, and --vocabulary."""
    add_index_folder(parser)
    add_vocabulary(parser, vocabulary)


def add_index_folder(parser: argparse.ArgumentParser) -> None:
    """The flag --index alone."""
    index = f"the index's folder (default ${INDEX_VARIABLE} or ./{DEFAULT_INDEX})"
    parser.add_argument("--index", type=publication_place, metavar="DIR", help=index)


def add_readable_index(parser: argparse.ArgumentParser) -> None:
    """The flags that `readable_index` reads, and --vocabulary."""
    index = f"the index's folder, or where it was published (default ${INDEX_VARIABLE} or ./{DEFAULT_INDEX})"
    parser.add_argument("--index", type=publication_place, metavar="DIR", help=index)
    add_vocabulary(parser, "its vocabulary, if it is not where it was")
    add_options(parser, CacheOptions)


def add_vocabulary(parser: argparse.ArgumentParser, meaning: str) -> None:
    """The flag --vocabulary."""
    parser.add_argument("--vocabulary", type=Path, metavar="DIR", help=meaning)
    for_experts(parser, "--vocabulary")


def index_folder(chosen: Path | None) -> Path:
    """The index to use: the one chosen, else $BOF_INDEX, else ./bof-index; says so where none was chosen."""
    folder = _chosen_index(chosen)
    if is_published(folder):
        advice = "a published index is read-only; name the one that it was published from"
        raise OptionError(option="index", expected="the folder of an index", found=shown_place(folder), advice=advice)
    return folder


def readable_index(arguments: argparse.Namespace) -> Path:
    """The same for commands that only read: what is published at a place is fetched, and opened as a folder."""
    folder = _chosen_index(arguments.index)
    return local_folder(folder, options_from(arguments, CacheOptions)) if is_published(folder) else folder


def _chosen_index(chosen: Path | None) -> Path:
    if chosen is not None:
        return chosen
    folder = publication_place(os.environ.get(INDEX_VARIABLE) or str(DEFAULT_INDEX))
    print(f"index: {shown_place(folder)} (choose another with --index or ${INDEX_VARIABLE})", file=sys.stderr)
    return folder


FEATURES_METAVAR = "FILE.onnx"
LOCAL_MODEL = Option(
    "features", None, "learned local features: the ONNX model that finds and describes them (docs/learned-features.md)"
)


def add_local_model(parser: argparse.ArgumentParser) -> None:
    """The flag --features, which `local_model` reads."""
    help_text = f"{LOCAL_MODEL.meaning} (default: SIFT)"
    parser.add_argument(flag(LOCAL_MODEL.name), type=Path, metavar=FEATURES_METAVAR, help=help_text)


def local_model(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of FeatureOptions that say the model of --features. Raises ModelError where it is none."""
    if arguments.features is None:
        return {}
    options = learned_options(arguments.features, FeatureOptions())
    return {"extractor": options.extractor, "model": options.model, "model_file": options.model_file}


def add_preset(parser: argparse.ArgumentParser) -> None:
    """The flag --preset, for `add_feature_options`."""
    add_option(parser, PRESET, only_if_given=_AS_TRAINED)


def add_feature_options(parser: argparse.ArgumentParser) -> None:
    """The flags of FeatureOptions, for a new index; read them, and --preset, with `chosen_features`."""
    add_options(parser, FeatureOptions, only_if_given=_AS_TRAINED, without=("extractor",))
    extractor = option_of(FeatureOptions, "extractor")
    add_option(parser, extractor, only_if_given=str(extractor.default))
    add_local_model(parser)


def chosen_features(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of FeatureOptions that the user asked for: the preset's, changed by what flags were given."""
    preset = PRESETS.get(getattr(arguments, PRESET.name, None) or "")
    return {**(preset.cost if preset else {}), **given(arguments, FeatureOptions), **local_model(arguments)}


def add_search_options(parser: argparse.ArgumentParser, *, without: Sequence[str] = ()) -> None:
    """The flags that `search_options` reads."""
    parser.add_argument("--no-verify", action="store_true", help="the same as --ranker votes")
    for_experts(parser, "--no-verify")
    parser.add_argument("--shots", action="store_true", help="list each shot of a film that is found, not the best one")
    add_options(parser, SearchOptions, without=without)
    for kind in (VoteOptions, VerifyOptions, ExpandOptions):
        add_options(parser, kind)


def search_options(arguments: argparse.Namespace) -> SearchOptions:
    """What the flags of `add_search_options` were given."""
    chosen = given(arguments, SearchOptions)
    if arguments.no_verify and arguments.ranker == "bof":
        chosen["ranker"] = "votes"
    return SearchOptions(
        **chosen,
        shots=arguments.shots,
        vote=options_from(arguments, VoteOptions),
        verify=options_from(arguments, VerifyOptions),
        expand=options_from(arguments, ExpandOptions),
    )


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """The flags that `add_chosen_columns` reads."""
    add_option(parser, COLUMNS)
    parser.add_argument("--model", type=Path, metavar="FILE", help="the ONNX model of the column embedding")
    add_options(parser, ModelOptions)


def add_chosen_columns(engine: Engine, arguments: argparse.Namespace, groups: Sequence[str] = ()) -> None:
    """Have an index describe the columns that the flags of `add_column_options` and `groups` name."""
    model = ModelChoice.of(arguments.model, options_from(arguments, ModelOptions)) if arguments.model else None
    chosen = [*arguments.columns, *groups]
    if chosen or model:
        engine.add_columns(chosen, model)
