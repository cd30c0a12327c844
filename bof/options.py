"""Every option in one place: its default, range and meaning. Command lines and docs/options.md come from here."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

from bof.errors import OptionError

T = TypeVar("T")


def _option(default: Any, low: float, high: float, meaning: str) -> Any:
    """A dataclass field that knows its range and its meaning."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "meaning": meaning})


class _Checked:
    """Refuses a value outside its range at construction."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            low, high = field.metadata["low"], field.metadata["high"]
            if not low <= value <= high:
                raise OptionError(f"{flag(field.name)}: expected {low} to {high}, found {value}")


@dataclass(frozen=True, slots=True)
class FeatureOptions(_Checked):
    """How a picture becomes features. Recorded in every vocabulary and index: all pictures are described alike."""

    max_side: int = _option(1024, 16, 16384, "shrink a picture whose long side has more pixels than this")
    max_features: int = _option(2000, 1, 65535, "keep at most this many features a picture, the strongest")
    contrast_threshold: float = _option(0.005, 0.0, 1.0, "SIFT's contrast threshold: lower finds more, weaker features")

    def replaced(self, **changes: Any) -> FeatureOptions:
        """These options with some fields changed."""
        return dataclasses.replace(self, **changes)


PRESETS: Mapping[str, FeatureOptions] = MappingProxyType(
    {
        "fast": FeatureOptions(max_side=384),
        "balanced": FeatureOptions(),
        "accurate": FeatureOptions(max_features=4000),
    }
)
"""Extraction by name: less time, the default, more features to prove with. Measured by scripts/extraction_curve.py."""


@dataclass(frozen=True, slots=True)
class TrainOptions(_Checked):
    """How a vocabulary is trained."""

    words: int = _option(65536, 2, 1 << 22, "number of visual words")
    max_descriptors: int = _option(
        4_000_000, 2, 1 << 31, "descriptors to train on, sampled evenly over the pictures (128 bytes of memory each)"
    )
    max_pixels: int = _option(200_000_000, 1, 1 << 40, "skip a picture with more pixels than this")
    seed: int = _option(0, 0, (1 << 32) - 1, "the same seed gives the same vocabulary")


@dataclass(frozen=True, slots=True)
class IndexOptions(_Checked):
    """How a folder becomes an index."""

    workers: int = _option(0, 0, 1024, "processes that read pictures; 0: one a core")
    max_pixels: int = _option(200_000_000, 1, 1 << 40, "skip a picture with more pixels than this")
    memory: int = _option(
        0, 0, 1 << 30, "megabytes that all processes together may take; 0: half of what the machine has"
    )
    commit_images: int = _option(1000, 1, 1 << 20, "commit after this many pictures: a killed run loses at most these")
    commit_seconds: int = _option(60, 1, 86400, "commit what is done at least this often, in seconds")
    picture_seconds: int = _option(120, 1, 86400, "skip a picture that takes longer than this to read, in seconds")


@dataclass(frozen=True, slots=True)
class QueryOptions(_Checked):
    """How a query's picture is read."""

    memory: int = _option(0, 0, 1 << 30, "megabytes that reading a query may take; 0: half of what the machine has")


@dataclass(frozen=True, slots=True)
class VoteOptions(_Checked):
    """How query features vote for database pictures."""

    words_per_feature: int = _option(
        0, 0, 64, "nearest words that a query feature looks into; 0: as many as the collection's size affords, 3 to 20"
    )
    max_hamming: int = _option(24, 0, 64, "signatures differing in more bits than this do not vote")


@dataclass(frozen=True, slots=True)
class VerifyOptions(_Checked):
    """How geometry verifies a shortlist."""

    depth: int = _option(
        0,
        0,
        1_000_000,
        "verify this many of the best pictures; 0: 100, and where these leave something to find 16 times the square "
        "root of the collection, to 2000",
    )
    tolerance: float = _option(0.03, 0.001, 0.5, "an inlier lies within this fraction of the picture's long side")
    same: float = _option(0.988, 0.0, 1.0, "probability from which a picture is called the same")
    maybe: float = _option(0.5, 0.0, 1.0, "probability from which a picture may be the same")

    def __post_init__(self) -> None:
        _Checked.__post_init__(self)
        if self.maybe > self.same:
            raise OptionError(f"--maybe: expected at most --same ({self.same}), found {self.maybe}")


@dataclass(frozen=True, slots=True)
class ExpandOptions(_Checked):
    """How an answer grows from what it has found."""

    expand: int = _option(3, 0, 100, "search again with this many of the best pictures called the same; 0: none")


