"""What a photograph might show, drawn by program: landscapes, streets, faces, fruit; or a part of a real photograph."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import F32, U8
from scripts.demo.scenes import boards, bricks, foliage, fractal_noise, mountains, skyline
from scripts.siblings.streams import Colour, Rng, Streams, colour, framed_photo, mixed, pick, whole

_SKINS = ((236, 194, 166), (214, 160, 122), (170, 116, 82), (112, 74, 54), (246, 214, 190))
_HAIR = ((40, 28, 22), (92, 60, 34), (176, 132, 74), (150, 150, 152), (120, 50, 30), (16, 14, 14))
_SIDE = 720


def photo(streams: Streams, width: int, height: int) -> U8:
    """A photograph of the member's own: RGB u8 (height, width, 3)."""
    return _photo(streams, streams.own, width, height)


def shared_photo(streams: Streams, width: int, height: int) -> U8:
    """A photograph that all members share."""
    return _photo(streams, streams.design, width, height)


def _photo(streams: Streams, rng: Rng, width: int, height: int) -> U8:
    if streams.photos:
        return framed_photo(pick(rng, streams.photos), rng, width, height)
    scene = pick(rng, (lake, lake, fruit, mountains, skyline, foliage, bricks, boards, still_life))(rng)
    return graded(rng, cropped(rng, scene, width, height))


def cropped(rng: Rng, pixels: U8, width: int, height: int) -> U8:
    """A part of a picture with these sides, at any place and scale."""
    scale = max(width / pixels.shape[1], height / pixels.shape[0]) * rng.uniform(1.0, 1.35)
    size = (max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale)))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = whole(rng, 0, size[0] - width + 1), whole(rng, 0, size[1] - height + 1)
    return np.ascontiguousarray(large[y : y + height, x : x + width], np.uint8)


def graded(rng: Rng, pixels: U8) -> U8:
    """With another white balance, contrast and a little grain."""
    gains = rng.uniform(0.88, 1.1, 3)
    shifted = (pixels.astype(np.float32) - 128) * rng.uniform(0.8, 1.15) + 128 + rng.uniform(-12, 12)
    grain = rng.standard_normal(pixels.shape[:2], np.float32)[:, :, None] * np.float32(3.5)
    return np.clip(shifted * gains + grain, 0, 255).astype(np.uint8)


def gradient(width: int, height: int, top: Colour, low: Colour) -> U8:
    """From one colour to another, downwards: RGB u8 (height, width, 3)."""
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    column = np.array(top, np.float32) * (1 - ramp) + np.array(low, np.float32) * ramp
    return np.ascontiguousarray(np.broadcast_to(column, (height, width, 3)), np.uint8)


def lake(rng: Rng) -> U8:
    """Hills under a sky, and their image in water."""
    top = colour(rng, (0.5, 0.95), (0.2, 0.6))
    art = gradient(_SIDE, _SIDE, top, mixed(top, (255, 236, 210), 0.8)).astype(np.float32)
    clouds = np.clip(fractal_noise(rng, _SIDE, _SIDE, coarse=3) * 2.4 - 1.1, 0, 1)[:, :, None]
    art = art * (1 - clouds) + 248 * clouds
    shore, steps = whole(rng, 380, 520), np.arange(_SIDE)[:, None]
    for layer in range(4):
        ridge = cv2.resize(rng.random((1, 6 + 7 * layer)), (_SIDE, 1), interpolation=cv2.INTER_CUBIC)[0]
        level = shore - (180 - 42 * layer) * (0.25 + ridge) + rng.normal(0, 1.5, _SIDE)
        shade = np.array(mixed((150, 170, 190), colour(rng, (0.2, 0.45), (0.3, 0.7)), layer / 3), np.float32)
        rough = fractal_noise(rng, _SIDE, _SIDE, coarse=8, octaves=6)[:, :, None] * 70 - 35
        art = np.where((steps > level)[:, :, None], shade + rough, art)
    n = _SIDE - shore
    water = cv2.resize(art[:shore][::-1][: n + 40], (_SIDE, n)) * 0.75
    shift = (np.sin(np.arange(n) * 0.5) * np.linspace(1, 7, n) + rng.normal(0, 1.2, n)).astype(int)
    art[shore:] = np.stack([np.roll(row, int(by), axis=0) for row, by in zip(water, shift, strict=True)])
    return np.clip(art, 0, 255).astype(np.uint8)


def ball(side: int, tint: Colour, rough: F32) -> tuple[U8, F32]:
    """A lit ball with a skin: RGB u8 (side, side, 3), and how much of each pixel it covers."""
    y, x = np.mgrid[-1.08 : 1.08 : side * 1j, -1.08 : 1.08 : side * 1j].astype(np.float32)
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    light = np.clip(0.28 + 0.8 * (-0.45 * x - 0.6 * y + 0.66 * z), 0.12, 1.2)[:, :, None]
    shine = np.clip(-0.36 * x - 0.48 * y + 0.8 * z, 0, 1)[:, :, None] ** 24 * 150
    skin = np.array(tint, np.float32) * (0.75 + 0.5 * rough[:side, :side, None])
    cover = np.clip((1 - np.hypot(x, y)) * side / 4, 0, 1).astype(np.float32)
    return np.clip(skin * light + shine, 0, 255).astype(np.uint8), cover


