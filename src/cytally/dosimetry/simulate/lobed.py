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
    *("width", "longest", "focus", "bend", "kink", "density", "noise", "grain", "halo", "thick", "round", "merge"),
    *("neck", "waist", "cleft", "reach", "sway", "fuzz", "pale", "beads", "knobs", "rate", "twin", "zigzag", "splay", "bow", "uneven"),
)
#: What one step of a column is worth: hundredths, thousandths, or pixels.
_STEPS = np.array([{"width": 1.0, "longest": 0.01, "noise": 0.01, "rate": 0.01}.get(name, 0.001) for name in _COLUMNS])
#: Smooth lobes, lying close.
_LOBED = """
  21  396   71  190  218  662  229   49 -229  542 1053  230  500  275  284  180   25  141  558   62  113  227  591   20  330   23   80
  23  413   70  133  249  777  227   51 -216  434  990   10  512  510  270  267   17  442  469   80   41  257  574   39   39   90   75
  28  313   81  331  115  659  343   51 -200  425 1219  142  837  649  309  337   16 1028  104   80   47  263  767   48  243  108   32
  22  420   76  108  255  747  317   49 -127  500 1147    4  553  635  220  216   30  285  416   75   36  272  581   46   83   45   72
  21  420   76  235  141  804  196   71 -109  567 1036  117  641  342  298  157   28  173  505   66   98  260  506    8   92   65   68
  23  403   96  170  237  680  174   62  -33  584 1190  306  653  286  286  154   29  121  220   78   84  280  752   29  135   85   82
  22  406   79  234  260  626  195   53 -199  548 1120  219  634  269  222  176   25  131  445  123   84  221  712   26  212   50   74
  28  292  104  186   98  395  248   67  -32  380 1238  118  423  622  275  208   32  813  311  285   97  260  663   41  200  131   48
  21  415   77  110  172  415  246   57  -82  521 1146   31  466  561  259  229   32  202  553   74   56  273  582   25   65   17   86
  26  359  106  334  187  819  328   49  -71  403  943  234  691  655  284  266   41 1033  332  121   29  271  831   37  244   73   47
  22  395   76  109  262  667  208   77 -182  464 1093   32  473  532  214  202   22  327  365  112   72  272  706   38   16   97   73
  22  404   79  195  169  681  184   56  -26  573 1101   42  623  383  248  157   26   96  372  127   83  245  532   15   73   93   70
  24  378  109  189  247  852  250   67  -18  419  897  137  724  450  278  216   35  707  330  143  118  248  760   30  255  137   50
"""
#: Lumpy chromatids, often apart.
_BEADED = """
  26  307   72  308  185  912  259   52 -200  389 1166  288  605  502  241  218   26 1088  138  195   92  270  683   42   56  146   54
  25  390   97  320  245  865  220   57 -170  415 1014  240  535  644  252  234   44 1013  271  169   84  280  775   26  268  195   53
  29  337   89  298  151  868  221   67  -48  380 1222  209  571  664  261  193   40  897  219  254   93  265  702   41  193  148   65
  28  338   74  372  139  949  260   42 -186  423 1117  202  565  507  226  251   38 1179  140  122   75  269  797   46   92  156   93
  21  380   75   87  267  867  325   87 -183  395 1156  346  538  502  320  266   16  814   93  242   89  277  888   45  180  114   30
  21  387   73   85  334  997  347   98 -193  391 1094  449  506  495  245  222   15  902  152  112   53  255  838   50  159  101   54
  27  327   78  370  147  830  280   71  -75  398  939  215  657  508  233  238   26  902   72  216   55  275  535   39  118  121   64
"""
#: Standard deviation of settings that give the same features.
_SPREAD = """
   2   26   13   64   72  179   52   19   66   23  141   88  108   79   69   47   12  202  140   84   37   21  127   10   84   45   16
"""


def _rows(table: str) -> FloatArray:
    return np.array([line.split() for line in table.split("\n") if line], dtype=float) * _STEPS


_LOOKS: Mapping[str, FloatArray] = MappingProxyType({"lobed": _rows(_LOBED), "beaded": _rows(_BEADED)})
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
    lobes = {name: drawn.pop(name) for name in Lobes.__dataclass_fields__}
    lobes["thick"], lobes["twin"] = min(lobes["thick"], 0.55), min(lobes["twin"], 0.98)
    drawn["longest"] *= drawn["width"]
    drawn["focus"] *= drawn["width"]
    return Lobes(**lobes), drawn
