"""Copy the pages and their pictures, under their paths in the repository, so that links between them hold.

python -m scripts.site FOLDER: an earlier copy in it is replaced.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from scripts.common.arguments import make_parser

ROOT = Path(__file__).parents[2]
PAGES = (
    "*.md", "CITATION.cff", "LICENSE", "docs/**/*.md", "docs/figures/*", "docs/pictures/*", "data/README.md",
    "vocab/README.md",
)  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Copy; 1 where the folder holds anything else."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    if folder.exists() and not (folder / "README.md").exists():
        print(f"error: {folder}: expected no folder or an earlier copy, found another folder", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted({path for pattern in PAGES for path in ROOT.glob(pattern)}):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