@dataclass(frozen=True, slots=True)
class DuplicateOptions(_Checked):
    """How groups of duplicates are found."""

    workers: int = _option(0, 0, 1024, "processes that read pictures; 0: one a core")
    agreement: float = _option(
        0.55, 0.0, 1.0, "share of the common part whose pixels agree from which two pictures are the same photograph"
    )
    candidates: int = _option(50, 1, 1000, "compare a picture with at most this many others")


@dataclass(frozen=True, slots=True)
class ServeOptions(_Checked):
    """What a client may take of a server."""

    upload_megabytes: int = _option(32, 1, 1 << 20, "the largest picture file that is taken, in megabytes")
    upload_pixels: int = _option(64_000_000, 1, 1 << 40, "the most pixels, by its header, that a picture may have")
    batch_megabytes: int = _option(128, 1, 1 << 20, "the largest body with several pictures, in megabytes")
    batch_images: int = _option(64, 1, 10_000, "the most pictures in one body")
    buffered_megabytes: int = _option(512, 1, 1 << 20, "memory for all bodies together; more is refused for a while")
    decode_megabytes: int = _option(1536, 64, 1 << 20, "memory that reading one picture may take, in megabytes")
    decode_seconds: float = _option(15.0, 0.1, 3600.0, "time that reading one picture may take, in seconds")
    header_seconds: float = _option(10.0, 0.1, 3600.0, "time in which the head of a request must arrive, in seconds")
    body_seconds: float = _option(30.0, 0.1, 3600.0, "time in which the body of a request must arrive, in seconds")
    request_seconds: float = _option(60.0, 0.1, 3600.0, "time for an answer, and for sending a piece of it, in seconds")
    drain_seconds: int = _option(30, 1, 3600, "time that requests have to end when the server is stopped, in seconds")
    connections: int = _option(512, 1, 1 << 16, "connections at once")
    waiting: int = _option(64, 0, 1 << 16, "searches and uploads that may wait for their turn")
    rate: float = _option(50.0, 0.0, 1e6, "searches and changes a second from one address, for long; 0: any number")
    streams: int = _option(32, 1, 1 << 16, "followers of jobs (server-sent events) at once")
    jobs: int = _option(100, 1, 1 << 16, "changes that may wait for their turn")
    thumbnail_megabytes: int = _option(64, 0, 1 << 20, "memory for thumbnails that were made already, in megabytes")
    cached_queries: int = _option(64, 0, 1 << 16, "queries whose features are kept for the next page of answers")


def flag(field_name: str) -> str:
    """The command-line flag of an option field."""
    return "--" + field_name.replace("_", "-")


def add_options(parser: argparse.ArgumentParser, kind: type[Any], *, only_if_given: bool = False) -> None:
    """One flag for every field of an options class, in a group named after its docstring.

    only_if_given: the parsed value is None unless the user gave the flag; read such flags with `chosen`.
    """
    group = parser.add_argument_group((kind.__doc__ or "").split(".")[0])
    for field in fields(kind):
        group.add_argument(
            flag(field.name),
            type=type(field.default),
            default=None if only_if_given else field.default,
            metavar="N" if isinstance(field.default, int) else "X",
            help=_help(field, only_if_given).replace("%", "%%"),
        )


def add_preset(parser: argparse.ArgumentParser) -> None:
    """The flag --preset beside those of FeatureOptions, which say more than it; read all with `chosen_features`."""
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="for a new index: fewer features sooner, or more of them (default: as the vocabulary was trained)",
    )


def chosen_features(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of FeatureOptions that the user asked for: the preset's, changed by what flags were given."""
    preset = PRESETS.get(arguments.preset)
    return {**(dataclasses.asdict(preset) if preset else {}), **chosen(arguments, FeatureOptions)}


def _help(field: dataclasses.Field[Any], only_if_given: bool) -> str:
    default = "as the vocabulary was trained" if only_if_given else field.default
    return f"{field.metadata['meaning']} (default {default}; {field.metadata['low']} to {field.metadata['high']})"


def options_from(arguments: argparse.Namespace, kind: type[T]) -> T:
    """The options that the flags of `add_options` were given."""
    return kind(**{field.name: getattr(arguments, field.name) for field in fields(kind)})  # type: ignore[arg-type]


def chosen(arguments: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """Only the fields whose flags the user gave."""
    given = {field.name: getattr(arguments, field.name) for field in fields(kind)}
    return {name: value for name, value in given.items() if value is not None}
