"""What the limits of a dose carry and what they do not: the same sentences on every page."""

from __future__ import annotations

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.estimation.dose import ACUTE, METHODS, PLAIN, Dose, DoseSettings, ExposureConditions
from cytally.dosimetry.phrases import Words


def read_as(words: Words, dose: Dose, curve: Curve, exposed: ExposureConditions = ACUTE) -> str:
    """The count, the curve and the kind of exposure that a dose was read for, as a sentence."""
    whose = words("of_laboratory", curve.laboratory) if curve.laboratory else ""
    whose += words("of_radiation", curve.radiation) if curve.radiation else ""
    counts = words.counted(dose.dicentrics, "dicentric"), words.counted(dose.cells, "cell")
    if dose.protraction == 1:
        return words("read_acute", *counts, whose)
    hours, factor = f"{exposed.hours:g}", f"{dose.protraction:.3g}"
    return words("read_protracted", *counts, whose, words.local(hours), words.local(factor))


def method_words(words: Words, dose: Dose) -> str:
    """By what the limits were computed."""
    keys = {name: key for key, name in METHODS.items()}
    return words(keys.get(dose.method, "errors"))


def carried(
    words: Words, dose: Dose, curve: Curve, settings: DoseSettings = PLAIN, *, detector: str = ""
) -> tuple[str, str]:
    """What the limits carry, and what they do not: two sentences.

    Parameters
    ----------
    words : Words
    dose : Dose
    curve : Curve
    settings : DoseSettings
        What the dose was computed with.
    detector : str
        Identity of what counted; "" for manual scoring.
    """
    errors = settings.detector_errors
    known = bool(curve.covariance.any())
    noted = {note.key for note in dose.notes}
    has = {
        "part_count": True,
        "part_curve": known,
        "part_overdispersion": dose.dispersion is not None and dose.dispersion.overdispersed,
        "part_members": "members" in noted,
        "part_errors": errors is not None,
    }
    lacks = {
        "lack_curve": not known,
        "lack_absorbed": errors is None and bool(detector) and detector == curve.detector,
        "lack_detector": errors is None and detector != curve.detector,
        "lack_people": True,
        "lack_exposure": True,
    }
    sentences = [
        words(whole, words.listed([words(part) for part, true in parts.items() if true], last))
        for whole, parts, last in (("limits_carry", has, "and"), ("limits_lack", lacks, "or"))
    ]
    return sentences[0], sentences[1]
