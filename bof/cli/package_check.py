"""Are the packages that Python imports the right ones: `bof` of bof-search, and an OpenCV with its contributed modules?

The name `bof` in the package index belongs to another project, "Bag of Factors". Its package has the same name, so pip
puts both into one folder, and the one that is installed last replaces `bof/__init__.py` of the other. So it is with
`cv2`, which four distributions share.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType

import cv2

import bof
from bof.errors import BofError

log = logging.getLogger("bof")

_ADVICE = "run: pip uninstall bof, and then: pip install --force-reinstall bof-search"
_OPENCV_ADVICE = (
    "run: pip uninstall opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless, "
    'and then: pip install "opencv-contrib-python>=5" (on a server, opencv-contrib-python-headless does as well)'
)


def check_package(package: ModuleType = bof) -> None:
    """Warn where another project's package lies in the same folder; BofError where it has replaced this one."""
    where = Path(package.__path__[0])
    if "Engine" not in getattr(package, "__all__", ()):
        found = (package.__doc__ or "no __init__.py").partition("\n")[0].rstrip(".")
        expected = "the package bof of the distribution bof-search"
        raise BofError(path=where, expected=expected, found=found, advice=_ADVICE)
    if other := _other_distribution(where):
        log.warning("%s: another project named bof lies in the folder of bof-search; %s", other, _ADVICE)


def check_opencv(package: ModuleType = cv2) -> None:
    """BofError where OpenCV is older than 5 or lacks modules: another distribution of it has replaced the right one."""
    missing = [name for name in ("img_hash", "saliency") if not hasattr(package, name)]
    if int(package.__version__.partition(".")[0]) < 5 or missing:
        lacks = f" without {' and '.join(missing)}" if missing else ""
        expected, found = "OpenCV 5 or later with contributed modules", f"{package.__version__}{lacks}"
        raise BofError(
            path=getattr(package, "__file__", None) or "cv2", expected=expected, found=found, advice=_OPENCV_ADVICE
        )


def _other_distribution(package: Path) -> Path | None:
    """Where the distribution `bof` keeps its metadata, if it has put files into this package's folder."""
    for info in package.parent.glob("bof-*.dist-info"):
        record = info / "RECORD"
        if record.exists() and "\nbof/" in "\n" + record.read_text(encoding="utf-8", errors="replace"):
            return info
    return None
