"""Facts, counts, curve and dose -> sections of text and tables, in one language."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cytally.dosimetry.calibrate import DICENTRICS, Curve
from cytally.dosimetry.certificate.facts import Facts
from cytally.dosimetry.certificate.words import Words
from cytally.dosimetry.dose import ACUTE, METHODS, P_VALUES, Dose, Exposed
from cytally.errors import CountsError
from cytally.statistics.poisson import garwood
from cytally.types import IntArray


@dataclass(frozen=True)
class Case:
    """All that a report on one sample is made of.

    Attributes
    ----------
    facts : Facts
    dose : Dose
    curve : Curve
    distribution : ndarray of int or None
        Cells with 0, 1, 2, ... dicentrics, where known.
    exposed : Exposed
    ensemble, detector : str
        What counted; "" for people.
    errors : bool
        Whether the limits carry the detector's own errors.
    skipped : int
        Images that could not be scored.
    """

    facts: Facts
    dose: Dose
    curve: Curve
    distribution: IntArray | None = None
    exposed: Exposed = ACUTE
    ensemble: str = ""
    detector: str = ""
    errors: bool = False
    skipped: int = 0


@dataclass(frozen=True)
class Section:
    """One heading and what stands below it.

    Attributes
    ----------
    title : str
    rows : tuple of (str, str)
        What, and its value; "" is a gap to be filled in by hand.
    table : tuple of tuple of str
        First column are headings.
    text : tuple of str
        Paragraphs.
    figure : bool
        Whether the curve with the dose belongs here.
    """

    title: str
    rows: tuple[tuple[str, str], ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    text: tuple[str, ...] = ()
    figure: bool = field(default=False)


def sections(case: Case, words: Words) -> list[Section]:
    """The report, heading by heading (topics of ISO 19238).

    Raises
    ------
    CountsError
        A curve of other aberrations than dicentrics.
    """
    if case.curve.aberration != DICENTRICS:
        raise CountsError(
            f"the report is one on dicentrics, the curve is for {case.curve.aberration}; "
            "use `dose` for these, or a curve of dicentrics"
        )
    return [
        _facts(case, words, "identity", ("laboratory", "accreditation", "requested_by", "sample", "drawn", "received", "reported")),
        _history(case, words), _method(case, words), _counts(case, words), _curve(case, words),
        _dose(case, words), _partial(case, words), _meaning(case, words), _signatures(case, words),
    ]  # fmt: skip


def _facts(case: Case, words: Words, title: str, names: tuple[str, ...]) -> Section:
    return Section(words(title), tuple((words(name), getattr(case.facts, name)) for name in names))


def _history(case: Case, words: Words) -> Section:
    known = _facts(case, words, "history", ("exposed", "radiation", "circumstances"))
    exposed, number = case.exposed, words.number
    lasted = words("acute")
    if exposed.hours > 0:
        lasted = words(
            "hours", number(exposed.hours, 1), number(exposed.protraction, 3), number(exposed.repair_hours, 1)
        )
    return Section(
        known.title, (*known.rows, (words("duration"), lasted), (words("earlier"), case.facts.history))
    )


def _method(case: Case, words: Words) -> Section:
    known = _facts(case, words, "method", ("tube", "culture", "stain", "selection"))
    by = words("automatic", case.ensemble, case.detector) if case.detector else words("by_eye")
    scored = "; ".join(filter(None, (by, case.facts.scored_by)))
    return Section(known.title, (*known.rows, (words("scored_by"), scored)))


def _counts(case: Case, words: Words) -> Section:
    dose, number = case.dose, words.number
    limits = garwood(dose.dicentrics)
    per_cell = [number(value / dose.cells, 4) for value in (dose.dicentrics, limits.lower, limits.upper)]
    rows = [
        (words("cells"), str(dose.cells)), (words("dicentrics"), str(dose.dicentrics)),
        (words("yield"), words("limits", *per_cell)),
    ]  # fmt: skip
    if case.detector:
        rows.append((words("skipped"), str(case.skipped)))
    spread, said = dose.dispersion, "totals_only"
    if spread is not None:
        rows.append((words("dispersion"), words("index_and_u", number(spread.index), number(spread.u))))
        said = "too_few" if not np.isfinite(spread.u) else "poisson"
        said = "over" if spread.overdispersed else "under" if spread.underdispersed else said
    table: tuple[tuple[str, ...], ...] = ()
    if case.distribution is not None:
        counts = np.trim_zeros(np.asarray(case.distribution), "b")
        table = (
            (words("distribution"), *map(str, range(len(counts)))),
            (words("of_cells"), *map(str, counts.tolist())),
        )
    return Section(words("counts"), tuple(rows), table, (words(said),))


def _curve(case: Case, words: Words) -> Section:
    curve, number = case.curve, words.number
    errors = np.sqrt(np.diag(curve.covariance))
    coefficients = [
        (name, words("coefficient", number(value, 5), number(error, 5)))
        for name, value, error in zip(("C", "alpha", "beta"), curve.coefficients, errors, strict=True)
    ]
    unknown = words("unknown")
    far = words("up_to", number(curve.highest_dose, 1)) if np.isfinite(curve.highest_dose) else unknown
    fit = unknown
    if curve.fit is not None:
        fit = words("chi2", number(curve.fit.chi2), curve.fit.degrees, number(curve.fit.p_value, 3))
    about = [
        (words(name), value)
        for name, value in curve.about.model_dump().items()
        if value and name != "remarks"
    ]
    form = words(
        "fitted",
        words("line" if curve.model == "linear" else "formula"),
        f"{words(curve.model)}, {words(curve.family)}",
    )
    return Section(words("curve"), (
        (words("curve_of"), curve.laboratory or unknown), (words("curve_radiation"), curve.radiation or unknown),
        (words("curve_detector"), curve.detector or words("by_eye")), (words("form"), form), *coefficients,
        (words("range"), far), (words("fit"), fit), *about,
    ))  # fmt: skip


def _dose(case: Case, words: Words) -> Section:
    dose, number = case.dose, words.number
    rows = [
        (words("estimate"), f"{number(dose.estimate)} Gy"),
        (words("dose_limits"), _between(dose.lower, dose.upper, words)),
    ]
    keys = {name: key for key, name in METHODS.items()}
    notes = []
    for note in dose.notes:
        key = "delta few" if note.key == "delta" else note.key
        value = (
            f"{note.value:.2g}" if note.key in P_VALUES else f"{note.value:.{1 if 'beyond' in key else 2}f}"
        )
        notes.append(words("note", words(key, value.replace(".", words("decimal")))))
    rows.append((words("limits_by"), words(keys.get(dose.method, "errors"))))
    if dose.merkle is not None:
        rows.append((words("merkle_limits"), _between(*dose.merkle, words)))
    return Section(words("dose"), tuple(rows), text=tuple(notes), figure=True)


def _between(lower: float, upper: float, words: Words) -> str:
    if not np.isfinite(upper):
        return words("open", words.number(lower))
    return words("between", words.number(lower), words.number(upper))


def _partial(case: Case, words: Words) -> Section:
    dose, number, title = case.dose, words.number, words("partial")
    if dose.partial is None:
        over = dose.dispersion is not None and dose.dispersion.overdispersed
        return Section(title, text=(words("not_estimable" if over else "not_indicated"),))
    parts = [
        [number(100 * v, 0) for v in (part.value, part.lower, part.upper)]
        for part in (dose.partial.body, dose.partial.cells)
    ]
    gray = dose.partial.dose
    shown = words("partial_limits", number(gray.value), number(gray.lower), number(gray.upper))
    return Section(title, (
        (words("partial_dose"), shown), (words("body"), words("percent", *parts[0])),
        (words("cells_part"), words("percent", *parts[1])),
    ))  # fmt: skip


def _meaning(case: Case, words: Words) -> Section:
    who = "meaning_other"
    if case.detector == case.curve.detector:
        who = "meaning_same" if case.detector else "meaning_eye"
    if case.errors:
        who = "meaning_errors"
    remarks = (f"{words('remarks')}: {case.facts.remarks}",) if case.facts.remarks else ()
    return Section(words("meaning"), text=(words("meaning_1"), words("meaning_2"), words(who), *remarks))


def _signatures(case: Case, words: Words) -> Section:
    lines = tuple((words("sign", words(who)), "") for who in ("counted", "checked", "responsible"))
    return Section(words("signatures"), lines)
