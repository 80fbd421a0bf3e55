"""One composed cell: a real field in which some chromosomes were broken, rejoined and laid anew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.compose.join import SLENDER, close, delete, exchange
from cytally.dosimetry.compose.segment import Outline, Segmented, segment
from cytally.dosimetry.compose.sheet import Pose, Sheet
from cytally.dosimetry.compose.upright import FINE, Upright, cut_out
from cytally.images.normalise import optical_density
from cytally.types import Image, Points

Float32 = NDArray[np.float32]

#: Fewer single chromosomes with a visible centromere than this, and a field stays as it is:
#: where chromatids have parted, what looks single may be half a chromosome.
FEWEST = 8
#: A field that is composed is chosen this many times as often as one that stays as it is.
_OFTEN = 4
#: Most blur added to a whole cell, in parts of a chromosome's size.
_DEFOCUS = 0.06
#: Margin kept around the chromosomes of a field, in chromosome sizes.
_MARGIN = 4.0
#: Grey level of the empty slide in a composed image.
_LIGHT = 40_000.0
_TRIES = 40


@dataclass(frozen=True)
class Field:
    """A real unexposed metaphase, taken apart.

    Attributes
    ----------
    density : ndarray of float32, shape (h, w)
    segmented : Segmented
    uprights : tuple of Upright
        One per chromosome of `segmented`; empty where the field must stay as it is.
    source : str
    """

    density: Float32
    segmented: Segmented
    uprights: tuple[Upright, ...]
    source: str

    @staticmethod
    def of(image: Image) -> Field:
        """Take a field apart.

        Raises
        ------
        ImageError
            The image cannot be used, or nothing in it looks like chromosomes.
        """
        density = optical_density(image)
        parts = segment(density, image.source)
        density, parts = _cropped(density, parts)
        uprights = tuple(cut_out(density, outline, parts) for outline in parts.chromosomes)
        able = sum(len(u.centromeres) > 0 for u in uprights) >= FEWEST
        return Field(density, parts, uprights if able else (), image.source)


def _cropped(density: Float32, parts: Segmented) -> tuple[Float32, Segmented]:
    """The part of a field around its chromosomes; far nuclei and empty slide teach little."""
    if not parts.chromosomes:
        return density, parts
    middles = np.array([outline.middle for outline in parts.chromosomes])
    low = np.maximum(np.percentile(middles, 2, axis=0) - _MARGIN * parts.size, 0).astype(int)
    high = (np.percentile(middles, 98, axis=0) + _MARGIN * parts.size).astype(int)
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    inside = [o for o in parts.chromosomes if (low < o.middle).all() and (o.middle < high).all()]
    moved = tuple(replace(o, top=o.top - low[0], left=o.left - low[1]) for o in inside)
    shape = density[window].shape
    whole = tuple(o for o in moved if _inside(o, shape))
    return density[window].copy(), replace(parts, chromosomes=whole, occupied=parts.occupied[window].copy())


def _inside(outline: Outline, shape: tuple[int, ...]) -> bool:
    far = (outline.top + outline.mask.shape[0], outline.left + outline.mask.shape[1])
    return min(outline.top, outline.left) >= 0 and far[0] <= shape[0] and far[1] <= shape[1]


@dataclass(frozen=True)
class Wanted:
    """Means of what a composed cell gets.

    Attributes
    ----------
    dicentrics, excess, rings : float
        Poisson means of exchanges, of deletions and of centric rings.
    anew : (int, int)
        Normal chromosomes laid anew by the same steps: least and most.
    lined_up : float
        Poisson mean of pairs laid end to end without joining.
    swapped : float
        Share of what is laid that comes from another field.
    silent : float
        Share of cells without any aberration.
    """

    dicentrics: float = 2.5
    excess: float = 1.2
    anew: tuple[int, int] = (6, 18)
    lined_up: float = 0.4
    swapped: float = 0.3
    silent: float = 0.25
    rings: float = 0.15


@dataclass(frozen=True)
class ComposedCell:
    """A picture, its labels, and what was laid where.

    Attributes
    ----------
    image : Image
        uint16 grey.
    points : Points
        Dicentrics, fragments and rings.
    laid : ndarray of float, shape (n, 2)
        Middles of the normal chromosomes laid anew.
    untouched : ndarray of float, shape (m, 2)
        Middles of the single chromosomes that stayed as they were.
    field : str
        Where it comes from.
    """

    image: Image
    points: Points
    laid: NDArray[np.float64]
    untouched: NDArray[np.float64]
    field: str


@dataclass
class _Composer:
    """Donors and labels while one cell is made."""

    fields: tuple[Field, ...]
    here: Field
    wanted: Wanted
    rng: np.random.Generator
    sheet: Sheet
    waiting: list[int]
    laid: list[tuple[float, float]] = field(default_factory=list)
    labels: list[tuple[str, float, float]] = field(default_factory=list)

    def take(self, *, centric: bool = False, slender: float = 0.0) -> Upright | None:
        """Erase a chromosome of this field; give it, or one of another field in its stead.

        One with a centromere where asked, and so many widths long; the latter is never swapped.
        """
        for number, index in enumerate(self.waiting):
            mine = self.here.uprights[index]
            if (mine.centromeres or not centric) and mine.length >= slender * mine.width:
                del self.waiting[number]
                self.sheet.erase(self.here.segmented.chromosomes[index], self.rng)
                return mine if slender else self._swapped(centric) or mine
        return None

    def _swapped(self, centric: bool) -> Upright | None:
        if self.rng.random() >= self.wanted.swapped or len(self.fields) < 2:
            return None
        other = self.fields[int(self.rng.integers(len(self.fields)))]
        able = [u for u in other.uprights if u.centromeres or not centric]
        if not able:
            return None
        mine, theirs = self.here.segmented, other.segmented
        body = able[int(self.rng.integers(len(able)))]
        return body.scaled(mine.size / theirs.size, mine.stain / theirs.stain)

    def put(self, body: Upright, touching: float = 0.1, *, closed: bool = False) -> Pose | None:
        """Lay a body, or a ring, where there is room or, sometimes, touching."""
        margin = 0.0 if self.rng.random() < touching else 0.15 * self.here.segmented.size
        best, least = None, 0.12 if margin == 0 else 0.02
        for _ in range(_TRIES):
            pose = replace(self._somewhere(), closed=closed)
            covered = self.sheet.covered(body, pose, margin)
            if covered < least:
                best, least = pose, covered
            if best is not None:
                break
        if best is not None:
            self.sheet.lay(body, best)
        return best

    def _somewhere(self) -> Pose:
        """A place about the chromosomes of the field."""
        chosen = self.here.segmented.chromosomes[int(self.rng.integers(len(self.here.uprights)))]
        row, col = np.array(chosen.middle) + self.rng.normal(0, 1.5 * self.here.segmented.size, 2)
        height, width = self.sheet.density.shape
        return Pose(
            float(np.clip(row, 8, height - 9)), float(np.clip(col, 8, width - 9)),
            float(self.rng.uniform(0, 2 * np.pi)), float(self.rng.normal(0, 0.35)),
            bool(self.rng.random() < 0.5),
        )  # fmt: skip

    def label(self, name: str, body: Upright, pose: Pose, rows: list[float]) -> None:
        for row, col in pose.places(body, np.array(rows)):
            self.labels.append((name, float(row), float(col)))

    def normal(self, body: Upright) -> None:
        """Lay a normal chromosome anew."""
        pose = self.put(body)
        if pose is not None:
            self.laid.append((pose.row, pose.col))

    def dicentric(self) -> None:
        """Exchange between two chromosomes; where none is possible both come back as they were."""
        one, two = self.take(centric=True), self.take(centric=True)
        made = None
        for _ in range(8):
            made = made or (exchange(one, two, self.rng) if one and two else None)
        if made is None:
            for body in (one, two):
                if body is not None:
                    self.normal(body)
            return
        fused, lost = made
        if (pose := self.put(fused)) is not None:
            self.label("dicentric", fused, pose, [float(np.mean(fused.centromeres))])
        self._fragment(lost)

    def deletion(self) -> None:
        """A chromosome loses an end or a middle part."""
        body = self.take(centric=True)  # elsewhere a centromere may hide, and no fragment has one
        made = delete(body, self.rng) if body is not None else None
        if body is None or made is None:
            if body is not None:
                self.normal(body)
            return
        self.normal(made[0])
        self._fragment(made[1])

    def ring(self) -> None:
        """A chromosome loses both ends and closes; too short ones come back as they were."""
        body = self.take(centric=True, slender=SLENDER)
        made = close(body, self.rng) if body is not None else None
        if body is None or made is None:
            if body is not None:
                self.normal(body)
            return
        if (pose := self.put(made[0], closed=True)) is not None:
            self.labels.append(("ring", pose.row, pose.col))
        self._fragment(made[1])

    def _fragment(self, lost: Upright) -> None:
        if (pose := self.put(lost)) is not None:
            self.label("fragment", lost, pose, [sum(lost.ends) / 2])

    def end_to_end(self) -> None:
        """Two normal chromosomes in line, touching or nearly so: looks joined and is not."""
        one, two = self.take(), self.take()
        if one is None or two is None:
            if one is not None:
                self.normal(one)
            return
        first = self.put(one)
        if first is None:
            return
        gap = (
            self.rng.uniform(0.0, 0.2) * self.here.segmented.size
        )  # nobody could tell an overlap from a join
        far = (one.length + two.length) / 2 / FINE + gap
        turn = first.angle + first.bend / 2
        angle = turn + float(self.rng.normal(0, 0.25))
        end = first.places(one, np.array([one.ends[1]]))[0]
        step = (far - one.length / 2 / FINE) * np.array([np.cos(angle), np.sin(angle)])
        pose = Pose(
            float(end[0] + step[0]), float(end[1] + step[1]), angle, 0.0, bool(self.rng.random() < 0.5)
        )
        self.laid.append((first.row, first.col))
        if self.sheet.covered(two, pose, 0.0) < 0.15:
            self.sheet.lay(two, pose)
            self.laid.append((pose.row, pose.col))


def compose_cell(fields: tuple[Field, ...], wanted: Wanted, rng: np.random.Generator) -> ComposedCell:
    """Make one labelled cell of unlabelled ones.

    Parameters
    ----------
    fields : tuple of Field
        Unexposed cells; one of them is changed, others may lend chromosomes.
    wanted : Wanted
    rng : numpy.random.Generator
        The same state gives the same cell.
    """
    weight = np.array([_OFTEN if f.uprights else 1 for f in fields], float)
    here = fields[int(rng.choice(len(fields), p=weight / weight.sum()))]
    waiting = [int(i) for i in rng.permutation(len(here.uprights))]
    work = _Composer(fields, here, wanted, rng, Sheet.of(here.density, here.segmented), waiting)
    if rng.random() >= wanted.silent:
        for _ in range(min(int(rng.poisson(wanted.dicentrics)), len(waiting) // 4)):
            work.dicentric()
        for _ in range(int(rng.poisson(wanted.rings))):
            work.ring()
        for _ in range(int(rng.poisson(wanted.excess))):
            work.deletion()
    for _ in range(int(rng.poisson(wanted.lined_up))):
        work.end_to_end()
    for _ in range(int(rng.integers(wanted.anew[0], wanted.anew[1] + 1))):
        if (body := work.take()) is not None:
            work.normal(body)
    untouched = [here.segmented.chromosomes[i].middle for i in work.waiting]
    return ComposedCell(
        _picture(_refocused(work.sheet.density, here.segmented.size, rng), here.source), _points(work.labels),
        np.array(work.laid, float).reshape(-1, 2), np.array(untouched, float).reshape(-1, 2), here.source,
    )  # fmt: skip


def _refocused(density: Float32, size: float, rng: np.random.Generator) -> Float32:
    """The whole cell a little out of focus, half of the time; the camera's noise stays."""
    if rng.random() < 0.5:
        return density
    fine = density - cv2.GaussianBlur(density, (0, 0), 0.02 * size + 0.5)
    noise = float(np.median(np.abs(fine))) * 1.48
    soft = cv2.GaussianBlur(density, (0, 0), max(rng.uniform(0, _DEFOCUS) * size, 0.3))
    return np.asarray(soft + rng.standard_normal(density.shape, dtype=np.float32) * np.float32(noise))


def _picture(density: Float32, source: str) -> Image:
    grey = cv2.exp(np.asarray(density * np.float32(-np.log(10)), np.float32)) * np.float32(_LIGHT)
    return Image(np.clip(np.rint(grey), 0, 65535).astype(np.uint16), None, f"composed from {source}")


def _points(labels: list[tuple[str, float, float]]) -> Points:
    return Points(
        np.array([row for _, row, _ in labels], float),
        np.array([col for _, _, col in labels], float),
        tuple(name for name, _, _ in labels),
    )
