"""One U-Net for all doors: image (b, 1, h, w) -> maps (b, classes, h / step, w / step).

It works on a grid of every `stride`-th pixel (dosimetry: 4). Two stems lead there. `plain`
convolves at full resolution first and halves; `unshuffle` moves each stride x stride block
into channels and starts there: the same parameters, no loss of information, and no
convolution at resolutions where few channels keep a processor idle. A `sharp` network lays
its answers out again the same way backwards: one for each pixel.
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
    widest : int
        Most channels at any level.
    stride : int
        Pixels per place of the finest grid: 1, 2 or 4.
    sharp : bool
        Answer for every pixel instead of every place of the grid.
    dropout : float
        Share of values dropped after each hidden convolution while training.
    """

    classes: int = 2
    filters: int = 8
    depth: int = 5
    stem: str = "unshuffle"
    widest: int = 128
    stride: int = STRIDE
    sharp: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.stride not in (1, 2, 4) or not 0 <= self.dropout < 1:
            raise SettingsError(f"expected stride 1, 2 or 4 and dropout in [0, 1), got {asdict(self)}")
        if self.stem not in STEMS:
            raise SettingsError(f"expected a stem among {STEMS}, got {self.stem!r}")
        if self.depth < 3 or self.filters < 1 or self.classes < 1:
            raise SettingsError(f"expected depth >= 3, filters >= 1, classes >= 1, got {asdict(self)}")

    @property
    def multiple(self) -> int:
        """Height and width must be a multiple of this."""
        return int(1 << self.depth)

    @property
    def finest(self) -> int:
        """Halvings above the finest grid."""
        return self.stride.bit_length() - 1

    @property
    def step(self) -> int:
        """Pixels per place of the output."""
        return 1 if self.sharp else self.stride

    @property
    def reach(self) -> int:
        """How far, in pixels, an output may look beyond its own place.

        Two 3 x 3 convolutions per level on the way down, two on the way up, one
        nearest-neighbour step of misalignment per level; rounded up to the grid.
        """
        levels = range(self.finest, self.depth + 1)
        convolutions = [2 if level == self.depth else 4 for level in levels]
        far = sum((count + 1) * (1 << level) for count, level in zip(convolutions, levels, strict=True))
        if self.stem == "plain":
            far += 2 * sum(1 << level for level in range(self.finest))
        return -(-far // self.multiple) * self.multiple


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
        base, depth, widest = architecture.filters, architecture.depth, architecture.widest
        drop, top, stride = architecture.dropout, architecture.finest, architecture.stride
        widths = [min(base * 2**level, widest) for level in range(depth + 1)]
        if architecture.stem == "plain":
            layers: list[nn.Module] = [_double(1, widths[0], drop)]
            for level in range(1, top + 1):
                layers += [nn.MaxPool2d(2), _double(widths[level - 1], widths[level], drop)]
            self.stem = nn.Sequential(*layers)
        else:
            self.stem = nn.Sequential(nn.PixelUnshuffle(stride), _double(stride**2, widths[top], drop))
        self.down = nn.ModuleList(_double(widths[k - 1], widths[k], drop) for k in range(top + 1, depth + 1))
        self.up = nn.ModuleList(
            _double(widths[k] + widths[k - 1], widths[k - 1], drop) for k in range(depth, top, -1)
        )
        self.deepest = widths[depth]
        answers = architecture.classes * (stride**2 if architecture.sharp else 1)
        self.head = nn.Conv2d(widths[top], answers, 1)
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
            nn.BatchNorm2d(outside), nn.ReLU(inplace=True),
        ]  # fmt: skip
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers)


def he_normal(network: nn.Module) -> None:
    """Draw the hidden convolutions from He's normal distribution, as the original U-Net does."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def build(arguments: dict[str, Any]) -> UNet:
    """Build from the arguments that a card holds; unknown ones are refused by name."""
    known = set(Architecture.__dataclass_fields__)
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise SettingsError(f"unknown argument(s) of the architecture: {', '.join(unknown)}")
    return UNet(Architecture(**arguments))
