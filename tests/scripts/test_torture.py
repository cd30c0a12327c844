"""The torture script in short: drawn scenes, few kills, few broken files, a few seconds of readers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scripts.common import timing
from scripts.torture.__main__ import main
from tests.support.scenes import draw_scene, write_picture

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed in range(24):
        write_picture(folder / "ukbench1000" / f"{seed:05d}.png", draw_scene(seed))
    return folder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("part", "flags"),
    [
        ("kill", ("--kills", "2")),
        ("mutate", ("--mutants", "40")),
        ("formats", ("--mutants", "40")),
        ("readers", ("--seconds", "2", "--readers", "2")),
        ("full", ()),
        ("fragments", ()),
        ("films", ("--films", "40")),
        ("film kills", ("--kills", "2")),
    ],
)
def test_no_promise_is_broken(
    part: str, flags: tuple[str, ...], data: Path, vocabulary_folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(timing, "SETTLE_SECONDS", 0.0)
    common = ["--data", str(data), "--vocabulary", str(vocabulary_folder), "--json", str(tmp_path / "found.json")]
    status = main([*common, "--only", part, *flags])
    out = capsys.readouterr().out
    slow = part == "fragments" and "WRONG  ratio" in out and out.count("WRONG") == 1
    assert status == 0 or slow, out  # a ratio of times of tiny indexes on a busy machine says nothing
    findings = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))[part]
    assert len(findings) > 0
