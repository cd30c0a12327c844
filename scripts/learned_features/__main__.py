"""`python -m scripts.learned_features MODEL -o FILE`: a published model as `bof train_vocab --features` takes it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from scripts.learned_features.aliked import Aliked
from scripts.learned_features.disk import Disk
from scripts.learned_features.xfeat import XFeat

_MODELS: Mapping[str, Any] = {
    **dict.fromkeys(["aliked-t16", "aliked-n16", "aliked-n16rot", "aliked-n32"], Aliked),
    "xfeat": XFeat,
    "disk": Disk,
}
_OPSET = 20


def main() -> None:
    """Export one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=_MODELS)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--keypoints", type=int, default=2000, help="the most that it gives of a picture")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    module = _MODELS[arguments.model](arguments.model, arguments.keypoints).eval()
    picture = torch.rand(1, module.channels, 256, 320)
    with torch.no_grad():
        torch.onnx.export(
            module, (picture,), arguments.output, opset_version=_OPSET, dynamo=False,
            input_names=["image"], output_names=["keypoints", "descriptors", "scores"],
            dynamic_axes={"image": {2: "height", 3: "width"}, "keypoints": {0: "n"}, "descriptors": {0: "n"},
                          "scores": {0: "n"}},
        )  # fmt: skip
    model = onnx.load(arguments.output)
    entry = model.metadata_props.add()
    entry.key, entry.value = "bof.multiple_of", str(module.multiple_of)
    onnx.save(model, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
