"""Hostile vocabularies, loaded and used: each is refused by name or works, and nothing else happens.

python -m scripts.torture.vocabularies [--number 2000]. Each is loaded in a process of its own kind, with limits of time
and memory. Exit status 1 where a process died, took too long or too much, or an error was no VocabularyError.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from bof.errors import MismatchError, VocabularyError
from bof.system.files import sha256_of
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.vocabulary.vocabulary import Vocabulary
from scripts.torture.hostile_vocabularies import write_hostile, write_sound

_LIMITS = Limits(seconds=10.0, memory=500 << 20)
_BATCH = 100
_WRONG = ("died", "another error", "a word that there is not")


def use(_: object, folder: Path) -> str:
    """Load a vocabulary and describe some descriptors with it, in a process of its own; what became of it."""
    descriptors = np.random.default_rng(1).integers(0, 256, (300, 128), dtype=np.uint8)
    try:
        vocabulary = Vocabulary.load(folder)
        words = vocabulary.quantize(descriptors, min(3, vocabulary.n_words))
    except (VocabularyError, MismatchError) as error:
        return "refused by name" if str(folder) in str(error) else f"another error: unnamed {error}"
    except BaseException as error:
        return f"another error: {type(error).__name__}: {error}"
    is_word = (words.word >= 0) & (words.word < vocabulary.n_words)
    return "used" if is_word.all() else "a word that there is not"


def torture(number: int, seed: int, scratch: Path) -> tuple[Counter[str], list[str]]:
    """What became of so many vocabularies, and of each wrong one its kind and what it did."""
    sound = write_sound(scratch / "sound")
    canary = {path.name: sha256_of(path) for path in (scratch / "sound").iterdir()}
    fates, wrong = Counter[str](), list[str]()
    for first in range(0, number, _BATCH):
        folders = [scratch / f"{n:05}" for n in range(first, min(first + _BATCH, number))]
        kinds = [write_hostile(sound, folder, first + n, seed) for n, folder in enumerate(folders)]
        results = run_in_workers("scripts.torture.vocabularies:use", None, folders, 1, _LIMITS)
        for kind, folder, result in zip(kinds, folders, results, strict=True):
            fate = f"died: {result.reason}" if isinstance(result, LostItem) else str(result)
            fates[fate.split(":")[0]] += 1
            if fate.startswith(_WRONG):
                wrong.append(f"{folder.name} {kind}: {fate}")
            shutil.rmtree(folder)
    if canary != {path.name: sha256_of(path) for path in (scratch / "sound").iterdir()}:
        wrong.append("the files beside were changed")
    return fates, wrong


def main(argv: list[str] | None = None) -> int:
    """Torture, and print what became of the vocabularies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=2000, help="of vocabularies (default 2000)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bof-vocabularies-") as scratch:
        fates, wrong = torture(arguments.number, arguments.seed, Path(scratch))
    print(f"{fates.total()} vocabularies: {', '.join(f'{n} {fate}' for fate, n in fates.most_common())}")
    print("\n".join(f"WRONG  {line[:300]}" for line in wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
