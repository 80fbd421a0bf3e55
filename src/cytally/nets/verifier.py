"""The verifier: crops (b, 1, side, side) -> what lies in the middle of each (b, classes + 1).

A U-Net that sees a whole cell learns mostly from what is easy, and pixel by pixel. The verifier
is the same U-Net, begun with its weights, but it only ever sees the places that were proposed,
and answers once for each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cytally.nets.architecture import HIDDEN, MIDDLE, VerifierArchitecture
from cytally.nets.unet import UNet

__all__ = ["Verifier", "VerifierArchitecture"]


class Verifier(nn.Module):
    """U-Net that answers once for each crop.

    Parameters
    ----------
    architecture : VerifierArchitecture

    Notes
    -----
    `forward` returns logits; the last is "none of them".
    """

    def __init__(self, architecture: VerifierArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.unet = UNet(architecture.unet)
        classes, features = architecture.unet.classes, self.unet.head.in_channels
        self.answer = nn.Sequential(
            nn.Linear(2 * features + self.unet.deepest + classes, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, classes + 1),
        )

    def forward(self, crops: Tensor) -> Tensor:
        """(b, 1, side, side) -> logits (b, classes + 1)."""
        features, deepest = self.unet.features(crops)
        start = features.shape[-1] // 2 - MIDDLE // 2
        middle = features[..., start : start + MIDDLE, start : start + MIDDLE]
        seen = [
            middle.mean(dim=(2, 3)),
            middle.amax(dim=(2, 3)),
            deepest.mean(dim=(2, 3)),
            self.unet.head(middle).amax(dim=(2, 3)),
        ]
        return torch.as_tensor(self.answer(torch.cat(seen, dim=1)).float())
