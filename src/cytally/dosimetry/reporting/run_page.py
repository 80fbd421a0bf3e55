"""A run (and a curve) -> report.html: one page, complete in itself, to hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.curves.fit import yield_at, yield_error
from cytally.dosimetry.estimation.dose import PLAIN, Dose, DoseSettings
from cytally.dosimetry.laboratory.series import FinishedRun
from cytally.dosimetry.phrases import Words
from cytally.dosimetry.reporting.carried import carried, method_words, read_as
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.entropy_maps import FOLDER, read_entropy
from cytally.dosimetry.scoring.run import RunSettings
from cytally.errors import ImageError
from cytally.figures.curves import LABELS, CurveBand, Marked, dose_figure
from cytally.figures.overlays import crop_around, shrunk
from cytally.figures.pages import embedded, render
from cytally.figures.style import as_svg
from cytally.files.atomic import write_text
from cytally.files.names import shown
from cytally.files.runs import read_record
from cytally.images.find import left_out
from cytally.images.read import read
from cytally.images.write import encode
from cytally.statistics.poisson import Dispersion, dispersion, garwood
from cytally.types import FloatArray, Image, Skipped

REPORT = "report.html"
#: Detections in the gallery; the least agreed come first, as they are worth a look.
GALLERY = 96
_CROP = 110
_SHOWN = 160
#: Cells shown with what the members do not know, and how wide.
UNSURE, _WIDE = 6, 460
#: Of a complete human cell.
CHROMOSOMES = 46


@dataclass(frozen=True)
class Finding:
    """One picture of the gallery."""

    name: str
    caption: str
    source: str


def write_report(
    run: FinishedRun,
    paths: dict[str, Path],
    *,
    curve: Curve | None = None,
    dose: Dose | None = None,
    settings: DoseSettings = PLAIN,
) -> Path:
    """Write report.html into a run folder.

    Parameters
    ----------
    run : FinishedRun
    paths : dict of str to Path
        Where each image lies; those that are gone are left out of the gallery.
    curve, dose : optional
        With them the page opens with the dose.
    settings : DoseSettings
        What the dose was computed with.
    """
    page = render(
        "cytally.dosimetry",
        "report.html",
        run=read_record(run.folder),
        settings=run.settings,
        dose=dose,
        curve=curve,
        plot=as_svg(curve_figure(curve, dose, settings=settings)) if curve is not None else "",
        sentences=_sentences(run.counts.detector, curve, dose, settings),
        gallery=gallery(run.cells, paths),
        unsure=unsure(run),
        hashes=[(cell.image, cell.sha256) for cell in run.cells],
        noted=[cell for cell in run.cells if cell.notes],
        left_out=_left_out(run.settings),
        **_counted(run),
    )
    path = run.folder / REPORT
    write_text(path, page)
    return path


def _sentences(detector: str, curve: Curve | None, dose: Dose | None, settings: DoseSettings) -> tuple[str, ...]:
    """What the dose was read for, and what its limits carry and do not; none without a dose."""
    if dose is None or curve is None:
        return ()
    words = Words("en")
    return (
        read_as(words, dose, curve, settings.exposure),
        *carried(words, dose, curve, settings, detector=detector),
        f"{words('limits_by')} {method_words(words, dose)}",
    )


def _counted(run: FinishedRun) -> dict[str, object]:
    """Counts, their distribution and their yields per cell and per 46 objects, as the page names them."""
    counts, objects = run.counts, sum(cell.objects for cell in run.cells if cell.scored)
    distribution = counts.distribution("dicentric")
    spread = dispersion(distribution)
    return {
        "counts": counts,
        "spread": spread,
        "distribution": distribution.tolist(),
        "dispersion_words": words_for(spread),
        "objects": objects,
        "limits": {name: _limits(counts.total(name), counts.cells) for name in counts.per_cell},
        "per_genome": {name: _limits(counts.total(name), objects / CHROMOSOMES) for name in counts.per_cell},
    }


def _left_out(settings: RunSettings) -> tuple[Skipped, ...]:
    """What lies among the inputs and was not looked at; nothing where they have moved."""
    try:
        return tuple(Skipped(shown(one.image), one.reason) for one in left_out(settings.inputs))
    except ImageError:
        return ()


def words_for(spread: Dispersion) -> str:
    """What the dispersion of automatic counts over cells says, in English."""
    words = Words("en")
    if not np.isfinite(spread.u):
        return words("too_few")
    if spread.overdispersed:
        return f"{words('over')} {words('over_automatic')}"
    return words("under" if spread.underdispersed else "poisson")


def _limits(total: int, among: float) -> tuple[float, float, float]:
    """Yield per cell, or per so many chromosomes, with exact 95 % limits."""
    limits, share = garwood(total), max(among, 1e-9)
    return total / share, limits.lower / share, limits.upper / share


def curve_figure(
    curve: Curve,
    dose: Dose | None,
    labels: Mapping[str, str] = LABELS,
    *,
    settings: DoseSettings = PLAIN,
) -> Figure:
    """The curve with its data and, where there is one, the dose read from it.

    A dose of a protracted exposure is read from a protracted curve, so that curve and its band are drawn, and the acute
    one thin beside it. Where a detector's errors are carried, the sample stands where its count, corrected
    for them, lies: on the curve.
    """
    far = curve.highest_dose * 1.03 if np.isfinite(curve.highest_dose) else 5.0
    if dose is not None and np.isfinite(dose.upper):
        far = max(far, dose.upper * 1.1)
    elif dose is not None and np.isfinite(dose.estimate):
        far = max(far, dose.estimate * 1.1)
    factor = dose.protraction if dose is not None else 1.0
    doses = np.linspace(0, far, 200)
    band = CurveBand(
        doses,
        yield_at(doses, curve.coefficients, factor),
        yield_error(doses, curve.covariance, factor),
        _points_drawn(curve),
        curve.yield_at(doses) if factor < 1 else None,
    )
    labels = dict(labels)
    if factor < 1:
        numbers = (f"{settings.exposure.hours:g}", f"{factor:.3g}")
        labels["curve_line"] = labels["protracted"].format(*(n.replace(".", labels["decimal"]) for n in numbers))
    corrected = settings.detector_errors is not None
    if corrected:
        labels["this_sample"] = labels["corrected"]
    return dose_figure(band, _marked(curve, dose, factor, corrected=corrected), labels)


def _points_drawn(curve: Curve) -> FloatArray:
    """Dose, yield and its exact 95 % limits of every calibration sample, shape (n, 4)."""
    rows = []
    for point in curve.points:
        limits = garwood(point.dicentrics)
        per_cell = [n / point.cells for n in (point.dicentrics, limits.lower, limits.upper)]
        rows.append([point.dose_gy, *per_cell])
    return np.array(rows, dtype=float).reshape(-1, 4)


def _marked(curve: Curve, dose: Dose | None, factor: float, *, corrected: bool) -> Marked | None:
    """Where the sample stands: its yield, or what that is once corrected for a detector's errors."""
    if dose is None or not np.isfinite(dose.estimate):
        return None
    limits = garwood(dose.dicentrics, 0.83)
    counted: FloatArray = np.array([dose.dicentrics, limits.lower, limits.upper]) / dose.cells
    if corrected:
        ends = np.array([dose.estimate, dose.lower, dose.upper])
        inside = np.where(np.isfinite(ends), ends, dose.estimate)
        counted = yield_at(inside, curve.coefficients, factor)
    value, low, high = map(float, counted)
    if dose.estimate > 0:  # a posterior's mode lies a little beside the dose at the measured yield
        value = float(yield_at(np.array(dose.estimate), curve.coefficients, factor))
    return Marked(value, (low, high), dose.estimate, (dose.lower, dose.upper))


