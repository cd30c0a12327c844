"""Small real ONNX models of local features: a point in the middle of each cell of 8 pixels, what lies around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CELL, KERNEL, LENGTH = 8, 16, 96
_RNG = np.random.default_rng(11)
_WEIGHT = _RNG.normal(0, 1, (LENGTH, 1, KERNEL, KERNEL)).astype(np.float32)
_WEIGHT -= _WEIGHT.mean(axis=(1, 2, 3), keepdims=True)
_DETAIL = 0.004
"""The least score: nothing is found where nothing is to be seen."""


_BROKEN = {"infinite": {"scores": "infinite"}, "twice": {"scores": "twice"}, "flat": {"descriptors": "scored"}}


@dataclass(frozen=True)
class LocalModel:
    """channels: of the input; multiple_of: its metadata, None: it says nothing; batched: outputs have a batch axis;
    left_out: outputs that it has not; angles: has it these too? length: of descriptors; broken: which of _BROKEN it is.
    """

    channels: int = 1
    multiple_of: str | None = "16"
    batched: bool = False
    shape: Sequence[int | str] | None = None
    dtype: int = TensorProto.FLOAT
    left_out: Sequence[str] = ()
    angles: bool = False
    length: int = LENGTH
    broken: str = ""

    def write(self, path: Path) -> Path:
        """The model as a file."""
        shape = list(self.shape or (1, self.channels, "height", "width"))
        outputs = [name for name in self._columns() if name not in self.left_out]
        graph = helper.make_graph(
            self._nodes(), "small",
            [helper.make_tensor_value_info("image", self.dtype, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(array, name) for name, array in self._constants().items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        metadata = {} if self.multiple_of is None else {"bof.multiple_of": self.multiple_of}
        helper.set_model_props(model, metadata)
        onnx.save(model, path)
        return path

    def _columns(self) -> list[str]:
        return ["keypoints", "descriptors", "scores", *(["angles"] if self.angles else [])]

    def _constants(self) -> Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32 | np.int64]]]:
        return {
            "weight": _WEIGHT[: self.length],
            "axis_1": np.array([1]), "axis_0": np.array([0]), "flat": np.array([self.length, -1]),
            "last": np.array([-1]),
            "border": np.array([0, 0, *[(KERNEL - CELL) // 2] * 2] * 2),
            "least": np.array(_DETAIL, np.float32), "tiny": np.array(1e-9, np.float32),
            "cell": np.array([[CELL, CELL]], np.float32), "middle": np.array([[CELL / 2 - 0.5] * 2], np.float32),
            "xy_rows": np.array([3, 2]), "nothing": np.array(0, np.float32), "angle": np.array(33, np.float32),
        }  # fmt: skip

    def _nodes(self) -> list[onnx.NodeProto]:
        make = helper.make_node
        grey = [make("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1)]
        found = [
            make("Pad", ["grey", "border"], ["wide"], mode="edge"),
            make("Conv", ["wide", "weight"], ["map"], strides=[CELL, CELL]),
            make("Mul", ["map", "map"], ["squares"]),
            make("ReduceMean", ["squares"], ["detail"], axes=[1], keepdims=1),
            make("Greater", ["detail", "least"], ["seen"]),
            make("NonZero", ["seen"], ["places"]),
            make("Gather", ["places", "xy_rows"], ["cells"]),
            make("Transpose", ["cells"], ["cells_n"], perm=[1, 0]),
            make("Cast", ["cells_n"], ["cells_f"], to=TensorProto.FLOAT),
            make("Mul", ["cells_f", "cell"], ["corners"]),
            make("Add", ["corners", "middle"], ["xy"]),
            make("Reshape", ["seen", "last"], ["seen_flat"]),
            make("Reshape", ["map", "flat"], ["columns"]),
            make("Transpose", ["columns"], ["rows"], perm=[1, 0]),
            make("Compress", ["rows", "seen_flat"], ["described"], axis=0),
            make("Reshape", ["detail", "last"], ["detail_flat"]),
            make("Compress", ["detail_flat", "seen_flat"], ["scored"], axis=0),
            make("Mul", ["scored", "nothing"], ["zeros"]),
            make("Add", ["zeros", "angle"], ["turned"]),
            make("Div", ["scored", "zeros"], ["infinite"]),
            make("Concat", ["scored", "scored"], ["twice"], axis=0),
        ]
        sources = {"keypoints": "xy", "descriptors": "described", "scores": "scored", "angles": "turned"}
        sources |= _BROKEN.get(self.broken, {})
        end = "Unsqueeze" if self.batched else "Identity"
        axes = ["axis_0"] if self.batched else []
        ends = [make(end, [sources[name], *axes], [name]) for name in self._columns() if name not in self.left_out]
        return [*grey, *found, *ends]
