"""Flat drawings, and where they hang in a scene: few points lie in them, and pixels must decide."""

from __future__ import annotations

import cv2
import numpy as np

from bof.geometry.transforms import apply
from bof.images.decode import Picture
from bof.types import F64, U8
from tests.support.scenes import draw_scene

SIDE = 240
CORNERS = np.array([[0, 0], [SIDE - 1, 0], [SIDE - 1, SIDE - 1], [0, SIDE - 1]], np.float64)
SEEN_AT = np.array([[210, 130], [402, 148], [390, 340], [196, 318]], np.float64)
"""Where the corners of a logo are in its scene: turned, smaller, and seen a little from aside."""


def draw_logo(text: str = "RIV", ink: tuple[int, int, int] = (200, 90, 30), at: tuple[int, int] = (70, 150)) -> U8:
    """A flat logo, RGB u8 (240, 240, 3): a shape in one colour, a slice of it in another, three letters."""
    logo = np.full((SIDE, SIDE, 3), 255, np.uint8)
    corners = 120 + 100 * np.stack([np.cos(np.arange(5) * 1.2566), np.sin(np.arange(5) * 1.2566)], axis=1)
    cv2.fillPoly(logo, [corners.astype(np.int32)], (40, 110, 160), cv2.LINE_AA)
    cv2.ellipse(logo, (130, 100), (45, 45), 0, 20, 230, ink, -1, cv2.LINE_AA)
    cv2.putText(logo, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.4, (230, 220, 60), 4, cv2.LINE_AA)
    return logo


def transform_to(corners: F64) -> F64:
    """From a logo to where its corners are, f64 (3, 3)."""
    return np.asarray(cv2.getPerspectiveTransform(CORNERS.astype(np.float32), corners.astype(np.float32)), np.float64)


def hang(logo: U8, seed: int = 3) -> U8:
    """A scene of 640 x 480 with a logo in it, darker, blurred, with noise: RGB."""
    scene = cv2.resize(draw_scene(seed), (640, 480))
    seen = transform_to(SEEN_AT)
    drawn = cv2.warpPerspective(logo, seen, (640, 480))
    mask = cv2.warpPerspective(np.full((SIDE, SIDE), 255, np.uint8), seen, (640, 480))
    scene[mask > 0] = (0.8 * drawn[mask > 0]).astype(np.uint8)
    noise = np.random.default_rng(seed).normal(0, 3, scene.shape)
    return np.clip(cv2.GaussianBlur(scene, (0, 0), 0.6) + noise, 0, 255).astype(np.uint8)


def hang_without_ground(logo: U8, seed: int = 3) -> U8:
    """A scene of 640 x 480 in which what a logo shows hangs without its ground: RGB."""
    scene, seen = cv2.resize(draw_scene(seed), (640, 480)), transform_to(SEEN_AT)
    is_drawn = np.asarray((logo < 250).any(axis=2) * 255, np.uint8)
    mask = cv2.warpPerspective(is_drawn, seen, (640, 480)) > 128
    scene[mask] = cv2.warpPerspective(logo, seen, (640, 480))[mask]
    return np.asarray(scene, np.uint8)


def draw_wheel(turned: int = 0) -> U8:
    """Six blades in six colours, RGB u8 (240, 240, 3), on white; turned by so many blades, in grey it is the same."""
    inks = ((60, 20, 180), (90, 140, 70), (20, 210, 160), (100, 110, 105), (95, 195, 200), (225, 170, 110))
    wheel = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for blade in range(6):
        angles = np.pi / 3 * blade + np.array([0.0, 0.6])
        tips = 120 + 100 * np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1.0], [0.85]]
        corners = np.rint(np.vstack([[120, 120], tips])).astype(np.int32)
        cv2.fillPoly(wheel, [corners], inks[(blade - turned) % 6], cv2.LINE_AA)
    return wheel


def picture_of(pixels: U8) -> Picture:
    return Picture(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0])


def roughly(far_px: float) -> F64:
    """From the logo to the scene as a handful of points leaves it: each corner so many pixels off."""
    ways = np.array([[1, 0.4], [-0.7, 0.7], [0.5, -1], [-0.2, 0.9]])
    return transform_to(SEEN_AT + far_px * ways / np.linalg.norm(ways, axis=1, keepdims=True))


def error_px(found: F64) -> float:
    """How far the corner that is farthest off lies from where it is."""
    return float(np.linalg.norm(apply(found, CORNERS) - SEEN_AT, axis=1).max())
