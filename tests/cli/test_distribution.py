"""The distribution is bof-search, since `bof` in the package index is another project."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import bof
from bof.cli.package_check import check_opencv, check_package
from bof.errors import BofError
from bof.system.opencv import ADVICE
from tests.support.scenes import ROOT, draw_scene, write_picture

OTHER_INIT = '"""Top-level package for Bag of Factors."""\n__version__ = "0.4.2"\n'


def test_the_metadata_names_bof_search_and_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["version"]) == ("bof-search", bof.__version__)
    assert project["scripts"] == {"bof": "bof.cli.main:main"}


OLD_FORM = re.compile(
    r"(?<![\w./-])bof\\?\[[a-z]"  # an extra of it
    r"|\b(pip3?|pipx|uv|conda)\b[^\n`|]*\b(install|add|run|inject)\b(?!.*bof-search)[^\n`|]*[\s\"']bof(?![\w/.-])"
    r"|\buvx (?!.*bof-search)[^\n`|]*\bbof\b"
)
TEXT = {"", ".cff", ".css", ".html", ".js", ".json", ".md", ".py", ".toml", ".txt", ".yml"}


@pytest.mark.parametrize(
    "line",
    [
        'pip install "bof[serve]"', "extra bof[onnx]", "pip install bof", "pip install --force-reinstall bof",
        r"pip install \"bof\[trash\]\"", "pipx install bof", "uvx bof search", "uv tool install 'bof'",
    ],
)  # fmt: skip
def test_the_old_form_is_seen(line: str) -> None:
    assert OLD_FORM.search(line)


def test_nothing_says_to_install_the_other_project() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    paths = [ROOT / name for name in listed.split("\0") if name and Path(name).suffix in TEXT]
    if not paths:
        pytest.skip("no checkout")
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in paths
        if path.is_file() and path != Path(__file__)
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if OLD_FORM.search(line)
    ]
    assert not found


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of packages with bof-search in it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "bof", tmp_path / "site" / "bof", ignore=ignored)
    return tmp_path / "site"


def install_other(site: Path) -> Path:
    """What pip leaves behind when it installs the other project: its metadata, and its package in ours."""
    info = site / "bof-0.4.2.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("bof/__init__.py,,\nbof/common.py,,\nbof-0.4.2.dist-info/RECORD,,\n")
    (site / "bof" / "__init__.py").write_text(OTHER_INIT)
    return info


def search(site: Path, start: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-P", "-W", "error", *start.split(), "query.jpg", "--index", str(site / "no-index")]
    environment = {"PYTHONPATH": str(site)}
    return subprocess.run(call, cwd=site, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("start", ["-m bof search", "-m bof.search"])
def test_a_package_that_another_project_has_replaced_is_an_error(installed: Path, start: str) -> None:
    install_other(installed)
    done = search(installed, start)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {installed / 'bof'}: expected the package bof of the distribution bof-search, found "
        "Top-level package for Bag of Factors; run: pip uninstall bof, and then: "
        "pip install --force-reinstall bof-search\n"
    )


def test_what_is_left_when_the_other_is_taken_out_again_is_an_error(tmp_path: Path) -> None:
    """A folder of modules without `__init__.py`."""
    package = ModuleType("bof")
    package.__path__ = [str(tmp_path / "bof")]
    with pytest.raises(BofError) as caught:
        check_package(package)
    assert str(caught.value).startswith(f"{tmp_path / 'bof'}: expected the package bof of the distribution bof-search")
    assert "found no __init__.py; run: pip uninstall bof" in str(caught.value)


def test_another_project_in_the_same_folder_is_a_warning(installed: Path) -> None:
    info = install_other(installed)
    shutil.copy(ROOT / "bof" / "__init__.py", installed / "bof" / "__init__.py")
    first, *others = search(installed, "-m bof search").stderr.splitlines()
    assert first.startswith(f"warning: {info}: another project named bof lies in the folder of bof-search; run: pip un")
    assert [line.partition(" ")[0] for line in others] == ["error:"]


def test_an_editable_installation_under_the_old_name_is_no_other_project(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It put no file into the package."""
    package = ModuleType("bof")
    package.__path__ = [str(tmp_path / "bof")]
    package.__all__ = ["Engine"]
    (tmp_path / "bof-0.1.0.dist-info").mkdir()
    (tmp_path / "bof-0.1.0.dist-info" / "RECORD").write_text("../../../bin/bof,,\nbof-editable.pth,,\n")
    with caplog.at_level(logging.WARNING, logger="bof"):
        check_package(package)
    assert not caplog.records


def test_this_package_is_the_right_one(caplog: pytest.LogCaptureFixture) -> None:
    check_package()
    assert not caplog.records


# -- What it is installed with ----------------------------------------------------------------------------------------


def run_with(site: Path, *call: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": f"{site}:{ROOT}"}
    return subprocess.run([sys.executable, *call], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def unloadable(tmp_path: Path) -> Path:
    """A folder of packages where OpenCV misses a library of the system."""
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open', name='cv2')\n")
    return tmp_path


def test_a_command_without_opencv_s_libraries_says_what_to_install(unloadable: Path) -> None:
    done = run_with(unloadable, "-m", "bof", "search", "query.jpg")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: libGL.so.1: cannot open; {ADVICE}\n"


def test_an_import_without_opencv_s_libraries_says_it_too(unloadable: Path) -> None:
    done = run_with(unloadable, "-c", "from bof import Engine")
    assert done.stderr.endswith(f"ImportError: libGL.so.1: cannot open\n{ADVICE}\n")


@pytest.mark.parametrize(
    ("version", "modules", "found"),
    [
        ("4.12.0", ["img_hash", "saliency"], "4.12.0"),
        ("5.0.0", [], "5.0.0 without img_hash and saliency"),
        ("5.1.0", ["img_hash"], "5.1.0 without saliency"),
    ],
)
def test_another_opencv_is_an_error(version: str, modules: list[str], found: str) -> None:
    package = ModuleType("cv2")
    package.__version__ = version
    for name in modules:
        setattr(package, name, None)
    expected = re.escape(f"cv2: expected OpenCV 5 or later with contributed modules, found {found}; run: pip uninstall")
    with pytest.raises(BofError, match=expected):
        check_opencv(package)


@pytest.mark.parametrize("version", ["5.0.0", "6.0.0-pre"])
def test_any_opencv_with_its_modules_will_do(version: str) -> None:
    package = ModuleType("cv2")
    package.__version__ = version
    package.img_hash = package.saliency = None
    check_opencv(package)


ASK = """
import sys, bof
from pathlib import Path
assert not {"cv2", "numpy", "sklearn"} & set(sys.modules), "import bof"
import bof.search, bof.index, bof.duplicates
with bof.Engine.open_or_create(Path("index")) as engine:
    engine.add([Path("photos")])
    assert engine.search(bof.read_image(Path("photos/0.png"), grey=True, max_side=1024))[0].name == "0.png"
assert "sklearn" not in sys.modules, "a search"
"""


def test_only_training_imports_scikit_learn(tmp_path: Path) -> None:
    for seed in range(3):
        write_picture(tmp_path / "photos" / f"{seed}.png", draw_scene(seed))
    done = subprocess.run([sys.executable, "-c", ASK], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
