"""What the package imports is declared, and what is declared is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scenes import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OTHER_NAMES = {
    "PIL": "pillow", "cv2": "opencv-contrib-python", "faiss": "faiss-cpu", "python_multipart": "python-multipart",
    "mcp_types": "mcp-types", "pi_heif": "pi-heif", "resvg_py": "resvg-py", "sklearn": "scikit-learn",
}  # fmt: skip
"""What is imported under another name than it is installed under."""

THROUGH_FSSPEC = {"aiohttp", "gcsfs", "s3fs"}
"""What fsspec imports for one kind of store each."""

OF_THE_PROJECT = {"dev", "docs", "peers", "wheels"}
"""Extras for working on the project; the package itself must not need them."""


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def modules_of(node: ast.AST) -> list[str]:
    """What an import statement, or a call of import_module with a name, imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [] if node.level else [node.module or ""]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        return [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return []


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Every distribution of others that a file below a folder imports, with the file."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in {module.partition(".")[0] for module in modules_of(node)} - sys.stdlib_module_names - {"bof"}:
                yield OTHER_NAMES.get(name, name).lower(), str(path.relative_to(ROOT))


def test_every_import_is_declared() -> None:
    extras = [each for extra, named in EXTRAS.items() if extra not in OF_THE_PROJECT for each in named]
    declared = distributions(PROJECT["dependencies"] + extras)
    assert not sorted(found for found in set(imported(ROOT / "bof")) if found[0] not in declared)


@pytest.mark.parametrize(("place", "extra"), [("server", "serve"), ("connection.py", "client")])
def test_what_an_extra_is_for_imports_no_other(place: str, extra: str) -> None:
    declared = distributions(PROJECT["dependencies"] + EXTRAS[extra])
    found = {each for each in imported(ROOT / "bof") if each[1].startswith(f"bof/{place}")}
    assert found
    assert not sorted(each for each in found if each[0] not in declared)


def test_every_declared_distribution_is_imported() -> None:
    used = {name for name, _ in imported(ROOT / "bof")}
    for extra, named in {"": PROJECT["dependencies"], **EXTRAS}.items():
        assert extra in OF_THE_PROJECT or not distributions(named) - used - THROUGH_FSSPEC, extra


def test_development_has_all_extras() -> None:
    for extra in EXTRAS.keys() - OF_THE_PROJECT:
        assert not distributions(EXTRAS[extra]) - distributions(EXTRAS["dev"]) - THROUGH_FSSPEC, extra
