"""The main job: a training run and settings -> how its features move, and whether that says anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.training.sources import paper_cells
from cytally.dosimetry.trajectories.checkpoints import TrainedRun
from cytally.dosimetry.trajectories.follow import Followed, Sampled, follow
from cytally.dosimetry.trajectories.follow import Path as WalkedPath
from cytally.dosimetry.trajectories.judged import Judged, judge
from cytally.dosimetry.trajectories.layers import check_layer, look
from cytally.dosimetry.trajectories.places import PlacedCell, groups_of, placed_cells
from cytally.dosimetry.trajectories.probe import Probes, probe
from cytally.errors import SettingsError
from cytally.files.names import shown
from cytally.progress import Progress
from cytally.statistics.trajectories import REFERENCES
from cytally.statistics.walks import chance_of, walk_of


@dataclass(frozen=True)
class TrajectorySettings:
    """What is followed.

    Attributes
    ----------
    cells : int
        Simulated cells whose places are followed; as many others are judged.
    seed : int
        Of the cells, folds, centroids, random walks and resamples.
    layer : str
        From `layer_names`.
    align : {"last", "first", "generalised"}
        The last epoch by default: the first, which the thesis takes, is a nearly untrained space.
    begin, every : int
        First epoch, and steps between epochs.
    """

    cells: int = 60
    seed: int = 2026
    layer: str = "decoder"
    align: str = "last"
    begin: int = 1
    every: int = 1


@dataclass(frozen=True)
class Trajectories:
    """What a training's checkpoints show.

    Attributes
    ----------
    run : TrainedRun
    settings : TrajectorySettings
    sampled : Sampled
    followed : Followed
    weights : Path
        Of all trained weights.
    judged : Judged
    probes : Probes
    """

    run: TrainedRun
    settings: TrajectorySettings
    sampled: Sampled
    followed: Followed
    weights: WalkedPath
    judged: Judged
    probes: Probes


def trajectories(folder: Path, settings: TrajectorySettings, progress: Progress) -> Trajectories:
    """Follow a network's features over the epochs of its training.

    Parameters
    ----------
    folder : Path
        A training run, or what `train --out` made.
    settings : TrajectorySettings
    progress : callable

    Raises
    ------
    RunError
        No training, no checkpoints, or one that is damaged or of another architecture.
    SettingsError
        Fewer than three epochs, an unknown layer or alignment, the cells of the training itself, too few cells.
    """
    run = TrainedRun.open(folder).chosen(settings.begin, settings.every)
    _check(run, settings)
    weights = _weights(run, settings.seed, progress)  # reads every checkpoint: what is damaged is said at once
    source = paper_cells(settings.seed)
    cells = placed_cells(source, 0, 2 * settings.cells, progress, "making cells")
    own, others = cells[: settings.cells], cells[settings.cells :]
    sampled = _sampled(run, settings.layer, own, progress)
    followed = follow(sampled, settings.align, settings.seed, progress)
    judged = judge(run, followed.plane, settings.layer, others, settings.seed, progress)
    probes = probe(run.network(run.epochs[-1]), own, settings.seed, progress)
    return Trajectories(run, settings, sampled, followed, weights, judged, probes)


def _check(run: TrainedRun, settings: TrajectorySettings) -> None:
    check_layer(run.architecture, settings.layer)
    if settings.align not in REFERENCES:
        raise SettingsError(f"expected an alignment among {', '.join(REFERENCES)}, got {settings.align!r}")
    if settings.cells < 2:
        raise SettingsError(f"expected at least two cells, got {settings.cells}; raise --cells")
    if settings.seed == run.seed:
        raise SettingsError(
            f"expected cells that the network has not learnt from, got seed {run.seed}, "
            f"that of {shown(run.folder)}; give another --seed"
        )


def _weights(run: TrainedRun, seed: int, progress: Progress) -> WalkedPath:
    """The path of all trained weights."""
    rows = []
    for number, epoch in enumerate(run.epochs, start=1):
        rows.append(run.path(epoch))
        progress("reading checkpoints", number, len(run.epochs))
    points = np.stack(rows)
    walk = walk_of(points)
    return WalkedPath(walk, chance_of(walk.sizes, points.shape[1], seed=seed))


def _sampled(run: TrainedRun, layer: str, cells: Sequence[PlacedCell], progress: Progress) -> Sampled:
    """Features of one layer at all places of all cells, epoch by epoch."""
    epochs = []
    for number, epoch in enumerate(run.epochs, start=1):
        network = run.network(epoch)
        epochs.append(np.concatenate([look(network, c.density, (layer,)).at(layer, c.places) for c in cells]))
        progress("features of each epoch", number, len(run.epochs))
    kinds = np.concatenate([cell.kinds for cell in cells])
    owners = np.repeat(np.arange(len(cells)), [len(cell.kinds) for cell in cells])
    return Sampled(np.stack(epochs), kinds, groups_of(kinds), owners)
