"""Experts tick errors: pages to look at, a table to fill in, and how far two experts agree.

Salomon-Sorensen 2023, sections 5.4.3 and 6.2.3-6.2.4. Each page shows the phase-contrast image,
the same with the found nuclei outlined and numbered, and the stain where there is one. The
expert writes into review.csv how many nuclei found are none, and how many were missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cytally.errors import LabelError
from cytally.evaluation.agreement import agreement_matrix, cohen_kappa, krippendorff_alpha
from cytally.evaluation.matching import Hits
from cytally.evaluation.segmentation import Scores, scores
from cytally.figures.masks import numbered
from cytally.figures.overlays import viewable
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import read_table
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.write import encode
from cytally.types import Image, IntArray
from cytally.wording import counted

TABLE = "review.csv"
COLUMNS = ("image", "objects", "false_positives", "false_negatives", "remark")
REVIEW = Wanted("a table of review", tuple(map(Column, COLUMNS)), (COLUMNS[:4],), ", ".join(COLUMNS), LabelError)


@dataclass(frozen=True)
class ToReview:
    """One image for the experts."""

    name: str
    image: Path
    mask: Path
    fluorescence: Path | None = None


@dataclass(frozen=True)
class Reviewed:
    """What one expert wrote, by image: objects shown, false ones, missed ones."""

    rows: dict[str, tuple[int, int, int]]

    @property
    def hits(self) -> Hits:
        """TP* = objects - false positives (thesis section 6.2.3): a clump counts as one hit."""
        total = Hits()
        for objects, false, missed in self.rows.values():
            total += Hits(objects - false, false, missed)
        return total

    @property
    def scores(self) -> Scores:
        """As thesis tables 6.3 and 6.4."""
        return scores(self.hits)


def choose(images: Sequence[ToReview], count: int = 30, seed: int = 1) -> list[ToReview]:
    """A random subset, in the order given."""
    picked = np.random.default_rng(seed).permutation(len(images))[:count]
    return [images[k] for k in sorted(picked.tolist())]


def write_review(images: Sequence[ToReview], out: Path) -> Path:
    """Write a page per image and the table to fill in.

    Raises
    ------
    LabelError
        There is a table already: an expert's work is never written over.
    """
    table = out / TABLE
    if table.exists():
        raise LabelError(f"{table}: is there already and may hold an expert's work; give another --out")
    (out / "pages").mkdir(parents=True, exist_ok=True)
    pages = _page_names([one.name for one in images])
    rows = [list(COLUMNS)]
    for one in images:
        mask = read_mask(one.mask)
        write_bytes(out / "pages" / pages[one.name], encode(_page(one, mask), ".png"))
        rows.append([one.name, str(int(mask.max(initial=0))), "", "", ""])
    write_bytes(table, csv_bytes(rows))
    return table


def _page_names(names: Sequence[str]) -> dict[str, str]:
    """A page for each image: its folders and its name, with its ending where two would share a page."""
    stems = {name: "_".join(Path(name).with_suffix("").parts) for name in names}
    often = Counter(stem.lower() for stem in stems.values())
    pages = {
        name: f"{stem if often[stem.lower()] == 1 else name.replace('/', '-')}.png" for name, stem in stems.items()
    }
    if len({page.lower() for page in pages.values()}) < len(pages):
        raise LabelError(
            "expected images of different names to review, got some that share a page; review them in two calls"
        )
    return pages


def _page(one: ToReview, mask: IntArray) -> np.ndarray:
    image = grey(read(one.image))
    panels = [viewable(Image(image))[..., ::-1], numbered(image, mask)]
    if one.fluorescence is not None:
        panels.append(viewable(Image(grey(read(one.fluorescence))))[..., ::-1])
    larger = max(1, 900 // image.shape[0])
    return np.hstack([cv2.resize(p, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC) for p in panels])


def read_review(path: Path) -> Reviewed:
    """A table as an expert filled it in; lines left empty in both columns were not judged.

    Raises
    ------
    FileError
        Not a table.
    LabelError
        Missing columns, something that is no whole number, more false ones than objects, an
        image twice, or nothing judged at all.
    """
    rows = {}
    for row in read_table(path, REVIEW).rows:
        if row.fault:
            raise row.wrong(row.fault)
        if not row.has("false_positives") and not row.has("false_negatives"):
            continue
        objects, false, lost = (row.whole(name) for name in COLUMNS[1:4])
        if false > objects:
            raise row.wrong(f"{false} false positives among {objects} objects; check the line")
        if row.exact("image") in rows:
            raise row.wrong(f"image {row.exact('image')!r} is there twice; delete one of the lines")
        rows[row.exact("image")] = (objects, false, lost)
    if not rows:
        raise LabelError(f"{path}: no line is filled in; write numbers into false_positives and false_negatives")
    return Reviewed(rows)


@dataclass(frozen=True)
class ExpertsAgree:
    """How alike two experts judged the images that both did.

    Attributes
    ----------
    images : int
    false_positives, false_negatives : ndarray of int
        Entry (i, j): images in which the first saw i and the second j (thesis table 6.5).
    kappa, weighted_kappa, alpha : dict of str to float
        Cohen's kappa (plain, and with linear weights) and Krippendorff's alpha (interval), for
        "false_positives" and "false_negatives".
    """

    images: int
    false_positives: IntArray
    false_negatives: IntArray
    kappa: dict[str, float]
    weighted_kappa: dict[str, float]
    alpha: dict[str, float]


def compare_experts(first: Reviewed, second: Reviewed) -> ExpertsAgree:
    """Compare two experts.

    Raises
    ------
    LabelError
        No image was judged by both.
    """
    both = sorted(set(first.rows) & set(second.rows))
    if not both:
        raise LabelError("expected two tables of the same images, but no image was judged in both")
    tables, told = {}, {}
    for column, name in ((1, "false_positives"), (2, "false_negatives")):
        one, two = ([expert.rows[image][column] for image in both] for expert in (first, second))
        tables[name], told[name] = agreement_matrix(one, two), np.array([one, two], float)
    return ExpertsAgree(
        len(both),
        tables["false_positives"],
        tables["false_negatives"],
        {name: cohen_kappa(table) for name, table in tables.items()},
        {name: cohen_kappa(table, "linear") for name, table in tables.items()},
        {name: krippendorff_alpha(values) for name, values in told.items()},
    )


def as_words(agree: ExpertsAgree) -> str:
    """For people: the matrices and the figures."""
    lines = [f"{counted(agree.images, 'images')} judged by both"]
    for name, table in (
        ("false_positives", agree.false_positives),
        ("false_negatives", agree.false_negatives),
    ):
        lines += [f"{name.replace('_', ' ')} (rows: first expert, columns: second)"]
        lines += ["  " + " ".join(f"{value:>4d}" for value in row) for row in table]
        lines += [
            f"  Cohen's kappa {agree.kappa[name]:.2f}, linear {agree.weighted_kappa[name]:.2f}, "
            f"Krippendorff's alpha {agree.alpha[name]:.2f}"
        ]
    return "\n".join(lines)
