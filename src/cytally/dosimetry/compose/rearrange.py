"""Donors taken from a field, broken and rejoined, then all laid back where there is room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from cytally.dosimetry.chromosomes.upright import FINE, Upright
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.join import SLENDER, close, delete, exchange
from cytally.dosimetry.compose.sheet import Pose, Sheet

#: Share of tries in which a body goes where another was taken away: its surroundings are then those
#: that chromosomes have.
_FREED = 0.8
#: How far from a freed place a body may come to lie, and from any other chromosome, in sizes.
_NEAR, _ABOUT = 0.2, 1.5
_TRIES = 40


@dataclass(frozen=True)
class Placed:
    """A body to be laid.

    Attributes
    ----------
    body : Upright
    name : str
        Class of its label; empty for a normal chromosome.
    row : float
        Where the label goes along the body.
    closed : bool
        To be laid as a ring, labelled in its middle.
    partner : Upright, optional
        To be laid in line with it, not joined.
    """

    body: Upright
    name: str = ""
    row: float = 0.0
    closed: bool = False
    partner: Upright | None = None


@dataclass
class Rearrangement:
    """Donors, bodies and labels while one cell is made.

    First everything is taken and broken, then everything is laid: bodies change places, and
    the order in which they were made leaves no trace.
    """

    fields: tuple[Field, ...]
    here: Field
    swapped: float
    rng: np.random.Generator
    sheet: Sheet
    donors: list[int]
    waiting: list[Placed] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    laid: list[tuple[float, float]] = field(default_factory=list)
    labels: list[tuple[str, float, float]] = field(default_factory=list)

    @staticmethod
    def of(fields: tuple[Field, ...], here: Field, swapped: float, rng: np.random.Generator) -> Rearrangement:
        """A field on the bench, its chromosomes in random order."""
        donors = [int(i) for i in rng.permutation(len(here.uprights))]
        return Rearrangement(fields, here, swapped, rng, Sheet.of(here.density, here.segmented), donors)

    def normal(self) -> None:
        """A chromosome to be pasted back as it is."""
        self._as_it_is(self._take())

    def dicentric(self) -> None:
        """Exchange between two chromosomes; where none is possible both come back as they were."""
        one, two = self._take(centric=True), self._take(centric=True)
        made = None
        for _ in range(8):
            made = made or (exchange(one, two, self.rng) if one and two else None)
        if made is None:
            self._as_it_is(one, two)
            return
        fused, lost = made
        self.waiting.append(Placed(fused, "dicentric", float(np.mean(fused.centromeres))))
        self._fragment(lost)

    def deletion(self) -> None:
        """A chromosome loses an end or a middle part."""
        body = self._take(centric=True)  # elsewhere a centromere may hide, and no fragment has one
        made = delete(body, self.rng) if body is not None else None
        if made is None:
            self._as_it_is(body)
            return
        self._as_it_is(made[0])
        self._fragment(made[1])

    def ring(self) -> None:
        """A chromosome loses both ends and closes; too short ones come back as they were."""
        body = self._take(centric=True, slender=SLENDER)
        made = close(body, self.rng) if body is not None else None
        if made is None:
            self._as_it_is(body)
            return
        self.waiting.append(Placed(made[0], "ring", closed=True))
        self._fragment(made[1])

    def end_to_end(self) -> None:
        """Two normal chromosomes in line, touching or nearly so: looks joined and is not."""
        one, two = self._take(), self._take()
        if one is None or two is None:
            self._as_it_is(one, two)
            return
        self.waiting.append(Placed(one, partner=two))

    def lay_all(self) -> None:
        """Lay what waits, the longest first, as they find room least easily."""
        for each in sorted(self.waiting, key=lambda w: -w.body.length):
            if (pose := self._put(each.body, closed=each.closed)) is None:
                continue
            if each.name:
                self._label(each, pose)
            else:
                self.laid.append((pose.row, pose.col))
            if each.partner is not None:
                self._in_line(each.body, pose, each.partner)
        self.waiting.clear()

    def _take(self, *, centric: bool = False, slender: float = 0.0) -> Upright | None:
        """Erase a chromosome of this field; give it, or one of another field in its stead.

        One with a centromere where asked, and so many widths long; the latter is never swapped.
        """
        for number, index in enumerate(self.donors):
            mine = self.here.uprights[index]
            if (mine.centromeres or not centric) and mine.length >= slender * mine.width:
                del self.donors[number]
                self.sheet.erase(self.here.segmented.chromosomes[index], self.rng)
                self.freed.append(index)
                return mine if slender else self._swapped(centric) or mine
        return None

    def _swapped(self, centric: bool) -> Upright | None:
        if self.rng.random() >= self.swapped or len(self.fields) < 2:
            return None
        other = self.fields[int(self.rng.integers(len(self.fields)))]
        able = [u for u in other.uprights if u.centromeres or not centric]
        if not able:
            return None
        mine, theirs = self.here.segmented, other.segmented
        body = able[int(self.rng.integers(len(able)))]
        return body.scaled(mine.size / theirs.size, mine.stain / theirs.stain)

    def _as_it_is(self, *bodies: Upright | None) -> None:
        self.waiting += [Placed(body) for body in bodies if body is not None]

    def _fragment(self, lost: Upright) -> None:
        self.waiting.append(Placed(lost, "fragment", sum(lost.ends) / 2))

    def _label(self, each: Placed, pose: Pose) -> None:
        middle = np.array([[pose.row, pose.col]])
        places = middle if each.closed else pose.places(each.body, np.array([each.row]))
        self.labels += [(each.name, float(row), float(col)) for row, col in places]

    def _put(self, body: Upright, touching: float = 0.1, *, closed: bool = False) -> Pose | None:
        """Lay a body, or a ring, where there is room or, sometimes, touching."""
        margin = 0.0 if self.rng.random() < touching else 0.15 * self.here.segmented.size
        most = 0.12 if margin == 0 else 0.02
        for _ in range(_TRIES):
            freed = bool(self.freed) and self.rng.random() < _FREED
            among = self.freed if freed else range(len(self.here.uprights))
            place = among[int(self.rng.integers(len(among)))]
            pose = replace(self._pose(place, _NEAR if freed else _ABOUT), closed=closed)
            if self.sheet.covered(body, pose, margin) < most:
                self.sheet.lay(body, pose)
                if freed:
                    self.freed.remove(place)
                return pose
        return None

    def _pose(self, place: int, far: float) -> Pose:
        """Somewhere about the place of a chromosome of this field, `far` in chromosome sizes."""
        middle = self.here.segmented.chromosomes[place].middle
        row, col = np.array(middle) + self.rng.normal(0, far * self.here.segmented.size, 2)
        height, width = self.sheet.density.shape
        return Pose(
            float(np.clip(row, 8, height - 9)),
            float(np.clip(col, 8, width - 9)),
            float(self.rng.uniform(0, 2 * np.pi)),
            float(self.rng.normal(0, 0.35)),
            bool(self.rng.random() < 0.5),
        )

    def _in_line(self, one: Upright, first: Pose, two: Upright) -> None:
        """Lay a second body in line with the first, with a gap: nobody could tell an overlap from a join."""
        gap = self.rng.uniform(0.0, 0.2) * self.here.segmented.size
        angle = first.angle + first.bend / 2 + float(self.rng.normal(0, 0.25))
        end = first.places(one, np.array([one.ends[1]]))[0]
        step = (two.length / 2 / FINE + gap) * np.array([np.cos(angle), np.sin(angle)])
        mirror = bool(self.rng.random() < 0.5)
        pose = Pose(float(end[0] + step[0]), float(end[1] + step[1]), angle, 0.0, mirror)
        if self.sheet.covered(two, pose, 0.0) < 0.15:
            self.sheet.lay(two, pose)
            self.laid.append((pose.row, pose.col))
