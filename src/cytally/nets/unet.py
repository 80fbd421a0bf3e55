"""One U-Net for all doors: image (b, 1, h, w) -> heatmaps (b, classes, h / 4, w / 4).

Two stems lead to the quarter grid on which the objects are found. `plain`
convolves at full and half resolution first; `unshuffle` moves each 4 x 4 block
into channels and starts there: the same parameters, no loss of information, and
no convolution at resolutions where few channels keep a processor idle.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytally.errors import SettingsError

STRIDE = 4
STEMS = ("unshuffle", "plain")


@dataclass(frozen=True)
class Architecture:
    """Everything needed to build the network again.

    Attributes
    ----------
    classes : int
        Output channels.
    filters : int
        Channels at full resolution; they double at each halving.
    depth : int
        Halvings below full resolution; at least 3.
    stem : {"unshuffle", "plain"}
    """

    classes: int = 2
    filters: int = 8
    depth: int = 5
    stem: str = "unshuffle"
    widest: int = 128

    def __post_init__(self) -> None:
        if self.stem not in STEMS:
            raise SettingsError(f"expected a stem among {STEMS}, got {self.stem!r}")
        if self.depth < 3 or self.filters < 1 or self.classes < 1:
            raise SettingsError(f"expected depth >= 3, filters >= 1, classes >= 1, got {asdict(self)}")

    @property
    def multiple(self) -> int:
        """Height and width must be a multiple of this."""
        return int(1 << self.depth)

    @property
    def reach(self) -> int:
        """How far, in pixels, an output may look beyond its own place.

        Two 3 x 3 convolutions per level on the way down, two on the way up, one
        nearest-neighbour step of misalignment per level; rounded up to the grid.
        """
        levels = range(2, self.depth + 1)
        convolutions = [2 if level == self.depth else 4 for level in levels]
        far = sum((count + 1) * (1 << level) for count, level in zip(convolutions, levels, strict=True))
        if self.stem == "plain":
            far += 2 * (1 + 2)
        return -(-far // self.multiple) * self.multiple


class UNet(nn.Module):
    """U-Net that ends at a quarter of the resolution.

    Parameters
    ----------
    architecture : Architecture

    Notes
    -----
    `forward` returns probabilities; heights and widths must be multiples of
    `architecture.multiple` (pad first, inference does).
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        base, depth, widest = architecture.filters, architecture.depth, architecture.widest
        widths = [min(base * 2**level, widest) for level in range(depth + 1)]
        if architecture.stem == "plain":
            self.stem: nn.Module = nn.Sequential(
                _double(1, widths[0]), nn.MaxPool2d(2),
                _double(widths[0], widths[1]), nn.MaxPool2d(2), _double(widths[1], widths[2]),
            )  # fmt: skip
        else:
            self.stem = nn.Sequential(nn.PixelUnshuffle(STRIDE), _double(STRIDE**2, widths[2]))
        self.down = nn.ModuleList(_double(widths[k - 1], widths[k]) for k in range(3, depth + 1))
        self.up = nn.ModuleList(
            _double(widths[k] + widths[k - 1], widths[k - 1]) for k in range(depth, 2, -1)
        )
        self.deepest = widths[depth]
        self.head = nn.Conv2d(widths[2], architecture.classes, 1)
        nn.init.constant_(self.head.bias, -4.0)  # type: ignore[arg-type]  # objects are rare

    def forward(self, image: Tensor) -> Tensor:
        """(b, 1, h, w) -> (b, classes, h / 4, w / 4), in [0, 1]."""
        height, width = image.shape[-2:]
        multiple = self.architecture.multiple
        if height % multiple or width % multiple:
            raise ValueError(f"expected multiples of {multiple}, got {height} x {width}; pad first")
        return torch.sigmoid(self.head(self.features(image)[0]).float())

    def features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the heatmaps are made of, (b, c, h / 4, w / 4), and the deepest level."""
        levels = [self.stem(image)]
        for block in self.down:
            levels.append(block(functional.max_pool2d(levels[-1], 2)))
        x = deepest = levels.pop()
        for block in self.up:
            larger = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([larger, levels.pop()], dim=1))
        return x, deepest


def _double(inside: int, outside: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inside, outside):
        layers += [
            nn.Conv2d(channels, outside, 3, padding=1, bias=False),
            nn.BatchNorm2d(outside), nn.ReLU(inplace=True),
        ]  # fmt: skip
    return nn.Sequential(*layers)


def build(arguments: dict[str, Any]) -> UNet:
    """Build from the arguments that a card holds; unknown ones are refused by name."""
    known = set(Architecture.__dataclass_fields__)
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise SettingsError(f"unknown argument(s) of the architecture: {', '.join(unknown)}")
    return UNet(Architecture(**arguments))
