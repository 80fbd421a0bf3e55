"""Rarer questions on the same curves: two doses in one body, mixed radiation, translocations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.assays.mixed_field import mixed_field, mixed_limits
from cytally.dosimetry.assays.translocations import expected_background, genome_factor
from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at
from cytally.dosimetry.estimation.given import ACUTE, ExposureConditions
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density, count_up_to
from cytally.dosimetry.estimation.limits.merkle import dose_error
from cytally.dosimetry.estimation.limits.partial_body import Estimate, exposed_fraction, mixed_poisson
from cytally.dosimetry.estimation.notes import UNBELIEVABLE, Note, assay_notes
from cytally.errors import CountsError
from cytally.types import IntArray

#: DNA of human chromosomes, Mbp (Morton 1991).
_DNA = dict(
    zip(
        [*map(str, range(1, 23)), "X", "Y"],
        (
            263,
            255,
            214,
            203,
            194,
            183,
            171,
            155,
            145,
            144,
            144,
            143,
            114,
            109,
            106,
            98,
            92,
            85,
            67,
            72,
            50,
            56,
            164,
            59,
        ),
        strict=True,
    )
)


#: Chromosomes of a cell; no count per cell is higher.
_CHROMOSOMES = 46


@dataclass(frozen=True)
class Heterogeneous:
    """Two doses in one body.

    Attributes
    ----------
    high, low : Estimate
        Doses in Gy with 95 % limits.
    share : Estimate
        Part of the scored cells with the higher dose.
    body : float
        Part of the body with the higher dose, its loss of cells taken into account.
    needed : bool
        Whether two doses describe the counts better than one (BIC).
    notes : tuple of str
        What the curve leaves in doubt.
    """

    high: Estimate
    low: Estimate
    share: Estimate
    body: float
    needed: bool
    notes: tuple[str, ...] = ()


def heterogeneous(distribution: IntArray, curve: Curve, exposed: ExposureConditions = ACUTE) -> Heterogeneous:
    """Two doses by a mixture of two Poisson distributions (Pujol 2016).

    Parameters
    ----------
    distribution : ndarray of int
        Cells with 0, 1, 2, ... dicentrics.
    curve : Curve
    exposed : Exposed

    Raises
    ------
    CountsError
        All cells alike.
    """
    found = mixed_poisson(distribution)
    if found is None:
        raise CountsError(
            "expected cells with different numbers of dicentrics, got one kind only; one dose is all that "
            "such counts can give"
        )
    high, low = (_dose_of(part, curve, exposed) for part in (found.high, found.low))
    body = exposed_fraction(found.share.value, high.value, low.value, exposed.d0_gy)
    said = assay_notes(high.value, high.upper, curve)
    return Heterogeneous(high, low, found.share, body, found.needed, said)


def _dose_of(per_cell: Estimate, curve: Curve, exposed: ExposureConditions) -> Estimate:
    """A yield with its error -> a dose with its own (delta method with the curve's error)."""
    coefficients = curve.protracted(exposed.protraction)
    gray = dose_at(per_cell.value, coefficients)
    variance = per_cell.error**2 if np.isfinite(per_cell.error) else 0.0
    covariance = curve.carried.protracted(exposed.protraction).covariance
    error = dose_error(gray, variance, coefficients, covariance) if gray > 0 else float("nan")
    return Estimate.normal(gray, error, 0.95)


def _check(count: int, cells: int, what: str) -> None:
    if cells <= 0 or count < 0 or count > _CHROMOSOMES * cells:
        raise CountsError(
            f"expected cells > 0 and 0 to {_CHROMOSOMES} {what} per cell, got {count} in {cells} cells; "
            "were the two mixed up?"
        )


@dataclass(frozen=True)
class MixedField:
    """Neutron and gamma dose, Gy: estimate and 95 % limits that carry the count's error and both curves'.

    Attributes
    ----------
    neutron, gamma : (float, float, float)
        Estimate, lower and upper limit.
    exact : tuple of str
        Which of the curves state no error, so that none is carried.
    notes : tuple of str
        What the curves leave in doubt.
    """

    neutron: tuple[float, float, float]
    gamma: tuple[float, float, float]
    exact: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def criticality(
    dicentrics: int,
    cells: int,
    neutron: Curve,
    gamma: Curve,
    gamma_over_neutron: float,
    backgrounds: str = "both",
) -> MixedField:
    """Doses of neutrons and gamma rays of a known ratio (IAEA 2011, 9.7.5.2).

    Parameters
    ----------
    dicentrics, cells : int
    neutron, gamma : Curve
    gamma_over_neutron : float
        Ratio of the doses, from physics.
    backgrounds : {"both", "mean"}
        As in `mixed_field`.
    """
    _check(dicentrics, cells, "dicentrics")
    estimate, _ = mixed_field(
        dicentrics / cells,
        neutron.coefficients,
        gamma.coefficients,
        gamma_over_neutron,
        backgrounds=backgrounds,
    )
    lower, upper = mixed_limits(
        dicentrics,
        cells,
        (neutron.carried.coefficients, neutron.carried.covariance),
        (gamma.carried.coefficients, gamma.carried.covariance),
        gamma_over_neutron,
        backgrounds=backgrounds,
    )
    both = (("neutron", neutron), ("gamma", gamma))
    ratio = gamma_over_neutron
    said = [
        f"{name}: {note}"
        for (name, curve), times in zip(both, (1.0, ratio), strict=True)
        for note in assay_notes(times * estimate, times * upper, curve)
    ]
    return MixedField(
        (estimate, lower, upper),
        (ratio * estimate, ratio * lower, ratio * upper),
        tuple(name for name, curve in both if not curve.covariance.any()),
        tuple(said),
    )


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


def translocations(
    count: int,
    cells: int,
    colours: Sequence[Sequence[str]],
    person: Person | None,
    curve: Curve,
    *,
    control: tuple[int, int] | None = None,
    sex: str = "",
) -> Translocated:
    """Dose from translocations seen with painted chromosomes (IAEA 2011, chapter 10).

    Parameters
    ----------
    count, cells : int
    colours : sequence of sequences of str
        Chromosomes of each colour, such as [["1", "4"], ["2"]].
    person : Person or None
        For the background that age brings; None with a control.
    curve : Curve
        Translocations per genome equivalent, *without* background: what age brings is taken
        off the count, so a background of the curve's own would be taken off twice.
    control : (int, int), optional
        Translocations and cells of a laboratory's own unexposed people, of the same age and with the
        same paint, in place of what age brings.
    sex : {"", "male", "female"}
        With a control, for the part of the genome that is painted.

    Raises
    ------
    CountsError
        Impossible counts or paint; both a person and a control, or neither; a curve fitted to counts of
        something else; more than any dose explains.
    """
    unsaid = DICENTRICS if not curve.points else ""  # nobody is asked what a published curve counts
    if curve.aberration not in ("translocations", unsaid):
        raise CountsError(
            f"expected a curve of translocations, got one of {curve.aberration}; calibrate it with --aberration translocations"
        )
    _check(count, cells, "translocations")
    if (person is None) == (control is None):
        raise CountsError("expected a person's age or a control, one of the two; give --age or --control")
    factor = genome_factor(colours, dna_fractions(person.sex if person is not None else sex))
    per_genome, variance = _background(person, control, factor)
    equivalents = cells * factor
    # as a curve whose constant is the background, the count stays a whole Poisson number
    coefficients = np.array([per_genome, *curve.coefficients[1:]])
    covariance = curve.carried.covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance[0, 0] = variance
    gray = dose_at(count / equivalents, coefficients)
    if gray > HIGHEST_GY:
        raise CountsError(
            f"{count} translocations in {cells} cells are more than the curve can explain up to {HIGHEST_GY:g} Gy; "
            "are the two interchanged?"
        )
    lower, upper = calibrative_density(count, equivalents, coefficients, covariance).likelihood_region()
    few = float(count_up_to(count, equivalents, np.array(per_genome), np.array(variance)))
    said: tuple[str, ...] = (str(Note("contradiction", few)),) if few < UNBELIEVABLE else ()
    return Translocated(
        factor,
        equivalents,
        per_genome * equivalents,
        Estimate(gray, float("nan"), lower, upper),
        said + assay_notes(gray, upper, curve, background=False),
    )


def _background(person: Person | None, control: tuple[int, int] | None, factor: float) -> tuple[float, float]:
    """Translocations per genome equivalent without exposure, and the variance of that number."""
    if control is None:
        assert person is not None
        by_age = expected_background(
            1,
            1.0,
            person.age,
            sex=person.sex,
            smoker=person.smoker,
            region=person.region,
            ethnicity=person.ethnicity,
        )
        return by_age, 0.0
    known, among = control
    if known < 0 or among < 1:
        raise CountsError(f"expected a control with translocations >= 0 and cells >= 1, got {known} and {among}")
    equivalents = among * factor
    seen = known if known else 0.5  # none seen is not none there
    return seen / equivalents, seen / equivalents**2
