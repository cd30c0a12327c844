"""The build hook: compiles the loops whole or not at all, with the compiler that it is told or finds."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scenes import ROOT

pytest.importorskip("hatchling")


@pytest.fixture(scope="module")
def build() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield importlib.import_module("build_loops")


@pytest.fixture
def folder(tmp_path: Path, build: Any) -> Path:
    """The C files, without a library."""
    copy = tmp_path / "loops"
    copy.mkdir()
    for path in [*(ROOT / "bof" / "native").glob("*.c"), *(ROOT / "bof" / "loops").glob("*.h")]:
        shutil.copy(path, copy)
    return copy


def needs_a_compiler(build: Any) -> None:
    if not build.system_compiler():
        pytest.skip("no compiler here")


def exported() -> set[str]:
    """The functions that bof.native asks for."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "bof" / "native").glob("*.py"))
    return {name for source in sources for name in re.findall(r'"(bof_\w+)"', source)}


def test_the_compiled_library_loads_and_has_every_function(build: Any, folder: Path) -> None:
    needs_a_compiler(build)
    before = {path.name for path in folder.iterdir()}
    target = build.compile_loops(folder)
    library = ctypes.CDLL(str(target))
    names = exported()
    assert {"bof_nearest_words", "bof_refine"} <= names
    assert all(hasattr(library, name) for name in names)
    assert {path.name for path in folder.iterdir()} == before | {target.name}


def test_a_broken_file_says_what_the_compiler_said_and_leaves_the_library_as_it_was(build: Any, folder: Path) -> None:
    needs_a_compiler(build)
    target = folder / f"_loops{build.SUFFIX}"
    target.write_bytes(b"the old library")
    (folder / "words.c").write_text("int f(void) { return no_such_name; }\n")
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(SystemExit) as caught:
        build.compile_loops(folder)
    assert str(folder) in str(caught.value)
    assert "no_such_name" in str(caught.value)
    assert target.read_bytes() == b"the old library"
    assert {path.name for path in folder.iterdir()} == before


def test_the_compiler_is_the_one_that_is_named(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "ccache gcc-99 -m64")
    assert build.system_compiler() == ["ccache", "gcc-99", "-m64"]


def test_without_a_name_it_is_the_first_of_those_that_are_installed(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    for installed, found in [({"clang"}, ["/bin/clang"]), ({"gcc", "clang"}, ["/bin/gcc"]), (set(), [])]:
        monkeypatch.setattr(shutil, "which", lambda name, i=installed: f"/bin/{name}" if name in i else None)
        assert build.system_compiler() == found


def hook_of(build: Any, folder: Path, target: str = "wheel") -> Any:
    return build.LoopsHook(str(folder), {}, None, None, str(folder), target, None)


def test_a_compiler_is_asked_for_where_there_is_none(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (asked,) = hook_of(build, tmp_path).dependencies()
    assert asked.startswith("ziglang")
    monkeypatch.setenv("CC", "cc")
    assert hook_of(build, tmp_path).dependencies() == []


def test_a_compiler_that_is_not_there_is_an_error_with_its_name(
    build: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one on the path, Python is asked for that of ziglang; here it says that there is no such module."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "executable", shutil.which("false") or sys.executable)
    if importlib.util.find_spec("ziglang"):
        pytest.skip("ziglang is installed")
    with pytest.raises(SystemExit, match="-m ziglang cc"):
        build.compile_loops(folder)
    assert not (folder / f"_loops{build.SUFFIX}").exists()


def test_a_wheel_is_bound_to_the_platform_and_carries_the_library(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Path] = []
    monkeypatch.setattr(build, "compile_loops", compiled.append)
    data: dict[str, Any] = {"artifacts": []}
    hook_of(build, tmp_path).initialize("standard", data)
    assert compiled == [tmp_path / "bof" / "native"]
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-")
    assert not set("-.") & set(data["tag"].removeprefix("py3-none-"))
    assert data["artifacts"] == [f"bof/native/_loops{build.SUFFIX}"]


def test_a_source_archive_compiles_nothing(build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "compile_loops", lambda folder: pytest.fail("compiled"))
    data: dict[str, Any] = {"artifacts": []}
    hook_of(build, tmp_path, "sdist").initialize("standard", data)
    assert data == {"artifacts": []}
