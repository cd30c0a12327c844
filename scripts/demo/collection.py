"""Draws the demo collection: photographs of posters on walls, scenes without them, queries. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from bof.types import F64, U8
from scripts.demo.art import DESIGNS, draw_poster
from scripts.demo.scenes import AA, SCENES, WALL_HEIGHT, WALL_WIDTH, WALLS, Rng, plaster

WIDTH, HEIGHT = 640, 480
FOCAL_PX = 800.0
N_POSTERS = len(DESIGNS)
N_OTHER_POSTERS = 5
N_SCENES = 13
VIEWS = "abc"
QUERY_POSTERS = (3, 2, 10)
# Two names that a collection must survive: another script with spaces in a sub-folder, and another format.
SPECIAL_NAMES = {"poster-03-b": "旅行 2024/海报 照片.jpg", "poster-02-a": "poster-02-a.png"}


@dataclass(frozen=True)
class DemoCollection:
    """The folder of photographs; for each query picture, the names relative to it that show the same poster."""

    photos: Path
    queries: dict[Path, list[str]]


@dataclass(frozen=True)
class Camera:
    """A view of a wall's middle: px of the picture for one px of the wall, angles in degrees, shift in px."""

    zoom: float
    roll_deg: float
    pitch_deg: float
    yaw_deg: float
    shift_px: tuple[float, float]


# ---- the camera


def picture_from_wall(camera: Camera) -> F64:
    """The homography f64 (3, 3) from pixels of the wall to pixels of the picture."""
    roll, pitch, yaw = np.deg2rad((camera.roll_deg, camera.pitch_deg, camera.yaw_deg))
    turn = cv2.Rodrigues(np.array([0, 0, roll]))[0] @ cv2.Rodrigues(np.array([pitch, 0, 0]))[0]
    turn = turn @ cv2.Rodrigues(np.array([0, yaw, 0]))[0]
    plane = np.column_stack([turn[:, 0], turn[:, 1], (0, 0, FOCAL_PX / camera.zoom)])
    centre = np.array([WIDTH / 2 + camera.shift_px[0], HEIGHT / 2 + camera.shift_px[1]])
    lens = np.array([[FOCAL_PX, 0, centre[0]], [0, FOCAL_PX, centre[1]], [0, 0, 1]])
    middle = np.array([[1, 0, -WALL_WIDTH / 2], [0, 1, -WALL_HEIGHT / 2], [0, 0, 1]])
    return np.asarray(lens @ plane @ middle, np.float64)


def aim(rng: Rng, poster_width: int, hardness: float) -> Camera:
    """A camera before a poster: hardness 0 is near and almost frontal, 1 is oblique, turned and far."""
    upright = poster_width < 500
    widest, narrowest = (0.5, 0.36) if upright else (0.8, 0.42)
    share = widest + (narrowest - widest) * np.clip(hardness + rng.uniform(-0.15, 0.15), 0, 1)
    reach, signs = 0.25 + 0.75 * hardness, rng.choice((-1.0, 1.0), 3)
    roll, pitch, yaw = signs * reach * rng.uniform((8, 5, 12), (30, 20, 38))
    x, y = rng.uniform(-1, 1, 2) * (90 * reach, 40 * reach)
    return Camera(float(share * WIDTH / poster_width), float(roll), float(pitch), float(yaw), (float(x), float(y)))


