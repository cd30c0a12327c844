"""Deep features of small real networks, against the same networks in numpy."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from bof.cli.arguments import add_options, flag, options_from
from bof.errors import ImageError, MismatchError, ModelError, OptionError
from bof.global_descriptors import embedding
from bof.global_descriptors.embedding import Model, arrays_of, cached_model, load_model, similarity
from bof.global_descriptors.model import prepare
from bof.options import ModelOptions
from bof.options.models import NORMALISATIONS
from bof.system.threads import in_threads
from tests.support.onnx_models import CHANNELS, CLASS_TOKEN, Network, conv
from tests.support.scenes import draw_scene

SCENE = np.ascontiguousarray(draw_scene(3, 40, 30)[..., ::-1])
Array = NDArray[np.float64]


def resized(pixels: NDArray[np.uint8], side: int = 12) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def planes(pixels: NDArray[np.uint8], normalise: str = "imagenet") -> Array:
    """What the network sees: (1, 3, h, w)."""
    mean, std = NORMALISATIONS[normalise]
    found: Array = ((pixels / 255 - np.array(mean)) / np.array(std)).transpose(2, 0, 1)[None]
    return found


def assert_direction(found: NDArray[np.float16], expected: Array) -> None:
    """Of length 1 and as good as float16 is, whose steps are 1/2048 of a number."""
    assert found.dtype == np.float16
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), rtol=1e-3, atol=1e-3)


def gem(vectors: Array) -> Array:
    found: Array = np.cbrt((vectors.clip(1e-6) ** 3).mean(axis=0))
    return found


def load(tmp_path: Path, network: Network, **options: object) -> Model:
    return load_model(network.write(tmp_path / "model.onnx"), ModelOptions(**options))  # type: ignore[arg-type]


# What comes out is what numpy says.


def test_a_vector_is_used_as_it_is(tmp_path: Path) -> None:
    model = load(tmp_path, Network())
    assert_direction(model.describe(SCENE), conv(planes(resized(SCENE))).mean(axis=(0, 1)))
    assert (model.dimension, model.pool) == (CHANNELS, "none")


@pytest.mark.parametrize("pool", ["auto", "gem", "average"])
@pytest.mark.parametrize("network", [Network("map"), Network("map", (1, 12, 12, 3), nhwc=True)])
def test_a_map_is_pooled_wherever_its_channels_are(tmp_path: Path, network: Network, pool: str) -> None:
    found = load(tmp_path, network, pool=pool).describe(SCENE)
    vectors = conv(planes(resized(SCENE))).reshape(-1, CHANNELS)
    assert_direction(found, vectors.mean(axis=0) if pool == "average" else gem(vectors))


def test_a_model_of_bytes_gets_the_pixels_themselves(tmp_path: Path) -> None:
    model = load(tmp_path, Network("vector", (1, 12, 12, 3), "uint8", nhwc=True))
    assert_direction(model.describe(SCENE), conv(planes(resized(SCENE), "none")).mean(axis=(0, 1)))
    assert prepare(SCENE, model.model_input).dtype == np.uint8


def test_half_precision_is_as_good_as_its_pixels(tmp_path: Path) -> None:
    model = load(tmp_path, Network(dtype="float16"))
    expected = conv(planes(resized(SCENE)).astype(np.float16)).mean(axis=(0, 1))
    assert_direction(model.describe(SCENE), expected)


@pytest.mark.parametrize("pool", ["auto", "token", "average", "gem"])
def test_tokens_are_the_class_token_or_patches_pooled(tmp_path: Path, pool: str) -> None:
    model = load(tmp_path, Network("tokens"), pool=pool)
    patches = conv(planes(resized(SCENE))).reshape(-1, CHANNELS)
    expected = {"average": patches.mean(axis=0), "gem": gem(patches)}.get(pool, CLASS_TOKEN[0, 0].astype(np.float64))
    assert_direction(model.describe(SCENE), expected)


def test_patches_without_a_class_token_are_averaged(tmp_path: Path) -> None:
    patches = conv(planes(resized(SCENE))).reshape(-1, CHANNELS)
    assert_direction(load(tmp_path, Network("patches")).describe(SCENE), patches.mean(axis=0))
    with pytest.raises(OptionError, match=r"pool: expected auto or average or gem, found token.*9 tokens"):
        load(tmp_path, Network("patches"), pool="token")


@pytest.mark.parametrize("name", [*NORMALISATIONS, "0.5,0.4,0.3/0.2,0.2,0.1", "128,128,128/64,64,64"])
def test_pixels_are_normalised_as_asked(tmp_path: Path, name: str) -> None:
    model = load(tmp_path, Network(), normalise=name)
    byte = name.startswith("128")
    mean, std = NORMALISATIONS.get(name) or [[float(x) for x in part.split(",")] for part in name.split("/")]
    values = resized(SCENE) if byte else resized(SCENE) / 255
    expected = ((values - np.array(mean)) / np.array(std)).transpose(2, 0, 1)[None]
    np.testing.assert_allclose(prepare(SCENE, model.model_input), expected, rtol=1e-4, atol=1e-4)


def test_the_metadata_of_a_model_counts_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    reported = {"image_mean": "[0.5, 0.5, 0.5]", "image_std": "0.25 0.25 0.25", "size": '{"height": 16, "width": 16}'}
    network = Network(shape=("n", 3, "h", "w"), metadata=reported)
    assert load(tmp_path, network).facts["input"] == {
        "name": "pixels", "layout": "nchw", "height": 16, "width": 16, "dtype": "float32", "resize": "squash",
        "mean": [0.5] * 3, "std": [0.25] * 3,
    }  # fmt: skip
    requested = load(tmp_path, network, size=8, normalise="unit").facts["input"]
    assert (requested["height"], requested["mean"], requested["std"]) == (8, [0.0] * 3, [1.0] * 3)
    bad = dataclasses.replace(network, metadata={"mean": "0.5,0.5", "std": "1", "size": "16"})
    with pytest.raises(OptionError, match=r"normalise: .*says mean \[0.5, 0.5\]"):
        load(tmp_path, bad)


def test_a_model_of_any_size_sees_the_size_asked_for(tmp_path: Path) -> None:
    model = load(tmp_path, Network(shape=("n", 3, "h", "w")), size=20)
    assert_direction(model.describe(SCENE), conv(planes(resized(SCENE, 20))).mean(axis=(0, 1)))


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_a_wide_picture_is_squashed_cut_or_framed(tmp_path: Path, resize: str) -> None:
    """Left third red, middle green, right blue, three times as wide as high."""
    wide = np.repeat(np.eye(3, dtype=np.uint8)[None] * 255, 24, axis=1).repeat(24, axis=0)
    model = load(tmp_path, Network("vector", (1, 12, 12, 3), "uint8", nhwc=True), resize=resize)
    seen = prepare(wide, model.model_input)[0]
    green = np.broadcast_to(np.array([0, 255, 0], np.uint8), (12, 12, 3))
    thirds = np.repeat(np.eye(3, dtype=np.uint8)[None] * 255, 4, axis=1).repeat(12, axis=0)
    framed = np.where((np.arange(12) // 4 == 1)[:, None, None], thirds, 0)
    np.testing.assert_array_equal(seen, {"squash": thirds, "crop": green, "pad": framed}[resize])


def test_borders_are_nothing_after_normalising(tmp_path: Path) -> None:
    model = load(tmp_path, Network(), resize="pad")
    border = prepare(np.full((4, 12, 3), 255, np.uint8), model.model_input)[0, :, [0, 1, 2, 3, 8, 9, 10, 11]]
    assert np.abs(border).max() < 0.02  # half a step of a byte


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 5)])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_pictures_of_any_shape_are_described(tmp_path: Path, shape: tuple[int, int], resize: str) -> None:
    model = load(tmp_path, Network(), resize=resize)
    pixels = np.full((*shape, 3), 200, np.uint8)
    assert prepare(pixels, model.model_input).shape == (1, 3, 12, 12)
    assert np.linalg.norm(model.describe(pixels).astype(np.float64)) == pytest.approx(1, abs=1e-3)


def test_nothing_but_zeros_stays_zeros(tmp_path: Path) -> None:
    row = load(tmp_path, Network("zeros")).describe(SCENE)
    np.testing.assert_array_equal(row, np.zeros(CHANNELS, np.float16))
    np.testing.assert_array_equal(similarity(row, np.stack([row, row])), [0.5, 0.5])


def test_runs_threads_and_processes_change_no_bit(tmp_path: Path) -> None:
    path = Network("map", (1, 3, 64, 64)).write(tmp_path / "model.onnx")
    scenes = [draw_scene(seed, 80, 60) for seed in range(4)]
    once = [load_model(path).describe(scene).tobytes() for scene in scenes]
    shared = load_model(path, threads=2)
    assert in_threads(lambda scene: shared.describe(scene).tobytes(), scenes) == once
    np.save(tmp_path / "scene.npy", scenes[0])
    program = (
        "import sys, numpy, pathlib; from bof.global_descriptors.embedding import cached_model;"
        "folder = pathlib.Path(sys.argv[1]);"
        "print(cached_model(folder / 'model.onnx').describe(numpy.load(folder / 'scene.npy')).tobytes().hex())"
    )
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert (run.stdout.strip(), run.stderr) == (once[0].hex(), "")


def test_what_is_stored_is_what_is_described(tmp_path: Path) -> None:
    model = load(tmp_path, Network())
    row = model.describe(SCENE)
    assert arrays_of(model.dimension) == {"embedding": (row.dtype.str, row.shape)}


# How alike.


@pytest.mark.parametrize("dimension", [1, 4, 384, 1000])
def test_similarity_is_that_of_float64(tmp_path: Path, dimension: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_NUMBERS_AT_ONCE", 3 * dimension)
    rows = np.random.default_rng(0).standard_normal((50, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(tmp_path / "rows.npy", rows.astype(np.float16))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    found = similarity(mapped[7], mapped)
    assert found.dtype == np.float32
    cosine = mapped.astype(np.float64) @ mapped[7].astype(np.float64)
    np.testing.assert_allclose(found, np.clip((1 + cosine) / 2, 0, 1), atol=1e-6)
    np.testing.assert_array_equal(found[[3, 40, 49]], similarity(mapped[7], mapped[[3, 40, 49]]))
    monkeypatch.setattr(embedding, "_NUMBERS_AT_ONCE", 1 << 21)
    np.testing.assert_array_equal(found, similarity(mapped[7], mapped))
    assert len(similarity(mapped[7], mapped[:0])) == 0


# What a model is.


def test_facts_are_json_and_tell_models_apart(tmp_path: Path) -> None:
    model = load(tmp_path, Network("map"))
    facts = json.loads(json.dumps(model.facts))
    model.require(facts)
    load_model((tmp_path / "model.onnx").rename(tmp_path / "moved.onnx")).require(facts)
    with pytest.raises(MismatchError, match=r"the model of the index, model.onnx, with pool gem, found pool ave"):
        load_model(tmp_path / "moved.onnx", ModelOptions(pool="average")).require(facts)
    with pytest.raises(MismatchError, match=r"expected .*sha256 .*, found .*sha256"):
        load(tmp_path, Network("vector")).require(facts)


def test_weights_in_a_file_of_their_own_count(tmp_path: Path) -> None:
    facts = load(tmp_path, Network(external=True)).facts
    load_model(tmp_path / "model.onnx").require(facts)
    weights = tmp_path / "model.onnx.data"
    content = bytearray(weights.read_bytes())
    content[3] ^= 1
    weights.write_bytes(content)
    with pytest.raises(MismatchError, match="sha256"):
        load_model(tmp_path / "model.onnx").require(facts)
    weights.unlink()
    with pytest.raises(ModelError, match=r"model\.onnx.data"):
        load_model(tmp_path / "model.onnx")


def test_a_model_is_loaded_once_until_its_file_changes(tmp_path: Path) -> None:
    path = Network().write(tmp_path / "model.onnx")
    first = cached_model(path)
    assert cached_model(path) is first
    Network("map").write(path)
    assert cached_model(path).pool == "gem"


# What is refused, and what the message says.


def image_model(head: str = "vector", **changes: object) -> Network:
    return dataclasses.replace(Network(head), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (image_model(shape=(1, 12)), {}, "expected an input of four axes .*, found .1, 12."),
        (image_model(shape=(1, 4, 12, 12)), {}, "three colours on axis 1 or 3, found .1, 4, 12, 12."),
        (image_model(shape=(8, 3, 12, 12)), {}, "expected batches of 1, found 8"),
        (image_model(shape=(1, 3, 5000, 12)), {}, "1 to 4096 pixels a side, found 12 x 5000"),
        (image_model(shape=(1, 3, 2, 2)), {}, "expected a model of pictures .1, 3, 2, 2., found "),
        (image_model("flat"), {}, r"expected an output of numbers .*, found float32 \[72\]"),
        (image_model(shape=("n", 3, "h", "w")), {}, "--model-size: expected a size in pixels, found none"),
        (image_model(), {"size": 13}, "--model-size: expected none, since .* takes 12 x 12 pixels only, found 13"),
        (image_model(), {"layout": "nhwc"}, "--model-layout: expected nchw, found nhwc"),
        (image_model(shape=(1, "c", "h", "w")), {"size": 9}, "--model-layout: expected nchw or nhwc, found auto"),
        (image_model(outputs=("a", "b")), {}, r"--model-output: expected the output .* a .*, b .*, found none"),
        (image_model(outputs=("a", "b")), {"output": "c"}, "--model-output: expected one of .*, found 'c'"),
        (image_model(), {"pool": "gem"}, "--model-pool: expected auto, found gem; .* gives one vector"),
        (image_model("map"), {"pool": "token"}, "--model-pool: expected auto or average or gem, found token"),
        (
            image_model(shape=(1, 12, 12, 3), dtype="uint8", nhwc=True), {"normalise": "half"},
            "--model-normalise: expected none, found half; .* takes bytes",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    tmp_path: Path, network: Network, options: dict[str, object], message: str
) -> None:
    kind = OptionError if message.startswith("--") else ModelError
    with pytest.raises(kind) as caught:
        load_model(untested(network, tmp_path / "model.onnx"), ModelOptions(**options))  # type: ignore[arg-type]
    assert re.search(message, caught.value.text(flag))


def untested(network: Network, path: Path) -> Path:
    """A network whatever its input; where the trunk cannot take the shape, one that takes the sum of the input."""
    if len(network.shape) == 4 and network.shape[1:] != (4, 12, 12):
        return network.write(path)
    nodes = [helper.make_node("ReduceSum", ["pixels"], ["out"], keepdims=1)]
    value = helper.make_tensor_value_info
    inputs, outputs = [value("pixels", TensorProto.FLOAT, network.shape)], [value("out", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "sum", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_a_named_output_is_used(tmp_path: Path) -> None:
    network = Network("map", outputs=("a", "b"))
    assert load(tmp_path, network, output="a").pool == "gem"
    with pytest.raises(ModelError, match=r"expected an output of numbers .* found int64 \[4\]"):
        load(tmp_path, network, output="b")


def test_two_inputs_are_no_picture(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info
    inputs = [value(name, TensorProto.FLOAT, (1, 3, 4, 4)) for name in ("left", "right")]
    add = helper.make_node("Add", ["left", "right"], ["out"])
    graph = helper.make_graph([add], "two", inputs, [value("out", TensorProto.FLOAT, None)])
    path = tmp_path / "two.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    with pytest.raises(ModelError, match="expected a model with one input, a picture, found 2: left, right"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x89PNG\r\n"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: expected an ONNX model"):
        load_model(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_half_a_model_is_refused(tmp_path: Path, at: float) -> None:
    path = Network().write(tmp_path / "model.onnx")
    content = path.read_bytes()
    path.write_bytes(content[: int(at * len(content))])
    with pytest.raises(ModelError, match="expected an ONNX model"):
        load_model(path)


def test_a_missing_file_and_a_missing_package_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: expected an ONNX file, found none"):
        cached_model(tmp_path / "none.onnx")
    path = Network().write(tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r'install it: pip install "bof-search\[onnx\]"$'):
        load_model(path)


def test_numbers_that_are_none_are_an_error_of_the_picture(tmp_path: Path) -> None:
    model = load(tmp_path, Network("not finite"), normalise="unit")
    assert np.isfinite(model.describe(np.full((9, 9, 3), 250, np.uint8))).all()
    with pytest.raises(ImageError, match=r"dark\.png: expected finite numbers from model.onnx, found 8 of 8"):
        model.describe(np.zeros((9, 9, 3), np.uint8), "dark.png")
    with pytest.raises(ModelError, match="expected finite numbers of a picture"):
        load(tmp_path, Network("not finite"), normalise="-9,-9,-9/1,1,1".replace("-9", "0.9"))


def test_another_length_than_at_first_is_an_error(tmp_path: Path) -> None:
    model = load(tmp_path, Network("no fixed length"))
    with pytest.raises(ModelError, match=rf"expected {model.dimension} numbers a picture, found \d+ of the picture"):
        model.describe(np.zeros((9, 9, 3), np.uint8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": -1}, "--model-size: expected 0 to 4096, found -1"),
        ({"layout": "hwc"}, "--model-layout: expected one of auto, nchw, nhwc, found 'hwc'"),
        ({"resize": "fit"}, "--model-resize: expected one of squash, crop, pad, found 'fit'"),
        ({"pool": "max"}, "--model-pool: expected .* found 'max'"),
        ({"normalise": "clip"}, "--model-normalise: expected .* found 'clip'"),
        ({"normalise": "1,2/3,4"}, "--model-normalise: expected .* found '1,2/3,4'"),
        ({"normalise": "0.5,0.5,0.5/0,1,1"}, "--model-normalise: expected .* found '0.5,0.5,0.5/0,1,1'"),
        ({"normalise": "nan,0,0/1,1,1"}, "--model-normalise: expected .* found 'nan,0,0/1,1,1'"),
    ],
)
def test_an_option_outside_its_choices_names_its_flag(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        ModelOptions(**options)  # type: ignore[arg-type]
    assert re.search(message, caught.value.text(flag))
    assert caught.value.option == next(iter(options))


def test_flags_make_options(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, ModelOptions)
    assert options_from(parser.parse_args([]), ModelOptions) == ModelOptions()
    given = ["--model-size", "224", "--model-pool", "gem", "--model-normalise", "half", "--model-output", "a"]
    found = options_from(parser.parse_args(given), ModelOptions)
    assert found == ModelOptions(224, pool="gem", normalise="half", output="a")
    parser.print_help()
    assert all(f"--model-{field.name}" in capsys.readouterr().out for field in dataclasses.fields(ModelOptions)[:1])
