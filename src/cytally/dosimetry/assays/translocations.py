"""Stable translocations: what painting sees of the genome, what age brings, and the dose (FISH)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.curves.checks import check_counts
from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at
from cytally.dosimetry.curves.points import TRANSLOCATIONS
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.counting import count_up_to
from cytally.dosimetry.estimation.limits.partial_body import Estimate
from cytally.dosimetry.estimation.notes import UNBELIEVABLE, assay_notes
from cytally.dosimetry.phrases import Note
from cytally.dosimetry.possible import check_held
from cytally.errors import CountsError
from cytally.types import FloatArray

#: DNA of human chromosomes, Mbp (Morton 1991).
_MBP = "263 255 214 203 194 183 171 155 145 144 144 143 114 109 106 98 92 85 67 72 50 56 164 59"
_DNA = dict(zip([*map(str, range(1, 23)), "X", "Y"], map(int, _MBP.split()), strict=True))
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


@dataclass(frozen=True)
class Person:
    """Whose translocations are counted: years, sex (male, female, "" for unknown), smoker, origin.

    Region and ethnicity as in `expected_background`; "" where they are not known.
    """

    age: float
    sex: str = ""
    smoker: bool = False
    region: str = ""
    ethnicity: str = ""


@dataclass(frozen=True)
class Control:
    """Translocations in so many cells of a laboratory's own unexposed people, of the same age and with the same paint.

    Sex ("male", "female", "" for unknown) for the part of the genome that is painted.
    """

    count: int
    cells: int
    sex: str = ""

    def __post_init__(self) -> None:
        if self.count < 0 or self.cells < 1:
            raise CountsError(
                f"expected a control with translocations >= 0 and cells >= 1, got {self.count} and {self.cells}"
            )


@dataclass(frozen=True)
class Painted:
    """Translocations seen in so many cells, and the chromosomes of each colour, such as (("1", "4"), ("2",))."""

    count: int
    cells: int
    colours: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Translocated:
    """Dose from painted chromosomes.

    Attributes
    ----------
    factor : float
        Part of all exchanges that the paint shows, Fp / FG.
    equivalents : float
        Cells in which all exchanges would be seen.
    background : float
        Translocations expected without exposure.
    dose : Estimate
        Gy with 95 % limits (likelihood ratio). A background by age is taken as known; the
        uncertainty of one that a control measured is carried.
    notes : tuple of str
        A count below the background, and what the curve leaves in doubt.
    """

    factor: float
    equivalents: float
    background: float
    dose: Estimate
    notes: tuple[str, ...] = ()


def dna_fractions(sex: str = "") -> dict[str, float]:
    """Part of the genome of each pair of chromosomes; of both sexes' mean where unknown.

    Examples
    --------
    >>> round(dna_fractions("male")["1"], 6)
    0.082848
    """
    copies = {"male": (1.0, 1.0), "female": (2.0, 0.0), "": (1.5, 0.5)}
    if sex not in copies:
        raise CountsError(f"expected sex male, female or unknown, got {sex!r}")
    amount = {name: 2.0 * dna for name, dna in _DNA.items()}
    amount["X"], amount["Y"] = (n * _DNA[name] for n, name in zip(copies[sex], "XY", strict=True))
    total = sum(amount.values())
    return {name: part / total for name, part in amount.items()}


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


def expected_background(cells: int, factor: float, person: Person) -> float:
    """Translocations expected without exposure (Sigurdson 2008).

    Parameters
    ----------
    cells : int
    factor : float
        Fp / FG of the paint.
    person : Person

    Raises
    ------
    CountsError
        An age that nobody has, or a sex, region or ethnicity that the paper does not know.

    Notes
    -----
    Sigurdson 2008 (doi 10.1016/j.mrgentox.2008.01.005): the frequency at an age times the ratios of sex,
    smoking, region and ethnicity, each 1 where it is not known.

    Examples
    --------
    >>> round(expected_background(1000, 0.36, Person(25)), 3)
    1.221
    """
    sex, age = person.sex, person.age
    if sex not in _SEX or not 0 <= age <= _OLDEST:
        raise CountsError(
            f"expected an age of 0 to {_OLDEST:g} years and sex male, female or unknown, got {age} and {sex!r}"
        )
    for name, value, known in (("region", person.region, REGION), ("ethnicity", person.ethnicity, ETHNICITY)):
        if value not in known:
            raise CountsError(f"expected {name} one of {', '.join(filter(None, known))}, got {value!r}")
    a, b, c = _SIGURDSON
    per_genome = np.exp(a) + np.exp(b) * age * np.exp(c * age)
    ratios = _SEX[sex] * (_SMOKING if person.smoker else 1.0) * REGION[person.region] * ETHNICITY[person.ethnicity]
    return float(cells * factor * per_genome * ratios)


def translocations(painted: Painted, unexposed: Person | Control, curve: Curve) -> Translocated:
    """Dose from translocations seen with painted chromosomes (IAEA 2011, chapter 10).

    Parameters
    ----------
    painted : Painted
    unexposed : Person or Control
        For the background: by age, or of a laboratory's own control.
    curve : Curve
        Translocations per genome equivalent, *without* background: what age brings is taken
        off the count, so a background of the curve's own would be taken off twice.

    Raises
    ------
    CountsError
        Impossible counts or paint; a curve of something else; more than any dose explains.
    """
    check_counts(curve.aberration, TRANSLOCATIONS)
    count, cells = painted.count, painted.cells
    check_held(count, cells, TRANSLOCATIONS)
    factor = genome_factor(painted.colours, dna_fractions(unexposed.sex))
    per_genome, variance = _background(unexposed, factor)
    equivalents = cells * factor
    # as a curve whose constant is the background, the count stays a whole Poisson number
    coefficients, covariance = _with_background(curve, per_genome, variance)
    gray = dose_at(count / equivalents, coefficients)
    if gray > HIGHEST_GY:
        raise CountsError(
            f"{count} translocations in {cells} cells are more than the curve can explain up to {HIGHEST_GY:g} Gy; "
            "are the two interchanged?"
        )
    lower, upper = calibrative_density(count, equivalents, coefficients, covariance).likelihood_region()
    few = float(count_up_to(count, equivalents, np.array(per_genome), np.array(variance)))
    said = (str(Note("contradiction", few)),) if few < UNBELIEVABLE else ()
    return Translocated(
        factor,
        equivalents,
        per_genome * equivalents,
        Estimate(gray, float("nan"), lower, upper),
        said + assay_notes(gray, upper, curve, background=False),
    )


def _with_background(curve: Curve, per_genome: float, variance: float) -> tuple[FloatArray, FloatArray]:
    """Coefficients and covariance of a curve with another background, known independently of it."""
    covariance = curve.carried.covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance[0, 0] = variance
    return np.array([per_genome, *curve.coefficients[1:]]), covariance


def _background(unexposed: Person | Control, factor: float) -> tuple[float, float]:
    """Translocations per genome equivalent without exposure, and the variance of that number."""
    if isinstance(unexposed, Person):
        return expected_background(1, 1.0, unexposed), 0.0
    equivalents = unexposed.cells * factor
    seen = unexposed.count if unexposed.count else 0.5  # none seen is not none there
    return seen / equivalents, seen / equivalents**2
