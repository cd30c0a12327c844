"""One wheel for one platform: the build backend with zig as its compiler, and the platform's name."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.wheels.targets import Target, platform_of

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "scripts" / "backend"


def build_wheel(target: Target, out: Path) -> Path:
    """Compile, pack, name and check; returns the wheel's path in `out`."""
    with TemporaryDirectory() as scratch:
        settings = {
            "cmake.define.CMAKE_SYSTEM_NAME": target.system,
            "cmake.define.CMAKE_SYSTEM_PROCESSOR": target.processor,
            "install.strip": "false",  # this machine's strip knows no library of another system
            "build-dir": f"{scratch}/build",
        }
        _call_backend("build_wheel", scratch, settings, CC=_compiler(target))
        (made,) = Path(scratch).glob("*.whl")
        return _check(_name(made, target, out), target)


def build_sdist(out: Path) -> Path:
    """The source archive; returns its path in `out`."""
    with TemporaryDirectory() as scratch:
        _call_backend("build_sdist", scratch, {})
        (made,) = Path(scratch).glob("*.tar.gz")
        return made.replace(out / made.name)


def _compiler(target: Target) -> str:
    """All flags, for CMake's first trials too: for other flags zig compiles its run-time libraries once more."""
    strip = "" if target.system == "Darwin" else " -s"  # zig signs libraries of macOS, which must stay as they are
    return f"{sys.executable} -m ziglang cc -target {target.triple} -O3 -fno-sanitize=undefined{strip}"


def _call_backend(function: str, folder: str, settings: dict[str, str], **environment: str) -> None:
    """In a process of its own: the backend changes the environment, and CMake reads it."""
    call = f"import bof_build; bof_build.{function}({folder!r}, {settings!r})"
    path = {"PYTHONPATH": str(BACKEND), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=ROOT, env={**os.environ, **path, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"error: {function} failed:\n{done.stdout}")


def _name(wheel: Path, target: Target, out: Path) -> Path:
    """The same wheel under the name and the tag of its platform, in `out`."""
    call = ["-m", "wheel", "tags", "--python-tag", "py3", "--abi-tag", "none", "--platform-tag", target.tag]
    done = subprocess.run([sys.executable, *call, wheel], capture_output=True, text=True, check=True)
    named = wheel.parent / done.stdout.splitlines()[-1]
    return named.replace(out / named.name)


def _check(wheel: Path, target: Target) -> Path:
    """The wheel itself, if its library is for the platform that its name says; else it is deleted, and ValueError."""
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [name for name in archive.namelist() if name.startswith("bof/native/_loops")]
        found = (Path(entry).name, *platform_of(archive.read(entry)))
    if found != (expected := (target.library, target.system, target.processor)):
        wheel.unlink()
        raise ValueError(f"{wheel.name}: expected {expected}, found {found}")
    return wheel
