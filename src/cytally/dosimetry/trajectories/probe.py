"""Nuclei against chromosomes, layer by layer: a linear probe, and what the layers see in colours.

The thesis shows three principal components of a layer as red, green and blue (eq. 4.14, figure 4.9)
and reads from the colours that nuclei look like chromosomes to the first layer and not to the
deepest. The probe says the same as a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.trajectories.layers import Float32, Sight, layer_names, look
from cytally.dosimetry.trajectories.places import KINDS, PlacedCell
from cytally.nets.unet import UNet
from cytally.progress import Progress
from cytally.statistics.ranks import Clusters, Ranked
from cytally.statistics.trajectories import principal_axes
from cytally.types import FloatArray

#: What the probe tells nuclei from.
CHROMOSOMES = ("dicentric", "fragment", "centromere", "crossing")
_FOLDS = 5
#: Cells whose activations make the colours, and activations kept of each.
_COLOUR_CELLS, _ACTIVATIONS = 6, 4000


@dataclass(frozen=True)
class Probed:
    """One layer.

    Attributes
    ----------
    layer : str
    channels : int
    nucleus : Ranked
        AUROC of a logistic regression that tells nuclei from chromosomes in cells that it has not seen.
    colours : ndarray of uint8, shape (h', w', 3)
        RGB of one cell by the layer's own three first components; the layer's grid.
    """

    layer: str
    channels: int
    nucleus: Ranked
    colours: NDArray[np.uint8]


@dataclass(frozen=True)
class Probes:
    """All layers of the last checkpoint, and the cell that the colours show, density (h, w).

    `nuclei` and `chromosomes` are the places that the probe learns from and is tried on.
    """

    layers: tuple[Probed, ...]
    density: Float32
    nuclei: int
    chromosomes: int


def probe(network: UNet, cells: Sequence[PlacedCell], seed: int, progress: Progress) -> Probes:
    """Look at each layer of a network with the same cells."""
    names = tuple(n for n in layer_names(network.architecture) if n not in ("deepest", "decoder"))
    sights = []
    for number, cell in enumerate(cells, start=1):
        sights.append(_thin(look(network, cell.density, names), cell, number <= _COLOUR_CELLS))
        progress("layers", number, len(cells))
    kinds = np.concatenate([cell.kinds for cell in cells])
    owners = np.repeat(np.arange(len(cells)), [len(cell.kinds) for cell in cells])
    nucleus = kinds == KINDS.index("nucleus")
    kept = nucleus | np.isin(kinds, [KINDS.index(name) for name in CHROMOSOMES])
    found = []
    for name in names:
        features = np.concatenate([places[name] for places, _ in sights])
        ranked = _tell_apart(features[kept], nucleus[kept], owners[kept], seed)
        found.append(
            Probed(name, features.shape[1], ranked, _colours([maps[name] for _, maps in sights if maps], seed))
        )
    return Probes(tuple(found), cells[0].density, int(nucleus.sum()), int((kept & ~nucleus).sum()))


def _thin(sight: Sight, cell: PlacedCell, whole: bool) -> tuple[dict[str, Float32], dict[str, Float32]]:
    """Features at a cell's places by layer, and, of a few cells, the maps themselves."""
    places = {name: sight.at(name, cell.places) for name in sight.features}
    return places, {name: np.asarray(maps, np.float16) for name, maps in sight.features.items()} if whole else {}


def _tell_apart(features: FloatArray, nucleus: NDArray[np.bool_], cells: NDArray[np.int64], seed: int) -> Ranked:
    """AUROC of a linear probe on cells left out; NaN where either kind stands in fewer than two cells."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fewest = min(len(np.unique(cells[nucleus])), len(np.unique(cells[~nucleus])))
    if fewest < 2:
        return Ranked(float("nan"), float("nan"), float("nan"))
    splits = StratifiedGroupKFold(min(_FOLDS, fewest), shuffle=True, random_state=seed).split(cells, nucleus, cells)
    said = np.zeros(len(nucleus))
    for train, test in splits:
        if len(np.unique(nucleus[train])) == 2:
            model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
            said[test] = model.fit(features[train], nucleus[train]).predict_proba(features[test])[:, 1]
    return Clusters.of(cells, seed=seed).ranked(said, nucleus)


def _colours(maps: Sequence[Float32], seed: int) -> NDArray[np.uint8]:
    """RGB (h', w', 3) of the first cell (thesis eq. 4.14).

    Channels are centred and divided by their deviation over all cells, projected on the first three
    components and brought to [0, 1] between the 1st and 99th percentile, as projections are signed. Then only the
    proportions of the three count: they are divided by the largest where the thesis divides by the sum,
    the same hue and brighter.
    """
    rng = np.random.default_rng(seed)
    rows = [np.asarray(each, float).reshape(len(each), -1).T for each in maps]
    some = np.concatenate([each[rng.permutation(len(each))[:_ACTIVATIONS]] for each in rows])
    middle, spread = some.mean(axis=0), some.std(axis=0)
    spread[spread == 0] = 1.0
    axes = principal_axes((some - middle) / spread)
    low, high = np.quantile(axes.project((some - middle) / spread, 3), (0.01, 0.99), axis=0)
    seen = axes.project((rows[0] - middle) / spread, 3)
    scaled = np.clip((seen - low) / np.maximum(high - low, 1e-12), 0, 1)
    scaled /= np.maximum(scaled.max(axis=1, keepdims=True), 1e-12)
    padded = np.pad(scaled, ((0, 0), (0, 3 - scaled.shape[1])))
    return np.asarray(np.rint(255 * padded), np.uint8).reshape(*maps[0].shape[1:], 3)
