"""What bof writes never takes the place of a photograph; its own pictures may be made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bof import compare, duplicates, evaluate, index, search
from bof.errors import OptionError
from bof.images.draw import encode_jpeg
from bof.images.written import marked, require_no_photograph
from tests.support.scenes import draw_scene, write_picture


def test_a_marked_picture_is_read_as_any_other_and_may_be_written_again(tmp_path: Path) -> None:
    path = tmp_path / "proof.jpg"
    require_no_photograph(path, "proof")
    plain = encode_jpeg(draw_scene(1))
    path.write_bytes(marked(plain))
    require_no_photograph(path, "proof")
    with Image.open(path) as picture:
        assert picture.size == (320, 240)
    path.write_bytes(plain)
    with pytest.raises(OptionError, match="expected a new file, found a picture of yours; name another"):
        require_no_photograph(path, "proof")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff"])
def test_photographs_of_any_kind_are_known_by_what_they_hold(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(draw_scene(1)).save(tmp_path / f"picture{suffix}")
    (tmp_path / f"picture{suffix}").rename(tmp_path / "report.html")
    with pytest.raises(OptionError, match="found a picture of yours"):
        require_no_photograph(tmp_path / "report.html", "html")


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (search.main, ["{query}", "--index", "{index}", "--html", "{photo}"]),
        (compare.main, ["{query}", "{photo}", "--proof", "{photo}"]),
        (duplicates.main, ["--index", "{index}", "--html", "{photo}"]),
        (duplicates.main, ["--index", "{index}", "--csv", "{photo}"]),
        (duplicates.main, ["--index", "{index}", "--json-file", "{photo}"]),
        (index.main, ["--index", "{index}", "--skipped", "{photo}"]),
        (index.main, ["--index", "{index}", "--pairs", "{photo}"]),
        (evaluate.main, ["ukbench", "--root", "{folder}", "--json-file", "{photo}"]),
    ],
)
def test_no_command_writes_over_a_photograph(
    command: Callable[[list[str]], int],
    flags: list[str],
    index_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photo = write_picture(tmp_path / "photo.jpg", draw_scene(2))
    names = {"query": write_picture(tmp_path / "query.png", draw_scene(1)), "index": index_folder, "photo": photo}
    before = photo.read_bytes()
    assert command([text.format(folder=tmp_path, **names) for text in flags]) == 2
    assert "found a picture of yours" in capsys.readouterr().err
    assert photo.read_bytes() == before
