"""The build backend of bof: scikit-build-core, with a compiler from PyPI where the machine has none.

pip calls these functions, which PEP 517 and PEP 660 name, and CMake reads $CC.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

from scikit_build_core import build as standard
from scikit_build_core.build import (
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

Settings = dict[str, Any] | None

_ZIG_FLAGS = "-O3 -fno-sanitize=undefined"
"""For CMake's first trials too: zig would compile its run-time libraries once more for them, with checks."""


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What a build needs besides: CMake and ninja where they are missing or old, and a compiler."""
    return [*standard.get_requires_for_build_wheel(config_settings), *_compiler_package()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """The same as for a wheel."""
    return [*standard.get_requires_for_build_editable(config_settings), *_compiler_package()]


def build_wheel(folder: str, config_settings: Settings = None, metadata_folder: str | None = None) -> str:
    """Compile, and make a wheel; returns its name."""
    _choose_compiler()
    return str(standard.build_wheel(folder, config_settings, metadata_folder))


def build_editable(folder: str, config_settings: Settings = None, metadata_folder: str | None = None) -> str:
    """Compile into the checkout, and make a wheel that leads there, with one line for sys.path; returns its name.

    The editable wheels of scikit-build-core bring a finder that comes before sys.path: then PYTHONPATH cannot name
    another checkout.
    """
    _choose_compiler()
    os.environ["BOF_EDITABLE"] = "ON"
    return str(standard.build_wheel(folder, config_settings, metadata_folder))


def system_compiler() -> str | None:
    """$CC, or the first compiler on the path that knows the code's attributes of GNU C."""
    return os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)


def _compiler_package() -> list[str]:
    return [] if system_compiler() else ["ziglang>=0.13"]


def _choose_compiler() -> None:
    """For CMake, which would look for other compilers, and build one file after the other where there is no ninja."""
    os.environ["CC"] = system_compiler() or f"{sys.executable} -m ziglang cc {_ZIG_FLAGS}"
    os.environ.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
