"""L2 plus lambda times Sparse Variation (preprint eq. 1-4); binary focal cross-entropy."""

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


def focal_cross_entropy(
    predicted: Tensor, target: Tensor, gamma: float = 2.0, alpha: float = 0.5, known: Tensor | None = None
) -> Tensor:
    """Binary focal cross-entropy, mean over all values (Lin et al. 2017, eq. 5).

    -alpha_t (1 - p_t)^gamma log p_t, with p_t the probability given to the truth and alpha_t
    alpha for objects, 1 - alpha for the ground. Gamma lowers what is easy already, which is
    nearly all of the ground; alpha 1/2 favours neither side (Salomon-Sorensen 2023, 7.2.2).

    Parameters
    ----------
    predicted, target : Tensor of shape (b, c, h, w)
        Probabilities; 0 or 1.
    gamma, alpha : float
    known : Tensor, optional
        Weight of each value, 0 where nothing is known; broadcast to `target`.
    """
    p = predicted.float().clamp(1e-6, 1 - 1e-6)
    of_objects = -alpha * (1 - p) ** gamma * torch.log(p) * target
    of_ground = -(1 - alpha) * p**gamma * torch.log1p(-p) * (1 - target)
    loss = of_objects + of_ground
    if known is None:
        return loss.mean()
    weight = known.expand_as(loss)
    return (loss * weight).sum() / weight.sum().clamp(min=1.0)
