"""Hostile ONNX models: broken, endless, larger than any memory, with weights in files of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Rng = np.random.Generator
_SIDE, _CHANNELS = 12, 8
_INPUTS = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, (1, 3, _SIDE, _SIDE))]
_AVERAGE = [
    helper.make_node("GlobalAveragePool", ["pixels"], ["average"]),
    helper.make_node("Flatten", ["average"], ["flat"]),
]


def sound_model() -> onnx.ModelProto:
    """A convolution and an average."""
    weight = np.random.default_rng(0).normal(0, 0.3, (_CHANNELS, 3, 4, 4)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["pixels", "weight"], ["map"], strides=[4, 4]),
        helper.make_node("GlobalAveragePool", ["map"], ["average"]),
        helper.make_node("Flatten", ["average"], ["out"]),
    ]
    return _model(nodes, {"weight": weight})


def _model(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    initial = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "hostile", _INPUTS, [output], initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_hostile(path: Path, number: int, seed: int, without: Collection[str] = ()) -> str:
    """Write the hostile model of a number; returns its kind. without: kinds that are left out."""
    rng = np.random.default_rng([seed, number])
    kinds = [kind for kind in _KINDS if kind not in without]
    kind = kinds[number % len(kinds)]
    made = _KINDS[kind](rng)
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return kind


def loop(rounds: int = 1 << 62, *, while_dark: bool = False) -> onnx.ModelProto:
    """A loop of so many rounds. while_dark: that goes round only for pictures that are dark."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Add", ["x", "one"], ["y"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("x", TensorProto.FLOAT, None)],
        [value("go_on", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array(1, np.float32), "one")],
    )
    # the pixels of a black picture are below -1.8, as they are normalised unless something else is said
    start = [
        helper.make_node("ReduceMean", ["pixels"], ["brightness"], keepdims=0),
        helper.make_node("Less", ["brightness", "dark"], ["is_dark"]),
    ]
    go = "is_dark" if while_dark else "always"
    nodes = [*_AVERAGE, *start, helper.make_node("Loop", ["rounds", go, "flat"], ["out"], body=body)]
    weights = {"rounds": np.array(rounds), "always": np.array(True), "dark": np.array(-1.5, np.float32)}
    return _model(nodes, weights)


def huge(n: int = 1 << 40) -> onnx.ModelProto:
    """A few bytes that ask for a tensor of n numbers."""
    nodes = [
        *_AVERAGE,
        helper.make_node("ReduceMean", ["flat"], ["mean"], keepdims=0),
        helper.make_node("Expand", ["mean", "size"], ["row"]),
        helper.make_node("ReduceSum", ["row"], ["sum"], keepdims=0),
        helper.make_node("Add", ["flat", "sum"], ["out"]),
    ]
    return _model(nodes, {"size": np.array([n])})


def external(location: bytes, *, nested: bool = False, value_first: bool = False) -> bytes:
    """A model whose weights lie in a file of a name. nested: in an attribute of a node."""
    model = sound_model()
    model.graph.initializer[0].ClearField("raw_data")
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    mark = "A" * len(location)
    tensor.external_data.add(key="location", value=mark)
    if nested:
        constant = helper.make_node("Constant", [], ["weight"], value=tensor)
        model.graph.node.insert(0, constant)
        del model.graph.initializer[:]
    data, key = model.SerializeToString(), b"\x0a\x08location"
    value = b"\x12" + _varint(len(location))
    entry = key + value + mark.encode()
    named = value + location + key if value_first else key + value + location
    return data.replace(entry, named)


# -- Kinds ------------------------------------------------------------------------------------------------------------

_NAMES = (
    b"../secret", b"/etc/passwd", b"/dev/zero", b"a/../../secret", b"..", b".", b"", b"C:\\secret", b"..\\secret", b"none",
    b"x" * 200, b"../" * 60 + b"etc/passwd", b"\xff\xfe", b"weights/../../secret", b"/proc/self/mem", b"//etc/passwd", b"*/_ORT_MEM_ADDR_/*",
)  # fmt: skip


