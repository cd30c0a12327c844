"""The build: scikit-build-core with a compiler that is named, found or fetched; what wheels and archives hold."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bof.native.library import library_path
from bof.native.table import FUNCTIONS
from tests.support.scenes import ROOT

pytest.importorskip("scikit_build_core")

NATIVE = ROOT / "bof" / "native"
LIBRARY = library_path().name


@pytest.fixture(scope="module")
def build() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts" / "backend"))
        yield importlib.import_module("bof_build")


# -- The compiler -----------------------------------------------------------------------------------------------------


def test_the_compiler_is_the_one_that_is_named(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "ccache gcc-99 -m64")
    assert build.system_compiler() == "ccache gcc-99 -m64"


def test_without_a_name_it_is_the_first_of_those_that_are_installed(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    for installed, found in [({"clang"}, "clang"), ({"gcc", "clang"}, "gcc"), (set(), None)]:
        monkeypatch.setattr(shutil, "which", lambda name, i=installed: f"/bin/{name}" if name in i else None)
        assert build.system_compiler() == found


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_a_compiler_is_asked_for_where_there_is_none(build: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requested = getattr(build, f"get_requires_for_build_{kind}")
    monkeypatch.setattr(build.standard, f"get_requires_for_build_{kind}", lambda settings: ["ninja"])
    monkeypatch.setenv("CC", "cc")
    assert requested() == ["ninja"]
    monkeypatch.delenv("CC")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert [name.partition(">=")[0] for name in requested()] == ["ninja", "ziglang"]


@pytest.mark.parametrize("kind", ["wheel", "editable"])
@pytest.mark.parametrize(("installed", "expected"), [("gcc", r"^gcc$"), ("", r"-m ziglang cc ")])
def test_the_build_compiles_with_it(
    build: Any, kind: str, installed: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiler(*_: object) -> str:
        return os.environ["CC"]

    monkeypatch.setenv("CC", "")
    monkeypatch.setattr(shutil, "which", lambda name: name if name == installed else None)
    monkeypatch.setenv("BOF_EDITABLE", "")
    monkeypatch.setattr(build.standard, "build_wheel", compiler)
    assert re.search(expected, getattr(build, f"build_{kind}")("folder"))


# -- Compiling --------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an editable installation reads, without a library, as the working directory."""
    if not (shutil.which("cmake") and shutil.which("cc")):
        pytest.skip("no CMake or no compiler here")
    for path in ["pyproject.toml", "README.md", "LICENSE", *(str(path.relative_to(ROOT)) for path in native_files())]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for name in ("CC", "BOF_EDITABLE", "CMAKE_BUILD_PARALLEL_LEVEL"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def native_files() -> list[Path]:
    return [*NATIVE.glob("*.[ch]"), NATIVE / "CMakeLists.txt"]


def test_an_editable_wheel_is_a_line_for_the_path_and_the_library_lies_in_the_checkout(
    build: Any, checkout: Path
) -> None:
    """The line comes behind PYTHONPATH, so that the same environment runs other checkouts too."""
    name = build.build_editable(str(checkout))
    assert re.fullmatch(r"bof_search-[\d.]+-py3-none-(?!any)\w+\.whl", name)
    with zipfile.ZipFile(checkout / name) as wheel:
        (line,) = [entry for entry in wheel.namelist() if ".dist-info/" not in entry]
        assert wheel.read(line).decode() == f"{checkout}\n"
    assert line.endswith(".pth")
    library = ctypes.CDLL(str(checkout / "bof" / "native" / LIBRARY))
    assert all(hasattr(library, f"bof_{name}") for name in FUNCTIONS)


def test_a_broken_file_says_what_the_compiler_said_and_leaves_the_library_as_it_was(
    build: Any, checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = checkout / "bof" / "native"
    (folder / LIBRARY).write_bytes(b"the old library")
    (folder / "words.c").write_text("int f(void) { return no_such_name; }\n")
    with pytest.raises(SystemExit):
        build.build_editable(str(checkout))
    assert "no_such_name" in "".join(capfd.readouterr())
    assert (folder / LIBRARY).read_bytes() == b"the old library"


# -- What is in an archive --------------------------------------------------------------------------------------------


def test_a_wheel_is_bound_to_the_platform_and_holds_all_that_is_read(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made without compiling, which the tests above do."""
    monkeypatch.chdir(ROOT)
    name = build.build_wheel(str(tmp_path), {"wheel.cmake": "false", "wheel.platlib": "true"})
    assert re.fullmatch(r"bof_search-[\d.]+-py3-none-(?!any)\w+\.whl", name)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        found = set(wheel.namelist())
    vocabulary = {f"bof/default_vocabulary/{path.name}" for path in (ROOT / "vocab" / "default").iterdir()}
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "bof").rglob("*") if is_source(path)}
    assert vocabulary | package <= found
    assert not any("__pycache__" in entry for entry in found)


def is_source(path: Path) -> bool:
    return path.is_file() and path.name != LIBRARY and "__pycache__" not in path.parts


def test_a_source_archive_holds_all_that_a_build_reads(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    name = build.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        found = {path.partition("/")[2] for path in archive.getnames()}
    needed = {str(path.relative_to(ROOT)) for path in native_files()}
    assert needed | {"pyproject.toml", "scripts/backend/bof_build.py", "README.md", "LICENSE"} <= found
    assert not any(path.endswith(LIBRARY) for path in found)
