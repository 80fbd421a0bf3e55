"""Checkpoints of one run -> an ensemble with thresholds, in a folder that can be shipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cytally import __version__
from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble, load_ensemble
from cytally.errors import SettingsError
from cytally.files.runs import read_record
from cytally.inference.card import Card, Thresholds
from cytally.inference.ensemble import write_ensemble
from cytally.training.checkpoints import member_path, read_curves


def late_checkpoints(run: Path, first: int) -> list[Path]:
    """All that a run keeps from an epoch on, oldest first."""
    return [path for epoch in range(first, 1000) if (path := member_path(run, epoch)).is_file()]


def choose_members(run: Path, first: int, count: int, seed: int) -> list[Path]:
    """Draw the checkpoints that become members, oldest first.

    Parameters
    ----------
    run : Path
        Folder of the training.
    first : int
        First epoch of the constant learning rate.
    count, seed : int

    Raises
    ------
    SettingsError
        There are fewer.
    """
    done = late_checkpoints(run, first)
    if len(done) < count:
        raise SettingsError(f"{run}: expected {count} checkpoints from epoch {first} on, got {len(done)}; train longer")
    drawn = np.random.default_rng(seed).permutation(len(done))[:count]
    return [done[k] for k in sorted(drawn)]


def assemble(
    run: Path,
    out: Path,
    *,
    name: str,
    classes: Sequence[str],
    weights: Sequence[Path],
    training: dict[str, object],
) -> MetaphaseEnsemble:
    """Write an ensemble with provisional thresholds (T_C 0.5, T_A half of the members)."""
    stored = dict(read_record(run).settings)
    architecture = stored.pop("architecture")
    card = Card(
        name=name,
        task="dosimetry",
        classes=list(classes),
        arguments=architecture,
        members=[],
        normalisation={"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM},
        thresholds=Thresholds(
            confidence=[[0.5] * len(classes)] * len(weights), agreement=[len(weights) // 2] * len(classes)
        ),
        training={"cytally": __version__, "settings": stored, "curve": last_row(run), **training},
    )
    write_ensemble(out, card, weights)
    return load_ensemble(out)


def last_row(run: Path) -> dict[str, str]:
    """Last line of the learning curve."""
    return learning_curve(run)[-1]


def seconds_per_epoch(run: Path) -> list[float]:
    """Time spent learning in each epoch, without the making of cells before it."""
    return [float(row["seconds"]) for row in learning_curve(run)]


def learning_curve(run: Path) -> list[dict[str, str]]:
    """Rows of curves.csv."""
    return read_curves(run / "curves.csv")
