"""The command `python -m bof.train_vocab PHOTOS -o vocab/NAME`: learn visual words from photographs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from bof.cli.command import peak_memory, progress_bar, run, stage_bars
from bof.errors import ImageError, OptionError, VocabularyError
from bof.images.decode import display_name
from bof.options import FeatureOptions, TrainOptions, add_options, options_from
from bof.system.units import human_bytes
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import Sample, train_vocabulary


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bof.train_vocab", description="Learn visual words from photographs."
    )
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photographs like those to be searched")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the new vocabulary")
    parser.add_argument("--levels", type=int, choices=(1, 2), help="levels of k-means (default: 1 up to 4096 words)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument(
        "--source", metavar="TEXT", help="what the photographs are, kept in the vocabulary (default: their folders)"
    )
    add_options(parser, TrainOptions)
    add_options(parser, FeatureOptions)
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if arguments.workers < 0:
        raise OptionError(f"--workers: expected 0 (one a core) or more, found {arguments.workers}")
    arguments.workers = arguments.workers or os.cpu_count() or 1
    options, features = options_from(arguments, TrainOptions), options_from(arguments, FeatureOptions)
    source = arguments.source or ", ".join(
        display_name(Path(os.path.abspath(folder)).name) for folder in arguments.photos
    )
    _refuse_unwritable(arguments.output)
    start = time.perf_counter()
    with progress_bar(" images", "features") as show:
        sample, skipped = draw_sample(arguments.photos, source, features, options, arguments.workers, show)
    for item in skipped:
        print(f"skipped {display_name(item.path)}: {item.reason}", file=sys.stderr)
    if not sample.n_images:
        raise ImageError(f"{source}: expected pictures (JPEG, PNG, WebP, TIFF, BMP, GIF), found none that can be read")
    print(f"sampled {len(sample.descriptors)} descriptors from {sample.n_images} pictures, {len(skipped)} skipped")
    _train(sample, options, arguments, start)
    return 0


def _train(sample: Sample, options: TrainOptions, arguments: argparse.Namespace, start: float) -> None:
    with stage_bars() as show:
        vocabulary = train_vocabulary(
            sample, options, levels=arguments.levels, workers=arguments.workers, progress=show
        )
    vocabulary.save(arguments.output)
    facts = vocabulary.trained_on
    n_bytes = sum(path.stat().st_size for path in arguments.output.iterdir())
    print(
        f"{display_name(arguments.output)}: {vocabulary.n_words} words, {facts['words_used']} used, "
        f"distortion {facts['distortion']}, {time.perf_counter() - start:.1f} s, {human_bytes(n_bytes)}, "
        f"peak memory {human_bytes(peak_memory())}"
    )


def _refuse_unwritable(output: Path) -> None:
    """Minutes of training should not end in an error that was known at the start."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VocabularyError(
            f"{display_name(output)}: cannot be written: {error.strerror}; name another -o"
        ) from error
    if (
        output.exists()
        and not (output / "vocabulary.json").is_file()
        and (not output.is_dir() or any(output.iterdir()))
    ):
        raise VocabularyError(
            f"{display_name(output)}: expected a vocabulary or nothing, found other files; name another -o"
        )
    if not os.access(output.parent, os.W_OK):
        raise VocabularyError(
            f"{display_name(output)}: cannot be written: {output.parent} is read-only; name another -o"
        )


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
