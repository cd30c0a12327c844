"""What differs between two pictures is told apart: noise, something drawn over one, other content in one form."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from bof.alignment.likeness import compare
from bof.alignment.registration import refine
from bof.images.decode import Picture
from bof.types import U8

WIDTH, HEIGHT = 480, 360


def photograph(seed: int) -> U8:
    """Light without flat parts, as a photograph has it: noise of several scales, in colour."""
    rng = np.random.default_rng(seed)
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for cells, levels in ((6, 60.0), (20, 50.0), (60, 40.0), (240, 8.0)):
        grid = rng.normal(0, levels, (cells * 3 // 4, cells, 3)).astype(np.float32)
        canvas += cv2.resize(grid, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(canvas + 120 + rng.normal(0, 3, canvas.shape), 0, 255).astype(np.uint8)


def form(lines: list[str], portrait: U8 | None = None) -> U8:
    """A form with a head, rules and fields, filled in."""
    canvas = np.full((HEIGHT, WIDTH, 3), 250, np.uint8)
    cv2.rectangle(canvas, (0, 0), (WIDTH, 46), (40, 70, 140), -1)
    write(canvas, "REGISTRATION", (16, 34), (255, 255, 255), 1.0)
    for row, text in enumerate(lines):
        y = 92 + 44 * row
        write(canvas, f"Field {row + 1}:", (150, y), (90, 90, 90), 0.6)
        write(canvas, text, (250, y), (10, 10, 10), 0.7)
        cv2.line(canvas, (150, y + 10), (WIDTH - 20, y + 10), (180, 180, 180), 1)
    canvas[70:190, 20:130] = (photograph(99) if portrait is None else portrait)[:120, :110]
    return canvas


def write(canvas: U8, text: str, place: tuple[int, int], ink: tuple[int, int, int], size: float) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 2, cv2.LINE_AA)


def captioned(pixels: U8) -> U8:
    canvas = pixels.copy()
    for y in (60, 200, 330):
        for ink, width in (((0, 0, 0), 9), ((255, 255, 255), 4)):
            cv2.putText(canvas, "WHEN YOU SEE", (20, y), cv2.FONT_HERSHEY_SIMPLEX, 1.8, ink, width, cv2.LINE_AA)
    return canvas


def stored_again(pixels: U8, quality: int) -> U8:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def picture(pixels: U8) -> Picture:
    return Picture(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0])


A_FORM = form(["Anna Berg", "12 May 1980", "Harbour Street 4", "KX-40-771"])
PHOTO = photograph(1)


@pytest.mark.parametrize("quality", [90, 60, 20, 8])
@pytest.mark.parametrize("original", [PHOTO, A_FORM], ids=["photograph", "form"])
def test_a_picture_that_is_stored_again_differs_by_noise_alone(original: U8, quality: int) -> None:
    if quality < 60 and original is A_FORM:
        quality = 30
    found = compare(picture(original), picture(stored_again(original, quality)), np.eye(3)).differences
    assert found.is_none
    assert found.n_differ == 0


@pytest.mark.parametrize(
    "other",
    [
        form(["Otto Lind", "3 March 1991", "Mill Lane 22", "QB-18-005"]),
        form(["Anna Berg", "12 May 1980", "Harbour Street 4", "KX-40-772"]),
        form(["Anna Berg", "12 May 1980", "Harbour Street 4", "KX-40-771"], photograph(7)),
        form(["", "", "", ""]),
    ],
    ids=["all fields", "one figure", "portrait", "empty"],
)
def test_forms_that_are_filled_in_otherwise_are_no_copies(other: U8) -> None:
    found = compare(picture(A_FORM), picture(other), np.eye(3)).differences
    assert not found.is_none
    assert not found.is_overlay
    assert found.is_template


def test_what_is_written_over_a_photograph_is_an_overlay_from_both_sides() -> None:
    for one, other in ((PHOTO, captioned(PHOTO)), (captioned(PHOTO), PHOTO)):
        found = compare(picture(one), picture(other), np.eye(3)).differences
        assert found.is_overlay
        assert not found.is_none


def test_an_opaque_badge_on_a_photograph_is_an_overlay() -> None:
    badge = PHOTO.copy()
    cv2.circle(badge, (150, 150), 75, (250, 220, 30), -1)
    cv2.circle(badge, (150, 150), 40, (20, 20, 90), -1)
    assert compare(picture(PHOTO), picture(badge), np.eye(3)).differences.is_overlay


def test_two_photographs_in_one_frame_and_under_one_watermark_are_no_copies() -> None:
    for frame in (1.0, 0.0):
        pair = []
        for seed in (3, 4):
            pixels = captioned(photograph(seed))
            if frame:
                pixels[:60] = pixels[-60:] = (30, 60, 160)
                write(pixels, "CHANNEL 5 NEWS", (20, 40), (255, 255, 255), 1.0)
            pair.append(picture(pixels))
        found = compare(*pair, np.eye(3)).differences
        assert not found.is_none
        assert not found.is_overlay


def test_a_photograph_from_a_step_aside_drifts_and_a_turned_copy_does_not() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    depth = 5 * np.sin(x / 60) * np.cos(y / 50)  # what stands nearer moves more
    aside = np.asarray(cv2.remap(PHOTO, x + depth.astype(np.float32), y, cv2.INTER_CUBIC), np.uint8)
    assert not compare(picture(PHOTO), picture(aside), np.eye(3)).differences.is_none
    turn = np.vstack([cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 4, 1), [0, 0, 1]])
    turned = np.asarray(cv2.warpAffine(PHOTO, turn[:2], (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC), np.uint8)
    assert compare(picture(turned), picture(PHOTO), turn).differences.drift < 0.3


def test_a_transform_that_is_some_pixels_off_is_brought_home() -> None:
    off = np.array([[1.004, 0.003, 1.5], [-0.002, 0.997, -2.0], [0, 0, 1]])
    found = refine(picture(PHOTO), picture(PHOTO), off)
    corners = np.array([[0, 0, 1], [WIDTH, 0, 1], [0, HEIGHT, 1], [WIDTH, HEIGHT, 1.0]])
    assert np.abs(corners @ (found - np.eye(3)).T).max() < 0.3
