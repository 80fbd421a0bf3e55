"""What was missed, wrongly raised and found in labelled cells, as pictures to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cytally.evaluation.matching import Hits, assign
from cytally.figures.overlays import Picture, cut_out, viewable
from cytally.figures.pages import embedded, render
from cytally.images.write import encode
from cytally.types import FloatArray, Image, Skipped

PAGE = "evaluation.html"
#: In the order in which people look at them.
KINDS = ("missed", "false", "found")
#: Pictures kept of each kind, and their edge in normalised pixels: a long chromosome and what lies beside it.
MOST, _SIDE = 48, 88


@dataclass
class Exhibits:
    """The first detections and labels of each class and kind.

    Attributes
    ----------
    pictures : dict of (str, str) to list of ndarray of uint8, shape (88, 88, 3)
        By class and kind, at most 48 each.
    """

    pictures: dict[tuple[str, str], list[Picture]] = field(default_factory=dict)

    def add(self, values: FloatArray, name: str, found: FloatArray, truth: FloatArray, radius: float) -> None:
        """One class of one cell: its density (h, w), detections and labels (n, 2) in its pixels."""
        pairs = assign(found, truth, radius)
        hit, met = {k for k, _ in pairs}, {k for _, k in pairs}
        places = {
            "missed": [truth[k] for k in range(len(truth)) if k not in met],
            "false": [found[k] for k in range(len(found)) if k not in hit],
            "found": [found[k] for k in sorted(hit)],
        }
        wanted = [(kind, at) for kind in KINDS for at in places[kind][: MOST - len(self.of(name, kind))]]
        if not wanted:
            return
        picture = viewable(Image(-np.asarray(values)))
        for kind, (row, col) in wanted:
            self.pictures.setdefault((name, kind), []).append(cut_out(picture, row, col, _SIDE))

    def of(self, name: str, kind: str) -> list[Picture]:
        """Pictures of one class and kind."""
        return self.pictures.get((name, kind), [])

    def sources(self, name: str, kind: str) -> list[str]:
        """The same as they stand in a page."""
        return [embedded(encode(p[..., ::-1], ".jpg"), "image/jpeg") for p in self.of(name, kind)]


def page(figures: dict[str, object], totals: dict[str, Hits], exhibits: Exhibits, skipped: Sequence[Skipped]) -> str:
    """The figures of an evaluation and its pictures as HTML; `totals` by class, over all doses."""
    groups = []
    for name, hits in totals.items():
        counts = {"missed": hits.missed, "false": hits.false, "found": hits.true}
        titles = {
            "missed": f"Missed {name}s",
            "false": f"False {name}s",
            "found": f"{name.capitalize()}s found",
        }
        groups += [
            {
                "kind": kind,
                "title": titles[kind],
                "total": counts[kind],
                "sources": exhibits.sources(name, kind),
            }
            for kind in KINDS
        ]
    return render(
        "cytally.dosimetry",
        "evaluation.html",
        cells=figures["cells"],
        lines=figures["by_dose"],
        groups=groups,
        skipped=skipped,
        name=figures["ensemble"],
        detector=figures["detector"],
    )
