"""The picture of the README: a proof that the demo drew, smaller.

python -m scripts.demo.readme_picture DEMO OUT.jpg; DEMO is the folder of a finished demo.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from scripts.common.arguments import make_parser

PROOF = "query-1_02_poster-03-c.jpg"
"""The poster is turned, far away, and in another light: more than a copy."""

_WIDTH_PX = 1000
_QUALITY = 80


def main(argv: list[str] | None = None) -> int:
    """Write the picture."""
    parser = make_parser(__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args(argv)
    with Image.open(arguments.demo / "matches" / PROOF) as proof:
        size = _WIDTH_PX, round(proof.height * _WIDTH_PX / proof.width)
        smaller = proof.resize(size, Image.Resampling.LANCZOS)
        smaller.save(arguments.out, quality=_QUALITY, optimize=True, progressive=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
