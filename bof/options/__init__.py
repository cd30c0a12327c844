"""Every option of every stage, declared once: default, range or choices, unit, meaning.

Command lines (bof/cli/arguments.py), docs/options.md and the parameters of the HTTP API are made from these
declarations. Nothing here knows any of them.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from bof.errors import OptionError
from bof.options.clips import ClipOptions as ClipOptions
from bof.options.extent import Extent as Extent
from bof.options.extent import PixelLimit as PixelLimit
from bof.options.extent import long_side_of as long_side_of
from bof.options.models import ModelOptions as ModelOptions
from bof.options.option import Checked, Option, declare
from bof.options.reuse import GRAPH_ORDER as GRAPH_ORDER
from bof.options.reuse import ReuseOptions as ReuseOptions
from bof.options.serving import ServeOptions as ServeOptions
from bof.options.showing import AUTO as AUTO
from bof.options.showing import BOX as BOX
from bof.options.showing import FORMAT as FORMAT
from bof.options.showing import IIIF_SERVER as IIIF_SERVER
from bof.options.showing import QUERY_MEMORY as QUERY_MEMORY
from bof.options.showing import REQUIRE as REQUIRE
from bof.options.showing import SAVE_AS as SAVE_AS
from bof.options.showing import TOP as TOP
from bof.options.showing import VERDICT as VERDICT
from bof.options.showing import VERDICTS as VERDICTS
from bof.options.video import VideoOptions as VideoOptions

# -- Reading pictures, training, indexing -----------------------------------------------------------------------------


MAX_PIXELS = 200_000_000
"""What a picture may have unless said otherwise."""


def _max_pixels() -> Any:
    return declare(MAX_PIXELS, "skip a picture with more than this", 1, 1 << 40, unit="pixels", expert=True)


class _WithWorkers(Checked):
    workers: int

    @property
    def n_workers(self) -> int:
        """Processes that read pictures."""
        return self.workers or os.cpu_count() or 1


def _workers() -> Any:
    return declare(0, "processes that read pictures; 0: one a core", 0, 1024)


OPENCV, NATIVE, OWN = "opencv", "native", "own"
EXTRACTORS = (OPENCV, NATIVE)
"""Whose SIFT finds and describes features of pictures; OWN: the caller brings features."""

PLAIN, ADAPTIVE = "plain", "adaptive"
MOST_FEATURES = 65535
"""Of one picture: segments count them in 16 bits."""

READINGS = (PLAIN, ADAPTIVE)
"""How pictures that are not like photographs are read: as all others, or each kind as suits it."""


@dataclass(frozen=True, slots=True)
class FeatureOptions(Checked):
    """How a picture becomes features. Recorded in every vocabulary and index: all pictures are described alike."""

    max_side: int = declare(1024, "shrink a picture whose long side has more than this", 16, 16384, unit="pixels",
                             expert=True)  # fmt: skip
    max_features: int = declare(
        2000, "keep at most this many features a picture, the strongest", 1, MOST_FEATURES, expert=True
    )
    contrast_threshold: float = declare(
        0.005, "SIFT's contrast threshold: lower finds more, weaker features", 0.0, 1.0, expert=True
    )
    extractor: str = declare(
        NATIVE, "whose SIFT: bof's own, which finds nearly the same features in a third of the time, or OpenCV's; "
        "own: no picture is read, the caller brings features of any kind",
        choices=(*EXTRACTORS, OWN), expert=True,
    )  # fmt: skip
    reading: str = declare(
        ADAPTIVE, "adaptive: long pictures by their area, in tiles; small, faint and flat ones so that they have "
        "features; plain: all alike",
        choices=READINGS, expert=True,
    )  # fmt: skip

    @property
    def extent(self) -> PixelLimit:
        """The limit of pixels that pictures are decoded with."""
        return Extent(self.max_side) if self.reading == ADAPTIVE else self.max_side

    @property
    def is_adaptive(self) -> bool:
        """Is each kind of picture read as suits it?"""
        return self.reading == ADAPTIVE

    def replaced(self, **changes: Any) -> FeatureOptions:
        """These options with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def cost(self) -> dict[str, Any]:
        """What presets choose: all but the extractor and the reading."""
        return {n: value for n, value in dataclasses.asdict(self).items() if n not in ("extractor", "reading")}

    @property
    def fact(self) -> dict[str, Any]:
        """As vocabularies and indexes record them. What was at first goes without saying: OpenCV, the plain reading."""
        found, first = dataclasses.asdict(self), (("extractor", OPENCV), ("reading", PLAIN))
        return {name: value for name, value in found.items() if (name, value) not in first}

    @classmethod
    def from_fact(cls, fact: Mapping[str, Any]) -> FeatureOptions:
        """The options of which that is the fact. Raises TypeError, OptionError where it is none."""
        return cls(**{"extractor": OPENCV, "reading": PLAIN, **fact})


