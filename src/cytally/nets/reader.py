"""The second reader: crops (b, 1, side, side) -> what lies in the middle of each (b, classes + 1).

A U-Net that sees a whole cell learns mostly from what is easy, and pixel by pixel. The reader
is the same U-Net, begun with its weights, but it only ever sees the places that were proposed,
and answers once for each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cytally.errors import SettingsError
from cytally.nets.unet import Architecture, UNet

#: Edge of the middle that is asked about, in pixels of the quarter grid: about a chromosome.
_MIDDLE = 6
_HIDDEN = 64


@dataclass(frozen=True)
class ReaderArchitecture:
    """Everything needed to build a reader again.

    Attributes
    ----------
    unet : Architecture
        Its classes are those that the reader tells apart; one more answer means none of them.
    side : int
        Edge of the crops in normalised pixels.
    """

    unet: Architecture
    side: int = 96

    def __post_init__(self) -> None:
        if self.side < 4 * _MIDDLE or self.side % self.unet.multiple:
            raise SettingsError(
                f"expected a side of at least {4 * _MIDDLE} and a multiple of {self.unet.multiple}, "
                f"got {self.side}"
            )

    @staticmethod
    def of(arguments: dict[str, Any]) -> ReaderArchitecture:
        """From the arguments in a card.

        Raises
        ------
        SettingsError
            An unknown argument or an impossible value.
        """
        rest = {name: value for name, value in arguments.items() if name != "side"}
        unknown = sorted(set(rest) - set(Architecture.__dataclass_fields__))
        if unknown:
            raise SettingsError(f"unknown argument(s) of the reader: {', '.join(unknown)}")
        return ReaderArchitecture(Architecture(**rest), int(arguments.get("side", 96)))

    @property
    def arguments(self) -> dict[str, Any]:
        """For a card."""
        return asdict(self.unet) | {"side": self.side}


class Reader(nn.Module):
    """U-Net that answers once for each crop.

    Parameters
    ----------
    architecture : ReaderArchitecture

    Notes
    -----
    `forward` returns logits; the last is "none of them".
    """

    def __init__(self, architecture: ReaderArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.unet = UNet(architecture.unet)
        classes, features = architecture.unet.classes, self.unet.head.in_channels
        self.answer = nn.Sequential(
            nn.Linear(2 * features + self.unet.deepest + classes, _HIDDEN), nn.ReLU(),
            nn.Linear(_HIDDEN, classes + 1),
        )  # fmt: skip

    def forward(self, crops: Tensor) -> Tensor:
        """(b, 1, side, side) -> logits (b, classes + 1)."""
        features, deepest = self.unet.features(crops)
        start = features.shape[-1] // 2 - _MIDDLE // 2
        middle = features[..., start : start + _MIDDLE, start : start + _MIDDLE]
        seen = [
            middle.mean(dim=(2, 3)), middle.amax(dim=(2, 3)),
            deepest.mean(dim=(2, 3)), self.unet.head(middle).amax(dim=(2, 3)),
        ]  # fmt: skip
        return torch.as_tensor(self.answer(torch.cat(seen, dim=1)).float())
