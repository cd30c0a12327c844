"""A name means one thing in the whole project, and words that were replaced by those of the field do not come back."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for folder in ("bof", "scripts") for path in (ROOT / folder).rglob("*.py"))

RETIRED = frozenset(
    re.findall(
        r"\w+",
        """asked budget budgets deed deeds finder finders gap gaps kept recipe recipes said sight sights spot spots
        strangers surprise told want wanted wants wholes""",
    )
)
"""Words that no name in bof/ has in it, and that are no whole name in scripts/."""

ADMITTED = frozenset({"GAP_PX"})
"""GAP_PX: the space between pictures that are drawn side by side."""


def names_of(tree: ast.AST) -> Iterator[str]:
    """Every name that a module defines or uses as code; strings are data, such as keys of JSON and columns of SQL."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield name


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)}


def test_no_class_name_exists_twice() -> None:
    # JSON has the names of what it stands for.
    modules = [path for path in MODULES if path.is_relative_to(ROOT / "bof") and path.name != "api_types.py"]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not [name for name, n in names.items() if n > 1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_word_is_a_name(path: Path) -> None:
    names = set(names_of(ast.parse(path.read_text(encoding="utf-8")))) - ADMITTED
    if path.is_relative_to(ROOT / "bof"):
        assert not {name for name in names if words_of(name) & RETIRED}
    else:
        assert not names & RETIRED


def test_names_are_taken_apart() -> None:
    assert words_of("_find_gaps") == {"", "find", "gaps"}
    assert words_of("KeptFiles") == {"kept", "files"}