PRESETS: Mapping[str, FeatureOptions] = MappingProxyType(
    {
        "fast": FeatureOptions(max_side=384),
        "balanced": FeatureOptions(),
        "accurate": FeatureOptions(max_features=4000),
    }
)
"""Extraction by name: less time, the default, more features to prove with. Measured by scripts/extraction."""

PRESET = Option("preset", None, "for a new index: fewer features sooner, or more of them", choices=tuple(PRESETS))


@dataclass(frozen=True, slots=True)
class TrainOptions(_WithWorkers):
    """How a vocabulary is trained."""

    words: int = declare(65536, "number of visual words", 2, 1 << 22)
    max_descriptors: int = declare(
        4_000_000, "descriptors to train on, sampled evenly over the pictures (128 bytes of memory each)", 2, 1 << 31,
        expert=True,
    )  # fmt: skip
    max_pixels: int = _max_pixels()
    seed: int = declare(0, "the same seed gives the same vocabulary", 0, (1 << 32) - 1)
    levels: int = declare(0, "levels of k-means; 0: 1 up to 4096 words, 2 above", choices=(0, 1, 2), expert=True)
    workers: int = _workers()


@dataclass(frozen=True, slots=True)
class IndexOptions(_WithWorkers):
    """How a folder becomes an index."""

    workers: int = _workers()
    max_pixels: int = _max_pixels()
    memory: int = declare(
        0, "memory for all processes together; 0: half of what the machine has", 0, 1 << 30, unit="megabytes"
    )
    commit_images: int = declare(
        1000, "commit after this many pictures: a killed run loses at most these", 1, 1 << 20, expert=True
    )
    commit_seconds: int = declare(60, "commit what is done at least this often", 1, 86400, unit="seconds", expert=True)
    picture_seconds: int = declare(
        120, "skip a picture that takes longer than this to read", 1, 86400, unit="seconds", expert=True
    )
    video: VideoOptions = field(default_factory=VideoOptions)


# -- Searching --------------------------------------------------------------------------------------------------------

LOCAL = ("bof", "votes", "tfidf")
"""Hamming votes verified with geometry; the votes alone; the plain cosine of TF-IDF histograms."""

HASHES = ("ahash", "dhash", "phash", "blockmean", "radial", "moments")

COLUMN_OF: Mapping[str, str] = MappingProxyType(
    {name: f"hash.{name}" for name in HASHES}
    | {"color": "color.color", "histogram": "color.histogram", "embedding": "embedding.embedding"}
)
"""Ranker -> the column of global descriptors that it compares: its group, a dot, its name."""

SKETCH = "sketch"
"""The group of columns that every new index has: copies of pictures with few features are found by it."""

GROUPS = (SKETCH, *dict.fromkeys(column.partition(".")[0] for column in COLUMN_OF.values()))
"""Columns are described and stored by group."""

RANKERS = (*LOCAL, *COLUMN_OF)
"""Those that ask features, and those that compare pictures as wholes; several are fused: bof+color."""

METRICS = ("chi-square", "euclidean", "correlation", "intersection", "bhattacharyya")
DEFAULT_METRIC = "bhattacharyya"

