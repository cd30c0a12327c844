"""bof.html: what every page has in common, whatever its template."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from bof import html
from tests.support.markup import HOSTILE

FOLDER = Path(html.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
NOTHING: Mapping[str, Any] = {"title": "t", "n_pictures": 0, "all": [], "groups": [], "kinds": {}, "listed": [],
                              "n_unlisted": 0}  # fmt: skip


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_turns_escaping_off(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_attribute_with_a_value_is_quoted(path: Path) -> None:
    assert not re.search(r"=\{\{", path.read_text(encoding="utf-8"))


def test_a_page_may_load_pictures_alone_and_run_its_own_script_alone() -> None:
    page = html.render("duplicates.html", HOSTILE, **{**NOTHING, "title": "</title></style><script>{{7}}"})
    found = re.search(r'Content-Security-Policy" content="(.*?)"', page, re.DOTALL)
    assert found is not None
    policy = " ".join(found[1].split())
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none';")
    assert "script-src" not in policy
    assert "<script" not in page
    assert "{{7}}" in page


def test_the_script_of_the_policy_is_the_script_of_the_page() -> None:
    page = html._environment().from_string(
        '{% extends "base.html" %}{% set script %}{% include "sort.js" %}{% endset %}'
    )
    made = page.render(generator="test")
    (script,) = re.findall(r"<script>(.*?)</script>", made, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in made


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="title"):
        html.render("duplicates.html", "test", **{name: value for name, value in NOTHING.items() if name != "title"})


def test_a_page_is_known_by_its_generator(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(html.render("duplicates.html", "bof.test", **NOTHING), encoding="utf-8")
    assert html.is_made_by("bof.test", page)
    assert not html.is_made_by("bof.other", page)
    assert not html.is_made_by("bof.test", tmp_path)
    assert not html.is_made_by("bof.test", tmp_path / "gone.html")


def test_jinja_waits_until_a_page_is_made() -> None:
    code = "import sys, bof.search, bof.evaluation.report, bof.grouping.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