def blend(art: U8, top: U8, cover: F32, x: int, y: int) -> None:
    """Lay a picture with a cover in 0..1 on another, in place; what falls outside is cut off."""
    y0, x0 = max(y, 0), max(x, 0)
    y1, x1 = min(y + top.shape[0], art.shape[0]), min(x + top.shape[1], art.shape[1])
    if y1 <= y0 or x1 <= x0:
        return
    part, mask = top[y0 - y : y1 - y, x0 - x : x1 - x], cover[y0 - y : y1 - y, x0 - x : x1 - x, None]
    art[y0:y1, x0:x1] = (art[y0:y1, x0:x1] * (1 - mask) + part * mask).astype(np.uint8)


def pile(rng: Rng, art: U8, tint: Colour, n: int, sides: tuple[int, int], area: tuple[int, int, int, int]) -> None:
    """Fruit of one colour in an area (x0, y0, x1, y1) of a picture, in place."""
    rough = fractal_noise(rng, 256, 256, coarse=8, octaves=5)
    for _ in range(n):
        side = whole(rng, *sides)
        tone = mixed(tint, colour(rng), 0.12)
        top, cover = ball(side, tone, np.roll(rough, whole(rng, 0, 256), axis=1))
        x, y = whole(rng, area[0], area[2]) - side // 2, whole(rng, area[1], area[3]) - side // 2
        blend(art, (top * 0).astype(np.uint8), cover * 0.45, x + side // 12, y + side // 9)
        blend(art, top, cover, x, y)


def fruit(rng: Rng) -> U8:
    """A heap of fruit that fills the picture."""
    art = boards(rng)[:_SIDE, :_SIDE].copy()
    for _ in range(whole(rng, 1, 4)):
        pile(rng, art, colour(rng, (0.6, 0.95), (0.6, 0.95)), 16, (90, 190), (0, 0, _SIDE, _SIDE))
    return art


def still_life(rng: Rng) -> U8:
    """Some things on a table before a wall."""
    art = np.concatenate([bricks(rng)[:420, :_SIDE] // 2 + 60, boards(rng)[: _SIDE - 420, :_SIDE]])
    for _ in range(whole(rng, 2, 5)):
        x, wide, tall = whole(rng, 60, 660), whole(rng, 40, 90), whole(rng, 120, 320)
        tint = colour(rng)
        for i in range(-wide, wide):
            light = 0.45 + 0.6 * np.sqrt(max(0.0, 1 - ((i + wide * 0.3) / (1.4 * wide)) ** 2))
            if 0 <= x + i < _SIDE:
                art[560 - tall : 560, x + i] = np.clip(np.array(tint) * light, 0, 255)
        cv2.ellipse(art, (x, 560 - tall), (wide, wide // 4), 0, 0, 360, mixed(tint, (0, 0, 0), 0.4), -1, cv2.LINE_AA)
    pile(rng, art, colour(rng), whole(rng, 3, 9), (60, 120), (60, 540, 660, 640))
    return art


def face(rng: Rng, width: int, height: int) -> U8:
    """A passport photograph."""
    skin, hair, shirt = pick(rng, _SKINS), pick(rng, _HAIR), colour(rng, (0.2, 0.8))
    art = gradient(400, 500, colour(rng, (0.75, 0.95), (0.05, 0.3)), (205, 210, 216))
    wide, tall, eyes = whole(rng, 88, 116), whole(rng, 120, 145), whole(rng, 205, 235)
    aa = cv2.LINE_AA
    cv2.ellipse(art, (200, 545), (190, 165), 0, 0, 360, shirt, -1, aa)
    cv2.ellipse(art, (200, 210), (wide + whole(rng, 8, 34), tall + whole(rng, 5, 40)), 0, 0, 360, hair, -1, aa)
    cv2.rectangle(art, (160, 320), (240, 410), mixed(skin, (90, 40, 30), 0.25), -1)
    cv2.ellipse(art, (200, 235), (wide, tall), 0, 0, 360, skin, -1, aa)
    cv2.ellipse(art, (200, 130), (wide - 2, whole(rng, 26, 62)), 0, 180, 360, hair, -1, aa)
    space = whole(rng, 36, 48)
    for x in (200 - space, 200 + space):
        cv2.ellipse(art, (x, eyes), (18, whole(rng, 7, 11)), 0, 0, 360, (240, 240, 238), -1, aa)
        cv2.circle(art, (x, eyes), 7, mixed(colour(rng), (30, 30, 30), 0.6), -1, aa)
        cv2.ellipse(art, (x, eyes - 18), (24, 8), 0, 190, 350, hair, whole(rng, 3, 8), aa)
    cv2.ellipse(art, (200, eyes + 50), (14, 8), 0, 0, 180, mixed(skin, (80, 30, 20), 0.4), 3, aa)
    cv2.ellipse(art, (200, eyes + 84), (whole(rng, 24, 42), whole(rng, 4, 14)), 0, 0, 180, (160, 70, 70), 5, aa)
    if rng.random() < 0.4:
        for x in (200 - space, 200 + space):
            cv2.circle(art, (x, eyes), 30, (40, 40, 44), 4, aa)
    shade = cv2.GaussianBlur(fractal_noise(rng, 500, 400, coarse=3), (0, 0), 6)[:, :, None] * 50 - 25
    soft = cv2.GaussianBlur(art, (0, 0), 2.0).astype(np.float32) + shade + rng.normal(0, 3, art.shape)
    small = cv2.resize(np.clip(soft, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
