"""Stable translocations: what painting sees of the genome, and what age brings (FISH)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cytally.errors import CountsError

#: Part of all exchanges that the painted fraction is compared with (Lucas 1992).
_LUCAS = 0.974
#: Sigurdson 2008: exp(a) + exp(b) age exp(c age) translocations per genome equivalent.
_SIGURDSON = (-7.925, -9.284, 0.01062)
_SEX = {"male": 1.0, "female": 0.92, "": 1.0}
_SMOKING = 1.19


def genome_factor(colours: Sequence[Sequence[str]], fractions: Mapping[str, float]) -> float:
    """Exchanges seen with painted chromosomes / all exchanges of the genome, Fp / FG.

    Parameters
    ----------
    colours : sequence of sequences of str
        Chromosomes painted in each colour.
    fractions : mapping of str to float
        Part of the genome of each chromosome (of the person's sex).

    Notes
    -----
    Fp / FG = 2 / 0.974 (sum f_i (1 - f_i) - sum_{i<j} f_i f_j), f_i of colour i (IAEA 2011, 10.4).

    Examples
    --------
    >>> round(genome_factor([["1", "2", "4"]], {"1": 0.08284769, "2": 0.08032761, "4": 0.06394708}), 4)
    0.3604
    """
    unknown = sorted({name for colour in colours for name in colour} - set(fractions))
    if unknown or not colours:
        raise CountsError(
            f"expected painted chromosomes with known fractions, got none for {unknown or colours}"
        )
    f = np.array([sum(fractions[name] for name in colour) for colour in colours])
    pairs = (f.sum() ** 2 - (f**2).sum()) / 2
    return float(2 / _LUCAS * ((f * (1 - f)).sum() - pairs))


def expected_background(
    cells: int, factor: float, age: float, *, sex: str = "", smoker: bool = False
) -> float:
    """Translocations expected without exposure (Sigurdson 2008).

    Parameters
    ----------
    cells : int
    factor : float
        Fp / FG of the paint.
    age : float
        Years.
    sex : {"", "male", "female"}
    smoker : bool

    Examples
    --------
    >>> round(expected_background(1000, 0.36, 25), 3)
    1.221
    """
    if sex not in _SEX or age < 0:
        raise CountsError(f"expected age >= 0 and sex male, female or unknown, got {age} and {sex!r}")
    a, b, c = _SIGURDSON
    per_genome = np.exp(a) + np.exp(b) * age * np.exp(c * age)
    return float(cells * factor * per_genome * _SEX[sex] * (_SMOKING if smoker else 1.0))
