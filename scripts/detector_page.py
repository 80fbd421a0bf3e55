"""Print the tables of docs/detector.md and draw its pictures from what measure_shipped.py wrote.

    python scripts/detector_page.py runs/measured [--pictures docs/pictures]

Precision, recall and false detections per cell by dose; precision and recall over T_C of single checkpoints and of
ensembles, where measure_shipped.py was called with --checkpoints. Measures nothing itself.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from cytally.figures.curves import BandedCurve, precision_recall_figure

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


def by_dose(path: Path) -> None:
    print(f"\n{path.stem}\n")
    print("| dose (Gy) | cells | class | precision | recall | false per cell (95 %) | false beside a fragment |")
    print("|---|---|---|---|---|---|---|")
    for line in json.loads(path.read_text()):
        low, high = line["false_limits"]
        precision, recall = (f"{v:.2f}" if v is not None else "-" for v in (line["precision"], line["recall"]))
        print(
            f"| {line['dose_gy']} | {line['cells']} | {line['class']} | {precision} | {recall} | "
            f"{line['false_per_cell']:.4f} ({low:.4f}-{high:.4f}) | {line['false_per_cell_beside_fragment']:.4f} |"
        )


def models(folder: Path) -> list[BandedCurve]:
    """Panels: L2 alone, with Sparse Variation, ensembles; dicentrics and fragments."""
    panels = []
    for file, kind, words in (
        ("against", "singles", "L2 alone"),
        ("checkpoints", "singles", "L2 + Sparse Variation"),
        ("checkpoints", "ensembles", "ensembles of 10"),
    ):
        path = folder / f"sweep_{file}.json"
        if not path.exists():
            continue
        stored = json.loads(path.read_text())
        for name in ("dicentric", "fragment"):
            band = {k: np.array(v) for k, v in stored["bands"][f"{kind}, {name}"].items()}
            panels.append(BandedCurve(f"{words}: {name}", np.array(stored["confidences"]), **band))
    return panels


def banded(value: np.ndarray, band: np.ndarray, at: int) -> str:
    """Median with its 5-95 % band."""
    return f"{value[at]:.2f} ({band[0, at]:.2f}-{band[1, at]:.2f})"


def table(panels: list[BandedCurve]) -> None:
    """Each model at the T_C at which its median F1 is best, with the 5-95 % band."""
    print("\n| model: class | T_C | precision (5-95 %) | recall (5-95 %) |")
    print("|---|---|---|---|")
    for panel in panels:
        total = panel.precision + panel.recall
        f1 = np.where(total > 0, 2 * panel.precision * panel.recall / np.maximum(total, 1e-9), 0)
        at = int(f1.argmax())
        print(
            f"| {panel.title} | {panel.confidence[at]:.1f} | {banded(panel.precision, panel.precision_band, at)} | "
            f"{banded(panel.recall, panel.recall_band, at)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder that measure_shipped.py has filled")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="where precision_recall.png is written")
    chosen = parser.parse_args()
    folder = chosen.folder
    for path in sorted(folder.glob("by_dose_*.json")):
        by_dose(path)
    panels = models(folder)
    if panels:
        table(panels)
        precision_recall_figure(panels).savefig(chosen.pictures / "precision_recall.png", dpi=100)


if __name__ == "__main__":
    main()
