"""The closed list of networks: what a card may ask for, and the tensors that each is made of.

Nothing here needs the library that runs them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cytally.errors import SettingsError

STRIDE = 4
STEMS = ("unshuffle", "plain")
#: What a normalisation layer is made of.
NORMALISATION = ("weight", "bias", "running_mean", "running_var")
#: Edge of the middle that is asked about, in pixels of the quarter grid: about a chromosome.
MIDDLE = 6
HIDDEN = 64


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
    def widths(self) -> list[int]:
        """Channels of each level, from full resolution to the deepest."""
        return [min(self.filters * 2**level, self.widest) for level in range(self.depth + 1)]

    @property
    def answers(self) -> int:
        """Channels of the last convolution."""
        return self.classes * (self.stride**2 if self.sharp else 1)

    @property
    def finest(self) -> int:
        """Halvings above the finest grid."""
        return self.stride.bit_length() - 1

    @property
    def step(self) -> int:
        """Pixels per place of the output."""
        return 1 if self.sharp else self.stride

    @property
    def margin(self) -> int:
        """Coarse cells around a window that the way up from the deepest level needs."""
        far = 0
        for _ in range(self.finest, self.depth):
            far = -(-(far + 2) // 2)
        return far

    @property
    def halo(self) -> int:
        """Pixels around a window, aligned to `multiple`, that its outputs look at.

        On the way down from the finest grid to the deepest an interval of places grows by its
        convolutions and is rounded outwards at each nearest-neighbour step; on the way back
        through pooling it doubles.
        """
        far = self.margin + 2
        for _ in range(self.finest, self.depth):
            far = 2 * far + 2
        if self.stem == "unshuffle":
            return far * self.stride
        for _ in range(self.finest):
            far = 2 * far + 2
        return far

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


@dataclass(frozen=True)
class VerifierArchitecture:
    """Everything needed to build a verifier again.

    Attributes
    ----------
    unet : Architecture
        Its classes are those that the verifier tells apart; one more answer means none of them.
    side : int
        Edge of the crops in normalised pixels.
    """

    unet: Architecture
    side: int = 96

    def __post_init__(self) -> None:
        if self.unet.sharp:
            raise SettingsError("a verifier answers once for each crop; expected sharp to be false")
        if self.side < 4 * MIDDLE or self.side % self.unet.multiple:
            raise SettingsError(
                f"expected a side of at least {4 * MIDDLE} and a multiple of {self.unet.multiple}, got {self.side}"
            )

    @staticmethod
    def of(arguments: dict[str, Any]) -> VerifierArchitecture:
        """From the arguments in a card.

        Raises
        ------
        SettingsError
            An unknown argument or an impossible value.
        """
        rest = {name: value for name, value in arguments.items() if name != "side"}
        unknown = sorted(set(rest) - set(Architecture.__dataclass_fields__))
        if unknown:
            raise SettingsError(f"unknown argument(s) of the verifier: {', '.join(unknown)}")
        return VerifierArchitecture(Architecture(**rest), int(arguments.get("side", 96)))

    @property
    def arguments(self) -> dict[str, Any]:
        """For a card."""
        return asdict(self.unet) | {"side": self.side}


def architecture_of(arguments: dict[str, Any]) -> Architecture:
    """From the arguments in a card.

    Raises
    ------
    SettingsError
        An unknown argument, by name, or an impossible value.
    """
    unknown = sorted(set(arguments) - set(Architecture.__dataclass_fields__))
    if unknown:
        raise SettingsError(f"unknown argument(s) of the architecture: {', '.join(unknown)}")
    return Architecture(**arguments)


Shapes = dict[str, tuple[int, ...]]


def tensors_of(architecture: Architecture) -> Shapes:
    """Names and shapes of a U-Net's weights, as its files hold them."""
    widths, top = architecture.widths, architecture.finest
    shapes: Shapes = {}
    if architecture.stem == "plain":
        for level in range(top + 1):
            inside = widths[level - 1] if level else 1
            shapes |= _double(f"stem.{2 * level}", inside, widths[level], architecture)
    else:
        shapes |= _double("stem.1", architecture.stride**2, widths[top], architecture)
    for k in range(top + 1, architecture.depth + 1):
        shapes |= _double(f"down.{k - top - 1}", widths[k - 1], widths[k], architecture)
    for number, k in enumerate(range(architecture.depth, top, -1)):
        shapes |= _double(f"up.{number}", widths[k] + widths[k - 1], widths[k - 1], architecture)
    answers = architecture.answers
    return shapes | {"head.weight": (answers, widths[top], 1, 1), "head.bias": (answers,)}


def verifier_tensors_of(architecture: VerifierArchitecture) -> Shapes:
    """Names and shapes of a verifier's weights."""
    unet = architecture.unet
    seen = 2 * unet.widths[unet.finest] + unet.widths[unet.depth] + unet.classes
    return {f"unet.{name}": shape for name, shape in tensors_of(unet).items()} | {
        "answer.0.weight": (HIDDEN, seen),
        "answer.0.bias": (HIDDEN,),
        "answer.2.weight": (unet.classes + 1, HIDDEN),
        "answer.2.bias": (unet.classes + 1,),
    }


def convolutions(architecture: Architecture) -> tuple[tuple[int, int], tuple[int, int]]:
    """Places of (convolution, normalisation) in a block of two, which dropout moves."""
    second = 4 if architecture.dropout else 3
    return (0, 1), (second, second + 1)


def _double(name: str, inside: int, outside: int, architecture: Architecture) -> Shapes:
    shapes: Shapes = {}
    for (convolution, norm), channels in zip(convolutions(architecture), (inside, outside), strict=True):
        shapes[f"{name}.{convolution}.weight"] = (outside, channels, 3, 3)
        shapes |= {f"{name}.{norm}.{part}": (outside,) for part in NORMALISATION}
    return shapes
