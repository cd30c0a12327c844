"""How to search: which rankers, the options of their stages, which pictures may answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from bof.errors import OptionError
from bof.global_descriptors.color import DEFAULT_METRIC, METRICS
from bof.global_descriptors.describe import COLUMN_OF
from bof.options import ExpandOptions, VerifyOptions, VoteOptions
from bof.retrieval.fusion import FUSIONS
from bof.store.columns import group_of

LOCAL = ("bof", "votes", "tfidf")
"""Hamming votes verified with geometry; the votes alone; the plain cosine of TF-IDF histograms."""

RANKERS = (*LOCAL, *COLUMN_OF)
"""Those that ask features, and those that compare pictures as wholes; several are fused: bof+color."""

MIRRORS = ("auto", "always", "never")
"""Look for the query's mirror image too: if nothing was clearly the same, always, never."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search: which ranker or rankers, the options of its stages, whether the query's mirror image is looked
    for, which pictures may answer: those that meet the condition `where` and hold the words of `text` (see filters).

    metric: how `color` and `histogram` compare; fusion: how several rankers are fused.
    """

    ranker: str = "bof"
    vote: VoteOptions = field(default_factory=VoteOptions)
    verify: VerifyOptions = field(default_factory=VerifyOptions)
    expand: ExpandOptions = field(default_factory=ExpandOptions)
    mirror: str = "auto"
    where: str = ""
    text: str = ""
    metric: str = DEFAULT_METRIC
    fusion: str = FUSIONS[0]

    def __post_init__(self) -> None:
        choices = [("mirror", self.mirror, MIRRORS), ("metric", self.metric, METRICS), ("fusion", self.fusion, FUSIONS)]
        for name, value, known in [*(("ranker", ranker, RANKERS) for ranker in self.rankers), *choices]:
            if value not in known:
                raise OptionError(f"--{name}: expected one of {', '.join(known)}, found {value!r}")
        if len(set(self.rankers)) < len(self.rankers) or len(self.local) > 1:
            raise OptionError(
                f"--ranker: expected one of {', '.join(LOCAL)} and others once each, found {self.ranker!r}"
            )

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
        return tuple(dict.fromkeys(group_of(COLUMN_OF[ranker]) for ranker in self.whole))
