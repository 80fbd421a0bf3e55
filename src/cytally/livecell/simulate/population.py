"""Nuclei that wander, push each other, divide and die."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

#: Frames for which a nucleus rounds up before its two daughters part.
MITOSIS = 3
#: Frames for which a dying nucleus shrinks.
DYING = 4
#: Frames until a daughter has grown to full size.
GROWTH = 8


@dataclass(frozen=True)
class PopulationSettings:
    """How the cells live.

    Attributes
    ----------
    nuclei : int
        In the camera's window at the start.
    diameter : tuple of float
        Smallest and largest nucleus, pixels.
    speed : float
        Root mean square step, pixels per frame.
    division, death : float
        Chance of each per nucleus and frame.
    """

    nuclei: int = 40
    diameter: tuple[float, float] = (13.0, 22.0)
    speed: float = 1.6
    division: float = 0.012
    death: float = 0.002


@dataclass(frozen=True)
class Nucleus:
    """One nucleus in one frame.

    Attributes
    ----------
    number, parent : int
        Own number from 1; the mother's, 0 for those there from the start.
    row, col : float
        In the world, of which the camera sees a window.
    size, oblong, angle : float
        Diameter of a disk of the same area in pixels, axis ratio >= 1, direction of the long
        axis in radians.
    state : {"resting", "dividing", "dying"}
    age, phase : int
        Frames since birth; frames since the state began.
    stain : float
        Brightness in fluorescence, 1 for most, near 0 where the dye was not taken up.
    """

    number: int
    parent: int
    row: float
    col: float
    size: float
    oblong: float
    angle: float
    stain: float = 1.0
    state: str = "resting"
    age: int = 100
    phase: int = 0
    velocity: tuple[float, float] = field(default=(0.0, 0.0), compare=False)

    @property
    def full_size(self) -> float:
        """Diameter at which it is drawn: daughters grow, the dividing condense, the dying shrink."""
        if self.state == "dividing":
            return self.size * 0.85
        if self.state == "dying":
            return self.size * (0.9 - 0.12 * self.phase)
        return self.size * (0.74 + 0.26 * min(1.0, self.age / GROWTH))


def populate(
    settings: PopulationSettings,
    world: tuple[float, float],
    density: float,
    weak: float,
    rng: np.random.Generator,
) -> list[Nucleus]:
    """Nuclei of the first frame, no two on top of each other.

    Parameters
    ----------
    settings : PopulationSettings
    world : tuple of float
        Height and width in pixels.
    density : float
        World area over window area: the world holds as many more nuclei.
    weak : float
        Share that takes up little dye.
    rng : numpy Generator
    """
    made: list[Nucleus] = []
    wanted = round(settings.nuclei * density)
    for _ in range(60 * wanted):
        if len(made) == wanted:
            break
        size = rng.uniform(*settings.diameter)
        row, col = rng.uniform(0, world[0]), rng.uniform(0, world[1])
        if all(np.hypot(n.row - row, n.col - col) > 0.62 * (n.size + size) for n in made):
            made.append(
                Nucleus(
                    len(made) + 1, 0, row, col, size, rng.uniform(1.05, 1.6), rng.uniform(0, np.pi), _stain(weak, rng)
                )
            )
    return made


def advance(
    nuclei: list[Nucleus],
    settings: PopulationSettings,
    world: tuple[float, float],
    weak: float,
    rng: np.random.Generator,
) -> list[Nucleus]:
    """The next frame. Daughters get numbers after the largest so far used by the caller's list."""
    following = max((n.number for n in nuclei), default=0)
    pushed = _pushes(nuclei)
    result: list[Nucleus] = []
    for nucleus, push in zip(nuclei, pushed, strict=True):
        moved = _move(nucleus, push, settings, world, rng)
        if moved.state == "dividing" and moved.phase > MITOSIS:
            result += _daughters(moved, following, weak, rng)
            following += 2
        elif not (moved.state == "dying" and moved.phase > DYING):
            result.append(_fate(moved, settings, rng))
    return result


