"""Can a network tell chromosomes pasted back from those that nobody touched?

    python scripts/paste_marks.py NORMAL_CELLS [--cells 240] [--epochs 12]

Composes cells, takes them apart again, and cuts out the chromosomes that lie free, those laid
anew and those untouched (a random rotation for both, as many of each from every cell). A small
network learns on two thirds of the fields; the area under its ROC curve on the rest is printed,
once for the bodies alone and once with what lies around them: 0.5 means that laying leaves no
mark. Fields are kept apart because a network soon knows the places of a field by heart; at least
three are needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy import stats
from torch import nn

from cytally.dosimetry.chromosomes.segment import Outline, segment
from cytally.dosimetry.compose.cell import ComposedCell, Wanted, compose_cell
from cytally.dosimetry.compose.folder import check_fields, read_fields
from cytally.dosimetry.density import Density, normalise

SIDE = 48


def crops(cells: int, folder: Path, *, alone: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (n, SIDE, SIDE), whether pasted back (n,), and the number of the field (n,)."""
    fields = tuple(f for f in read_fields(folder, [], lambda *told: None) if f.uprights)
    check_fields(fields, folder, least=3)
    numbers = {field.source: k for k, field in enumerate(fields)}
    pictures, laid, of = [], [], []
    rng = np.random.default_rng(5)
    wanted = Wanted(silent=1.0, anew=(12, 18), lined_up=0.0)
    for number in range(cells):
        made = compose_cell(fields, wanted, np.random.default_rng([7, number]))
        for new, group in enumerate(of_one_cell(made, alone, rng)):
            pictures += group
            laid += [new == 1] * len(group)
            of += [numbers[made.field]] * len(group)
    return np.stack(pictures), np.array(laid), np.array(of)


def of_one_cell(made: ComposedCell, alone: bool, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Pictures of the chromosomes that lie free: untouched ones, and as many pasted back."""
    density = normalise(made.image)
    places = density.from_image(np.concatenate([made.untouched, made.laid]))
    groups: list[list[np.ndarray]] = [[], []]
    for outline in segment(density.values).chromosomes:
        away = np.linalg.norm(places - outline.middle, axis=1)
        if away.min() < 5:
            groups[int(away.argmin() >= len(made.untouched))].append(picture(density, outline, alone, rng))
    fewer = min(map(len, groups))
    return [[group[k] for k in rng.permutation(len(group))[:fewer]] for group in groups]


def picture(density: Density, outline: Outline, alone: bool, rng: np.random.Generator) -> np.ndarray:
    """One chromosome at a random angle; alone: nothing beyond two pixels of its outline."""
    values, (row, col) = density.values, outline.middle
    if alone:
        own = np.zeros(values.shape, np.uint8)
        height, width = outline.mask.shape
        own[outline.top : outline.top + height, outline.left : outline.left + width] = outline.mask
        values = values * cv2.dilate(own, np.ones((5, 5), np.uint8))
    turn = cv2.getRotationMatrix2D((col, row), rng.uniform(0, 360), 1.0)
    turn[:, 2] += SIDE / 2 - np.array([col, row])
    return cv2.warpAffine(values, turn, (SIDE, SIDE))


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


def judge(pictures: np.ndarray, laid: np.ndarray, of: np.ndarray, epochs: int) -> str:
    """Train on two thirds of the fields; the area on the rest, in words."""
    torch.manual_seed(1)
    kept = of % 3 == 0
    images, truth = torch.from_numpy(pictures)[:, None].float(), torch.from_numpy(laid).float()
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    learn = np.flatnonzero(~kept)
    for epoch in range(epochs):
        for batch in np.array_split(np.random.default_rng(epoch).permutation(learn), max(len(learn) // 64, 1)):
            loss = nn.functional.binary_cross_entropy_with_logits(model(images[batch])[:, 0], truth[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        score = model(images[kept])[:, 0].numpy()
    area, error = area_under_curve(score, laid[kept])
    return (
        f"{laid.sum()} pasted back, {(~laid).sum()} untouched; on {kept.sum()} of them that it did not "
        f"learn from: AUC {area:.3f} (standard error {error:.3f} if there were no difference)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=12)
    chosen = parser.parse_args()
    for alone, words in ((True, "bodies alone"), (False, "with what lies around them")):
        print(f"{words}: {judge(*crops(chosen.cells, chosen.folder, alone=alone), chosen.epochs)}")


if __name__ == "__main__":
    main()
