"""Index and search a few drawn pictures with the bof that is installed, and print what it answers.

Run by its path, not with -m, so that a checkout in the working folder isn't imported: python scripts/wheels/answer.py.
Exits with 1 where an answer is wrong. `where` in what it prints says which package was asked.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import bof
from bof.types import Hit

N_PICTURES = 8
TURN_DEGREES = 25.0


def draw(seed: int) -> Image.Image:
    """A picture of 400 x 300 pixels full of shapes, another for every seed."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (400, 300), tuple(int(value) for value in rng.integers(60, 200, 3)))
    pen = ImageDraw.Draw(picture)
    for _ in range(150):
        x, y, w, h = (int(value) for value in rng.integers((0, 0, 5, 5), (400, 300, 40, 40)))
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((x, y, x + w, y + h), fill=tuple(int(value) for value in rng.integers(0, 256, 3)))
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def bits(hit: Hit) -> list[str | None]:
    """Score, probability and outline to the last bit."""
    numbers = [hit.score, hit.probability, *([] if hit.outline is None else hit.outline.ravel())]
    return [None if number is None else float(number).hex() for number in numbers]


def ask(folder: Path) -> dict[str, list[list[str | None]]]:
    """Hits of every query by its name."""
    photos = folder / "photos"
    photos.mkdir()
    for seed in range(N_PICTURES):
        draw(seed).save(photos / f"{seed}.png")
        draw(seed).rotate(TURN_DEGREES, Image.Resampling.BICUBIC).crop((60, 40, 340, 260)).save(folder / f"{seed}.png")
    with bof.Engine.open_or_create(folder / "index") as engine:
        engine.add([photos])
        answers = {}
        for seed in range(N_PICTURES):
            query = bof.read_image(folder / f"{seed}.png", grey=True, max_side=1024)
            hits = engine.search(query)
            answers[f"{seed}.png"] = [[hit.name, hit.verdict, *bits(hit)] for hit in hits]
    return answers


def main() -> int:
    """Print the answers as JSON; 1 where the first hit isn't the picture that was turned and cropped."""
    with tempfile.TemporaryDirectory() as folder:
        answers = ask(Path(folder))
    print(json.dumps({"where": str(bof.__file__), "answers": answers}))
    wrong = [query for query, hits in answers.items() if [hit[:2] for hit in hits[:1]] != [[query, "same"]]]
    if wrong:
        print(f"error: another picture came first for {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
