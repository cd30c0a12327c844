"""How a picture is searched with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bof.errors import OptionError
from bof.options.option import Checked, Option, declare

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
    expand_again: int = declare(10, "and with this many of what these have points in common with", 0, 100, expert=True)


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
        "auto",
        "look for the query with light and dark exchanged too: negatives, dark screens; for a flat drawing on other "
        "grounds; auto: as mirror",
        choices=MODES,
    )
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
PARTNERS = Option("partners", 20, "how many partners each picture has in the pairs", 1, 1_000_000, expert=True)
