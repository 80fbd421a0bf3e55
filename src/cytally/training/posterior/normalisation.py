"""What normalisation layers count belongs to the weights it was counted with: after averaging it is counted anew."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]
#: Counted by normalisation layers, not learnt.
COUNTED = ("running_mean", "running_var", "num_batches_tracked")


def recount(network: nn.Module, images: Iterable[Tensor]) -> None:
    """Count means and variances of all normalisation layers anew, over images that training would show.

    Parameters
    ----------
    network : nn.Module
        Changed in place; left in evaluation mode.
    images : iterable of Tensor, shape (b, 1, h, w)
        Batches of one size: each weighs the same.

    Raises
    ------
    ValueError
        No batch.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over batches
    network.train()
    seen = False
    with torch.no_grad():
        for batch in images:
            network(batch)
            seen = True
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
    if not seen:
        raise ValueError("expected at least one batch to count over")


def load_averaged(network: nn.Module, weights: Weights, images: Iterable[Tensor]) -> None:
    """Give a network averaged or drawn weights, and count its normalisation anew."""
    missing, unknown = network.load_state_dict(weights, strict=False)
    if unknown or any(not name.endswith(COUNTED) for name in missing):
        raise ValueError(f"expected the weights of this network, got {unknown or missing}")
    recount(network, images)
