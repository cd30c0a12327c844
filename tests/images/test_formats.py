"""A folder of every format, and of files that went wrong: each is indexed, or named with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bof import index
from bof.engine import AddReport, Engine
from bof.images.decode import decode, kind_of, read_image, read_size
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from bof.vocabulary.vocabulary import default_vocabulary_path
from tests.support.picture_files import (
    OTHERS,
    faulty_files,
    photograph,
    truncated_jpegs,
    whole_files,
    write_files,
)
from tests.support.scenes import warp, write_picture

WHOLE, FAULTY, TRUNCATED = whole_files(), faulty_files(), truncated_jpegs()
DEVELOPED = {"developed.dng", "small-preview.dng", "turned.dng"}
"""Their light is the sensor's, brightened by LibRaw: other than the JPEG's, at the same places."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("formats") / "pictures"
    write_files(place)
    return place


@pytest.fixture(scope="module")
def added(folder: Path, vocabulary_folder: Path) -> Iterator[tuple[Engine, AddReport]]:
    with Engine.create(folder.parent / "index", vocabulary_folder) as engine:
        yield engine, engine.add([folder], IndexOptions(workers=2))


def named(files: object) -> dict[str, str]:
    return {Path(one.path).name: one.reason for one in files}


def test_there_are_many_formats_and_faults() -> None:
    assert len(WHOLE) >= 40
    assert len(FAULTY) + len(TRUNCATED) + len(OTHERS) >= 25


def test_each_file_is_indexed_or_named(added: tuple[Engine, AddReport], folder: Path) -> None:
    engine, report = added
    indexed = set(engine)
    assert indexed == WHOLE.keys() | TRUNCATED.keys()
    skipped, passed_over = named(report.skipped), named(report.passed_over_files)
    assert skipped.keys() == FAULTY.keys()
    assert passed_over.keys() == OTHERS.keys()
    assert {path.name for path in folder.iterdir()} == indexed | skipped.keys() | passed_over.keys()
    assert named(report.notes).keys() == TRUNCATED.keys()
    assert all(reason.startswith("truncated: ") for reason in named(report.notes).values())


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_file_is_named_with_its_reason(name: str, added: tuple[Engine, AddReport]) -> None:
    reason = named(added[1].skipped)[name]
    assert FAULTY[name][1] in reason
    assert "\n" not in reason


def test_the_kinds_are_counted(added: tuple[Engine, AddReport]) -> None:
    counts = {".mp3": 1, ".docx": 1, ".psd": 1, ".txt": 1, "hidden": 1, "without a suffix": 1, ".unknown": 1}
    assert added[1].passed_over == counts
    assert "sound is not read" in named(added[1].passed_over_files)["song.mp3"]


@pytest.mark.parametrize("name", WHOLE)
def test_every_format_shows_the_photograph(name: str, folder: Path) -> None:
    picture = read_image(folder / name)
    assert (picture.width, picture.height, picture.note) == (1024, 768, "")
    difference = np.abs(picture.pixels.astype(float) - photograph()).mean(axis=(0, 1))
    is_grey = np.ptp(picture.pixels, axis=2).max() < 3
    assert difference.mean() < (25 if name in DEVELOPED else 40 if is_grey else 9)
    half = read_image(folder / name, max_side=256, grey=True)
    assert (half.width, half.height, half.pixels.shape) == (1024, 768, (192, 256))


def test_every_format_tells_its_size_before_it_is_decoded(folder: Path) -> None:
    assert {tuple(sorted(read_size(folder / name))) for name in WHOLE} == {(768, 1024)}
    for name, data in WHOLE.items():
        with pytest.raises(Exception, match=r"too large: expected at most 786431 pixels, found (1024|768) x"):
            decode(data, max_pixels=1024 * 768 - 1, name=name)


