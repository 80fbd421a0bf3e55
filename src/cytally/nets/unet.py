"""One U-Net for all doors: image (b, 1, h, w) -> maps (b, classes, h / step, w / step).

It works on a grid of every `stride`-th pixel (dosimetry: 4). Two stems lead there. `plain`
convolves at full resolution first and halves; `unshuffle` moves each stride x stride block
into channels and starts there: the same parameters, no loss of information, and no
convolution at resolutions where few channels keep a processor idle. A `sharp` network lays
its answers out again the same way backwards: one for each pixel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytally.nets.architecture import STEMS, STRIDE, Architecture, architecture_of

__all__ = ["STEMS", "STRIDE", "Architecture", "UNet", "build", "he_normal"]


class UNet(nn.Module):
    """U-Net that ends on its finest grid, or at every pixel.

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
        drop, top, stride = architecture.dropout, architecture.finest, architecture.stride
        depth, widths = architecture.depth, architecture.widths
        if architecture.stem == "plain":
            layers: list[nn.Module] = [_double(1, widths[0], drop)]
            for level in range(1, top + 1):
                layers += [nn.MaxPool2d(2), _double(widths[level - 1], widths[level], drop)]
            self.stem = nn.Sequential(*layers)
        else:
            self.stem = nn.Sequential(nn.PixelUnshuffle(stride), _double(stride**2, widths[top], drop))
        self.down = nn.ModuleList(_double(widths[k - 1], widths[k], drop) for k in range(top + 1, depth + 1))
        self.up = nn.ModuleList(_double(widths[k] + widths[k - 1], widths[k - 1], drop) for k in range(depth, top, -1))
        self.deepest = widths[depth]
        self.head = nn.Conv2d(widths[top], architecture.answers, 1)
        nn.init.constant_(self.head.bias, -4.0)  # type: ignore[arg-type]  # objects are rare

    def forward(self, image: Tensor) -> Tensor:
        """(b, 1, h, w) -> (b, classes, h / step, w / step), in [0, 1]."""
        height, width = image.shape[-2:]
        multiple = self.architecture.multiple
        if height % multiple or width % multiple:
            raise ValueError(f"expected multiples of {multiple}, got {height} x {width}; pad first")
        answers = self.head(self.features(image)[0])
        if self.architecture.sharp:
            answers = functional.pixel_shuffle(answers, self.architecture.stride)
        return torch.sigmoid(answers.float())

    def features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the maps are made of, (b, c, h / stride, w / stride), and the deepest level."""
        levels = [self.stem(image)]
        for block in self.down:
            levels.append(block(functional.max_pool2d(levels[-1], 2)))
        x = deepest = levels.pop()
        for block in self.up:
            larger = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([larger, levels.pop()], dim=1))
        return x, deepest


def _double(inside: int, outside: int, dropout: float = 0.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inside, outside):
        layers += [
            nn.Conv2d(channels, outside, 3, padding=1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(inplace=True),
        ]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers)


def he_normal(network: nn.Module) -> None:
    """Draw the hidden convolutions from He's normal distribution, as the original U-Net does."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def build(arguments: dict[str, Any]) -> UNet:
    """Build from the arguments that a card holds; unknown ones are refused by name."""
    return UNet(architecture_of(arguments))