def photograph(wall: U8, camera: Camera, hung: U8 | None = None) -> U8:
    """What the camera sees of the wall, or of what is hung on it, u8 (HEIGHT, WIDTH, 3).

    Beyond its edges the bare wall goes on, mirrored.
    """
    homography = picture_from_wall(camera)
    view = cv2.warpPerspective(wall, homography, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
    if hung is not None:
        view = cv2.warpPerspective(hung, homography, (WIDTH, HEIGHT), dst=view, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(view, np.uint8)


def hang(rng: Rng, wall: U8, poster: U8) -> U8:
    """The wall with the framed poster in its middle, and the frame's shadow."""
    rim, mat = int(rng.integers(6, 14)), int(rng.integers(0, 3)) * 10
    frame = ((34, 30, 28), (140, 96, 58), (228, 224, 216))[int(rng.integers(3))]
    framed = cv2.copyMakeBorder(poster, mat, mat, mat, mat, cv2.BORDER_CONSTANT, value=(250, 248, 242))
    framed = cv2.copyMakeBorder(framed, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=frame)
    height, width = framed.shape[:2]
    y, x = (WALL_HEIGHT - height) // 2, (WALL_WIDTH - width) // 2
    shade = np.ones((WALL_HEIGHT, WALL_WIDTH), np.float32)
    shade[y + 12 : y + height + 14, x + 8 : x + width + 12] = 0.45
    shaded = (wall * cv2.blur(shade, (21, 21))[:, :, None]).astype(np.uint8)
    shaded[y : y + height, x : x + width] = framed
    return shaded


# ---- what stands before the wall, and the light


def occlude(rng: Rng, view: U8) -> U8:
    """The view with a plant, a post or a passer-by in front of a part of it."""
    kind, side = int(rng.integers(3)), int(rng.choice((-1, 1)))
    front = view.copy()
    x = WIDTH // 2 + side * int(rng.integers(120, 210))
    (_plant, _post, _passer_by)[kind](rng, front, x)
    return front


def _plant(rng: Rng, art: U8, x: int) -> None:
    for _ in range(46):
        angle, reach = rng.uniform(-2.7, -0.45), rng.uniform(60, 190)
        at = (int(x + np.cos(angle) * reach * 0.7), int(HEIGHT - 40 + np.sin(angle) * reach))
        green = tuple(map(int, rng.integers((30, 80, 30), (90, 160, 80))))
        cv2.line(art, (x, HEIGHT - 30), at, (50, 84, 44), 2, AA)
        cv2.ellipse(art, at, (26, 9), float(np.rad2deg(angle)), 0, 360, green, -1, AA)
    pot = np.array([(x - 46, HEIGHT - 62), (x + 46, HEIGHT - 62), (x + 34, HEIGHT), (x - 34, HEIGHT)])
    cv2.fillConvexPoly(art, pot, (172, 92, 62), AA)


def _post(rng: Rng, art: U8, x: int) -> None:
    width = int(rng.integers(26, 52))
    light = np.sin(np.linspace(0.3, 2.9, width))[:, None] * np.float32(rng.choice(((120, 126, 130), (150, 112, 74))))
    art[:, x : x + width] = light.astype(np.uint8)


def _passer_by(rng: Rng, art: U8, x: int) -> None:
    coat, top = tuple(map(int, rng.integers(30, 120, 3))), int(rng.integers(240, 310))
    cv2.ellipse(art, (x, HEIGHT + 40), (92, HEIGHT - top - 36), 0, 180, 360, coat, -1, AA)
    cv2.ellipse(art, (x, top + 30), (34, 42), 0, 0, 360, (198, 150, 122), -1, AA)
    cv2.ellipse(art, (x, top + 18), (37, 38), 0, 160, 380, (54, 38, 30), -1, AA)


def expose(rng: Rng, view: U8, hardness: float) -> U8:
    """The view under a slanting light, a shadow's edge, a tint, a lens's blur and a sensor's noise."""
    y, x = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None], np.linspace(-1, 1, WIDTH, dtype=np.float32)
    angle, slope = float(rng.uniform(0, 2 * np.pi)), 0.12 + 0.22 * hardness
    light = 1 + slope * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(-0.08, 0.1)
    if rng.random() < 0.2 + 0.4 * hardness:
        edge = x * np.cos(angle * 3) + y * np.sin(angle * 3) + rng.uniform(-0.4, 0.4)
        light *= 1 - rng.uniform(0.25, 0.45) / (1 + np.exp(-edge * 30))
    lit = view * light[:, :, None].astype(np.float32) * np.float32(rng.uniform(0.92, 1.06, 3))
    lit = cv2.GaussianBlur(lit, (0, 0), 0.35 + rng.uniform(0, 0.9) * hardness)
    noise = rng.standard_normal(lit.shape, np.float32) * np.float32(rng.uniform(1.5, 3 + 4 * hardness))
    seen: U8 = np.clip(lit + noise, 0, 255).astype(np.uint8)
    return seen


# ---- the collection


def poster_photo(number: int, seed: int, view: int, hardness: float) -> U8:
    """A photograph of poster `number`; each view has its own wall, camera and light."""
    rng = np.random.default_rng([seed, 2, number, view])
    poster = draw_poster(number, seed)
    wall = WALLS[(number + view) % len(WALLS)](rng)
    seen = photograph(wall, aim(rng, poster.shape[1], hardness), hang(rng, wall, poster))
    if hardness > 0 and rng.random() < 0.7:
        seen = occlude(rng, seen)
    return expose(rng, seen, hardness)


def query_photo(number: int, seed: int) -> U8:
    """A close, turned view of a poster that cuts its edges off."""
    rng = np.random.default_rng([seed, 3, number])
    poster, wall = draw_poster(number, seed), plaster(rng)
    roll, pitch, yaw = rng.choice((-1.0, 1.0), 3) * rng.uniform((6, 3, 5), (14, 8, 14))
    zoom = 1.12 * min(WIDTH / poster.shape[1], HEIGHT / poster.shape[0])
    camera = Camera(zoom, float(roll), float(pitch), float(yaw), (0.0, 0.0))
    return expose(rng, photograph(wall, camera, hang(rng, wall, poster)), 0.2)


def scene_photo(number: int, seed: int) -> U8:
    """A photograph without any poster."""
    rng = np.random.default_rng([seed, 4, number])
    roll, pitch, yaw = rng.uniform(-1, 1, 3) * (4, 6, 14)
    camera = Camera(float(rng.uniform(0.68, 0.95)), float(roll), float(pitch), float(yaw), (0.0, 0.0))
    return expose(rng, photograph(SCENES[number % len(SCENES)](rng), camera), 0.5)


def save(path: Path, rgb: U8, quality: int) -> None:
    """Write a picture in the format of its name, to any path (cv2.imwrite fails on some names on Windows)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    _, data = cv2.imencode(path.suffix, np.ascontiguousarray(rgb[:, :, ::-1]), options)
    path.write_bytes(data.tobytes())


def photo_name(number: int, view: int) -> str:
    """The name of a poster's view, relative to the folder of photographs."""
    stem = f"poster-{number:02}-{VIEWS[view]}"
    return SPECIAL_NAMES.get(stem, f"{stem}.jpg")


def _drawings(out: Path, seed: int) -> Iterator[tuple[Path, Callable[[], U8]]]:
    """Every picture of the collection: where it goes, and what draws it."""
    photos = out / "photos"
    for number, view in product(range(N_POSTERS), range(len(VIEWS))):
        yield photos / photo_name(number, view), partial(poster_photo, number, seed, view, view / 2)
    for number in range(N_OTHER_POSTERS):
        yield photos / f"other-{number:02}.jpg", partial(poster_photo, N_POSTERS + number, seed, 0, 0.4)
    for number in range(N_SCENES):
        yield photos / f"scene-{number:02}.jpg", partial(scene_photo, number, seed)
    for number, poster in enumerate(QUERY_POSTERS, start=1):
        yield out / "queries" / f"query-{number}.jpg", partial(query_photo, poster, seed)


def draw_collection(out: Path, seed: int = 0) -> DemoCollection:
    """Draw the collection into out/photos and out/queries; the same seed draws the same bytes. Takes a few seconds."""
    drawings = list(_drawings(out, seed))
    qualities = np.random.default_rng([seed, 5]).integers(55, 93, len(drawings)).tolist()
    # Each picture has a random stream of its own, so that the order in which threads draw changes nothing.
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda drawing, quality: save(drawing[0], drawing[1](), quality), drawings, qualities))
    queries = {
        out / "queries" / f"query-{number}.jpg": [photo_name(poster, view) for view in range(len(VIEWS))]
        for number, poster in enumerate(QUERY_POSTERS, start=1)
    }
    return DemoCollection(out / "photos", queries)
