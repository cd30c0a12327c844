"""A picture in any form: what is taken, in which order of colours, and how what is no picture is named."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bof import Picture, as_picture
from bof.errors import ImageError, OptionError
from bof.images.decode import read_image
from bof.images.sources import as_names, as_paths, hash_pixels, is_one, open_source
from tests.support.scenes import draw_scene, write_picture

RGB = np.ascontiguousarray(draw_scene(1)[:, :, ::-1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PNG file of RGB."""
    return write_picture(tmp_path / "one.png", RGB[:, :, ::-1])


FORMS: list[Callable[[Path], Any]] = [
    lambda path: path,
    str,
    lambda path: path.read_bytes(),
    lambda path: bytearray(path.read_bytes()),
    lambda path: memoryview(path.read_bytes()),
    Image.open,
    lambda path: np.asarray(Image.open(path)),
    lambda path: read_image(path),
    lambda path: np.asfortranarray(RGB),
    lambda path: RGB[::-1][::-1],
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_picture(path: Path, form: Callable[[Path], Any]) -> None:
    found = as_picture(form(path))
    assert (found.width, found.height) == (320, 240)
    np.testing.assert_array_equal(found.pixels, RGB)


def test_an_array_of_opencv_names_its_order() -> None:
    assert np.array_equal(as_picture(RGB[:, :, ::-1], channels="BGR").pixels, RGB)
    assert np.array_equal(as_picture(RGB[:, :, :1]).pixels, RGB[:, :, 0])
    with pytest.raises(OptionError, match="channels: expected RGB or BGR, found 'rgb'"):
        as_picture(RGB, channels="rgb")


def test_grey_is_grey_and_of_colours_it_is_what_decoding_gives(path: Path) -> None:
    assert as_picture(RGB[:, :, 0]).pixels.ndim == 2
    np.testing.assert_array_equal(open_source(RGB).grey().pixels, read_image(path, grey=True).pixels)
    np.testing.assert_array_equal(open_source(RGB).grey(100).pixels, read_image(path, grey=True, max_side=100).pixels)
    small = open_source(RGB).colours(100)
    assert (small.pixels.shape, small.width) == ((75, 100, 3), 320)


def test_a_pil_image_is_upright_on_white_and_not_changed() -> None:
    clear = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    assert as_picture(clear).pixels.min() == 255
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(stream, "jpeg", exif=exif)
    image = Image.open(io.BytesIO(stream.getvalue()))
    assert (as_picture(image, max_side=64).width, as_picture(image).height) == (240, 320)
    assert (image.size, image.mode) == ((320, 240), "RGB")
    assert as_picture(Image.new("P", (3, 2))).pixels.shape == (2, 3, 3)
    assert as_picture(Image.new("I;16", (3, 2), 65535)).pixels.max() == 255


def test_a_broken_pil_image_is_named(path: Path) -> None:
    image = Image.open(io.BytesIO(path.read_bytes()[:2000]))
    with pytest.raises(ImageError, match="PIL image: expected a whole picture"):
        as_picture(image)


WRONG: list[tuple[Any, str]] = [
    (RGB / 255, r"found float64 of shape .* from 0.* to 1; \(255 \* array\)"),
    (RGB.astype(np.float32), r"found float32 .*; array.round\(\).astype"),
    (RGB.astype(np.int64), r"found int64 .*; array.astype\(\"uint8\"\)"),
    (RGB.astype(np.uint16) * 257, r"found uint16 .* 16 bits"),
    (RGB[:, :, 0] > 9, r"found bool of shape \(240, 320\).*255 \* array"),
    (np.full((4, 4), np.nan), "found float64"),
    (np.dstack([RGB, RGB[:, :, 0]]), r"shape \(240, 320, 4\).*transparency"),
    (RGB.transpose(2, 0, 1), r"transpose\(1, 2, 0\)"),
    (RGB[None], r"list\(array\)"),
    (np.empty((0, 5), np.uint8), "it is empty"),
    (np.empty(0), "it is empty"),
    (np.arange(5, dtype=np.uint8), r"shape \(5,\)"),
    (np.array(["a", "b"]), r"found <U1 of shape \(2,\)"),
    (np.array([[None]]), "found object"),
    (None, "found None"),
    (7, "found 7"),
    ({"a": RGB}, "found dict"),
    ("nothing/there.jpg", "nothing/there.jpg: cannot read"),
    (b"", "expected a picture, found an empty file"),
    (b"text, no picture", "expected a picture"),
    (Picture(RGB / 255, 320, 240), "Picture: expected an array of uint8"),
    (Picture(RGB.tolist(), 320, 240), "Picture: expected an array of uint8"),
]


@pytest.mark.parametrize(("source", "words"), WRONG)
def test_what_is_no_picture_is_named_with_what_to_do(source: Any, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        as_picture(source)
    assert "\n" not in str(caught.value)


def test_the_advice_works() -> None:
    for array in (RGB / 255, RGB.astype(np.float32), RGB.astype(np.int64), RGB[:, :, 0] > 9, RGB.transpose(2, 0, 1)):
        with pytest.raises(ImageError) as caught:
            as_picture(array)
        advice = caught.value.advice.removeprefix("colours come last: ")
        assert as_picture(eval(advice, {"array": array})).width == 320


class Tensor:
    """What other libraries hand out."""

    def __array__(self, dtype: object = None, copy: object = None) -> NDArray[Any]:
        return RGB


def test_a_tensor_is_told_how_to_become_an_array() -> None:
    with pytest.raises(ImageError, match=r"found Tensor; numpy.asarray\(it\)"):
        as_picture(Tensor())


def test_pixels_have_a_content_that_no_file_has(path: Path) -> None:
    hashed = [open_source(each).sha256 for each in (RGB, Image.fromarray(RGB), Picture(RGB, 320, 240))]
    assert len(set(hashed)) == 1
    assert open_source(RGB[:, :, ::-1], "BGR").sha256 == hashed[0]
    others = [RGB[:, :, ::-1], RGB[:, :, 0], RGB[::-1], RGB.reshape(160, 480, 3), Picture(RGB, 640, 480), path]
    assert len({open_source(other).sha256 for other in others} | set(hashed)) == 1 + len(others)
    assert hash_pixels(Picture(RGB, 320, 240)) == hashed[0]


def test_one_or_many() -> None:
    assert all(is_one(each) for each in ("a", Path("a"), b"a", RGB, Image.new("L", (1, 1)), None, 3, {"a": 1}))
    assert not any(is_one(each) for each in (["a"], ("a",), iter("a"), []))
    assert as_paths("a") == as_paths(Path("a")) == as_paths(["a"]) == as_paths(iter([Path("a")])) == [Path("a")]
    assert as_paths([]) == []
    assert as_names("abc") == ["abc"]
    assert as_names(x for x in "ab") == ["a", "b"]
    for wrong in (3, b"a", [RGB], None):
        with pytest.raises(OptionError, match="a path, or a list of paths"):
            as_paths(wrong)


def test_reading_changes_no_argument() -> None:
    before = RGB.copy()
    frozen = RGB.copy()
    frozen.flags.writeable = False
    for each in (RGB, frozen):
        open_source(each).grey(64)
        open_source(each, "BGR").colours(64)
    assert np.array_equal(before, RGB)
    assert np.array_equal(cv2.cvtColor(RGB, cv2.COLOR_RGB2BGR), RGB[:, :, ::-1])
