"""Can a network tell chromosomes laid anew from those that nobody touched?

    python scripts/paste_marks.py NORMAL_CELLS [--cells 240] [--epochs 12]

Composes cells, cuts out the normal chromosomes laid anew and the untouched single ones
(a random rotation for both), trains a small network on two thirds of the fields and prints
the area under the ROC curve on the rest: 0.5 means that laying leaves no mark. Fields are
kept apart because a network soon knows the places of a field by heart; at least three are
needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy import stats
from torch import nn

from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.folder import check_fields, read_fields
from cytally.images.normalise import normalise

SIDE = 48


def crops(cells: int, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (n, SIDE, SIDE), whether laid anew (n,), and the number of the field (n,)."""
    skipped: list = []
    fields = tuple(f for f in read_fields(folder, skipped, lambda *told: None) if f.uprights)
    check_fields(fields, folder, least=3)
    pictures, laid, of = [], [], []
    rng = np.random.default_rng(5)
    for number in range(cells):
        made = compose_cell(
            fields, Wanted(silent=1.0, anew=(12, 18), lined_up=0.0), np.random.default_rng([7, number])
        )
        density = normalise(made.image)
        for places, new in ((made.laid, True), (made.untouched, False)):
            for row, col in density.from_image(places):
                turn = cv2.getRotationMatrix2D((col, row), rng.uniform(0, 360), 1.0)
                turn[:, 2] += SIDE / 2 - np.array([col, row])
                pictures.append(cv2.warpAffine(density.values, turn, (SIDE, SIDE)))
                laid.append(new)
                of.append(number % len(fields))
    return np.stack(pictures), np.array(laid), np.array(of)


def network() -> nn.Module:
    layers: list[nn.Module] = []
    for inside, outside in ((1, 16), (16, 32), (32, 48)):
        layers += [
            nn.Conv2d(inside, outside, 3, padding=1),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 1))


def area_under_curve(score: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Area and its standard error (Hanley and McNeil's large-sample form under no difference)."""
    positive, negative = score[truth], score[~truth]
    u = stats.mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative))
    error = np.sqrt((len(positive) + len(negative) + 1) / (12 * len(positive) * len(negative)))
    return float(u), float(error)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=12)
    chosen = parser.parse_args()
    torch.manual_seed(1)
    pictures, laid, of = crops(chosen.cells, chosen.folder)
    kept = of % 3 == 0
    images, truth = torch.from_numpy(pictures)[:, None].float(), torch.from_numpy(laid).float()
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    learn = np.flatnonzero(~kept)
    weight = torch.tensor((~laid[learn]).sum() / laid[learn].sum())
    for epoch in range(chosen.epochs):
        for batch in np.array_split(np.random.default_rng(epoch).permutation(learn), len(learn) // 64):
            loss = nn.functional.binary_cross_entropy_with_logits(
                model(images[batch])[:, 0], truth[batch], pos_weight=weight
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        score = model(images[kept])[:, 0].numpy()
    area, error = area_under_curve(score, laid[kept])
    print(f"{laid.sum()} laid anew, {(~laid).sum()} untouched; on {kept.sum()} of them that it did not learn from: "
          f"AUC {area:.3f} (standard error {error:.3f} if there were no difference)")  # fmt: skip


if __name__ == "__main__":
    main()
