"""Small real ONNX networks, and the same networks in numpy: what onnxruntime must give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CHANNELS, KERNEL, STRIDE = 8, 4, 4
RNG = np.random.default_rng(7)
WEIGHT = RNG.normal(0, 0.3, (CHANNELS, 3, KERNEL, KERNEL)).astype(np.float32)
BIAS = RNG.normal(0, 0.1, CHANNELS).astype(np.float32)
CLASS_TOKEN = RNG.normal(0, 1, (1, 1, CHANNELS)).astype(np.float32)

TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def conv(tensor: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convolution and ReLU of (1, 3, h, w), as a map (h', w', CHANNELS): the trunk of every network here."""
    windows = sliding_window_view(tensor[0].astype(np.float64), (KERNEL, KERNEL), (1, 2))[:, ::STRIDE, ::STRIDE]
    found: NDArray[np.float64] = np.einsum("chwij,kcij->hwk", windows, WEIGHT.astype(np.float64))
    return np.maximum(found + BIAS, 0)


@dataclass(frozen=True)
class Network:
    """A network around that trunk.

    head: vector, map, tokens, patches (tokens without a class token), or one that no model of pictures should have.
    shape: of the input; a word is a free axis.
    """

    head: str = "vector"
    shape: Sequence[int | str] = (1, 3, 12, 12)
    dtype: str = "float32"
    nhwc: bool = False
    metadata: Mapping[str, str] | None = None
    outputs: Sequence[str] = ("out",)
    external: bool = False

    def write(self, path: Path) -> Path:
        """The network as a file."""
        nodes = [helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT)]
        if self.nhwc:
            nodes.append(helper.make_node("Transpose", ["cast"], ["planes"], perm=[0, 3, 1, 2]))
        source = "planes" if self.nhwc else "cast"
        nodes += [
            helper.make_node("Conv", [source, "weight", "bias"], ["linear"], strides=[STRIDE, STRIDE]),
            helper.make_node("Relu", ["linear"], ["map"]),
            *HEADS[self.head](self.nhwc),
            helper.make_node("Identity", ["head"], [self.outputs[0]]),
            *[helper.make_node("Shape", ["map"], [name]) for name in self.outputs[1:]],
        ]
        weights = {"weight": WEIGHT, "bias": BIAS, "class": CLASS_TOKEN, **CONSTANTS}
        graph = helper.make_graph(
            nodes, "small",
            [helper.make_tensor_value_info("pixels", TYPES[self.dtype], self.shape)],
            [helper.make_tensor_value_info(self.outputs[0], TensorProto.FLOAT, None)]
            + [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in self.outputs[1:]],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, dict(self.metadata or {}))
        onnx.save(
            model, path, save_as_external_data=self.external, location=f"{path.name}.data", size_threshold=0
        )  # fmt: skip
        return path


CONSTANTS = {
    "tokens_shape": np.array([1, CHANNELS, -1]),
    "last": np.array([-1]),
    "flat_shape": np.array([-1]),
    "axis": np.array([0]),
    "half": np.array(0.2, np.float32),
}
_vector = [
    helper.make_node("GlobalAveragePool", ["map"], ["average"]),
    helper.make_node("Flatten", ["average"], ["vector"]),
]
_patches = [
    helper.make_node("Reshape", ["map", "tokens_shape"], ["columns"]),
    helper.make_node("Transpose", ["columns"], ["patches"], perm=[0, 2, 1]),
]


def _same(name: str, head: str = "head") -> onnx.NodeProto:
    return helper.make_node("Identity", [name], [head])


HEADS = {
    "vector": lambda nhwc: [*_vector, _same("vector")],
    "map": lambda nhwc: [
        helper.make_node("Transpose", ["map"], ["head"], perm=[0, 2, 3, 1]) if nhwc else _same("map")
    ],
    "patches": lambda nhwc: [*_patches, _same("patches")],
    "tokens": lambda nhwc: [*_patches, helper.make_node("Concat", ["class", "patches"], ["head"], axis=1)],
    "flat": lambda nhwc: [helper.make_node("Reshape", ["map", "flat_shape"], ["head"])],
    # the logarithm of something that is negative where pictures are dark
    "not finite": lambda nhwc: [
        *_vector,
        helper.make_node("Flatten", ["cast"], ["numbers"]),
        helper.make_node("ReduceMean", ["numbers"], ["brightness"], axes=[1]),
        helper.make_node("Sub", ["brightness", "half"], ["negative"]),
        helper.make_node("Log", ["negative"], ["logarithm"]),
        helper.make_node("Add", ["vector", "logarithm"], ["head"]),
    ],
    # as many numbers as the map has that are not 0
    "no fixed length": lambda nhwc: [
        helper.make_node("NonZero", ["map"], ["places"]),
        helper.make_node("Cast", ["places"], ["places_f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["places_f", "axis"], ["head"], keepdims=1),
    ],
    "zeros": lambda nhwc: [*_vector, helper.make_node("Sub", ["vector", "vector"], ["head"])],
}  # fmt: skip
