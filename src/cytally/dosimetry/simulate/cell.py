"""One simulated metaphase from its damage to its picture, with the whole truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.breakage import Damage, damage
from cytally.dosimetry.simulate.karyotype import Piece, normal_karyotype
from cytally.dosimetry.simulate.picture.drawing import Stamp, compose, masks, stamp
from cytally.dosimetry.simulate.picture.layout import spread
from cytally.dosimetry.simulate.picture.lobes import lay_lobed
from cytally.dosimetry.simulate.picture.optics import burn_number, photograph
from cytally.dosimetry.simulate.picture.scenery import fuzz, scenery, texture
from cytally.dosimetry.simulate.picture.shape import Body, lay
from cytally.dosimetry.simulate.styles import UNSCORABLE, Appearance, Style, draw_appearance
from cytally.types import FloatArray, Image, Points

#: Micrometres per pixel of every simulated image (6.45 um camera, 63x).
PIXEL_SIZE_UM = 0.102
SHAPE = (896, 1008)


@dataclass(frozen=True)
class SimulatedCell:
    """A picture and everything that is true of it.

    Attributes
    ----------
    image : Image
        uint8 grey.
    points : Points
        Dicentrics, fragments and rings.
    bodies : tuple of Body
        All pieces as they lie.
    stamps : tuple of Stamp
        Their pictures, from which masks are made on request.
    kind : str
        "complete", or why the cell should not be scored.
    look : Look
        The draw of the style.
    """

    image: Image
    points: Points
    bodies: tuple[Body, ...]
    stamps: tuple[Stamp, ...]
    kind: str
    look: Appearance

    @property
    def evidence(self) -> Points:
        """Labels and, beside them, the middle of every monocentric and every centromere.

        Rare aberrations teach a network little per cell; these 90 places, which only
        a simulator can give, teach it what aberrations are made of.
        """
        names, places = list(self.points.names), [np.stack([self.points.row, self.points.col], axis=1)]
        for body in self.bodies:
            if len(body.piece.centromeres) == 1 and not body.piece.closed:
                names.append("monocentric")
                places.append(body.centreline[None, len(body.centreline) // 2])
            names += ["centromere"] * len(body.centromeres)
            places.append(body.centromeres)
        where = np.concatenate(places)
        return Points(where[:, 0], where[:, 1], tuple(names))

    @property
    def masks(self) -> NDArray[np.uint16]:
        """Instance image (h, w): body k is k + 1."""
        return masks(list(self.stamps), self.image.shape)

    def truth(self) -> dict[str, object]:
        """Identities, centromeres, centrelines and break points, ready for JSON."""
        return {
            "kind": self.kind,
            "style": self.look.style,
            "look": {k: round(v, 4) for k, v in self.look.numbers().items()},
            "bodies": [
                {
                    "mask": number,
                    "identity": body.piece.identity,
                    "closed": body.piece.closed,
                    "centromeres": _rounded(body.centromeres),
                    "break_points": _rounded(body.joins),
                    "centreline": _rounded(body.centreline),
                    "aberrations": [name for name, _ in body.aberrations],
                }
                for number, body in enumerate(self.bodies, start=1)
            ],
        }


def simulate_cell(
    style: Style,
    counts: Damage,
    rng: np.random.Generator,
    shape: tuple[int, int] = SHAPE,
    kind: str | None = None,
) -> SimulatedCell:
    """Make one metaphase.

    Parameters
    ----------
    style : Style
        Its ranges are drawn once for the cell.
    counts : Damage
        Aberrations it carries.
    rng : numpy.random.Generator
        The same state gives the same bytes.
    shape : (h, w)
    kind : str, optional
        What the cell is: "complete", one of `UNSCORABLE`, "clumped" or "blurred"; by default the style's share is drawn.

    Returns
    -------
    SimulatedCell
    """
    look = draw_appearance(style, rng)
    if kind is None:
        kind = str(rng.choice(UNSCORABLE)) if rng.random() < style.unscorable else "complete"
    look = _unusual(look, kind)
    pieces = _population(kind, counts, rng)
    bodies = spread([_lay(piece, look, rng) for piece in pieces], look, shape, rng)
    stamps = [stamp(body) for body in bodies]
    density = compose(stamps, shape) * texture(shape, look.grain, rng)
    density += scenery(shape, look, rng)
    if look.lobes is not None:
        density *= fuzz(shape, look.lobes.fuzz, rng)
    grey = photograph(density, look, rng)
    if rng.random() < 0.2:
        grey = burn_number(grey, int(rng.integers(1, 2000)))
    image = Image(grey, PIXEL_SIZE_UM, "simulated")
    return SimulatedCell(image, _points(bodies, shape), tuple(bodies), tuple(stamps), kind, look)


def _lay(piece: Piece, look: Appearance, rng: np.random.Generator) -> Body:
    return lay(piece, look, rng) if look.lobes is None else lay_lobed(piece, look, look.lobes, rng)


def _rounded(places: FloatArray) -> list[object]:
    rounded: list[object] = np.round(np.asarray(places), 2).tolist()
    return rounded


def _population(kind: str, counts: Damage, rng: np.random.Generator) -> list[Piece]:
    pieces = damage(normal_karyotype(rng), counts, rng)
    if kind == "incomplete":
        kept = rng.permutation(len(pieces))[: int(rng.integers(15, 38))]
        pieces = [pieces[i] for i in sorted(kept)]
    if kind == "double":
        pieces = pieces + normal_karyotype(rng)
    return pieces


def _unusual(look: Appearance, kind: str) -> Appearance:
    """Change the draw of a cell that should not be scored."""
    if kind == "prometaphase":
        return replace(look, longest=look.longest * 1.7, width=look.width * 0.75, bend=1.6, radius=look.radius * 0.8)
    if kind == "smeared":
        return replace(look, smears=9, focus=look.focus * 1.8, grain=0.3)
    if kind == "double":
        return replace(look, radius=look.radius * 1.15, contact=0.25)
    if kind == "clumped":
        return replace(look, radius=look.radius * 0.35, contact=0.8)
    if kind == "blurred":
        return replace(look, focus=look.focus * 3)
    return look


def _points(bodies: list[Body], shape: tuple[int, int]) -> Points:
    """Labels of all bodies whose place lies inside the image."""
    found = [
        (name, row, col)
        for body in bodies
        for name, (row, col) in body.aberrations
        if 0 <= row < shape[0] and 0 <= col < shape[1]
    ]
    return Points(
        np.array([row for _, row, _ in found], dtype=float),
        np.array([col for _, _, col in found], dtype=float),
        tuple(name for name, _, _ in found),
    )
