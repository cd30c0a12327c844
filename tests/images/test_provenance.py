"""What was stored again from another file's pixels is known, whichever way the quality went; and what EXIF says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from bof.images.provenance import Provenance, read_provenance, was_made_from
from tests.support.scenes import draw_scene


def busy(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    grain = cv2.resize(rng.normal(0, 25, (120, 160, 3)).astype(np.float32), (320, 240))
    return Image.fromarray(np.clip(draw_scene(seed).astype(np.float32) * 0.7 + 30 + grain, 0, 255).astype(np.uint8))


def read(path: Path) -> Provenance:
    found = read_provenance(path, with_pixels=True)
    assert found is not None
    return found


@pytest.mark.parametrize("first", [75, 85, 95, None])
@pytest.mark.parametrize("second", [60, 70, 80, 90, 95, None])
def test_a_copy_is_told_from_what_it_was_made_from(first: int | None, second: int | None, tmp_path: Path) -> None:
    if first == second:
        pytest.skip("no trace is left")
    names = [tmp_path / f"{name}.{'png' if q is None else 'jpg'}" for name, q in (("a", first), ("b", second))]
    busy(1).save(names[0], **({} if first is None else {"quality": first}))
    Image.open(names[0]).convert("RGB").save(names[1], **({} if second is None else {"quality": second}))
    original, copy = map(read, names)
    assert was_made_from(copy, original)
    assert not was_made_from(original, copy)


def test_other_pictures_and_other_sizes_were_not_made_from_each_other(tmp_path: Path) -> None:
    for name, picture in (("a", busy(1)), ("b", busy(2)), ("c", busy(1).resize((160, 120)))):
        picture.save(tmp_path / f"{name}.jpg", quality=80)
    one, other, small = (read(tmp_path / f"{name}.jpg") for name in "abc")
    assert not any(was_made_from(*pair) for pair in ((one, other), (other, one), (one, small), (small, one)))


def test_the_camera_and_the_editor_are_read_from_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera & Co"
    exif[ExifTags.Base.Software] = "GIMP 2.10"
    busy(3).save(tmp_path / "a.jpg", exif=exif)
    found = read_provenance(tmp_path / "a.jpg", with_pixels=False)
    assert found is not None
    assert (found.has_camera, found.editor, len(found.light)) == (True, "GIMP", 0)
    assert read(tmp_path / "a.jpg").coarseness > 0


def test_what_is_no_picture_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    assert read_provenance(tmp_path / "a.jpg", with_pixels=True) is None
    assert read_provenance(tmp_path / "none.jpg", with_pixels=True) is None
