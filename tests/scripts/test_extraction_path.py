"""The stages from a file's bytes to a segment: all are there, and shares are of one SIFT."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bof.vocabulary.vocabulary import load_vocabulary
from scripts.extraction.path import beside, lines, time_stages
from tests.support.scenes import draw_scene, write_picture

STAGES = ("read the file", "hash it", "decode", "make it small", "SIFT", "SIFT, bof's own", "sketch", "words",
          "signatures", "places", "hand over", "write a segment")  # fmt: skip


def test_every_stage_of_a_picture_is_timed(tmp_path: Path, vocabulary_folder: Path) -> None:
    files = [write_picture(tmp_path / f"{number}.jpg", draw_scene(number)) for number in range(2)]
    spent = time_stages(files, load_vocabulary(vocabulary_folder), 1)
    assert set(spent) == set(STAGES)
    assert spent["SIFT"] > 0


def test_what_is_beside_sift_is_a_share_of_a_whole_with_one_sift() -> None:
    spent = dict.fromkeys(STAGES, 1.0) | {"SIFT": 30.0, "SIFT, bof's own": 10.0}
    assert beside(spent) == pytest.approx(10.0)
    shares = {line.split("|")[1].strip(): re.findall(r"[\d.]+", line.split("|", 2)[2]) for line in lines({"a": spent})}
    assert shares["SIFT"] == ["30.00", "0.7500"]
    assert shares["SIFT, bof's own"] == ["10.00", "0.5000"]
    assert shares["words"] == ["1.00", "0.0250"]
    assert shares["all beside SIFT"] == ["10.00", "0.2500"]
    assert shares["all beside SIFT, if it is bof's own"] == ["10.00", "0.5000"]