def gallery(cells: Sequence[ScoredCell], paths: dict[str, Path]) -> list[Finding]:
    """Crops of detections, dicentrics first, the most doubtful first."""
    places = [(cell, k) for cell in cells for k in range(len(cell.detections))]
    places.sort(key=_doubtful)
    loaded: dict[str, Image | None] = {}
    pictures = []
    for cell, k in places[:GALLERY]:
        image = _load(cell.image, paths, loaded)
        if image is None:
            continue
        found = cell.detections
        side = int(np.clip(_CROP / cell.scale, 60, 600))
        crop = crop_around(image, float(found.row[k]), float(found.col[k]), side)
        small = shrunk(crop, _SHOWN)
        source = embedded(encode(small[..., ::-1], ".jpg"), "image/jpeg")
        read = f", probability {found.probability[k]:.2f}" if np.isfinite(found.probability[k]) else ""
        caption = f"{found.votes[k]} of {found.members} votes{read}, {cell.image}"
        pictures.append(Finding(found.names[k], caption, source))
    return pictures


def unsure(run: FinishedRun) -> list[Finding]:
    """The cells of which the members know least, where `score --entropy` has drawn them."""
    shown = []
    for one in read_entropy(run.folder, run.cells)[:UNSURE]:
        bits = ", ".join(f"{value:.0f} {name}" for name, value in zip(run.settings.classes, one.bits, strict=False))
        picture = cv2.imread(str(run.folder / FOLDER / one.picture))
        if picture is not None:
            small = cv2.resize(picture, None, fx=(k := _WIDE / picture.shape[1]), fy=k, interpolation=cv2.INTER_AREA)
            shown.append(Finding("entropy", f"{one.image}: {bits} bits", embedded(encode(small, ".jpg"), "image/jpeg")))
    return shown


def _doubtful(place: tuple[ScoredCell, int]) -> tuple[bool, float, str]:
    """Dicentrics first; then what verifiers, or where there are none members, are least sure of."""
    cell, k = place
    found = cell.detections
    sure = found.probability[k] if np.isfinite(found.probability[k]) else found.votes[k]
    return found.names[k] != "dicentric", float(sure), cell.image


def _load(name: str, paths: dict[str, Path], loaded: dict[str, Image | None]) -> Image | None:
    if name not in loaded:
        loaded.clear()  # one image at a time: memory stays flat
        try:
            loaded[name] = read(paths[name])
        except (ImageError, KeyError):
            loaded[name] = None
    return loaded[name]
