"""A run -> report.html: labels kept and rejected, learning, overlays, counts over time, tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally import __version__
from cytally.figures.masks import outlined
from cytally.figures.pages import embedded, render
from cytally.figures.sequences import Branch, CountLine, growth_figure, lineage_figure, validation_figure
from cytally.figures.style import as_svg
from cytally.files.atomic import write_text
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.write import encode
from cytally.livecell.counting.counts import FieldCount, GrowthCurve
from cytally.livecell.counting.run import Segmented
from cytally.livecell.labelled import Labelled
from cytally.livecell.learn import Learnt
from cytally.livecell.measure.evaluate import Evaluation
from cytally.livecell.motion.lineage import Tracks
from cytally.livecell.nuclei import STAIN
from cytally.wording import counted

REPORT, LINEAGE = "report.html", "lineage.svg"
_PICTURES = 4
_LARGEST_MOVIE = 8_000_000  # bytes within the page; a larger one stays beside it


@dataclass(frozen=True)
class Story:
    """All that a run came to; parts that were not done are None or empty."""

    run: Segmented
    detector: str
    counts: Sequence[FieldCount]
    curves: Sequence[GrowthCurve] = ()
    tracks: Sequence[tuple[str, Tracks]] = ()
    labelled: Labelled | None = None
    learnt: Learnt | None = None
    evaluation: Evaluation | None = None
    movie: Path | None = None
    overlays: Path | None = None
    remarks: tuple[str, ...] = ()
    measured: str = ""

    @property
    def stained(self) -> bool:
        """Nuclei were found by their stain."""
        return self.detector.startswith(STAIN)

    @property
    def hints(self) -> list[str]:
        """What a reader must know of these numbers."""
        empty = [self.run.names[one.name.path] for one in self.counts if one.count == 0]
        left = (
            [
                f"no nuclei in {len(empty)} image{'s' if len(empty) != 1 else ''} (first: {empty[0]}): "
                "left out of growth curves"
            ]
            if empty and self.curves
            else []
        )
        return [*self.remarks, *(self.labelled.hints if self.labelled is not None else ()), *left]


def write_report(story: Story, folder: Path) -> Path:
    """Write one page, complete in itself, and the lineage of the first position as a picture."""
    lineage = as_svg(lineage_figure(_branches(story.tracks[0][1]))) if story.tracks else ""
    if lineage:
        write_text(folder / LINEAGE, lineage)
    names = [story.run.names[one.name.path] for one in story.counts]
    page = render(
        "cytally.livecell",
        "livecell.html",
        fields=len(story.counts),
        total=sum(c.count for c in story.counts),
        positions=[one.position for one in story.run.series],
        skipped=story.run.skipped,
        detector=story.detector,
        stained=story.stained,
        measured=story.measured or (story.labelled.measured if story.labelled is not None else ""),
        unit=_unit(story),
        through=_through(story),
        version=__version__,
        warnings=_warnings(story),
        labels=_labels(story.labelled),
        learning=_learning(story.learnt),
        evaluation=_evaluation(story),
        pictures=_pictures(story),
        growth=as_svg(growth_figure([_line(c) for c in story.curves], "h" if _unit(story) == "hours" else "frames"))
        if story.curves
        else "",
        doublings=[_doubling(curve) for curve in story.curves],
        counts=[_count_row(n, c) for n, c in zip(names, story.counts, strict=True)],
        tracks=[_track_row(name, tracks) for name, tracks in story.tracks],
        lineage=lineage,
        movie=_movie(story.movie),
        movie_of=story.tracks[0][0] if story.tracks else "",
    )
    path = folder / REPORT
    write_text(path, page)
    return path


def _warnings(story: Story) -> list[str]:
    said = [
        f"{one.position}: {len(one.missing)} time{'s are' if len(one.missing) > 1 else ' is'} missing "
        f"(first: {one.missing[0]}); tracks bridge up to three missing frames as if nothing had happened there"
        for one in story.run.series
        if one.missing
    ]
    if story.learnt is not None and story.learnt.split.leaks:
        said.append(
            f"{len(story.learnt.split.leaks)} training images show the same as one kept for testing; left out: "
            + ", ".join(story.learnt.split.leaks[:5])
        )
    return said + story.hints


def _unit(story: Story) -> str:
    return story.curves[0].unit if story.curves else "hours"


def _through(story: Story) -> str:
    """Nuclei at the first and the last time, where each position is a time-lapse: their sum counts cells again and again."""
    if not story.run.series or any(len(one.frames) < 2 for one in story.run.series):
        return ""
    count = {one.name.path: one.count for one in story.counts}
    first, last = (sum(count[one.paths[k]] for one in story.run.series) for k in (0, -1))
    return f"{first} nuclei at first, {last} at last"


def _labels(labelled: Labelled | None) -> dict[str, object] | None:
    if labelled is None:
        return None
    rejected = [(one.name.path.name, one.reason) for one in labelled.fields if not one.kept]
    rejected += [(one.image, one.reason) for one in labelled.skipped]
    sheet = embedded(labelled.sheet.read_bytes(), "image/jpeg") if labelled.sheet else ""
    return {
        "kept": len(labelled.kept),
        "rejected": len(labelled.fields) - len(labelled.kept),
        "reasons": rejected[:40],
        "row": labelled.offset.row,
        "col": labelled.offset.col,
        "sheet": sheet,
    }


def _learning(learnt: Learnt | None) -> str:
    if learnt is None or not learnt.curve:
        return ""
    best = [int(epoch) for epoch in learnt.ensemble.card.training.get("best_epochs", [])]
    return as_svg(validation_figure(learnt.curve, best))


def _evaluation(story: Story) -> dict[str, object] | None:
    found = story.evaluation
    if found is None or story.learnt is None:
        return None
    rows = [
        (name, (s.precision, s.recall, s.dice, s.iou))
        for name, s in (
            ("pixels", found.pixel),
            ("objects that touch", found.object),
            ("objects one to one", found.matched),
        )
    ]
    return {
        "rows": rows,
        "average_precision": found.average_precision,
        "panoptic_quality": found.panoptic_quality,
        "count_error": found.count_error,
        "fields": found.fields,
        "by": story.learnt.split.by,
    }


def _pictures(story: Story) -> list[dict[str, str]]:
    """Overlays against labels where there are some, and found nuclei on images of the run."""
    shown = []
    overlays = sorted(story.overlays.glob("*.png"))[:_PICTURES] if story.overlays else []
    for path in overlays:
        shown.append(
            {
                "source": embedded(path.read_bytes(), "image/png"),
                "caption": f"{path.stem}: green both, red prediction only, blue label only",
            }
        )
    order = [path for one in story.run.series for path in one.paths]
    for k in np.unique(np.linspace(0, len(order) - 1, min(_PICTURES, len(order))).astype(int)).tolist():
        picture = outlined(grey(read(order[k])), read_mask(story.run.masks[order[k]]))
        shown.append(
            {
                "source": embedded(encode(picture, ".jpg"), "image/jpeg"),
                "caption": f"{story.run.names[order[k]]}: {counted(story.counts[k].count, 'nuclei')}",
            }
        )
    return shown


def _line(curve: GrowthCurve) -> CountLine:
    times = np.asarray(curve.times)
    rate = curve.growth.rate
    fitted = curve.growth.start * np.exp(rate * times) if np.isfinite(rate) else np.zeros(0)
    count, lower, upper = (np.asarray(v, float) for v in (curve.counts, curve.lower, curve.upper))
    return CountLine(curve.position, times, count, lower, upper, fitted)


def _doubling(curve: GrowthCurve) -> dict[str, str]:
    estimate, low, high = curve.growth.doubling
    time = f"{estimate:.1f}" if np.isfinite(estimate) else curve.growth.verdict
    limits = "-"
    if np.isfinite(low):
        limits = f"{low:.1f} to {high:.1f}" if np.isfinite(high) else f"more than {low:.1f}"
    return {"name": curve.position, "time": time, "limits": limits}


def _count_row(image: str, one: FieldCount) -> dict[str, object]:
    limits = f"{one.lower:.0f} to {one.upper:.0f}" if np.isfinite(one.lower) else "not known"
    area = f"{one.area_count:.1f}" if np.isfinite(one.area_count) else "-"
    return {
        "image": image,
        "frame": one.frame,
        "count": one.count,
        "limits": limits,
        "area": area,
        "hours": "-" if one.hours is None else f"{one.hours:g}",
    }


def _track_row(name: str, tracks: Tracks) -> dict[str, object]:
    steps = np.diff(tracks.drift, axis=0)
    return {
        "name": name,
        "tracks": len(tracks.rows),
        "divisions": len(tracks.divisions),
        "jump": float(np.abs(steps).max(initial=0.0)),
    }


def _branches(tracks: Tracks) -> list[Branch]:
    return [Branch(row.first, row.last, row.parent - 1) for row in tracks.rows]


def _movie(path: Path | None) -> str:
    small = path is not None and path.suffix == ".gif" and path.stat().st_size < _LARGEST_MOVIE
    return embedded(path.read_bytes(), "image/gif") if path is not None and small else ""
