"""What follows a model's maps: where key points lie, and what is read of the maps there. All sizes stay free."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor


def peaks(scores: Tensor, radius: int, n_most: int, threshold: float) -> tuple[Tensor, Tensor]:
    """The strongest maxima of a map (1, 1, h, w): rows and columns i64 (n, 2) as x, y, and scores (n,).

    A maximum is the largest value within a radius, lies as far from the border, and exceeds the threshold.
    """
    highest = functional.max_pool2d(scores, 2 * radius + 1, 1, radius)
    found = torch.where(scores == highest, scores, torch.zeros_like(scores))
    inside = functional.pad(found[:, :, radius:-radius, radius:-radius], [radius] * 4)
    flat = torch.cat([inside.reshape(-1), torch.zeros(n_most)])  # there is always enough to choose of
    values, places = torch.topk(flat, n_most)
    retained = torch.nonzero(values > threshold)[:, 0]
    places, width = places[retained], torch._shape_as_tensor(scores)[3]
    return torch.stack([places % width, torch.div(places, width, rounding_mode="floor")], 1), values[retained]


def neighbours(radius: int) -> Tensor:
    """Offsets i64 ((2 * radius + 1)**2, 2) as x, y, row after row."""
    steps = torch.arange(-radius, radius + 1)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([columns, rows], -1).reshape(-1, 2)


def patches(values: Tensor, xy: Tensor, radius: int) -> Tensor:
    """What a map (1, c, h, w) has around places i64 (n, 2), all of it inside: (n, c, (2 * radius + 1)**2)."""
    width = torch._shape_as_tensor(values)[3]
    around = xy[:, None] + neighbours(radius)
    index = around[..., 1] * width + around[..., 0]
    channels = values.shape[1]
    return (
        values.reshape(channels, -1)[:, index.reshape(-1)]
        .reshape(channels, -1, len(neighbours(radius)))
        .permute(1, 0, 2)
    )


def at_points(values: Tensor, xy: Tensor, size: Tensor, mode: str, *, align_corners: bool) -> Tensor:
    """What a map (1, c, h, w) has at points (n, 2) of a picture of some width and height: (n, c)."""
    grid = 2.0 * xy / (size - 1.0) - 1.0
    sampled = functional.grid_sample(values, grid[None, :, None], mode=mode, align_corners=align_corners)
    return sampled[0, :, :, 0].t()


def size_of(values: Tensor) -> Tensor:
    """Width and height of a map, as floats (2,)."""
    shape = torch._shape_as_tensor(values)
    return torch.stack([shape[3], shape[2]]).float()
