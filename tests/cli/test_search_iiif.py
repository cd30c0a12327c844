"""`bof search --format iiif` prints a page of W3C annotations about the hits that --json prints."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bof import search
from bof.annotations.matches import NAMESPACE
from bof.engine import Engine
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import copied, scene

CANVAS, SERVICE = "https://archive.example/canvas/4", "https://images.example/p4"
FIELDS = {"iiif_canvas": [CANVAS], "iiif_service": [SERVICE], "iiif_manifest": ["https://archive.example/manifest"]}


@pytest.fixture(scope="module")
def index(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(index_folder, tmp_path_factory.mktemp("printed"))
    with Engine.open(folder) as engine:
        engine.annotate("scene-04.png", FIELDS)
    return folder


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture(tmp_path_factory.mktemp("query") / "the query.png", draw_scene(4))


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert search.main([str(argument) for argument in arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_page_says_what_json_says(index: Path, query: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = (query, "--index", index, "--top", 3)
    (answer,) = printed(capsys, *common, "--json")
    assert printed(capsys, *common, "--format", "json")[0]["hits"] == answer["hits"]
    page = printed(capsys, *common, "--format", "iiif")
    assert page["@context"] == ["http://www.w3.org/ns/anno.jsonld", {"bof": NAMESPACE}]
    assert page["type"] == "AnnotationPage"
    assert page["id"] == printed(capsys, *common, "--format", "iiif")["id"]
    assert [item["bof:score"] for item in page["items"]] == [hit["score"] for hit in answer["hits"]]
    assert [item["bof:inliers"] for item in page["items"]] == [hit["n_inliers"] for hit in answer["hits"]]
    first, second = page["items"][:2]
    assert first["body"][0]["source"] == {"id": query.as_uri(), "type": "Image"}
    assert first["target"]["source"]["id"] == CANVAS
    assert first["bof:picture"]["id"].startswith(f"{SERVICE}/")
    assert second["target"]["source"] == {"id": Path(answer["hits"][1]["path"]).as_uri(), "type": "Image"}
    assert answer["hits"][0]["iiif"]["canvas"] == CANVAS
    assert answer["hits"][1]["iiif"] is None


def test_a_server_shows_what_was_not_harvested(index: Path, query: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(
        capsys, query, "--index", index, "--top", 2, "--format", "iiif", "--iiif-server", "https://bof.example/"
    )
    with Engine.open(index) as engine:
        number = engine.find(page["items"][1]["bof:name"])[0].id
    assert page["items"][0]["target"]["source"]["id"] == CANVAS
    source = page["items"][1]["target"]["source"]
    assert source["id"] == f"https://bof.example/iiif/3/images/{number}/canvas"
    assert source["partOf"][0]["id"] == f"https://bof.example/iiif/3/images/{number}/manifest"


def test_standard_input_is_known_by_its_content(
    index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(scene(4))))
    page = printed(capsys, "-", "--index", index, "--format", "iiif", "--box", "40,30,200,190")
    (target,) = {item["body"][0]["source"]["id"] for item in page["items"]}
    assert target.startswith("ni:///sha-256;")
    assert page["items"][0]["body"][0]["selector"]["value"] == "xywh=40,30,160,160"


def test_several_queries_are_a_list(index: Path, query: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = printed(capsys, query, query, "--index", index, "--top", 1, "--format", "iiif")
    assert [page["type"] for page in pages] == ["AnnotationPage"] * 2


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--format", "iiif", "--json"], "not allowed with"),
        (["--format", "iiif", "--null"], "--names or --paths"),
        (["--iiif-server", "https://bof.example"], "--format iiif"),
        (["--format", "iiif", "--iiif-server", "ftp://x"], "http://HOST:PORT"),
        (["--format", "xml"], "table, json, csv, iiif"),
    ],
)
def test_what_contradicts_is_refused(
    index: Path, query: Path, capsys: pytest.CaptureFixture[str], flags: list[str], expected: str
) -> None:
    try:
        status = search.main([str(query), "--index", str(index), *flags])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status in (1, 2)
    assert expected in capsys.readouterr().err
