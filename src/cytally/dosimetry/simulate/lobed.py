"""Contracted cells: what their chromatids look like, drawn jointly.

Thickness, slit, lumps, blur and length of a cell's chromosomes go together; drawn one by
one they make cells that no slide holds. So a cell follows one of a few sets of settings,
each of which was found to give the features of one real cell (docs/simulator.md), and
varies around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from cytally.types import FloatArray


@dataclass(frozen=True)
class Lobes:
    """One cell's chromatids, in parts of the body's width unless noted."""

    thick: float  # thickness of a chromatid
    round: float  # how round it is across: 0.5 is a clear cylinder
    merge: float  # share of the second chromatid's density that is added where both overlap
    neck: float  # its thickness at a centromere / in the arm
    waist: float  # width of the body at a centromere
    cleft: float  # length over which the lobes round off beside a centromere
    reach: float  # over which chromatids come together at a centromere, standard deviation
    sway: float  # chromatids leaving their parallel course
    fuzz: float  # unevenness of chromatin from pixel to pixel, before any blur, relative
    pale: float  # how much paler chromatids are at a centromere, relative
    beads: float  # density of lumps, relative
    knobs: float  # thickness of lumps, relative
    rate: float  # lumps per width
    twin: float  # correlation of the lumps of both sisters
    zigzag: float  # lumps leaning outwards
    splay: float  # arms opening towards their tips
    bow: float  # arms bowing outwards half-way
    uneven: float  # spread of width between the chromosomes of a cell, relative


#: Columns of the tables below. `longest` and `focus` are in widths, `width` in pixels.
_COLUMNS = (
    "width longest focus bend kink density noise grain halo thick round merge neck waist "
    "cleft reach sway fuzz pale beads knobs rate twin zigzag splay bow uneven"
).split()
#: What one step of a column is worth: hundredths, thousandths, or pixels.
_STEPS = np.array([{"width": 1.0, "longest": 0.01, "noise": 0.01, "rate": 0.01}.get(name, 0.001) for name in _COLUMNS])
#: Smooth lobes, lying close.
_LOBED = """
  21  410   80   87  279  503  140   68 -242  568  966   25  507  404  280  114   36  160  505  160   83  249  651   26  127   10   68
  22  409   71  174  236  591  360   46 -190  490  892   26  557  590  163  178    9  390  363   45   96  262  555   38   57   35   79
  24  341   78  316  138  636  333   29 -229  423 1034  113  572  579  299  217   10  673  132   90   71  255  654   49   53   67   71
  22  415   77  155  204  545  345   57 -160  511  966   10  655  553  200  142   19  383  418   44   58  267  529   22   93   38   89
  22  409   73  142  176  458  215   75 -138  575  995   63  503  378  300  120   22  214  528   84   94  267  451   12  101   20   83
  24  369   97  108  289  729  112   80  -30  605  986   87  582  300  337  110   26   88  114   44  167  242  873   28  138   98   97
  22  404   68  132  314  766  135   44 -241  562  904   97  616  319  296  106   36  101  402   62  139  234  817   28  265   25   78
  28  301  106  277   61  627  322   64    1  395 1106   77  618  611  276  155   30  744  257  240   66  269  650   42   96   94   49
  21  414   70  111  225  394  246   46  -85  550 1144   13  543  616  235  174   30  298  596   86    7  251  691   27  136   12   83
  26  349   94  353  130  749  306   27 -141  425  904  136  584  578  285  186   22 1039  179  109   40  266  899   47  100   68   80
  21  414   75  166  225  581  311   62 -204  468  868   35  552  628  255  174   27  422  397   90   76  252  632   46  116   17   74
  21  407   75   86  155  429  198   63  -51  568 1131    3  463  498  252  125   28  148  535   60   57  276  516   19   73   10   89
  22  392  102  260  223  625  286   63  -26  441  651  116  525  544  227  150   28  822  253  120   61  275  754   49  131   54   43
"""
#: Lumpy chromatids, often apart.
_BEADED = """
  28  251   71  335  187  749  283   49 -196  414 1065  113  626  544  285  174   30  845  200  123   63  268  655   49  156  121   49
  25  391  107  306  252  859  268   64 -151  421  942  143  619  635  275  170   51  983  273  246   78  278  767   35  295  168   44
  28  285   79  121   76  749  230   88 -173  402 1137  137  538  646  292  146   33 1105  128  203   90  266  652   42  266  193   40
  27  370   84  373  159 1118  267   94 -228  398 1084   83  599  540  314  211   30 1042  358  111   90  274  708   34  301  161   83
  21  400   70   55  344  968  334   88 -188  424 1026  256  507  558  324  215   16 1081   30  244   38  282  883   41  219  127   41
  21  373   69   99  299  951  323   86 -180  421 1030  215  500  544  315  167   24 1022  142  129   60  277  873   45  158  114   59
  25  302   78  365  174  653  323   41 -115  416 1030   99  736  583  303  204   34  957  211  172   91  279  652   49  154  115   62
"""
#: Standard deviation of settings that give the same features.
_SPREAD = """
   1   24   12   64   74  159   41   18   64   22  147   77  109   67   57   50   13  195  141   65   36   18  143   11   96   40   16
"""


def _rows(table: str) -> FloatArray:
    return np.asarray(np.array([line.split() for line in table.split("\n") if line], dtype=float) * _STEPS)


_LOOKS: Mapping[str, FloatArray] = MappingProxyType({"lobed": _rows(_LOBED), "beaded": _rows(_BEADED)})
#: Standard deviations and amounts; `halo` may be negative.
_SPREADS = ("bend", "kink", "density", "noise", "grain")
#: Least blur, pixels: no objective shows more.
_SHARPEST = 1.5
#: A cell varies by this much of it around its row.
_VARY = 0.6 * _rows(_SPREAD)[0]


def draw_lobes(look: str, rng: np.random.Generator) -> tuple[Lobes, dict[str, float]]:
    """Draw a cell's chromatids, and what else of its appearance goes with them.

    Parameters
    ----------
    look : {"lobed", "beaded"}
    rng : numpy.random.Generator

    Returns
    -------
    Lobes
    dict of str to float
        `width`, `longest` and `focus` in pixels, `bend`, `kink`, `density`, `noise`, `grain`, `halo`:
        fields of `Appearance` by name.
    """
    rows = _LOOKS[look]
    near = rows[int(rng.integers(len(rows)))]
    row = near + rng.normal(0, 1, near.size) * np.minimum(_VARY, 0.4 * np.abs(near))
    drawn = dict(zip(_COLUMNS, row.tolist(), strict=True))
    lobes = {name: max(drawn.pop(name), 0.0) for name in Lobes.__dataclass_fields__}
    lobes["thick"], lobes["twin"] = min(lobes["thick"], 0.55), min(lobes["twin"], 0.98)
    drawn |= {name: max(drawn[name], 0.0) for name in _SPREADS}
    drawn["longest"] *= drawn["width"]
    drawn["focus"] = max(drawn["focus"] * drawn["width"], _SHARPEST)
    return Lobes(**lobes), drawn
