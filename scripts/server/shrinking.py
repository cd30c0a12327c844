"""How large a copy the page should send: python -m scripts.server.shrinking --index DIR --queries DIR [--number 12]

Every query is enlarged to a photograph of 12 megapixels with the noise of a telephone's camera. The page's own code
shrinks it in Chromium; answers to the copies are compared with the answer to the photograph, which is 100 %.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from PIL import Image

from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import make_parser
from scripts.server.process import ServerProcess

LONG_SIDE = 4032
NOISE = 4.0
SIZES = (1024, 1280, 1600)
QUALITIES = (0.85, 0.92)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
SHRINK = """async ([base64, side, quality]) => {
    const { resized } = await import('/static/shrinking.js');
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = resized(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    return canvas.toDataURL('image/jpeg', quality).split(',')[1];
}"""


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(__doc__, number=(12, "queries"))
    parser.add_argument("--index", type=Path, required=True, metavar="DIR")
    parser.add_argument("--queries", type=Path, required=True, metavar="DIR", help="the pictures to ask with")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    from playwright.sync_api import sync_playwright

    paths = sorted(walk_images(arguments.queries))
    chosen = paths[:: max(1, len(paths) // arguments.number)][: arguments.number]
    photos = [photograph(path, seed) for seed, path in enumerate(chosen)]
    with ServerProcess(arguments.index, "--rate", "0") as server, sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = chromium.new_page()
        page.goto(f"{server.url}/")
        whole = [answer_of(server, photo) for photo in photos]
        print(f"{len(photos)} photographs of {median(map(len, photos)) / 1e6:.1f} MB: {_verdicts(whole)}")
        for side in SIZES:
            for quality in QUALITIES:
                copies = [b64decode(page.evaluate(SHRINK, [_text(photo), side, quality])) for photo in photos]
                _report(side, quality, copies, whole, [answer_of(server, copy) for copy in copies])
        chromium.close()
    return 0


def photograph(path: Path, seed: int) -> bytes:
    """A picture as a large photograph: JPEG."""
    picture = Image.open(path).convert("RGB")
    scale = LONG_SIDE / max(picture.size)
    large = np.asarray(
        picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    )
    noise = np.random.default_rng(seed).normal(0.0, NOISE, large.shape).astype(np.float32)
    target = io.BytesIO()
    Image.fromarray((large + noise).clip(0, 255).astype(np.uint8)).save(target, "JPEG", quality=92)
    return target.getvalue()


def answer_of(server: ServerProcess, picture: bytes) -> dict[str, Any]:
    """The answer to a picture."""
    connection = HTTPConnection(server.address, timeout=120)
    connection.request("POST", "/api/v1/search?top=20", picture, {"Content-Type": "image/jpeg"})
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def _report(
    side: int, quality: float, copies: Sequence[bytes], whole: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]
) -> None:
    shares = [_inliers(copy) / max(1, _inliers(photo)) for copy, photo in zip(found, whole, strict=True)]
    pairs = list(zip(found, whole, strict=True))
    features = [copy["query"]["n_features"] / photo["query"]["n_features"] for copy, photo in pairs]
    first = mean(copy["hits"][0]["id"] == photo["hits"][0]["id"] for copy, photo in pairs)
    of_copies = f"{side:5d} px, {quality:.2f}: {median(map(len, copies)) / 1000:4.0f} KB"
    agreeing = f"features {100 * mean(features):4.0f} %, inliers {100 * mean(shares):4.0f} %"
    print(f"{of_copies}, {agreeing}, the same first hit {100 * first:3.0f} %, {_verdicts(found)}", flush=True)


def _inliers(answer: dict[str, Any]) -> int:
    return sum(hit["n_inliers"] or 0 for hit in answer["hits"] if hit["verdict"] in ("same", "part"))


def _verdicts(answers: Sequence[dict[str, Any]]) -> str:
    counted = Counter(hit["verdict"] for answer in answers for hit in answer["hits"])
    return ", ".join(f"{counted[name]} {name}" for name in ("same", "part", "maybe", "no"))


def _text(data: bytes) -> str:
    return b64encode(data).decode()


if __name__ == "__main__":
    sys.exit(main())
