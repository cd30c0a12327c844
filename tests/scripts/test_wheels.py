"""Wheels for other platforms: what a library is compiled for, and what is made of a wheel whose name says otherwise."""

from __future__ import annotations

import importlib
import struct
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from scripts.wheels import building, trying
from scripts.wheels.__main__ import main
from scripts.wheels.targets import BY_TAG, TARGETS, platform_of
from tests.support.scenes import ROOT

ELF = b"\x7fELF\x02\x01".ljust(18, b"\0")
PE = b"MZ".ljust(60, b"\0") + struct.pack("<I", 128)
LIBRARIES = {
    ("Linux", "x86_64"): ELF + struct.pack("<H", 62),
    ("Linux", "aarch64"): ELF + struct.pack("<H", 183),
    ("Darwin", "x86_64"): b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x01000007),
    ("Darwin", "arm64"): b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C),
    ("Windows", "AMD64"): PE.ljust(128, b"\0") + b"PE\0\0" + struct.pack("<H", 0x8664),
    ("Windows", "ARM64"): PE.ljust(128, b"\0") + b"PE\0\0" + struct.pack("<H", 0xAA64),
}


@pytest.mark.parametrize("platform", LIBRARIES)
def test_a_library_says_what_it_is_for(platform: tuple[str, str]) -> None:
    assert platform_of(LIBRARIES[platform]) == platform
    assert platform in {(target.system, target.processor) for target in TARGETS}


def test_another_file_is_no_library() -> None:
    with pytest.raises(ValueError, match="expected a shared library, found the bytes b'#!/bin'"):
        platform_of(b"#!/bin/sh")


def test_names_of_wheels_are_names_of_platforms() -> None:
    for tag in BY_TAG:
        name, version, _, tags = parse_wheel_filename(f"bof_search-0.1.0-py3-none-{tag}.whl")
        assert (name, str(version), tags) == ("bof-search", "0.1.0", {Tag("py3", "none", tag)})
    systems = [tag.partition("_")[0] for tag in BY_TAG]
    assert {system: systems.count(system) for system in systems} == dict.fromkeys(
        ("manylinux", "musllinux", "macosx", "win"), 2
    )


def wheel_with(folder: Path, library: str, content: bytes) -> Path:
    wheel = folder / "bof_search-0.1.0-py3-none-win_arm64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bof/native/library.py", "")
        archive.writestr(f"bof/native/{library}", content)
    return wheel


@pytest.mark.parametrize(("library", "kept"), [(("Windows", "ARM64"), True), (("Windows", "AMD64"), False)])
def test_a_wheel_under_the_name_of_another_platform_is_not_kept(
    library: tuple[str, str], kept: bool, tmp_path: Path
) -> None:
    wheel = wheel_with(tmp_path, "_loops.dll", LIBRARIES[library])
    if kept:
        assert building._check(wheel, BY_TAG["win_arm64"]) == wheel
    else:
        with pytest.raises(ValueError, match=r"expected \('_loops.dll', 'Windows', 'ARM64'\), found .*'AMD64'"):
            building._check(wheel, BY_TAG["win_arm64"])
    assert wheel.exists() == kept


def test_a_build_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bof_build.py").write_text("def build_sdist(folder, settings):\n    raise RuntimeError('no zlib')\n")
    monkeypatch.setattr(building, "BACKEND", tmp_path)
    with pytest.raises(SystemExit, match=r"(?s)error: build_sdist failed:.*no zlib"):
        building.build_sdist(tmp_path)


def test_without_a_wheel_for_this_machine_it_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "bof_search-0.1.0-py3-none-win_arm64.whl").touch()
    with pytest.raises(SystemExit, match="expected a wheel for this machine; make one: "):
        main(["try", str(tmp_path)])


def test_the_question_that_packages_are_asked_is_answered_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "wheels"))
    answer = importlib.import_module("answer")
    monkeypatch.setattr(answer, "N_PICTURES", 2)
    assert answer.main() == 0
    assert f'"where": "{ROOT / "bof" / "__init__.py"}"' in capsys.readouterr().out


def test_queries_that_are_answered_otherwise_are_named() -> None:
    assert trying.differences({"a": [1], "b": [2]}, {"a": [1], "b": [3]}) == ["b"]
    assert trying.differences({"a": [1]}, {}) == ["a"]


def test_a_program_that_fails_says_what_it_printed() -> None:
    with pytest.raises(SystemExit, match=r"(?s)error: .* failed:\nout\nwhy"):
        trying._run([sys.executable, "-c", "import sys; print('out', flush=True); sys.exit('why')"], None)
