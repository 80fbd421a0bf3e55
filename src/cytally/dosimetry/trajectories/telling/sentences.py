"""What each figure shows, in a sentence made from its numbers."""

from __future__ import annotations

from math import isfinite

import numpy as np

from cytally.dosimetry.trajectories.follow import Path
from cytally.dosimetry.trajectories.places import GROUPS
from cytally.dosimetry.trajectories.study import Trajectories
from cytally.dosimetry.trajectories.telling.numbers import mean_cosine
from cytally.statistics.ranks import Ranked
from cytally.wording import counted

#: Fewer true or false detections than this say little.
_FEW = 20


def sentences(found: Trajectories) -> dict[str, str]:
    """One for each figure, by its name on the page."""
    return {
        "clouds": _clouds(found),
        "paths": _paths(found),
        "shares": _shares(found),
        "cka": _similarity(found),
        "areas": _areas(found),
        "probe": _probe(found),
    }


def _clouds(found: Trajectories) -> str:
    epochs, right = found.run.epochs, found.followed.separation
    best = int(np.argmax(right))
    return (
        f"In this plane, which holds {found.followed.plane.axes.shares[:2].sum():.0%} of the variance of all epochs, the three "
        f"classes of cells left out are told apart with a balanced accuracy of {right[0]:.2f} at epoch {epochs[0]}, "
        f"{right[-1]:.2f} at epoch {epochs[-1]} and at most {right[best]:.2f} (epoch {epochs[best]}); chance is 0.33."
    )


def _paths(found: Trajectories) -> str:
    followed = found.followed
    half = np.log(len(GROUPS)) / 2
    low = [int((followed.entropy[followed.centroids.classes == k] < half).sum()) for k in range(len(GROUPS))]
    many = [int((followed.centroids.classes == k).sum()) for k in range(len(GROUPS))]
    told = ", ".join(f"{a} of {b} {name}" for a, b, name in zip(low, many, GROUPS, strict=True))
    path = followed.plane_path
    return (
        f"At the last epoch these centroids lie where the mean classifier's entropy is below half of log 3: {told}. "
        f"Together they end {path.walk.straightness:.2f} of the length of their way from where they began; walks at random with "
        f"the same steps {_band(path.chance.straightness)}: {_beyond(path.walk.straightness, path.chance.straightness)}."
    )


def _shares(found: Trajectories) -> str:
    weights, centroids = found.weights, found.followed.path
    cosine = mean_cosine(weights)
    steps = (
        "nothing moved"
        if cosine is None
        else f"successive steps of the weights have a cosine of {weights.walk.cosines[0]:.2f} at first, "
        f"{weights.walk.cosines[-1]:.2f} at last and {cosine:.2f} on average, by chance {_band(weights.chance.cosine)}"
    )
    return (
        f"The first component explains {weights.walk.shares[0]:.2f} of the weights' path, by chance "
        f"{_band(weights.chance.shares[:, 0])} ({_verdict(weights)}), and {centroids.walk.shares[0]:.2f} of the centroids', by chance "
        f"{_band(centroids.chance.shares[:, 0])} ({_verdict(centroids)}); {steps}."
    )


def _similarity(found: Trajectories) -> str:
    epochs, cka = found.run.epochs, found.followed.cka
    if not np.isfinite(cka).all():
        return "At some epoch this layer gives the same everywhere: its similarity to others cannot be said."
    beside, half = np.diag(cka, 1), (cka[0, -1] + 1) / 2
    passed = next(k for k in range(len(epochs)) if cka[k:, -1].min() >= half)
    return (
        f"Linear CKA of the first epoch ({epochs[0]}) with the last ({epochs[-1]}) is {cka[0, -1]:.2f}; from epoch {epochs[passed]} on it "
        f"stays above half of the way to 1 ({half:.2f}). Of successive epochs it lies between {beside.min():.2f} and "
        f"{beside.max():.2f}."
    )


def _areas(found: Trajectories) -> str:
    judged = found.judged
    false, true = int(judged.detected.false.sum()), int((~judged.detected.false).sum())
    begun = (
        f"In {counted(found.settings.cells, 'other cells')} the last checkpoint raises {counted(false, 'false detections')} "
        f"and {true} true, and misses {counted(judged.detected.missed, 'labels')}. "
    )
    if not false or not true:
        return begun + "Without both kinds nothing can be ranked."
    entropy, gain = judged.areas["latent entropy"], judged.gain
    warned = f" Fewer than {_FEW} of a kind: take these limits as wide." if min(false, true) < _FEW else ""
    goes = (
        f" Latent entropy goes with the distance from places that the classifiers know (rank correlation {judged.by_distance:.2f})."
        if isfinite(judged.by_distance)
        else ""
    )
    return (
        begun
        + f"Latent entropy ranks false before true with an area of {_ranked(entropy)}: {_against_chance(entropy)}. "
        f"Mean confidence: {_ranked(judged.areas['mean confidence'])}; the difference is {_ranked(gain)}, {_sign(gain)}."
        + goes
        + warned
    )


def _probe(found: Trajectories) -> str:
    known = [one for one in found.probes.layers if isfinite(one.nucleus.value)]
    places = f"{counted(found.probes.nuclei, 'places')} in nuclei and {found.probes.chromosomes} on chromosomes"
    if not known:
        return f"With {places} nothing can be said; raise --cells."
    least, most = (pick(known, key=lambda one: one.nucleus.value) for pick in (min, max))
    return (
        f"A linear probe tells {places} apart in cells left out with an area of {_ranked(least.nucleus)} in {least.layer}, the "
        f"least of all layers, and {_ranked(most.nucleus)} in {most.layer}, the most."
    )


def _band(values: np.ndarray[tuple[int], np.dtype[np.floating]]) -> str:
    mean, low, high = (round(float(value), 2) + 0.0 for value in values)  # + 0.0: no -0.00
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"


def _ranked(area: Ranked) -> str:
    return f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})"


def _beyond(value: float, chance: np.ndarray[tuple[int], np.dtype[np.floating]]) -> str:
    if value > chance[2]:
        return "straighter than chance"
    return "as chance gives" if value >= chance[1] else "less straight than chance"


def _verdict(path: Path) -> str:
    value, (_, low, high) = path.walk.shares[0], path.chance.shares[:, 0]
    return "more than chance" if value > high else "as chance gives" if value >= low else "less than chance"


def _against_chance(area: Ranked) -> str:
    if area.low > 0.5:
        return "better than chance"
    return "worse than chance" if area.high < 0.5 else "not told from chance (0.5)"


def _sign(gain: Ranked) -> str:
    if gain.low > 0:
        return "in favour of entropy"
    return "in favour of confidence" if gain.high < 0 else "which may be 0"
