"""Refusals say what was sent."""

from __future__ import annotations

import pytest

from bof.server.http.forms import parts_of
from bof.server.http.problems import ProblemError
from bof.server.http.received import as_received, fields_received, why_no_json
from tests.server.test_forms import form


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("text/plain", b"{}", "the content type 'text/plain'"), ("", b"{}", "no content type"),
        ("application/json", b"", "an empty body"), ("application/json", b"[1, 2]", "[1, 2]"),
        ("application/json", b"{'a': 1}", "no JSON (Expecting property name"),
        ("application/json", b"[" * 100_000, "JSON that is nested too deeply"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_is_named(kind: str, body: bytes, found: str) -> None:
    assert why_no_json(kind, body).startswith(found)


def test_long_values_are_cut_and_secret_ones_not_shown() -> None:
    assert as_received({"images": list(range(1000))}).endswith(" ...")
    assert len(as_received("x" * 1000)) == 80
    assert fields_received({"token": "secret", "more": 1}) == 'the fields ["more", "token"]'


def test_two_pictures_where_one_is_asked_for_are_no_matter_of_size() -> None:
    with pytest.raises(ProblemError, match="found several") as caught:
        parts_of(form(b"a", b"b"), b"x", 1)
    assert caught.value.status == 400
