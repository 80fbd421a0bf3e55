"""A run (and a curve) -> report.html: one page, complete in itself, to hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.cells import ScoredCell
from cytally.dosimetry.dose import Dose
from cytally.dosimetry.run import RunSettings
from cytally.errors import ImageError
from cytally.figures.curves import LABELS, CurveBand, Marked, as_svg, dose_figure
from cytally.figures.overlays import crop_around, shrunk
from cytally.figures.pages import embedded, render
from cytally.files.atomic import write_text
from cytally.files.runs import read_record
from cytally.images.read import read
from cytally.images.write import encode
from cytally.statistics.poisson import Dispersion, dispersion, garwood
from cytally.types import Counts, Image

REPORT = "report.html"
#: Detections in the gallery; the least agreed come first, as they are worth a look.
GALLERY = 96
_CROP = 110
_SHOWN = 160
#: Of a complete human cell.
CHROMOSOMES = 46


@dataclass(frozen=True)
class Finding:
    """One picture of the gallery."""

    name: str
    caption: str
    source: str


def write_report(
    folder: Path, cells: Sequence[ScoredCell], counts: Counts, settings: RunSettings,
    paths: dict[str, Path], *, curve: Curve | None = None, dose: Dose | None = None,
) -> Path:  # fmt: skip
    """Write report.html into a run folder.

    Parameters
    ----------
    folder : Path
    cells, counts, settings
        Of the run.
    paths : dict of str to Path
        Where each image lies; those that are gone are left out of the gallery.
    curve, dose : optional
        With them the page opens with the dose.
    """
    stored = read_record(folder)
    distribution = counts.distribution("dicentric")
    objects = sum(cell.objects for cell in cells if cell.scored)
    genomes = objects / CHROMOSOMES
    page = render(
        "cytally.dosimetry", "report.html",
        run=stored, settings=settings, counts=counts, dose=dose, curve=curve,
        spread=dispersion(distribution), distribution=distribution.tolist(),
        limits={name: _limits(counts.total(name), counts.cells) for name in counts.per_cell},
        per_genome={name: _limits(counts.total(name), genomes) for name in counts.per_cell}, objects=objects,
        plot=as_svg(curve_figure(curve, dose)) if curve is not None else "",
        gallery=gallery(cells, paths), dispersion_words=words_for(dispersion(distribution)),
        hashes=[(cell.image, cell.sha256) for cell in cells],
    )  # fmt: skip
    path = folder / REPORT
    write_text(path, page)
    return path


def words_for(spread: Dispersion) -> str:
    """What the dispersion of dicentrics over cells says."""
    if not np.isfinite(spread.u):
        return "too few dicentrics to say whether they follow a Poisson distribution"
    if spread.overdispersed:
        return (
            "overdispersed: the exposure may have been partial or uneven. Automatic counts vary a little more "
            "than chance by themselves (an index of 1.10 to 1.15): look at the cells with several dicentrics"
        )
    if spread.underdispersed:
        return "underdispersed: more even than chance allows; were cells selected?"
    return "agrees with a Poisson distribution, as after an even whole-body exposure"


def _limits(total: int, among: float) -> tuple[float, float, float]:
    """Yield per cell, or per so many chromosomes, with exact 95 % limits."""
    limits, share = garwood(total), max(among, 1e-9)
    return total / share, limits.lower / share, limits.upper / share


def curve_svg(curve: Curve) -> str:
    """The curve alone, as an SVG file."""
    return as_svg(curve_figure(curve, None))


def curve_figure(curve: Curve, dose: Dose | None, labels: Mapping[str, str] = LABELS) -> Figure:
    """The curve with its data and, where there is one, the dose read from it."""
    far = curve.highest_dose if np.isfinite(curve.highest_dose) else 5.0
    if dose is not None and np.isfinite(dose.upper):
        far = max(far, dose.upper * 1.1)
    doses = np.linspace(0, far, 200)
    rows = []
    for point in curve.points:
        limits = garwood(point.dicentrics)
        rows.append(
            [
                point.dose_gy,
                point.dicentrics / point.cells,
                limits.lower / point.cells,
                limits.upper / point.cells,
            ]
        )
    band = CurveBand(doses, curve.yield_at(doses), curve.error_at(doses), np.array(rows).reshape(-1, 4))
    if dose is None:
        return dose_figure(band, labels=labels)
    limits = garwood(dose.dicentrics, 0.83)
    marked = Marked(
        dose.dicentrics / dose.cells, (limits.lower / dose.cells, limits.upper / dose.cells),
        dose.estimate, (dose.lower, dose.upper),
    )  # fmt: skip
    return dose_figure(band, marked, labels)


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
        read = f", read again {found.reading[k]:.2f}" if np.isfinite(found.reading[k]) else ""
        caption = f"{found.votes[k]} of {found.members} votes{read}, {cell.image}"
        pictures.append(Finding(found.names[k], caption, source))
    return pictures


def _doubtful(place: tuple[ScoredCell, int]) -> tuple[bool, float, str]:
    """Dicentrics first; then what readers, or where there are none members, are least sure of."""
    cell, k = place
    found = cell.detections
    sure = found.reading[k] if np.isfinite(found.reading[k]) else found.votes[k]
    return found.names[k] != "dicentric", float(sure), cell.image


def _load(name: str, paths: dict[str, Path], loaded: dict[str, Image | None]) -> Image | None:
    if name not in loaded:
        loaded.clear()  # one image at a time: memory stays flat
        try:
            loaded[name] = read(paths[name])
        except (ImageError, KeyError):
            loaded[name] = None
    return loaded[name]