def simulate(
    settings: PopulationSettings,
    frames: int,
    world: tuple[float, float],
    density: float,
    weak: float,
    rng: np.random.Generator,
) -> list[list[Nucleus]]:
    """All frames. Numbers are never used twice."""
    now = populate(settings, world, density, weak, rng)
    told = [now]
    highest = max((n.number for n in now), default=0)
    for _ in range(frames - 1):
        before = {n.number for n in now}
        now = advance(now, settings, world, weak, rng)
        fresh = {}
        for nucleus in now:
            if nucleus.number not in before:
                highest += 1
                fresh[nucleus.number] = highest
        now = [replace(n, number=fresh.get(n.number, n.number)) for n in now]
        told.append(now)
    return told


def _stain(weak: float, rng: np.random.Generator) -> float:
    usual = float(np.exp(rng.normal(0, 0.25)))
    return usual * rng.uniform(0.03, 0.3) if rng.random() < weak else usual


def _pushes(nuclei: list[Nucleus]) -> list[tuple[float, float]]:
    """Overlapping nuclei push each other apart, softly: they touch, they do not pass through."""
    if not nuclei:
        return []
    place = np.array([[n.row, n.col] for n in nuclei])
    radius = np.array([n.full_size * np.sqrt(n.oblong) / 2 for n in nuclei])
    away = place[:, None] - place[None]
    far = np.linalg.norm(away, axis=2) + np.eye(len(nuclei))
    depth = np.clip(0.95 * (radius[:, None] + radius[None]) - far, 0, None) * (1 - np.eye(len(nuclei)))
    force = (away / far[..., None] * depth[..., None] * 0.45).sum(axis=1)
    return [(float(a), float(b)) for a, b in force]


def _move(
    nucleus: Nucleus,
    push: tuple[float, float],
    settings: PopulationSettings,
    world: tuple[float, float],
    rng: np.random.Generator,
) -> Nucleus:
    calm = 0.3 if nucleus.state != "resting" else 1.0
    kick = rng.normal(0, settings.speed * 0.6 / np.sqrt(2), 2)
    velocity = 0.8 * np.array(nucleus.velocity) + kick
    place = np.array([nucleus.row, nucleus.col]) + calm * velocity + np.array(push)
    for axis in (0, 1):
        if not 0 <= place[axis] < world[axis]:
            velocity[axis] *= -1
            place[axis] = np.clip(place[axis], 0, world[axis] - 1e-3)
    return replace(
        nucleus,
        row=float(place[0]),
        col=float(place[1]),
        velocity=(float(velocity[0]), float(velocity[1])),
        angle=nucleus.angle + rng.normal(0, 0.05),
        age=nucleus.age + 1,
        phase=nucleus.phase + (nucleus.state != "resting"),
    )


def _fate(nucleus: Nucleus, settings: PopulationSettings, rng: np.random.Generator) -> Nucleus:
    draw = rng.random()
    if nucleus.state != "resting" or nucleus.age < 2 * GROWTH:
        return nucleus
    if draw < settings.division:
        return replace(nucleus, state="dividing", phase=0)
    if draw < settings.division + settings.death:
        return replace(nucleus, state="dying", phase=0)
    return nucleus


def _daughters(mother: Nucleus, following: int, weak: float, rng: np.random.Generator) -> list[Nucleus]:
    """Two nuclei on either side of where the mother was, across its long axis."""
    angle = mother.angle + np.pi / 2
    reach = 0.5 * mother.size
    made = []
    for side in (-1, 1):
        step = np.array([np.sin(angle), np.cos(angle)]) * side
        made.append(
            Nucleus(
                following + (1 if side < 0 else 2),
                mother.number,
                mother.row + reach * step[0],
                mother.col + reach * step[1],
                mother.size * rng.uniform(0.92, 1.04),
                rng.uniform(1.1, 1.5),
                mother.angle,
                mother.stain * rng.uniform(0.85, 1.1),
                age=0,
                velocity=(float(step[0]) * 1.5, float(step[1]) * 1.5),
            )
        )
    return made
