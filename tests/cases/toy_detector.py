"""A detector as somebody would add one: a class that plugs into score, evaluate and the report.

It knows nothing of centromeres: bodies twice as large as the median are called dicentric, those below a third
fragment. What it shows is the protocol.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from cytally.dosimetry.density import Density
from cytally.dosimetry.detectors.protocol import Decision, Explanation, outlined
from cytally.types import Detections


@dataclass(frozen=True)
class BySize:
    """Names bodies by their size.

    Attributes
    ----------
    large, small : float
        Areas in medians, above and below which a body is named.
    """

    large: float = 2.0
    small: float = 0.33
    name: str = "by-size"
    classes: tuple[str, ...] = ("dicentric", "fragment")
    decision: Decision = field(default_factory=Decision)
    voters: int = 1
    runtime: str = "OpenCV"

    @property
    def identity(self) -> str:
        """Both limits: they are all that decides."""
        return f"by-size-{self.large:g}-{self.small:g}"

    def detect(self, density: Density) -> Detections:
        """Bodies that are too large or too small, in pixels of the image."""
        found = self._found(density)
        return replace(found, row=density.to_image(found.row), col=density.to_image(found.col))

    def explain(self, density: Density) -> Explanation:
        """The same in normalised pixels."""
        return outlined(self._found(density), self.classes, density.values.shape, stride=4)

    def _found(self, density: Density) -> Detections:
        stained = (density.values > 0.4).astype(np.uint8)
        _, _, stats, middles = cv2.connectedComponentsWithStats(stained)
        area, places = stats[1:, cv2.CC_STAT_AREA], middles[1:, ::-1]
        sizes = area / np.median(area[area > 60])
        named = {"dicentric": sizes > self.large, "fragment": (area > 60) & (sizes < self.small)}
        rows = [(*places[k], name) for name, chosen in named.items() for k in np.flatnonzero(chosen)]
        if not rows:
            return Detections.empty(1)
        row, col, names = zip(*rows, strict=True)
        one, unknown = np.ones(len(rows)), np.full(len(rows), np.nan)
        return Detections(np.array(row), np.array(col), names, one.astype(int), one, 0 * one, 1, unknown)
