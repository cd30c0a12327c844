"""What a picture looks like as a whole, in columns: which there are, who asks them, and how a picture fills them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bof.errors import OptionError
from bof.global_descriptors import color, hashes, sketch
from bof.global_descriptors.embedding import Model, cached_model
from bof.images.decode import shrink
from bof.onnx_models.weights import weight_files
from bof.options import COLUMNS, GROUPS, SKETCH, ModelOptions
from bof.types import U8

_ROOM_OF_MODEL, _COPIES_OF_WEIGHTS = 1 << 29, 3

SIDE = 512
"""Pictures are described at this long side in pixels, however large they are."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The ONNX model of an index's embedding: its file, how pictures are given to it, and what identifies it."""

    path: Path
    options: ModelOptions
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, path: str | os.PathLike[str], options: ModelOptions) -> ModelChoice:
        """The model in a file. Raises ModelError where it is none that can describe pictures."""
        path = Path(path)
        return cls(path.absolute(), options, cached_model(path.absolute(), options).facts)

    def load(self) -> Model:
        """The model, which must be the one that it was. Raises ModelError, MismatchError."""
        model = cached_model(self.path, self.options)
        model.require(self.facts)
        return model


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """What an index describes of every picture besides its features: groups of columns, and the embedding's model."""

    groups: tuple[str, ...] = ()
    model: ModelChoice | None = None

    def __post_init__(self) -> None:
        COLUMNS.check(self.groups)
        if "embedding" in self.groups and self.model is None:
            raise _no_model()

    def describe(self, pixels: U8, picture: str = "the picture") -> dict[str, NDArray[Any]]:
        """The rows of a picture RGB u8 (h, w, 3), by column; picture: its name. Raises ModelError, ImageError.

        Where `needs_colour` is false it may be grey, u8 (h, w).
        """
        small = shrink(pixels, SIDE) if self.needs_colour else pixels
        found = {group: self._rows(group, small, picture) for group in self.groups}
        return {f"{group}.{name}": row for group, rows in sorted(found.items()) for name, row in sorted(rows.items())}

    @property
    def needs_colour(self) -> bool:
        """Is there a group that describes colours?"""
        return bool(set(self.groups) - {SKETCH})

    @property
    def model_bytes(self) -> int:
        """What a process takes for the embedding's model: its weights, as often as loading them needs, and room."""
        if self.model is None or "embedding" not in self.groups:
            return 0
        files = [self.model.path, *weight_files(self.model.path)]
        return _ROOM_OF_MODEL + _COPIES_OF_WEIGHTS * sum(file.stat().st_size for file in files)

    def _rows(self, group: str, pixels: U8, picture: str) -> Mapping[str, NDArray[Any]]:
        if group == SKETCH:
            return sketch.describe(pixels)
        if group == "hash":
            return hashes.describe(pixels)
        if group == "color":
            return color.describe(pixels)
        if self.model is None:
            raise _no_model()
        return {"embedding": self.model.load().describe(pixels, picture)}

    def with_groups(self, groups: Sequence[str], model: ModelChoice | None) -> ColumnSpec:
        """These groups too; another model takes the place of the one that there was. Raises OptionError for others."""
        ColumnSpec(tuple(groups), model or self.model)
        together = {*self.groups, *groups, *(["embedding"] if model else [])}
        return ColumnSpec(tuple(group for group in GROUPS if group in together), model or self.model)

    def only(self, groups: Collection[str]) -> ColumnSpec:
        """Some of the groups."""
        return ColumnSpec(tuple(group for group in self.groups if group in groups), self.model)

    @property
    def meta(self) -> dict[str, Any]:
        """As the catalogue keeps it, in JSON."""
        choice = self.model
        model = choice and {"path": str(choice.path), "options": asdict(choice.options), "facts": dict(choice.facts)}
        return {"columns": list(self.groups), "model": model}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> ColumnSpec:
        """What `meta` wrote; nothing where an index knows of no columns. Raises ValueError for anything else."""
        model = meta.get("model")
        choice = model and ModelChoice(Path(model["path"]), ModelOptions(**model["options"]), model["facts"])
        return cls(tuple(meta.get("columns", ())), choice)


def _no_model() -> OptionError:
    return OptionError(option="columns", expected="{model} FILE.onnx beside embedding", found="none")
