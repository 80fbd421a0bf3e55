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
#: Ratios of Sigurdson 2008 to white donors and to North America, as Biodose Tools 3.7 takes them.
ETHNICITY = {"": 1.0, "white": 1.0, "asian": 1.23, "black": 0.84, "other": 1.06}
REGION = {
    "": 1.0,
    "n-america": 1.0,
    "w-europe": 0.99,
    "c-europe": 1.75,
    "e-europe": 1.75,
    "asia": 0.86,
}
#: Years; nobody has been older.
_OLDEST = 125.0


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

    Raises
    ------
    CountsError
        No, an empty or an unknown chromosome, one that is painted twice, or a paint under which no exchange
        can be seen (the whole genome in one colour).

    Examples
    --------
    >>> round(genome_factor([["1", "2", "4"]], {"1": 0.08284769, "2": 0.08032761, "4": 0.06394708}), 4)
    0.3604
    """
    unknown = sorted({name for colour in colours for name in colour} - set(fractions))
    if unknown or not colours:
        raise CountsError(
            "expected chromosomes 1 to 22, X or Y, with commas between them and / between colours, such as 1,4/2, got "
            + (", ".join(map(repr, unknown)) or "none")
        )
    painted = [name for colour in colours for name in colour]
    absent = sorted({name for name in painted if fractions[name] == 0})
    if absent:
        raise CountsError(f"expected chromosomes that the person has, got {', '.join(absent)}; is the sex right?")
    twice = sorted({name for name in painted if painted.count(name) > 1})
    if twice or not all(colours):
        raise CountsError(
            "expected every chromosome in one colour and once, such as 1,4/2, got "
            + (f"{', '.join(twice)} twice" if twice else "a colour without a chromosome")
        )
    f = np.array([sum(fractions[name] for name in colour) for colour in colours])
    pairs = (f.sum() ** 2 - (f**2).sum()) / 2
    factor = float(2 / _LUCAS * ((f * (1 - f)).sum() - pairs))
    if factor < 1e-9:
        raise CountsError(
            f"expected a paint that shows exchanges, got {', '.join(painted)}, which shows none; a part of the "
            "genome must be painted, and a part not, or in another colour"
        )
    return factor


def expected_background(
    cells: int,
    factor: float,
    age: float,
    *,
    sex: str = "",
    smoker: bool = False,
    region: str = "",
    ethnicity: str = "",
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
    region : {"", "n-america", "w-europe", "c-europe", "e-europe", "asia"}
    ethnicity : {"", "white", "asian", "black", "other"}

    Raises
    ------
    CountsError
        An age that nobody has, or something else than these words.

    Notes
    -----
    Sigurdson 2008 (doi 10.1016/j.mrgentox.2008.01.005): the frequency at an age times the ratios of sex,
    smoking, region and ethnicity, each 1 where it is not known.

    Examples
    --------
    >>> round(expected_background(1000, 0.36, 25), 3)
    1.221
    """
    if sex not in _SEX or not 0 <= age <= _OLDEST:
        raise CountsError(
            f"expected an age of 0 to {_OLDEST:g} years and sex male, female or unknown, got {age} and {sex!r}"
        )
    for name, value, known in (("region", region, REGION), ("ethnicity", ethnicity, ETHNICITY)):
        if value not in known:
            raise CountsError(f"expected {name} one of {', '.join(filter(None, known))}, got {value!r}")
    a, b, c = _SIGURDSON
    per_genome = np.exp(a) + np.exp(b) * age * np.exp(c * age)
    person = _SEX[sex] * (_SMOKING if smoker else 1.0) * REGION[region] * ETHNICITY[ethnicity]
    return float(cells * factor * per_genome * person)
