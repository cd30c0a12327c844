"""The command `bof train_vocab PHOTOS -o vocab/NAME`: learn visual words from photographs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bof.cli.arguments import add_local_model, add_option, add_options, given, local_model, options_from
from bof.cli.command import run
from bof.cli.on_dask import cluster_of
from bof.cli.parser import CommandParser
from bof.cli.progress import progress_bar, stage_bars
from bof.errors import ImageError, VocabularyError, display_name, reason_of
from bof.images.listing import PICTURES, list_files
from bof.options import FeatureOptions, TrainOptions
from bof.options.cluster import DASK
from bof.retrieval.calibrating import calibrate
from bof.retrieval.evidence import CALIBRATION
from bof.system.memory import peak_memory
from bof.system.steps import Step
from bof.system.units import human_bytes
from bof.vocabulary.sampling import Sample, draw_sample
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("train_vocab", "PHOTOS... -o DIR [options]", "Learn visual words from photographs.")
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photographs like those to be searched")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the new vocabulary")
    parser.add_argument(
        "--source", metavar="TEXT", help="what the photographs are, kept in the vocabulary (default: their folders)"
    )
    add_options(parser, TrainOptions)
    add_option(parser, DASK)
    add_options(parser, FeatureOptions)
    add_local_model(parser)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    options = options_from(arguments, TrainOptions)
    features = FeatureOptions(**{**given(arguments, FeatureOptions), **local_model(arguments)})
    source = arguments.source or ", ".join(
        display_name(Path(os.path.abspath(folder)).name) for folder in arguments.photos
    )
    _refuse_unwritable(arguments.output)
    start = time.perf_counter()
    seen = [str(folder.absolute()) for folder in arguments.photos]
    seen += [features.model_file] if features.model_file else []
    with cluster_of(arguments.dask, options.n_workers, seen) as cluster, progress_bar(" images", "features") as show:
        sample, skipped = draw_sample(arguments.photos, source, features, options, show, cluster)
    for item in skipped:
        print(f"skipped {display_name(item.path)}: {item.reason}", file=sys.stderr)
    if not sample.n_images:
        raise ImageError(path=source, expected=PICTURES, found="none that can be read")
    print(f"sampled {len(sample.descriptors)} descriptors from {sample.n_images} pictures, {len(skipped)} skipped")
    _train(sample, options, arguments, start)
    return 0


def _train(sample: Sample, options: TrainOptions, arguments: argparse.Namespace, start: float) -> None:
    with stage_bars() as show:
        vocabulary = train_vocabulary(
            sample, options, progress=lambda stage, done, total: show(Step(stage, done, total, done / total))
        )
    if vocabulary.features.is_learned:
        vocabulary = _calibrated(vocabulary, list(list_files(arguments.photos)), options)
    vocabulary.save(arguments.output)
    facts = vocabulary.trained_on
    n_bytes = sum(path.stat().st_size for path in arguments.output.iterdir())
    print(
        f"{display_name(arguments.output)}: {vocabulary.n_words} words, {facts['words_used']} used, "
        f"distortion {facts['distortion']}, {time.perf_counter() - start:.1f} s, {human_bytes(n_bytes)}, "
        f"peak memory {human_bytes(peak_memory())}"
    )


def _calibrated(vocabulary: Vocabulary, paths: Sequence[str], options: TrainOptions) -> Vocabulary:
    """The vocabulary with what inliers of its features prove, where the pictures are enough to tell."""
    found = calibrate(paths, vocabulary, options)
    if found is None:
        print("not calibrated: too few pictures match themselves; verdicts go by what SIFT's inliers prove")
        return vocabulary
    print("calibrated: " + ", ".join(f"{value:.2f}" for value in found.fact))
    return replace(vocabulary, trained_on={**vocabulary.trained_on, CALIBRATION: found.fact})


def _refuse_unwritable(output: Path) -> None:
    """Minutes of training should not end in an error that was known at the start."""
    advice = "name another -o"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VocabularyError(f"cannot be written: {reason_of(error)}", path=output, advice=advice) from error
    if (
        output.exists()
        and not (output / "vocabulary.json").is_file()
        and (not output.is_dir() or any(output.iterdir()))
    ):
        raise VocabularyError(path=output, expected="a vocabulary or nothing", found="other files", advice=advice)
    if not os.access(output.parent, os.W_OK):
        raise VocabularyError(f"cannot be written: {output.parent} is read-only", path=output, advice=advice)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
