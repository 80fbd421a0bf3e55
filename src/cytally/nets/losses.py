"""L2 plus lambda times Sparse Variation (preprint eq. 1-4)."""

from __future__ import annotations

import torch
from torch import Tensor


def squared_error(predicted: Tensor, target: Tensor, emphasis: float = 0.0) -> Tensor:
    """Sum of squared differences per image (preprint eq. 2); (b, c, h, w) -> (b,).

    With `emphasis` e a place counts 1 + e * target times: early in training, when
    answering 0 everywhere is a trap, objects may weigh more than empty slide.
    """
    return ((1 + emphasis * target) * (predicted - target) ** 2).sum(dim=(1, 2, 3))


def sparse_variation(predicted: Tensor, rho: float = 0.1) -> Tensor:
    """Sparse Variation of each image (preprint eq. 3-4).

    Parameters
    ----------
    predicted : Tensor of shape (b, c, h, w)
    rho : float
        Weight of the gradient against the value, in [0, 1].

    Returns
    -------
    Tensor of shape (b,)
        Sum over classes and places of sqrt(rho^2 |grad|^2 + (1 - rho)^2 value^2).
        The last row and column have no neighbour; their difference counts as 0.
    """
    down = torch.zeros_like(predicted)
    right = torch.zeros_like(predicted)
    down[..., :-1, :] = predicted[..., :-1, :] - predicted[..., 1:, :]
    right[..., :, :-1] = predicted[..., :, :-1] - predicted[..., :, 1:]
    inside = rho**2 * (down**2 + right**2) + (1 - rho) ** 2 * predicted**2
    return torch.sqrt(inside + 1e-12).sum(dim=(1, 2, 3))  # 1e-12: a finite slope at 0


def heatmap_loss(
    predicted: Tensor, target: Tensor, weight: float = 0.2, rho: float = 0.1, emphasis: float = 0.0
) -> Tensor:
    """Criterion of one batch: mean over images of L2 + weight * Sparse Variation.

    The preprint sums over images (eq. 1, 5); the mean differs by a constant factor,
    to which Adam is blind, and does not depend on the batch size.
    """
    fidelity = squared_error(predicted, target, emphasis)
    return (fidelity + weight * sparse_variation(predicted, rho)).mean()
