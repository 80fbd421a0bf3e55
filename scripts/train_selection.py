"""Fit the model that tells which cells can be scored, on simulated cells of every kind.

    python scripts/train_selection.py --cells 400 --seed 1 --out src/cytally/dosimetry/selection/selection.json

Cells are drawn in six styles, complete ones six times as often as each kind that cannot be scored, at 0 to 4 Gy. Of the complete ones the share
--kept reaches the threshold on cells held out. Prints what becomes of each kind there.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from selecting.cells import Drawn, drawn_cells
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from cytally.cli.progress import reporting
from cytally.dosimetry.selection.model import KINDS, WHOLE, numbers, products
from cytally.files.atomic import write_bytes

#: Weight of the penalty on the coefficients, inverse.
INVERSE_PENALTY = 0.3
#: Kinds in which pieces can be counted.
COUNTED = ("complete", "incomplete", "double", "smeared")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=400, help="of each kind that cannot be scored, over all styles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=float, default=0.95, help="share of complete cells that is kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with reporting() as progress, ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        cells = [cell for cell in drawn_cells(chosen.seed, chosen.cells, pool, progress) if cell.traits is not None]
    plain = np.stack([numbers(cell.traits) for cell in cells if cell.traits is not None])
    mean, scale = plain.mean(axis=0), plain.std(axis=0) + 1e-9
    inputs = np.stack([products((row - mean) / scale) for row in plain])
    kinds = np.array([cell.kind for cell in cells])
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=5000)
    folds = StratifiedKFold(5, shuffle=True, random_state=chosen.seed)
    chances = cross_val_predict(model, inputs, kinds, cv=folds, method="predict_proba")
    names = sorted(set(kinds))
    whole = chances[:, names.index(WHOLE)]
    threshold = float(np.quantile(whole[kinds == WHOLE], 1 - chosen.kept))
    tell(cells, whole >= threshold)
    model.fit(inputs, kinds)
    pieces, counted = np.array([cell.pieces for cell in cells]), np.isin(kinds, COUNTED)
    ridge = Ridge(alpha=30.0)
    off = np.abs(np.rint(cross_val_predict(ridge, inputs[counted], pieces[counted], cv=5)) - pieces[counted])
    alone = off[kinds[counted] == WHOLE]
    print("pieces of complete cells: within 1, 2, 4", *(f"{(alone <= few).mean():.2f}" for few in (1, 2, 4)), sep="\t")
    ridge.fit(inputs[counted], pieces[counted])
    content = {
        "kinds": [str(name) for name in model.classes_],
        "mean": mean.round(6).tolist(),
        "scale": scale.round(6).tolist(),
        "weights": model.coef_.round(5).tolist(),
        "bias": model.intercept_.round(5).tolist(),
        "threshold": round(threshold, 4),
        "pieces": ridge.coef_.round(5).tolist(),
        "pieces_bias": round(float(ridge.intercept_), 5),
        "made": {
            "command": f"python scripts/train_selection.py --cells {chosen.cells} --seed {chosen.seed} --kept {chosen.kept:g}",
            "seed": chosen.seed,
            "cells": len(cells),
        },
    }
    write_bytes(chosen.out, (json.dumps(content) + "\n").encode())


def tell(cells: list[Drawn], kept: np.ndarray) -> None:
    """Share of each kind that is kept, by style."""
    styles = sorted({cell.style for cell in cells})
    print("kept", *styles, sep="\t")
    for kind in KINDS:
        chosen = [[k for k, cell in enumerate(cells) if (cell.kind, cell.style) == (kind, style)] for style in styles]
        print(kind, *(f"{kept[where].mean():.2f}" if where else "-" for where in chosen), sep="\t")


if __name__ == "__main__":
    main()
