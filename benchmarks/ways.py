"""Ways of looking at a cell that are compared with each other: runtimes, number formats, and where members look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.candidates import peaks, propose, proposing
from cytally.dosimetry.detectors.verified import ByVerifier
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order
from cytally.images.read import find_images, read
from cytally.inference import windows
from cytally.inference.ensemble import Ensemble, set_threads
from cytally.inference.graph import GraphMember, GraphVerifier, precision
from cytally.inference.runtime import TorchMember, TorchVerifier
from cytally.inference.votes import empty
from cytally.nets.unet import UNet
from cytally.nets.verifier import Verifier
from cytally.types import Detections

STYLES = ("mixed", "hard", "faint", "poor", "hard", "separated", "slender", "straight", "pale", "dark")
#: What the names of ways without the gate end in.
UNGATED = ", every member everywhere near"
Propose = Callable[[np.ndarray, Ensemble], Detections]


@dataclass(frozen=True)
class Way:
    """Networks in some number format, where they look, and whether all places are verified closely."""

    name: str
    ensemble: Ensemble
    propose: Propose = propose
    closely: bool = False


def built(ensemble: Ensemble, member, verifier) -> Ensemble:
    members = list(ensemble.members)
    for k in proposing(ensemble):
        members[k] = member(ensemble.members[k])
    return replace(ensemble, members=tuple(members), verifiers=tuple(map(verifier, ensemble.verifiers)))


def network(kind, stored):
    made = kind(stored.architecture)
    weights = {name: torch.from_numpy(one) for name, one in stored.weights().items()}
    made.load_state_dict(weights, strict=False)
    return made.eval()


def on_torch(ensemble: Ensemble, dtype: torch.dtype) -> Ensemble:
    return built(
        ensemble,
        lambda m: TorchMember(network(UNet, m), dtype),
        lambda r: TorchVerifier(network(Verifier, r), dtype),
    )


def on_openvino(ensemble: Ensemble, members: str, verifiers: str = "float32") -> Ensemble:
    return built(
        ensemble,
        lambda m: GraphMember(m.architecture, m.weights(), members),
        lambda r: GraphVerifier(r.architecture, r.weights(), verifiers),
    )


def slow(ensemble: Ensemble) -> Way:
    return Way("torch, float32, everywhere", on_torch(ensemble, torch.float32), partial(propose, saving=False), True)


def fast(ensemble: Ensemble) -> list[Way]:
    """What is promised to decide alike, and what was thought of beside it."""
    found = [Way("OpenVINO, float32, windows", on_openvino(ensemble, "float32"))]
    if precision() == "bfloat16":
        half = on_torch(ensemble, torch.bfloat16)
        found += [
            Way("OpenVINO, members in bfloat16, verifier in float32, windows", on_openvino(ensemble, "bfloat16")),
            Way("OpenVINO, everything in bfloat16, windows", on_openvino(ensemble, "bfloat16", "bfloat16")),
            Way("torch, everything in bfloat16, everywhere", half, partial(propose, saving=False)),
        ]
    return found


def heatmaps_near(density: np.ndarray, ensemble: Ensemble) -> np.ndarray:
    """Heatmaps of the proposing members wherever something stained is near; none rules out for the others."""
    members = [ensemble.members[k] for k in proposing(ensemble)]
    how = members[0].architecture
    near = windows.windows(windows.occupied(density, how), how)
    maps = np.stack([empty(density, how)] * len(members))
    for heat, member in zip(maps, members, strict=True):
        windows.look_at(density, member, near, heat)
    return maps


def propose_near(density: np.ndarray, ensemble: Ensemble) -> Detections:
    return peaks(heatmaps_near(density, ensemble), ensemble, proposing(ensemble))


def ungated(ways: list[Way]) -> list[Way]:
    """The same without a member that looks first, where that is worth comparing: verifiers in float32."""
    shipping = [way for way in ways if way.name.startswith("OpenVINO") and "everything" not in way.name]
    return [Way(f"{way.name}{UNGATED}", way.ensemble, propose_near) for way in shipping]


def densities(cells: int, seed: int, folder: Path | None) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Names, and what makes the density of each."""
    for path in find_images(folder) if folder else []:
        yield path.name, lambda path=path: normalise(read(path)).values
    for number in range(cells):
        yield f"simulated {number}", partial(simulated, number, seed)


def simulated(number: int, seed: int) -> np.ndarray:
    shape = (1024, 1280) if number % 4 == 0 else (896, 1008)
    order = Order(1, Exposure((0.0, 2.0, 4.0)[number % 3]), STYLES[number % len(STYLES)], seed, shape=shape)
    return normalise(order.cell(number).image).values


def looked(values: np.ndarray, way: Way) -> tuple[Detections, Detections]:
    """Proposals, and decisions."""
    proposed = way.propose(values, way.ensemble)
    rule = ByVerifier(way.ensemble)
    return proposed, (rule.judge if way.closely else rule.sift)(values, proposed)


def one_thread() -> None:
    """Times of one thread, whatever the machine has."""
    torch.set_num_threads(1)
    set_threads(1)
    cv2.setNumThreads(1)
