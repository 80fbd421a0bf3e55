"""Facts, counts, curve and dose -> sections of text and tables, in one language."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.estimation.dose import PLAIN, Dose, DoseSettings
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.partial_body import PartialBody
from cytally.dosimetry.phrases import Words
from cytally.dosimetry.reporting.carried import carried, method_words
from cytally.dosimetry.reporting.radiation import quality_note
from cytally.dosimetry.reporting.run_page import curve_figure
from cytally.dosimetry.reporting.sample_info import Facts
from cytally.errors import CountsError
from cytally.figures.curves import LABELS
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
    settings : DoseSettings
        What the dose was computed with.
    ensemble, detector : str
        What counted; "" for manual scoring.
    skipped : int
        Images that could not be scored.
    """

    facts: Facts
    dose: Dose
    curve: Curve
    distribution: IntArray | None = None
    settings: DoseSettings = PLAIN
    ensemble: str = ""
    detector: str = ""
    skipped: int = 0

    @property
    def errors(self) -> DetectorErrors | None:
        """Recall and false detections of what counted, where the limits carry them."""
        return self.settings.detector_errors


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
        _facts(
            case,
            words,
            "identity",
            ("laboratory", "accreditation", "requested_by", "sample", "drawn", "received", "reported"),
        ),
        _history(case, words),
        _method(case, words),
        _counts(case, words),
        _curve(case, words),
        _dose(case, words),
        _partial(case, words),
        _meaning(case, words),
        _signatures(case, words),
    ]


def figure_of(case: Case, words: Words) -> Figure:
    """Curve, band, calibration samples and the dose, labelled in the report's language."""
    labels = {key: words.template(key) for key in LABELS}
    return curve_figure(case.curve, case.dose, labels, settings=case.settings)


def _facts(case: Case, words: Words, title: str, names: tuple[str, ...]) -> Section:
    return Section(words(title), tuple((words(name), getattr(case.facts, name)) for name in names))


def _history(case: Case, words: Words) -> Section:
    known = _facts(case, words, "history", ("exposed", "radiation", "circumstances"))
    exposed = case.settings.exposure
    lasted = words("acute")
    if exposed.hours > 0:
        numbers = (f"{exposed.hours:g}", f"{exposed.protraction:.3g}", f"{exposed.repair_hours:g}")
        lasted = words("hours", *map(words.local, numbers))
    return Section(known.title, (*known.rows, (words("duration"), lasted), (words("earlier"), case.facts.history)))


def _method(case: Case, words: Words) -> Section:
    known = _facts(case, words, "method", ("tube", "culture", "stain", "selection"))
    by = words("by_eye") if case.errors is None else words("automatic_unnamed")
    if case.detector:
        by = words("automatic", case.ensemble, case.detector)
    rows = [*known.rows, (words("scored_by"), "; ".join(filter(None, (by, case.facts.scored_by))))]
    if case.errors is not None:
        rows.append((words("validation"), _validated(case.errors, words)))
    return Section(known.title, tuple(rows))


def _validated(errors: DetectorErrors, words: Words) -> str:
    """Recall and false detections per cell as the validation set shows them."""
    true = errors.found + errors.missed
    said = words(
        "validated",
        words.number(errors.found / true, 3),
        errors.found,
        true,
        words.number(errors.false / errors.cells, 4),
        errors.false,
        errors.cells,
    )
    return said + (words("validated_beside", errors.beside, errors.exposed) if errors.exposed else "")


def _counts(case: Case, words: Words) -> Section:
    dose, number = case.dose, words.number
    limits = garwood(dose.dicentrics)
    per_cell = [number(value / dose.cells, 4) for value in (dose.dicentrics, limits.lower, limits.upper)]
    rows = [
        (words("cells"), str(dose.cells)),
        (words("dicentrics"), str(dose.dicentrics)),
        (words("yield"), words("limits", *per_cell)),
    ]
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


