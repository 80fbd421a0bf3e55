"""Arrays and numbers under stable names: trajectories.npz and trajectories.json."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from cytally import __version__
from cytally.dosimetry.training.sources import CLASSES
from cytally.dosimetry.trajectories.follow import Path
from cytally.dosimetry.trajectories.places import GROUPS, KINDS
from cytally.dosimetry.trajectories.study import Trajectories
from cytally.statistics.ranks import Ranked

#: Shares of components that are told.
_TOLD = 5


def arrays(found: Trajectories) -> dict[str, NDArray[np.generic]]:
    """Everything that the figures are drawn from.

    Returns
    -------
    dict of str to ndarray
        With E epochs, n places, k centroids, C channels, G the edge of the grid, d detections:
        `epochs` (E,); `kinds`, `groups`, `cells` (n,), numbers in `kind_names` and `group_names` and of the cell;
        `features` (E, n, C), as the layer gives them; `points` (E, n, 2), aligned and in the plane; `scales` (E,) of the alignment;
        `shares` (C,) of the plane's components; `separation` (E,), balanced accuracy; `extent` (4,), left, right,
        bottom, top; `mean_classifier` (G, G, 3); `entropy` (G, G), nats; `centroids` (E, k, 2), `centroid_twin`
        (E, k, 2), `centroid_groups`, `centroid_sizes`, `centroid_entropy` (k,); `cka` (E, E); of paths `weights`, `centroid_path` and
        `centroid_path_in_plane`: `_shares` (E - 1,), `_chance` (3, E - 1), mean and 5-95 % band, `_scores` (E, 2), `_steps` (E - 1,),
        `_cosines` (E - 2,); `detection_cells`, `detection_groups`, `detection_false` (d,), `detection_places`,
        `detection_points` (d, 2), in pixels and in the plane;
        `measures` (d, m), columns as `measure_names`.
    """
    followed, sampled, judged = found.followed, found.sampled, found.judged
    paths = {
        "weights": found.weights,
        "centroid_path": followed.path,
        "centroid_path_in_plane": followed.plane_path,
    }
    return {
        "epochs": np.array(found.run.epochs),
        "kinds": sampled.kinds,
        "groups": sampled.groups,
        "cells": sampled.cells,
        "kind_names": np.array(KINDS),
        "group_names": np.array(GROUPS),
        "features": np.asarray(sampled.features, np.float32),
        "points": followed.points,
        "scales": np.array([move.scale for move in followed.plane.moves]),
        "shares": followed.plane.axes.shares,
        "separation": followed.separation,
        "extent": np.array(followed.map.extent),
        "mean_classifier": followed.map.mean,
        "entropy": followed.map.entropy,
        "centroids": followed.paths,
        "centroid_twin": followed.twin,
        "centroid_groups": followed.centroids.classes,
        "centroid_sizes": followed.centroids.sizes,
        "centroid_entropy": followed.entropy,
        "cka": followed.cka,
        **{f"{name}_{part}": values for name, path in paths.items() for part, values in _arrays_of(path).items()},
        "detection_cells": judged.detected.cells,
        "detection_groups": judged.detected.classes,
        "detection_false": judged.detected.false,
        "detection_places": judged.detected.places,
        "detection_points": judged.points,
        "measures": np.stack(list(judged.values.values()), axis=1),
        "measure_names": np.array(list(judged.values)),
    }


def _arrays_of(path: Path) -> dict[str, NDArray[np.generic]]:
    walk = path.walk
    return {
        "shares": walk.shares,
        "chance": path.chance.shares,
        "scores": walk.scores,
        "steps": walk.sizes,
        "cosines": walk.cosines,
    }


def numbers(found: Trajectories) -> dict[str, object]:
    """What can be said in numbers, ready for JSON; null where something cannot be said."""
    followed, judged = found.followed, found.judged
    kinds = np.bincount(found.sampled.kinds, minlength=len(KINDS)).tolist()
    return {
        "version": __version__,
        "settings": asdict(found.settings),
        "architecture": asdict(found.run.architecture),
        "epochs": list(found.run.epochs),
        "places": dict(zip(KINDS, kinds, strict=True)),
        "plane_shares": _rounded(followed.plane.axes.shares[:_TOLD]),
        "separation": _rounded(followed.separation),
        "centroid_entropy": _rounded(followed.entropy),
        "most_entropy": round(float(np.log(len(GROUPS))), 4),
        "cka_with_last": _rounded(followed.cka[-1]),
        "weights": _path(found.weights),
        "centroid_path": _path(followed.path),
        "centroid_path_in_plane": _path(followed.plane_path),
        "detections": {
            "checkpoints": list(judged.epochs),
            "true": int((~judged.detected.false).sum()),
            "false": int(judged.detected.false.sum()),
            "missed": judged.detected.missed,
            "auroc": {name: _ranked(area) for name, area in judged.areas.items()},
            "auroc_by_class": {
                name: {group: _ranked(area) for group, area in zip(CLASSES, areas, strict=True)}
                for name, areas in judged.by_class.items()
            },
            "latent_entropy_less_mean_confidence": _ranked(judged.gain),
            "latent_entropy_with_distance": _number(judged.by_distance),
        },
        "probe": {
            "nuclei": found.probes.nuclei,
            "chromosomes": found.probes.chromosomes,
            "auroc": {one.layer: _ranked(one.nucleus) for one in found.probes.layers},
        },
    }


def _path(path: Path) -> dict[str, object]:
    mean, low, high = (_rounded(each[:_TOLD]) for each in path.chance.shares)
    walk = path.walk
    return {
        "shares": _rounded(walk.shares[:_TOLD]),
        "chance": {"mean": mean, "low": low, "high": high},
        "straightness": _number(walk.straightness),
        "straightness_by_chance": _rounded(path.chance.straightness),
        "mean_cosine": mean_cosine(path),
        "mean_cosine_by_chance": _rounded(path.chance.cosine),
    }


def mean_cosine(path: Path) -> float | None:
    """Of successive steps; None where nothing moved."""
    known = path.walk.cosines[np.isfinite(path.walk.cosines)]
    return _number(float(known.mean())) if len(known) else None


def _ranked(area: Ranked) -> dict[str, float | None]:
    return {"value": _number(area.value), "low": _number(area.low), "high": _number(area.high)}


def _rounded(values: NDArray[np.generic]) -> list[float | None]:
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | None:
    return round(value, 4) if isfinite(value) else None
