"""What same_answers works with: a folder of one version, pictures made by program, answers as JSON.

Nothing here knows a module of bof: commands run as child processes of the version that `import bof` finds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

import bof
from bof import Engine, Hit, Verification

T = TypeVar("T")
Pixels = NDArray[np.uint8]
Record = Any
Answers = dict[str, Record]
"""What was asked -> what was answered, as JSON."""

Attack = Callable[[Pixels, np.random.Generator], Pixels]

FIRST_HITS = 20
"""So many hits of each query can be read in the record; the others are in one SHA-256."""

SMALL_STEP = 10
"""A small run asks every 10th query among every 10th distractor."""

_FIRST_TIME_S = 1_000_000_000
"""Made files have fixed times, because the older of two duplicates is preferred."""


class CommandError(Exception):
    """A command of bof ended with another status than 0."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where one version of bof works. data: the photographs; folder: what this version alone makes and keeps."""

    data: Path
    folder: Path
    small: bool

    @classmethod
    def of(cls, data: Path, cache: Path, *, small: bool) -> Workplace:
        """The place of the bof that is imported, below the cache; the same only for the same source and data."""
        data, cache = data.resolve(), cache.resolve()
        folder = cache / version_of(data)
        (folder / "sets").mkdir(parents=True, exist_ok=True)
        return cls(data, folder, small)

    def sample(self, items: Sequence[T]) -> list[T]:
        """All items, or every 10th in a small run."""
        return list(items)[:: SMALL_STEP if self.small else 1]

    def run(self, command: str, *arguments: object) -> str:
        """What `python -m bof.COMMAND` prints. Raises CommandError where it fails."""
        words = [sys.executable, "-m", f"bof.{command}", *map(str, arguments)]
        places = os.pathsep.join(filter(None, [str(package().parent), os.environ.get("PYTHONPATH", "")]))
        variables = {**os.environ, "PYTHONPATH": places}
        done = subprocess.run(words, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandError(f"bof.{command} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def make_index(self, index: Path, sources: Sequence[Path], *flags: object) -> Path:
        """A new index of pictures; commits depend on how many pictures there are, and not on the time they take."""
        self.run("index", *sources, "--index", index, "--commit-seconds", 86400, *flags)
        return index

    def index(self, name: str, sources: Sequence[Path], *flags: object) -> Path:
        """An index that the cache keeps; change it only in a `copy`."""
        return self.cached(f"index-{name}", lambda folder: self.make_index(folder, sources, *flags))

    def cached(self, name: str, make: Callable[[Path], object]) -> Path:
        """A folder that is made once, or made again where making it was interrupted."""
        folder, done = self.folder / "sets" / name, self.folder / "sets" / f"{name}.done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
        return folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for the time being."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="scratch-") as folder:
            yield Path(folder)

    @contextmanager
    def copy(self, index: Path) -> Iterator[Path]:
        """A copy of an index, free to change."""
        with self.scratch() as folder:
            yield Path(shutil.copytree(index, folder / "index"))

    def ukbench(self) -> list[Path]:
        """UKBench's pictures, in order."""
        return sorted((self.data / "ukbench1000").glob("*.jpg"))


def package() -> Path:
    """The folder of the bof that is imported."""
    return Path(str(bof.__file__)).parent


def version_of(data: Path) -> str:
    """Of which source, vocabulary, script and data: 16 hexadecimal digits."""
    content = hashlib.sha256(str(data).encode())
    files = [path for path in package().rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += [*package().parent.glob("vocab/*/vocabulary.json"), *Path(__file__).parent.glob("*.py")]
    for path in sorted(files):
        content.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()[:16]


def golden_folders() -> list[Path]:
    """The golden indexes, wherever they lie below tests/."""
    root = next(folder for folder in Path(__file__).resolve().parents if (folder / "tests").is_dir())
    return sorted(path.parent for path in (root / "tests").rglob("format-*/expected.json"))


# -- Pictures made of others ------------------------------------------------------------------------------------------


def _cropped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """70 % of both sides, anywhere."""
    height, width = pixels.shape[:2]
    h, w = height * 7 // 10, width * 7 // 10
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return pixels[y : y + h, x : x + w]


def _turned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned about the middle by 5 to 20 degrees, in a frame of the same size."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(5, 20)), 1.0)
    return np.asarray(cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def _captioned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """White text on a dark bar near the bottom."""
    canvas, (height, width) = pixels.copy(), pixels.shape[:2]
    cv2.rectangle(canvas, (0, height * 8 // 10), (width, height * 9 // 10), (20, 20, 20), -1)
    text, where = f"copy {int(rng.integers(0, 1000))}", (width // 10, height * 88 // 100)
    cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, height / 400, (255, 255, 255), 2, cv2.LINE_AA)
    return canvas


def _scaled(pixels: Pixels, factor: float) -> Pixels:
    """Both sides times a factor."""
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _framed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """At 40 % of its size on a canvas of one colour."""
    small = _scaled(pixels, 0.4)
    canvas = np.full_like(pixels, rng.integers(0, 256, 3))
    y, x = (int(rng.integers(0, side - part + 1)) for side, part in zip(pixels.shape, small.shape[:2], strict=False))
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


ATTACKS: dict[str, tuple[Attack, int]] = {
    "resized": (lambda pixels, rng: _scaled(pixels, 0.5), 90),
    "encoded": (lambda pixels, rng: pixels, 30),
    "cropped": (_cropped, 92),
    "mirrored": (lambda pixels, rng: np.ascontiguousarray(pixels[:, ::-1]), 92),
    "captioned": (_captioned, 92),
    "turned": (_turned, 92),
    "framed": (_framed, 92),
    "blurred": (lambda pixels, rng: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2.0), np.uint8), 92),
}
"""What is done to a picture, and the JPEG quality of the copy."""


def write_copy(source: Path, target: Path, attack: str, seed: Sequence[int]) -> None:
    """A copy of a picture, the same for the same seed."""
    pixels = np.asarray(cv2.imread(str(source), cv2.IMREAD_COLOR), np.uint8)
    change, quality = ATTACKS[attack]
    made = change(pixels, np.random.default_rng(list(seed)))
    target.write_bytes(cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def make_duplicates(pictures: Sequence[Path], folder: Path) -> None:
    """Two pictures each of 75 objects; six altered copies of 25 of them, and the same file again of every fifth."""
    originals = [path for i in range(0, len(pictures), 4) for path in pictures[i : i + 2]][:150]
    for name in ("originals", "copies"):
        (folder / name).mkdir(parents=True)
    for path in originals:
        shutil.copyfile(path, folder / "originals" / path.name)
    for number, path in enumerate(originals[::6]):
        for attack in list(ATTACKS)[:6]:
            write_copy(path, folder / "copies" / f"{path.stem}-{attack}.jpg", attack, [1, number])
        if number % 5 == 0:
            shutil.copyfile(path, folder / "copies" / f"{path.stem} (1).jpg")
    for number, path in enumerate(sorted(folder.glob("*/*.jpg"))):
        os.utime(path, (_FIRST_TIME_S + 60 * number,) * 2)


def make_benchmark(pictures: Sequence[Path], folder: Path, n_sources: int) -> None:
    """A copies benchmark: the first pictures of four fifths of the objects, n_sources of them attacked four times, and
    two thirds as many attacked pictures of the other objects, which have no source.
    """
    n_known = len(pictures) // 20 * 16 or len(pictures)
    references = pictures[:n_known:4]
    plans = [
        (path, attack, path.name)
        for number, path in enumerate(references[:: max(1, len(references) // n_sources)][:n_sources])
        for attack in (list(ATTACKS) * 2)[number % len(ATTACKS) :][:4]
    ]
    unknown = pictures[n_known::5][: n_sources * 2 // 3]
    plans += [(path, list(ATTACKS)[number % len(ATTACKS)], "") for number, path in enumerate(unknown)]
    for name in ("references", "queries"):
        (folder / name).mkdir(parents=True)
    for path in references:
        shutil.copyfile(path, folder / "references" / path.name)
    truth, groups = ["query_id,reference_id"], ["query_id,group"]
    for number, (path, attack, source) in enumerate(plans):
        query = f"q{number:04d}.jpg"
        write_copy(path, folder / "queries" / query, attack, [2, number])
        truth.append(f"{query},{source}")
        groups.append(f"{query},{attack if source else 'no source'}")
    (folder / "ground_truth.csv").write_text("\n".join(truth) + "\n", encoding="utf-8")
    (folder / "groups.csv").write_text("\n".join(groups) + "\n", encoding="utf-8")


def write_model(path: Path) -> Path:
    """A network of one convolution, ReLU and pooling, as an ONNX file: embeddings of 16 numbers."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)
    constants = {"weight": rng.normal(0, 0.3, (16, 3, 8, 8)), "bias": rng.normal(0, 0.1, 16)}
    weights = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in constants.items()]
    nodes = [
        helper.make_node("Conv", ["pixels", "weight", "bias"], ["linear"], strides=[8, 8]),
        helper.make_node("Relu", ["linear"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["average"]),
        helper.make_node("Flatten", ["average"], ["out"]),
    ]
    ends: list[Any] = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("pixels", (1, 3, 64, 64)), ("out", None))
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


# -- Answers as JSON --------------------------------------------------------------------------------------------------


def exact(value: Any) -> Record:
    """A value as JSON, every float as its hexadecimal digits."""
    if isinstance(value, np.ndarray | np.generic):
        return exact(value.tolist())
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): exact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [exact(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def picked(record: Mapping[str, Any], *names: str) -> Answers:
    """Some fields of a record. Raises KeyError where one is missing."""
    return {name: exact(record[name]) for name in names}


def hit_record(hit: Hit) -> Answers:
    """All that a hit says, but for where its file lies."""
    proof = verification_record(hit.verification) if hit.verification else None
    names = ("name", "score", "probability", "verdict", "width", "height", "outline")
    return {**{name: exact(getattr(hit, name)) for name in names}, "verification": proof}


def verification_record(found: Verification) -> Answers:
    """What geometry says; which points agree, as a SHA-256."""
    names = ("n_inliers", "inlier_weight", "spread", "database_from_query", "mirrored")
    points = [getattr(found.inliers, field.name) for field in dataclasses.fields(found.inliers)]
    digest = hashlib.sha256(json.dumps(exact(points)).encode()).hexdigest()
    return {**{name: exact(getattr(found, name)) for name in names}, "inliers": digest}


def hits_record(hits: Sequence[Hit]) -> Answers:
    """A whole ranking."""
    rest = hashlib.sha256()
    for hit in hits[FIRST_HITS:]:
        rest.update(json.dumps(hit_record(hit)).encode())
    return {"n": len(hits), "first": [hit_record(hit) for hit in hits[:FIRST_HITS]], "rest": rest.hexdigest()}


def group_record(group: Mapping[str, Any]) -> Answers:
    """A group: who is in it, how each is proved, which is kept. Reasons in words may change."""
    names = ("role", "name", "sha256", "width", "height", "bytes", "kind", "changes", "agreement", "inliers", "detail")
    members = [{**picked(member, *names), **link_record(member)} for member in group["members"]]
    return {**picked(group, "kind", "keep", "bytes_to_free"), "members": members}


def link_record(member: Mapping[str, Any]) -> Answers:
    """Is it the group's representative, and the transform to that one; versions call it differently."""
    is_representative = next(value for name, value in member.items() if name.startswith("is_"))
    transform = next(value for name, value in member.items() if name.endswith("_from_member"))
    return {"is_representative": is_representative, "representative_from_member": exact(transform)}


def search_record(answer: Mapping[str, Any]) -> Answers:
    """What `search --json` says of one query, but for the seconds."""
    names = ("rank", "name", "score", "verdict", "probability", "width", "height", "mirrored", "n_inliers", "outline")
    hits = [picked(hit, *names, "database_from_query") for hit in answer["hits"]]
    return {**picked(answer, "box", "n_features"), "hits": hits}


def index_record(folder: Path) -> Answers:
    """The files of each segment, in the catalogue's order, and all rows but for paths, times and random names."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as database:
        names = database.execute("SELECT name FROM segments ORDER BY number").fetchall()
        rows = {table: list(table_rows(database, table)) for table in ("meta", "segments", "files", "images", "texts")}
    files = {
        f"{number} {path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for number, (name,) in enumerate(names, 1)
        for path in sorted((folder / "segments" / name).iterdir())
    }
    return {"segment files": files, **rows}


def table_rows(database: sqlite3.Connection, table: str) -> Iterator[Answers]:
    """The rows of a table in the order of their first column."""
    found = database.execute(f"SELECT {'rowid, text' if table == 'texts' else '*'} FROM {table} ORDER BY 1, 2")
    columns = [column[0] for column in found.description]
    for row in found:
        record = dict(zip(columns, (os.fsdecode(x) if isinstance(x, bytes) else x for x in row), strict=True))
        if record.get("key") not in ("vocabulary_folder", "roots"):
            gone = ("path", "mtime_ns", *(["name"] if table == "segments" else []))
            yield {name: exact(value) for name, value in record.items() if name not in gone}


def neighbours_record(engine: Engine) -> Answers:
    """Of every picture, by number, those most like it; whatever the fields are called."""
    return {str(one[0]): exact(one[1:]) for one in map(dataclasses.astuple, engine.neighbours(10))}