def _coefficients(curve: Curve, words: Words) -> list[tuple[str, str]]:
    """Each with its standard error, those at their bound named; then the covariances."""
    number, names = words.number, ("C", "alpha", "beta")
    bound = curve.fit.at_bound if curve.fit is not None else ()
    rows = [
        (name, words("at_bound" if name in bound else "coefficient", number(value, 5), number(error, 5)))
        for name, value, error in zip(names, curve.coefficients, np.sqrt(np.diag(curve.covariance)), strict=True)
    ]
    off = [float(curve.covariance[i, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    stated = any(off) or curve.fit is not None
    between = "; ".join(words.local(f"{value:.3g}") for value in off) if stated else words("no_covariances")
    return [*rows, (words("covariances"), between)]


def _curve(case: Case, words: Words) -> Section:
    curve, number = case.curve, words.number
    unknown = words("unknown")
    far = words("up_to", number(curve.highest_dose, 1)) if np.isfinite(curve.highest_dose) else unknown
    fit = unknown
    if curve.fit is not None:
        p = curve.fit.p_value
        said = f"= {number(p, 3)}" if p >= 0.0005 else f"< {number(0.001, 3)}"
        fit = words("chi2", number(curve.fit.chi2), curve.fit.degrees, said if curve.fit.degrees else "-")
    about = [(words(name), value) for name, value in curve.about.model_dump().items() if value and name != "remarks"]
    form = words(
        "fitted",
        words("line" if curve.model == "linear" else "formula"),
        f"{words(curve.model)}, {words(curve.family)}",
    )
    return Section(
        words("curve"),
        (
            (words("curve_of"), curve.laboratory or unknown),
            (words("curve_radiation"), curve.radiation or unknown),
            (words("curve_detector"), curve.detector or words("by_eye")),
            (words("form"), form),
            *_coefficients(curve, words),
            (words("range"), far),
            (words("fit"), fit),
            *about,
        ),
    )


def _dose(case: Case, words: Words) -> Section:
    dose, number = case.dose, words.number
    rows = [
        (words("estimate"), f"{number(dose.estimate)} Gy"),
        (words("dose_limits"), _between(dose.lower, dose.upper, words)),
    ]
    said = [
        *map(words.note, dose.notes),
        quality_note(words, case.facts.radiation, case.curve.radiation),
    ]
    notes = [words("note", sentence) for sentence in said if sentence]
    rows.append((words("limits_by"), method_words(words, dose)))
    if dose.merkle is not None:
        rows.append((words("merkle_limits"), _between(*dose.merkle, words)))
    return Section(words("dose"), tuple(rows), text=tuple(notes), figure=True)


def _between(lower: float, upper: float, words: Words) -> str:
    if not np.isfinite(upper):
        return words("open", words.number(lower))
    return words("between", words.number(lower), words.number(upper))


def _partial(case: Case, words: Words) -> Section:
    dose = case.dose
    rows = [
        row
        for key, part in (("partial_dose", dose.partial), ("profile_dose", dose.contaminated))
        if part is not None
        for row in _partial_rows(key, part, words)
    ]
    if not rows:
        return Section(words("partial"), text=(words(_without_partial(case)),))
    rows.append((words("d0"), words("gray", words.local(f"{case.settings.exposure.d0_gy:g}"))))
    whole = dose.contaminated is not None and dose.contaminated.body.upper >= 1
    return Section(words("partial"), tuple(rows), text=(words("whole_possible"),) if whole else ())


def _partial_rows(key: str, part: PartialBody, words: Words) -> list[tuple[str, str]]:
    """Dose to the exposed part, its share of the body and of the scored cells."""
    shares = [
        words("percent", *(words.number(100 * value, 0) for value in (one.value, one.lower, one.upper)))
        for one in (part.body, part.cells)
    ]
    gray = f"{words.number(part.dose.value)} Gy ({_between(part.dose.lower, part.dose.upper, words)})"
    return [(words(key), gray), (words("body"), shares[0]), (words("cells_part"), shares[1])]


def _without_partial(case: Case) -> str:
    """Key of the reason why there is no partial-body dose; only what was tried may have failed."""
    spread = case.dose.dispersion
    if case.dose.tried_partial and spread is not None:
        return "profile_none"
    if spread is None:
        return "partial_totals"
    if not np.isfinite(spread.u):
        return "partial_few"
    if not spread.overdispersed:
        return "not_indicated"
    return "not_estimable" if case.errors is None else "partial_errors"


def _meaning(case: Case, words: Words) -> Section:
    who = "meaning_other"
    if case.errors is not None:
        who = "meaning_errors"
    elif case.detector == case.curve.detector:
        who = "meaning_same" if case.detector else "meaning_eye"
    limits = carried(words, case.dose, case.curve, case.settings, detector=case.detector)
    remarks = (f"{words('remarks')}: {case.facts.remarks}",) if case.facts.remarks else ()
    return Section(words("meaning"), text=(words("meaning_1"), " ".join(limits), words(who), *remarks))


def _signatures(case: Case, words: Words) -> Section:
    lines = tuple((words("sign", words(who)), "") for who in ("counted", "checked", "responsible"))
    return Section(words("signatures"), lines)
