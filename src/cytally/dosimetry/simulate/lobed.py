"""Contracted cells: what their chromatids look like, drawn jointly.

Thickness, slit, lumps, blur and length of a cell's chromosomes go together; drawn one by
one they make cells that no slide holds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lobes:
    """One cell's chromatids, in parts of the body's width unless noted."""

    thick: float  # thickness of a chromatid
    neck: float  # its thickness at a centromere / in the arm
    waist: float  # width of the body at a centromere
    cleft: float  # length over which the lobes round off beside a centromere
    reach: float  # over which chromatids come together at a centromere, standard deviation
    sway: float  # chromatids leaving their parallel course
    fuzz: float  # unevenness of chromatin from pixel to pixel, before any blur
    pale: float  # how much paler chromatids are at a centromere
    beads: float  # density of lumps, relative
    knobs: float  # thickness of lumps, relative
    rate: float  # lumps per width
    twin: float  # correlation of the lumps of both sisters
    zigzag: float  # lumps leaning outwards
    splay: float  # arms opening towards their tips
    bow: float  # arms bowing outwards half-way
    uneven: float  # spread of width between the chromosomes of a cell, relative
