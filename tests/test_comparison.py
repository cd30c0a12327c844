"""compare_pictures and `bof compare`: the verdict that a search gives, without an index."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bof import Engine, Picture, SearchOptions, compare_pictures, read_image
from bof import compare as command
from bof.alignment.agreement import DECODED_SIDE_PX
from bof.errors import BofError, ImageError, OptionError
from bof.images.draw import VIOLET
from bof.options import HASHES, IndexOptions, VerifyOptions
from tests.support.scenes import draw_scene, warp, write_picture
from tests.support.verdicts import call_part

TURNED = np.array([[0.87, -0.5, 80.0], [0.5, 0.87, -60.0], [0.0, 0.0, 1.0]])

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_here(*arguments: str | Path) -> tuple[int, str, str]:
        status = command.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_here


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "scene.png", draw_scene(4))


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "turned.png", warp(draw_scene(4), TURNED))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_picture(tmp_path / "other.png", draw_scene(5))


def test_the_verdict_is_what_a_search_gives(tmp_path: Path, vocabulary_folder: Path) -> None:
    scenes = [draw_scene(seed) for seed in range(30, 36)]
    queries = [warp(scenes[0], TURNED), scenes[1][:, ::-1], scenes[2][20:180, 40:260], draw_scene(777), scenes[3]]
    paths = [write_picture(tmp_path / "photos" / f"{i}.png", scene) for i, scene in enumerate(scenes)]
    asked = [write_picture(tmp_path / f"q{i}.png", np.ascontiguousarray(query)) for i, query in enumerate(queries)]
    options = SearchOptions()
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        number = {row.path: i for i, row in enumerate(engine.images)}
        for query, path in product(asked, paths):
            grey = read_image(query, grey=True, max_side=engine.features.max_side)
            colours = read_image(query, max_side=DECODED_SIDE_PX)
            prepared = engine.prepare(grey, colours=colours)
            searched, _ = engine.match(prepared, number[str(path)], options)
            compared = compare_pictures(query, path, vocabulary=vocabulary_folder).hit
            verdict = "no" if searched.verdict == "unverified" else searched.verdict
            if compared.basis != "content":
                assert (compared.verdict, compared.basis) == (verdict, searched.basis), (query, path)
            if compared.verdict == "same" and compared.basis == "pixels":
                assert compared.verification is not None
                assert searched.verification is not None
                assert compared.verification.mirrored == searched.verification.mirrored
                np.testing.assert_allclose(compared.outline, searched.outline, atol=3)


def test_one_file_under_two_names_is_the_same_by_its_content(scene: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(scene.read_bytes())
    found = compare_pictures(scene, copy)
    assert (found.hit.verdict, found.hit.basis, found.hit.probability) == ("same", "content", 1.0)
    assert {name: distance.bits for name, distance in found.hashes.items() if distance.bits} == {}


def test_pictures_without_texture_are_compared_too(tmp_path: Path, scene: Path) -> None:
    blank = write_picture(tmp_path / "blank.png", np.full((50, 50, 3), 99, np.uint8))
    dark = write_picture(tmp_path / "dark.png", np.full((50, 50, 3), 9, np.uint8))
    wide = write_picture(tmp_path / "wide.png", np.full((50, 90, 3), 99, np.uint8))
    for one, two in ((blank, scene), (scene, blank), (blank, dark), (blank, wide)):
        found = compare_pictures(one, two)
        assert (found.hit.verdict, found.n_features[0 if one == blank else 1]) == ("no", 0)
        assert found.proof().shape[2] == 3
    again = write_picture(tmp_path / "again.bmp", np.full((50, 50, 3), 99, np.uint8))
    found = compare_pictures(blank, again)
    assert (found.hit.verdict, found.hit.basis) == ("same", "whole")
    assert repr(found).endswith("same, compared as a whole)")
    assert compare_pictures(blank, blank).hit.basis == "content"


def test_files_bytes_and_pictures_say_the_same(turned: Path, scene: Path) -> None:
    found = compare_pictures(turned, scene)
    of_bytes = compare_pictures(turned.read_bytes(), str(scene))
    assert (of_bytes.name, of_bytes.hit.name) == ("the first picture", str(scene))
    assert of_bytes.hit.probability == found.hit.probability
    of_pictures = compare_pictures(read_image(turned), read_image(scene))
    assert (of_pictures.hit.verdict, of_pictures.hit.basis) == ("same", "pixels")
    assert of_pictures.hashes == found.hashes
    in_grey = compare_pictures(read_image(turned, grey=True), read_image(scene))
    assert in_grey.hit.verdict == "same"


def test_it_is_one_line_and_says_the_verdict(turned: Path, scene: Path) -> None:
    shown = repr(compare_pictures(turned, scene))
    assert "\n" not in shown
    assert shown.startswith(f"Comparison({str(turned)!r}, {str(scene)!r}: same, ")


def test_hashes_are_named_and_count_bits(turned: Path, scene: Path) -> None:
    hashes = compare_pictures(turned, scene).hashes
    assert tuple(hashes) == HASHES
    assert {name: distance.n_bits for name, distance in hashes.items()} == {
        "ahash": 64, "dhash": 64, "phash": 64, "blockmean": 256, "radial": None, "moments": None,
    }  # fmt: skip
    for distance in hashes.values():
        if distance.bits is not None and distance.n_bits is not None:
            assert distance.similarity == pytest.approx(1 - distance.bits / distance.n_bits)


@pytest.mark.parametrize("options", [{"ranker": "phash"}, {"ranker": "bof+color"}, {"where": "x = 1"}, {"text": "x"}])
def test_options_that_need_a_collection_are_refused(options: dict[str, str], scene: Path) -> None:
    with pytest.raises(OptionError, match="there are only two pictures"):
        compare_pictures(scene, scene, SearchOptions(**options))


def test_without_pixels_points_alone_decide(turned: Path, scene: Path) -> None:
    found = compare_pictures(turned, scene, SearchOptions(verify=VerifyOptions(pixels=0)))
    assert (found.hit.verdict, found.hit.basis, found.hit.agreement) == ("same", None, None)


def test_what_is_no_picture_is_named(scene: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for wrong in (tmp_path / "broken.jpg", tmp_path / "missing.jpg"):
        with pytest.raises(ImageError, match=wrong.name):
            compare_pictures(scene, wrong)
    with pytest.raises(ImageError, match="the second picture"):
        compare_pictures(scene, b"no picture")


def test_a_picture_of_a_picture_keeps_its_size(scene: Path, turned: Path) -> None:
    small = read_image(scene, max_side=160)
    assert isinstance(small, Picture)
    assert (small.width, small.height) == (320, 240)
    hit = compare_pictures(turned, dataclasses.replace(small)).hit
    assert (hit.width, hit.height) == (320, 240)


# -- The command ------------------------------------------------------------------------------------------------------


def test_the_command_says_what_is_known(run: Run, turned: Path, scene: Path, other: Path) -> None:
    status, out, err = run(turned, scene)
    assert (status, err) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in out.splitlines()[2:])
    assert out.splitlines()[:2] == [f"{turned}: 320 x 240", f"{scene}: 320 x 240"]
    assert facts["verdict"] == "same"
    assert 95 < float(facts["sure"].removesuffix("%")) < 100
    assert facts["overlap"].endswith("of the second agree")
    assert facts["place"].endswith(f" in {scene}")
    assert facts["phash"].endswith(" of 64 bits differ")
    assert facts["radial"].endswith(" alike")
    assert "verdict    no\n" in run(turned, other)[1]
    assert "remark     the same file\n" in run(scene, scene)[1]


def test_the_command_prints_json(run: Run, turned: Path, scene: Path) -> None:
    status, out, err = run(turned, scene, "--json")
    found = json.loads(out)
    assert (status, err, found["picture"], found["other"]) == (0, "", str(turned), str(scene))
    assert (found["verdict"], found["basis"], found["mirrored"]) == ("same", "pixels", False)
    assert np.array(found["outline"]).shape == (4, 2)
    assert set(found["hashes"]) == set(HASHES)
    assert set(found["hashes"]["phash"]) == {"similarity", "bits", "n_bits"}
    assert len(found["n_features"]) == 2


def test_the_command_requires_a_verdict(run: Run, turned: Path, scene: Path, other: Path) -> None:
    assert run(turned, scene, "--require", "same")[0] == 0
    assert run(turned, other, "--require", "same", "part")[0] == 1
    assert run(turned, other)[0] == 0


def test_the_command_draws_the_proof(
    run: Run, turned: Path, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(turned, scene, "--proof", tmp_path / "proof.jpg")[0] == 0
    assert read_image(tmp_path / "proof.jpg").width > 640
    call_part(monkeypatch)
    assert "verdict    part" in run(turned, scene, "--proof", tmp_path / "part.jpg")[1]
    assert (np.abs(read_image(tmp_path / "part.jpg").pixels.astype(int) - VIOLET) < 40).all(axis=2).sum() > 1000
    status, _, err = run(turned, scene, "--proof", tmp_path / "nowhere" / "deeper" / "x.jpg")
    assert (status, err) == (0, "")
    status, _, err = run(turned, scene, "--proof", turned / "x.jpg")
    assert (status, "name another --proof" in err) == (1, True)


def test_the_command_reads_standard_input(run: Run, turned: Path, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(turned.read_bytes())))
    assert run("-", scene)[1].startswith("standard input: 320 x 240\n")
    assert run("-", "-")[0] == 2


def test_the_command_looks_into_the_mirror(run: Run, scene: Path, tmp_path: Path) -> None:
    mirrored = write_picture(tmp_path / "mirrored.png", np.ascontiguousarray(draw_scene(4)[:, ::-1]))
    assert "remark     mirrored\n" in run(mirrored, scene)[1]
    assert "verdict    no\n" in run(mirrored, scene, "--mirror", "never")[1]


@pytest.mark.parametrize("flags", [["--same", "2"], ["--max-hamming", "65"], ["--memory", "-1"]])
def test_the_command_refuses_what_is_out_of_range(run: Run, scene: Path, flags: list[str]) -> None:
    status, out, err = run(scene, scene, *flags)
    assert (status, out, err.startswith(f"error: {flags[0]}: expected")) == (2, "", True)


def test_the_command_names_what_is_no_picture(run: Run, scene: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    status, out, err = run(scene, tmp_path / "broken.jpg")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "broken.jpg: expected a picture" in err
    with pytest.raises(BofError):
        run(scene, tmp_path / "broken.jpg", "--debug")


def test_another_vocabulary_says_the_same_of_clear_cases(run: Run, turned: Path, scene: Path,
                                                         vocabulary_folder: Path) -> None:  # fmt: skip
    assert "verdict    same" in run(turned, scene, "--vocabulary", vocabulary_folder)[1]
    assert run(turned, scene, "--vocabulary", scene)[0] == 1


def test_pictures_of_any_form_compare() -> None:
    pixels = draw_scene(3)
    found = compare_pictures(pixels, Image.fromarray(draw_scene(3)))
    assert (found.name, found.hit.name, found.hit.verdict) == ("the first picture", "the second picture", "same")
    assert compare_pictures(*[pixels[:, :, ::-1]] * 2, channels="BGR").picture.pixels.tolist() == pixels.tolist()
    assert compare_pictures(pixels, draw_scene(4)).hit.verdict == "no"
    with pytest.raises(ImageError, match="expected an array of uint8"):
        compare_pictures(pixels / 255, pixels)