def test_every_format_finds_what_its_jpeg_finds(folder: Path, photos: Path, tmp_path: Path) -> None:
    """The collection has the photograph from another side, smaller; inliers within a tenth of the JPEG's."""
    aside = np.array([[0.8, -0.12, 90], [0.1, 0.82, 20], [1e-5, 2e-5, 1]])
    write_picture(tmp_path / "more" / "aside.png", warp(photograph()[..., ::-1], aside))
    options = SearchOptions(mirror="never", verify=VerifyOptions(depth=5))
    found = {}
    with Engine.create(tmp_path / "index", default_vocabulary_path()) as engine:
        engine.add([photos, tmp_path / "more"], IndexOptions(workers=2))
        for name in WHOLE:
            hits = [hit for hit in engine.search(folder / name, options) if hit.verdict == "same"]
            found[name] = [(hit.name, hit.verification.n_inliers) for hit in hits]
    (first,) = found["plain.jpg"]
    assert first[0] == "aside.png"
    assert first[1] > 100
    inliers = {name: hits[0][1] / first[1] for name, hits in found.items() if [hit for hit, _ in hits] == ["aside.png"]}
    assert inliers.keys() == WHOLE.keys()
    assert {name: ratio for name, ratio in inliers.items() if not 0.9 <= ratio <= 1.1} == {}


# -- What the command says --------------------------------------------------------------------------------------------


def test_the_command_says_it_all(
    folder: Path, vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "some"
    place.mkdir()
    for name in ("plain.jpg", *FAULTY, *TRUNCATED, *OTHERS):
        (place / name).write_bytes((folder / name).read_bytes())
    arguments = [place, "--index", tmp_path / "ix", "--vocabulary", vocabulary_folder, "--skipped", tmp_path / "left"]
    assert index.main([*map(str, arguments)]) == 0
    error = capsys.readouterr().err
    assert re.search(r"^note .*half\.jpg: truncated: the end of the file is missing", error, re.MULTILINE)
    (line,) = [line for line in error.splitlines() if line.startswith("passed over: ")]
    assert "1 .mp3: sound is not read" in line
    lines = (tmp_path / "left").read_text(encoding="utf-8").splitlines()
    left = {Path(path).name: reason for path, reason in (line.split("\t") for line in lines)}
    assert left.keys() == FAULTY.keys() | TRUNCATED.keys() | OTHERS.keys()
    assert left["layers.psd"].startswith("passed over, .psd: documents of picture editors are not read")
    assert index.main([*map(str, [*arguments, "--json"])]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed_over_advice"][".mp3"] == "sound is not read"
    assert report["notes"] == []  # what is unchanged is not read again


def test_a_missing_extra_names_its_command(
    folder: Path, vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], no_extras: None
) -> None:
    place = tmp_path / "phone"
    place.mkdir()
    for number in range(3):
        (place / f"{number}.heic").write_bytes(WHOLE["phone.heic"])
    (place / "unnamed").write_bytes(WHOLE["phone.heic"])
    assert index.main([str(place), "--index", str(tmp_path / "ix")]) == 1
    error = capsys.readouterr().err
    assert 'found none, but 4 .heic: pip install "bof-search[heic]"' in error
    assert not (tmp_path / "ix").exists()
    (place / "called.jpg").write_bytes(WHOLE["phone.heic"])
    (place / "good.jpg").write_bytes(WHOLE["plain.jpg"])
    with Engine.create(tmp_path / "ix", vocabulary_folder) as engine:
        report = engine.add([place], IndexOptions(workers=1))
    assert report.passed_over == {".heic": 4}
    for one in report.passed_over_files:
        assert one.reason == 'passed over, .heic: pip install "bof-search[heic]"'


@pytest.mark.parametrize(("name", "extra"), [("phone.heic", "heic"), ("preview.dng", "raw"), ("drawing.svg", "svg")])
def test_an_error_names_the_command(name: str, extra: str, no_extras: None) -> None:
    with pytest.raises(Exception, match=rf'which needs .*; install it with: pip install "bof-search\[{extra}\]"'):
        decode(WHOLE[name], name=name)


def test_kinds_are_known_by_content() -> None:
    kinds = {name: kind_of(data, name) for name, data in WHOLE.items()}
    assert kinds["heic-called.jpg"] == kinds["heic-without-a-suffix"] == "HEIC"
    assert kinds["raw-called.tif"] == kinds["turned-preview.nef"] == "RAW"
    assert kinds["plain.tif"] == kinds["float.tif"] == "TIFF"
    assert kinds["plain.avif"] == "AVIF"
    assert kinds["plain.tga"] == kind_of(WHOLE["plain.tga"]) == "TGA"  # Pillow writes the footer
