"""bof: bag-of-visual-words image retrieval. Which of my pictures show the same thing as this one, where, how sure?

Nouns and construction functions; commands are modules of their own (`python -m bof.search`) and never imported here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bof.system.version import VERSION

if TYPE_CHECKING:
    from bof.clips.duplicates import SharedClips as SharedClips
    from bof.clips.duplicates import find_shared_clips as find_shared_clips
    from bof.clips.finding import find_segments as find_segments
    from bof.clips.types import ClipAnswer as ClipAnswer
    from bof.clips.types import ClipSegment as ClipSegment
    from bof.comparison import Comparison as Comparison
    from bof.comparison import HashDistance as HashDistance
    from bof.comparison import compare_pictures as compare_pictures
    from bof.engine import AddReport as AddReport
    from bof.engine import Engine as Engine
    from bof.errors import BofError as BofError
    from bof.evaluation.benchmarks import Benchmark as Benchmark
    from bof.evaluation.benchmarks import load_benchmark as load_benchmark
    from bof.evaluation.metrics import average_precision as average_precision
    from bof.evaluation.metrics import micro_average_precision as micro_average_precision
    from bof.evaluation.metrics import precision_at as precision_at
    from bof.evaluation.metrics import precision_recall as precision_recall
    from bof.evaluation.metrics import recall_at as recall_at
    from bof.evaluation.metrics import recall_at_precision as recall_at_precision
    from bof.evaluation.metrics import ukbench_score as ukbench_score
    from bof.evaluation.rankers import EngineRanker as EngineRanker
    from bof.evaluation.run import Report as Report
    from bof.evaluation.run import evaluate_ranker as evaluate_ranker
    from bof.features.descriptor_bytes import descriptor_bytes as descriptor_bytes
    from bof.features.sift import extract_features as extract_features
    from bof.geometry.verification import verify as verify
    from bof.grouping.finding import find_duplicates as find_duplicates
    from bof.images.decode import Picture as Picture
    from bof.images.decode import read_image as read_image
    from bof.images.sources import as_picture as as_picture
    from bof.options import ClipOptions as ClipOptions
    from bof.options import DuplicateOptions as DuplicateOptions
    from bof.options import FeatureOptions as FeatureOptions
    from bof.options import IndexOptions as IndexOptions
    from bof.options import ReuseOptions as ReuseOptions
    from bof.options import SearchOptions as SearchOptions
    from bof.options import TrainOptions as TrainOptions
    from bof.options import VerifyOptions as VerifyOptions
    from bof.options import VoteOptions as VoteOptions
    from bof.retrieval.hits import Hits as Hits
    from bof.retrieval.query import Query as Query
    from bof.reuse.finding import find_reuse as find_reuse
    from bof.reuse.types import ReuseGraph as ReuseGraph
    from bof.reuse.types import SharedPart as SharedPart
    from bof.transformer import BagOfVisualWords as BagOfVisualWords
    from bof.types import Features as Features
    from bof.types import Geometry as Geometry
    from bof.types import Hit as Hit
    from bof.types import Ranker as Ranker
    from bof.types import Ranking as Ranking
    from bof.types import Verification as Verification
    from bof.vocabulary.sampling import Sample as Sample
    from bof.vocabulary.training import train_vocabulary as train_vocabulary
    from bof.vocabulary.vocabulary import Vocabulary as Vocabulary
    from bof.vocabulary.vocabulary import default_vocabulary as default_vocabulary


__version__ = VERSION

_HOMES = {
    "clips.duplicates": ("SharedClips", "find_shared_clips"),
    "clips.finding": ("find_segments",),
    "clips.types": ("ClipAnswer", "ClipSegment"),
    "comparison": ("Comparison", "HashDistance", "compare_pictures"),
    "engine": ("AddReport", "Engine"),
    "errors": ("BofError",),
    "evaluation.benchmarks": ("Benchmark", "load_benchmark"),
    "evaluation.metrics": (
        "average_precision",
        "micro_average_precision",
        "precision_at",
        "precision_recall",
        "recall_at",
        "recall_at_precision",
        "ukbench_score",
    ),
    "evaluation.rankers": ("EngineRanker",),
    "evaluation.run": ("Report", "evaluate_ranker"),
    "features.descriptor_bytes": ("descriptor_bytes",),
    "features.sift": ("extract_features",),
    "geometry.verification": ("verify",),
    "grouping.finding": ("find_duplicates",),
    "images.decode": ("Picture", "read_image"),
    "images.sources": ("as_picture",),
    "options": (
        "ClipOptions",
        "DuplicateOptions",
        "FeatureOptions",
        "IndexOptions",
        "ReuseOptions",
        "SearchOptions",
        "TrainOptions",
        "VerifyOptions",
        "VoteOptions",
    ),
    "retrieval.hits": ("Hits",),
    "retrieval.query": ("Query",),
    "reuse.finding": ("find_reuse",),
    "reuse.types": ("ReuseGraph", "SharedPart"),
    "transformer": ("BagOfVisualWords",),
    "types": ("Features", "Geometry", "Hit", "Ranker", "Ranking", "Verification"),
    "vocabulary.sampling": ("Sample",),
    "vocabulary.training": ("train_vocabulary",),
    "vocabulary.vocabulary": ("Vocabulary", "default_vocabulary"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: a search must not wait for what training needs."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bof' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"bof.{_HOME_OF[name]}"), name)
    except ImportError as error:
        if error.name == "cv2":
            error.add_note(importlib.import_module("bof.system.opencv").ADVICE)
        raise


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
