"""A query is decoded where it is small, in a child where it is large, and never beyond the memory that it may take."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bof.errors import ImageError
from bof.images import limited
from bof.images.decode import decode
from bof.images.limited import LimitedReader, n_pixels_of
from bof.system.workers import Limits, close_workers
from tests.support.bombs import png_of
from tests.support.scenes import draw_scene
from tests.support.serving import encoded

READER = LimitedReader.of(1000)


@pytest.fixture(autouse=True, scope="module")
def _children_end_with_these_tests() -> Iterator[None]:
    yield
    close_workers()


def test_small_and_large_pictures_are_decoded_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(draw_scene(1))
    (tmp_path / "a.png").write_bytes(data)
    for grey in (False, True):
        expected = decode(data, max_side=200, grey=grey)
        here = READER.decode(data, max_side=200, grey=grey, name="a.png")
        with monkeypatch.context() as patch:
            patch.setattr(limited, "SMALL_PIXELS", 0)
            patch.setattr(LimitedReader, "decode_here", None)  # a child has its own
            there = READER.decode(data, max_side=200, grey=grey, name="a.png")
            patch.setattr(limited, "SMALL_BYTES", 0)
            path = READER.load(tmp_path / "a.png")
            assert path == tmp_path / "a.png"
            by_path = READER.decode(path, max_side=200, grey=grey, name="a.png")
        for found in (here, there, by_path):
            np.testing.assert_array_equal(found.pixels, expected.pixels)
            assert (found.width, found.height) == (320, 240)


def test_a_picture_that_needs_more_memory_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png_of(14_000, 14_000)
    assert len(data) < 2 << 20
    assert n_pixels_of(data, "huge.png") == 196_000_000
    start = time.process_time()
    for small in (limited.SMALL_PIXELS, 1 << 40):  # in a child, and here
        monkeypatch.setattr(limited, "SMALL_PIXELS", small)
        with pytest.raises(
            ImageError, match=r"huge\.png: too large: .*47662545 pixels, found 196000000; .*memory.* 4113"
        ):
            READER.decode(data, max_side=1024, grey=True, name="huge.png")
    assert time.process_time() - start < 5
    with pytest.raises(ImageError, match="at most 200000000 pixels"):
        LimitedReader.of(1 << 20).decode(png_of(20_000, 10_001), max_side=1024, grey=True, name="more.png")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux alone")
def test_a_child_takes_no_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the header promises less than decoding takes."""
    data, reader = png_of(8_000, 8_000), LimitedReader.of(1500)
    picture = reader.decode(data, max_side=1024, grey=True, name="a.png")
    assert (picture.width, picture.height, picture.pixels.shape) == (8_000, 8_000, (1024, 1024))
    monkeypatch.setattr(limited, "Limits", lambda seconds, _: Limits(seconds, 100 << 20))
    with pytest.raises(ImageError, match=r"a\.png: needs more memory than the 100 MB"):
        reader.decode(data, max_side=1024, grey=True, name="a.png")


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(12 << 30)
    source = LimitedReader.of(0).load(path)
    with pytest.raises(ImageError, match=r"sparse\.jpg: .*expected at most \d+ bytes, found 12884901888"):
        LimitedReader.of(0).decode(source, max_side=1024, grey=True, name="sparse.jpg")
    with pytest.raises(ImageError, match=r"standard input: too large: expected at most 1048576 bytes"):
        LimitedReader.of(1).load_stream(io.BytesIO(bytes(2 << 20)), "standard input")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for small in (limited.SMALL_BYTES, -1):
        monkeypatch.setattr(limited, "SMALL_BYTES", small)
        with pytest.raises(ImageError, match=r"pipe\.jpg: .*expected a regular file"):
            READER.decode(READER.load(tmp_path / "pipe.jpg"), max_side=99, grey=True, name="pipe.jpg")


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(draw_scene(1))[:400]])
def test_what_is_wrong_with_a_picture_comes_back_from_a_child(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(ImageError) as here:
        READER.decode(content, max_side=99, grey=True, name="bad.png")
    monkeypatch.setattr(limited, "SMALL_BYTES", -1)
    with pytest.raises(ImageError) as there:
        READER.decode(tmp_path / "bad.png", max_side=99, grey=True, name="bad.png")
    assert str(there.value) == str(here.value)


def test_colours_of_a_query_survive_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    target = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 10, 30)).save(target, "PNG")
    monkeypatch.setattr(limited, "SMALL_PIXELS", 0)
    found = READER.decode(target.getvalue(), max_side=99, grey=False, name="red.png")
    assert found.pixels[0, 0].tolist() == [200, 10, 30]
