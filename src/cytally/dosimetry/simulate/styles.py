"""Named looks of a metaphase: what varies from laboratory to laboratory and cell to cell.

Every range is drawn once per cell, as within a real cell condensation, stain and
focus vary little, while between cells they vary a lot (facts of the field,
section 3: widths 20-34 px, densities 0.24-0.85, chromatid gap 8-57 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from cytally.dosimetry.simulate.lobed import Lobes, draw_lobes
from cytally.errors import SettingsError

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """Ranges from which one cell's appearance is drawn, uniformly unless noted.

    Lengths are in pixels of 0.1 um. The field names say what they steer.
    """

    name: str
    # chromosomes
    width: Range = (20, 34)  # body width, 90th percentile
    longest: Range = (75, 105)  # length of chromosome 1
    separation: Range = (0.55, 1.25)  # chromatid distance / chromatid width at mid arm
    waist: Range = (0.46, 0.72)  # width at the centromere / body width
    neck: Range = (0.7, 1.0)  # chromatid's own thickness at the centromere / in the arm
    sway: Range = (0.01, 0.05)  # chromatids leaving their parallel course, in body widths
    waist_length: Range = (0.16, 0.34)  # of the constriction, in body widths
    splay: Range = (0.0, 0.35)  # arms opening towards their tips
    bow: Range = (0.0, 0.15)  # arms bulging half-way
    bend: Range = (0.1, 0.9)  # radians over the longest chromosome, standard deviation
    kink: Range = (0.0, 0.35)  # radians at the centromere
    twist: Range = (0.0, 0.05)  # share of chromosomes whose chromatids cross
    knobs: Range = (0.03, 0.15)  # relative unevenness of the outline
    bands: Range = (0.0, 0.15)  # density modulation along the arms
    # layout
    radius: Range = (190, 320)  # of the spread
    contact: Range = (0.0, 0.12)  # share of chromosomes that may touch or cross
    # scene
    nuclei: Range = (0, 6)
    nucleus_diameter: Range = (80, 220)
    specks: Range = (0, 25)
    filaments: Range = (0, 2)
    smears: Range = (0, 3)
    rings: Range = (0, 5)
    grain: Range = (0.03, 0.15)  # stain unevenness inside chromosomes
    # optics
    density: Range = (0.24, 0.9)  # optical density of a chromosome body
    focus: Range = (1.4, 2.8)  # Gaussian sigma of the blur
    halo: Range = (0.0, 0.12)  # bright rim of a sharpening camera; below 0: haze
    background: Range = (205, 235)  # grey level of the empty slide
    shading: Range = (0.005, 0.08)  # relative light unevenness
    noise: Range = (1.0, 2.8)  # grey levels, standard deviation
    glare: Range = (0.0, 0.06)  # stray light, fraction of the background
    seen: float = 0.66  # widest waist of a dicentric: people score what they see
    light: float = 0.0  # most that the body is paler at its centromere
    blurred: float = 0.1  # most blur, in body widths: beyond it no centromere can be seen
    lobed: str = ""  # the joint draw that replaces width, length, focus, bend and stain ("": none)
    # unscorable cells: shares of all cells
    unscorable: float = 0.0


_PLAIN = Style("mixed")
#: An even grey background and little else in the field; what the chromosomes look like is drawn jointly.
_METAFER = replace(
    _PLAIN,
    contact=(0.0, 0.12),
    nuclei=(0, 5),
    specks=(0, 15),
    filaments=(0, 2),
    smears=(0, 2.5),
    rings=(0, 6),
    background=(210, 232),
    shading=(0.003, 0.03),
    glare=(0.0, 0.03),
)
STYLES: Mapping[str, Style] = MappingProxyType(
    {
        style.name: style
        for style in (
            _PLAIN,
            replace(
                _PLAIN, name="dark", density=(0.6, 1.1), separation=(0.55, 1.0), noise=(2.0, 2.6), knobs=(0.03, 0.1)
            ),
            replace(
                _PLAIN, name="pale", density=(0.22, 0.5), separation=(0.6, 1.1), noise=(1.3, 2.1), focus=(1.8, 2.9)
            ),
            replace(
                _PLAIN,
                name="straight",
                bend=(0.03, 0.35),
                splay=(0.0, 0.15),
                bow=(0.0, 0.08),
                twist=(0.0, 0.03),
                sway=(0.005, 0.03),
                kink=(0.0, 0.2),
                separation=(0.8, 1.35),
                waist=(0.48, 0.74),
                neck=(0.85, 1.0),
                focus=(1.2, 2.2),
                bands=(0.0, 0.3),
            ),
            replace(
                _PLAIN,
                name="separated",
                separation=(1.0, 1.9),
                waist=(0.42, 0.74),
                splay=(0.1, 0.9),
                bow=(0.0, 0.7),
                bend=(0.1, 0.8),
                knobs=(0.03, 0.14),
                focus=(1.0, 2.4),
            ),
            replace(
                _PLAIN,
                name="slender",
                width=(15, 22),
                longest=(95, 135),
                bend=(0.6, 1.4),
                knobs=(0.05, 0.16),
                bands=(0.05, 0.5),
            ),
            replace(
                _PLAIN,
                name="faint",
                width=(16, 26),
                longest=(85, 130),
                bend=(0.05, 0.5),
                splay=(0.0, 0.15),
                bow=(0.0, 0.05),
                twist=(0.0, 0.02),
                sway=(0.005, 0.02),
                kink=(0.0, 0.5),
                separation=(0.75, 1.1),
                waist=(0.64, 0.84),
                neck=(1.0, 1.3),
                waist_length=(0.1, 0.22),
                seen=0.82,
                light=0.6,
                focus=(1.2, 2.2),
                bands=(0.0, 0.25),
                knobs=(0.02, 0.08),
            ),
            replace(
                _PLAIN,
                name="hard",
                width=(18, 34),
                longest=(70, 120),
                separation=(0.5, 1.4),
                waist=(0.44, 0.74),
                splay=(0.0, 0.45),
                bow=(0.0, 0.3),
                sway=(0.01, 0.055),
                bend=(0.1, 1.1),
                kink=(0.0, 0.45),
                twist=(0.01, 0.1),
                knobs=(0.03, 0.15),
                bands=(0.0, 0.2),
                contact=(0.03, 0.15),
                nuclei=(0, 10),
                specks=(0, 60),
                filaments=(0, 5),
                smears=(0, 5),
                rings=(0, 9),
                grain=(0.05, 0.2),
                density=(0.22, 1.0),
                focus=(1.1, 3.1),
                halo=(0.0, 0.2),
                shading=(0.01, 0.09),
                noise=(1.0, 3.5),
            ),
            replace(
                _PLAIN,
                name="poor",
                width=(17, 34),
                longest=(70, 125),
                separation=(0.5, 1.5),
                waist=(0.48, 0.78),
                splay=(0.0, 0.6),
                bow=(0.0, 0.5),
                sway=(0.01, 0.1),
                bend=(0.1, 1.3),
                kink=(0.0, 0.6),
                twist=(0.02, 0.2),
                knobs=(0.04, 0.2),
                bands=(0.0, 0.3),
                contact=(0.04, 0.22),
                nuclei=(0, 10),
                specks=(0, 60),
                filaments=(0, 5),
                smears=(0, 5),
                rings=(0, 9),
                grain=(0.05, 0.22),
                density=(0.22, 1.0),
                focus=(1.1, 3.1),
                halo=(0.0, 0.2),
                shading=(0.01, 0.09),
                noise=(1.0, 3.5),
                blurred=0.16,
            ),
            replace(_METAFER, name="lobed", lobed="lobed"),
            replace(_METAFER, name="beaded", lobed="beaded", contact=(0.0, 0.08)),
        )
    }
)
#: How often each style is drawn in a mixed training set.
TRAINING_MIX = {
    "mixed": 2,
    "dark": 1,
    "pale": 1,
    "straight": 2,
    "separated": 2,
    "slender": 1,
    "faint": 2,
    "hard": 4,
    "poor": 1,
}
#: The same, and as many cells of the contracted, lobed look that most instruments show.
TRAINING_MIX_3 = {**TRAINING_MIX, "lobed": 10, "beaded": 6}
#: What an unscorable cell can be.
UNSCORABLE = ("incomplete", "double", "prometaphase", "smeared")


@dataclass(frozen=True)
class Appearance:
    """One cell's draw from a style: the same names, one number each."""

    style: str
    width: float
    longest: float
    separation: float
    waist: float
    neck: float
    sway: float
    waist_length: float
    splay: float
    bow: float
    bend: float
    kink: float
    twist: float
    knobs: float
    bands: float
    radius: float
    contact: float
    nuclei: float
    nucleus_diameter: float
    specks: float
    filaments: float
    smears: float
    rings: float
    grain: float
    density: float
    focus: float
    halo: float
    background: float
    shading: float
    noise: float
    glare: float
    seen: float
    light: float
    lobes: Lobes | None = None

    def numbers(self) -> dict[str, float]:
        """All that was drawn, by name."""
        own = {k: v for k, v in vars(self).items() if k not in ("style", "lobes")}
        return own | (vars(self.lobes) if self.lobes else {})


def style_named(name: str) -> Style:
    """The style of that name, or a clear error with the names there are."""
    if name not in STYLES:
        raise SettingsError(f"no style {name!r}; choose one of {', '.join(STYLES)}")
    return STYLES[name]


def draw_appearance(style: Style, rng: np.random.Generator) -> Appearance:
    """Draw every range of a style once; wide chromosomes are short ones."""
    ranges = {k: v for k, v in vars(style).items() if isinstance(v, tuple)}
    draw = {name: float(rng.uniform(*limits)) for name, limits in ranges.items()}
    condensed = (draw["width"] - style.width[0]) / max(style.width[1] - style.width[0], 1e-9)
    share = float(np.clip(0.65 * (1 - condensed) + 0.35 * rng.random(), 0, 1))
    draw["focus"] = min(draw["focus"], style.blurred * draw["width"])
    draw["seen"] = style.seen
    draw["light"] = rng.uniform(0, style.light) if style.light else 0.0
    draw["longest"] = style.longest[0] + share * (style.longest[1] - style.longest[0])
    if not style.lobed:
        return Appearance(style.name, lobes=None, **draw)
    lobes, together = draw_lobes(style.lobed, rng)
    return Appearance(style.name, lobes=lobes, **(draw | together))
