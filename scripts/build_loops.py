"""Compiles bof/native/*.c when bof is installed: hatchling calls it for every wheel, also an editable one.

The compiler is $CC, or the system's cc, gcc or clang; where there is none, the package ziglang brings one from PyPI.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
FLAGS = [
    "-O3", "-std=gnu11", "-shared", "-s", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden",
    "-fno-sanitize=undefined",
]  # fmt: skip


class LoopsHook(BuildHookInterface[Any]):
    """One shared library beside its source; the wheel is bound to the platform, not to a version of Python."""

    def dependencies(self) -> list[str]:
        """A compiler, where the machine has none."""
        return [] if system_compiler() else ["ziglang>=0.13"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the wheel after the platform."""
        if self.target_name != "wheel":
            return
        compile_loops(Path(self.root) / "bof" / "native")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["artifacts"].append(f"bof/native/_loops{SUFFIX}")


def platform_tag() -> str:
    """The platform as wheels spell it."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def system_compiler() -> list[str]:
    """The command of $CC or of a compiler on the path; empty where there is none."""
    if chosen := os.environ.get("CC"):
        return shlex.split(chosen)
    found = [path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
    return found[:1]


def compile_loops(folder: Path) -> Path:
    """Compile the C files of a folder to one library beside them, whole or not at all."""
    compiler = system_compiler() or [sys.executable, "-m", "ziglang", "cc"]
    target = folder / f"_loops{SUFFIX}"
    fresh = folder / f"._loops.partial{SUFFIX}"
    flags = FLAGS if sys.platform == "win32" else [*FLAGS, "-fPIC"]
    libraries = [] if sys.platform == "win32" else ["-lm"]
    command = [*compiler, *flags, *map(str, sorted(folder.glob("*.c"))), "-o", str(fresh), *libraries]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bof: cannot compile {folder}: {shlex.join(command)}\n{done.stdout}{done.stderr}")
    os.replace(fresh, target)
    return target