FUSIONS = ("calibrated", "rrf")
"""Evidence that adds up, each ranker's on the scale of bof's score; reciprocal ranks."""

VARIANTS = ("mirror", "inverse", "enlarge", "tilt")
"""Options of a search that say whether it looks for the query changed, too."""

MODES = ("auto", "always", "never")
"""Look for a variant of the query too: if nothing was clearly the same, always, never."""


@dataclass(frozen=True, slots=True)
class VoteOptions(Checked):
    """How query features vote for database pictures."""

    words_per_feature: int = declare(
        0, "nearest words that a query feature looks into; 0: as many as the collection's size affords, 3 to 20", 0, 64,
        expert=True,
    )  # fmt: skip
    max_hamming: int = declare(24, "signatures that differ in more do not vote", 0, 64, unit="bits", expert=True)


@dataclass(frozen=True, slots=True)
class VerifyOptions(Checked):
    """How geometry verifies a shortlist."""

    depth: int = declare(
        0,
        "verify this many of the best pictures; 0: 100, and where these leave something to find 16 times the square "
        "root of the collection, to 2000",
        0,
        1_000_000,
        expert=True,
    )
    tolerance: float = declare(
        0.03, "an inlier lies within this fraction of the picture's long side", 0.001, 0.5, expert=True
    )
    same: float = declare(0.988, "probability from which a picture is called the same", 0.0, 1.0, expert=True)
    maybe: float = declare(0.5, "probability from which a picture may be the same", 0.0, 1.0, expert=True)
    thing: float = declare(
        0.75,
        "probability, where pixels were compared, from which a picture that shares a part shows the thing itself and "
        "not a part",
        0.0,
        1.0,
        expert=True,
    )
    pixels: int = declare(
        20, "compare the pixels of at most so many of the first pictures called the same; 0: of none", 0, 1000,
        expert=True,
    )  # fmt: skip

    frames: int = declare(
        3, "look for the exact frame in the shots of at most so many of the first hits that are films; 0: in none", 0,
        1000, expert=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.maybe > self.same:
            raise OptionError(option="maybe", expected=f"at most {{same}} ({self.same})", found=self.maybe)


@dataclass(frozen=True, slots=True)
class ExpandOptions(Checked):
    """How an answer grows from what it has found."""

    expand: int = declare(
        5, "search again with this many of the best pictures called the same; 0: none", 0, 100, expert=True
    )
    expand_again: int = declare(5, "and with this many of what these have points in common with", 0, 100, expert=True)


@dataclass(frozen=True, slots=True)
class SearchOptions(Checked):
    """How to search: which ranker or rankers, the options of their stages, and which pictures may answer."""

    ranker: str = declare(
        "bof",
        "how to rank: bof: votes verified with geometry; votes: Hamming votes alone; tfidf: plain cosine; pictures as "
        f"wholes: {', '.join(COLUMN_OF)}; several joined by + are fused: bof+color",
        choices=RANKERS,
        joined="+",
    )
    vote: VoteOptions = field(default_factory=VoteOptions)
    verify: VerifyOptions = field(default_factory=VerifyOptions)
    expand: ExpandOptions = field(default_factory=ExpandOptions)
    mirror: str = declare(
        "auto", "look for the query's mirror image too; auto: if nothing is clearly the same (40 inliers)",
        choices=MODES,
    )  # fmt: skip
    inverse: str = declare(
        "auto", "look for the query with light and dark exchanged too: negatives, dark screens; auto: as mirror",
        choices=MODES,
    )  # fmt: skip
    enlarge: str = declare(
        "auto", "look for a small picture enlarged too, and for parts of a large one more closely; auto: as mirror",
        choices=MODES,
    )  # fmt: skip
    tilt: str = declare("auto", "look for the query seen from aside too; auto: as mirror", choices=MODES)
    where: str = declare("", "only pictures that meet a condition: year >= 1900 and not tag = draft")
    text: str = declare("", "only pictures with these words in name or metadata")
    group_by: str = declare(
        "",
        "one hit for each value of a field of the pictures (product), its best picture; also folder, and name: of "
        "the file, where one holds several pictures",
    )
    shots: bool = False
    """A film that is found has a hit for each of its shots, not one alone."""

    metric: str = declare(DEFAULT_METRIC, "how color and histogram are compared", choices=METRICS, expert=True)
    fusion: str = declare(
        "calibrated", "how several rankers are fused: the evidence of each added up, or reciprocal ranks",
        choices=FUSIONS, expert=True,
    )  # fmt: skip

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if len(set(self.rankers)) < len(self.rankers) or len(self.local) > 1:
            expected = f"one of {', '.join(LOCAL)} and others once each"
            raise OptionError(option="ranker", expected=expected, found=repr(self.ranker))

    @property
    def rankers(self) -> tuple[str, ...]:
        """The rankers that are asked; those of several are joined by + in `ranker`."""
        return tuple(self.ranker.split("+"))

    @property
    def local(self) -> tuple[str, ...]:
        """The ranker that asks features, if there is one."""
        return tuple(ranker for ranker in self.rankers if ranker in LOCAL)

    @property
    def whole(self) -> tuple[str, ...]:
        """The rankers that compare pictures as wholes."""
        return tuple(ranker for ranker in self.rankers if ranker in COLUMN_OF)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of optional columns that the index must have."""
        return tuple(dict.fromkeys(COLUMN_OF[ranker].partition(".")[0] for ranker in self.whole))


COLUMNS = Option("columns", (), "describe pictures as wholes too, for rankers that compare that", choices=GROUPS,
                 many=True)  # fmt: skip
PART_BY = Option(
    "part_by", "hash", "what decides which part of an index a new picture goes to: the hash of its file's path, or of "
    "its folder's", choices=("hash", "folder"), expert=True,
)  # fmt: skip
PARTNERS = Option("partners", 20, "how many partners each picture has in the pairs", 1, 1_000_000, expert=True)


# -- Duplicates -------------------------------------------------------------------------------------------------------

Kind = Literal["exact", "copy", "crop", "scene"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""From the strictest to the loosest; asking for one asks for those before it too.

exact: the same bytes; copy: the same picture, re-encoded or resized; crop: the same photograph, cropped, turned,
mirrored, drawn over or recoloured; scene: another photograph of the same thing.
"""

CLIP = "clip"
"""What films share: pieces of them, no groups."""

KIND = Option(
    "kind",
    "crop",
    "exact: the same bytes; copy: also re-encoded or resized; crop: also cropped, turned, mirrored, drawn over; scene: "
    "also other photographs of it; clip: pieces of films that other films have too",
    choices=(*KINDS, CLIP),
)
RULES: Mapping[str, str] = MappingProxyType(
    {
        "pixels": "more pixels, as long as they hold more detail",
        "sharpness": "sharper, compared at one scale",
        "bytes": "more bytes for a pixel: less compressed",
        "folder": "no name like 'copy' or '(1)', no folder like 'Downloads' or 'tmp'",
        "oldest": "the older file",
        "newest": "the newer file",
    }
)
"""Rule -> what it prefers."""

GROUPS_SHOWN = Option(
    "groups", 20, "groups to print, and files that would be touched, those that free most first; 0: all", 0, 1_000_000
)

KEEP = Option(
    "keep",
    (),
    f"ask these first, in this order ({'; '.join(f'{name}: {meaning}' for name, meaning in RULES.items())})",
    choices=tuple(RULES),
    many=True,
)


@dataclass(frozen=True, slots=True)
class DuplicateOptions(_WithWorkers):
    """How groups of duplicates are found."""

    workers: int = _workers()
    agreement: float = declare(
        0.55, "share of the common part whose pixels agree from which two pictures are the same photograph", 0.0, 1.0,
        expert=True,
    )  # fmt: skip
    candidates: int = declare(50, "compare a picture with at most this many others", 1, 1000, expert=True)