def _external(rng: Rng) -> bytes:
    name = _NAMES[int(rng.integers(len(_NAMES)))]
    return external(name, nested=bool(rng.integers(2)), value_first=bool(rng.integers(2)))


def _flipped(rng: Rng) -> bytes:
    data = bytearray(sound_model().SerializeToString())
    for at in rng.integers(0, len(data), int(rng.integers(1, 20))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _cut(rng: Rng) -> bytes:
    data = sound_model().SerializeToString()
    return data[: int(rng.integers(len(data)))]


def _spliced(rng: Rng) -> bytes:
    data = sound_model().SerializeToString()
    first, second = sorted(rng.integers(0, len(data), 2))
    return data[:second] + data[first:]


def _other_weights(rng: Rng) -> onnx.ModelProto:
    """Weights whose shape says more or less than there is."""
    model = sound_model()
    dims = [[8, 3, 4, 4], [1 << 40], [-1, 3, 4, 4], [8, 3, 1 << 31, 1 << 31], [0, 3, 4, 4], [], [8, 3, 4]]
    model.graph.initializer[0].dims[:] = dims[int(rng.integers(len(dims)))]
    model.graph.initializer[0].data_type = int(rng.integers(0, 30))
    return model


def _other_nodes(rng: Rng) -> onnx.ModelProto:
    """A convolution with attributes that make no sense, or an operator that there is not."""
    model = sound_model()
    node = model.graph.node[0]
    node.attribute[0].ints[:] = [[0, 0], [-1, 4], [1 << 62, 1], [1 << 31, 1 << 31], [1]][int(rng.integers(5))]
    if rng.integers(3) == 0:
        node.op_type = str(rng.choice(["Nothing", "Loop", "Scan", "If", "EPContext", "", "Conv" * 1000]))
    return model


def _other_input(rng: Rng) -> onnx.ModelProto:
    model = sound_model()
    shape = model.graph.input[0].type.tensor_type.shape
    for dim in shape.dim:
        dim.dim_value = int(rng.choice([0, 1, 3, -1, 4096, 4097, 1 << 31, 1 << 62]))
    return model


def _nested(rng: Rng) -> bytes:
    """Graphs in attributes of nodes of graphs: more than anything can follow."""
    data = b""
    for _ in range(int(rng.choice([50, 200, 5000]))):
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # attribute.g, node.attribute, graph.node
            data = tag + _varint(len(data)) + data
    return b"\x3a" + _varint(len(data)) + data


def _fields(rng: Rng) -> bytes:
    """Two million fields of no length."""
    return b"\x3a" + _varint(4_000_000) + b"\x0a\x00" * 2_000_000


def _metadata(rng: Rng) -> onnx.ModelProto:
    model = sound_model()
    texts = ["[" * 100_000, "1e999", "9" * 10_000, "nan", "{}", "-1", "0.5," * 100_000, "1 2 3"]
    for key in ("mean", "std", "size", "input_size"):
        model.metadata_props.add(key=key, value=texts[int(rng.integers(len(texts)))])
    return model


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def _endless(rng: Rng) -> onnx.ModelProto:
    """One in eight of these waits for the limit of time."""
    return loop() if rng.integers(8) == 0 else loop(int(rng.choice([0, -1, 1, 1000])))


_KINDS: dict[str, Callable[[Rng], onnx.ModelProto | bytes]] = {
    "flipped": _flipped,
    "cut": _cut,
    "spliced": _spliced,
    "other weights": _other_weights,
    "other nodes": _other_nodes,
    "another input": _other_input,
    "weights elsewhere": _external,
    "huge": lambda rng: huge(1 << int(rng.integers(28, 62))),
    "nested": _nested,
    "other metadata": _metadata,
    "many fields": _fields,
    "loops": _endless,
}
