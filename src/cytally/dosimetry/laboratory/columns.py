"""The headings under which laboratories keep their counts, in one place."""

from __future__ import annotations

from itertools import product

from cytally.errors import CountsError
from cytally.files.tables.headings import Column, Wanted, plain

_BEFORE = ("", "number of ", "no of ", "nr of ", "n of ", "# of ", "# ", "no ", "nr ", "total ", "total number of ",
           "sum of ", "scored ", "counted ", "analysed ", "analyzed ", "anzahl ", "anzahl der ", "zahl der ",
           "nombre de ", "numero de ", "numero di ")  # fmt: skip
_BEHIND = (
    "",
    " scored",
    " counted",
    " analysed",
    " analyzed",
    " examined",
    " observed",
    " total",
    " count",
    " counts",
)
_CELLS = ("cells", "metaphases", "zellen", "metaphasen", "cellules", "celulas", "cellule")
_FOUND = ("dicentrics", "dicentric", "dicentric chromosomes", "dic", "dics", "dizentrische", "dizentren",
          "dizentrische chromosomen", "dicentriques", "dicentrique", "chromosomes dicentriques", "dicentricos",
          "cromosomas dicentricos", "dicentrici", "micronuclei", "mn", "mikrokerne", "micronoyaux", "aberrations",
          "translocations")  # fmt: skip
_PEOPLE = (
    "sample",
    "patient",
    "probe",
    "proben",
    "echantillon",
    "muestra",
    "campione",
    "case",
    "person",
    "subject",
)
_NAMED = ("", " id", " name", " no", " nr", " number", " code", " #")
_COUNTS = ("n", "no", "nr", "#", "number", "total", "sum", "count", "counts", "scored")
#: Units in headings, plain: Gy, and what is not Gy.
GRAY = ("", "gy", "gray", "grays")
OTHER_UNITS = ("cgy", "mgy", "ugy", "µgy", "μgy", "rad", "rads", "sv", "msv", "mr", "r")


def _counted(nouns: tuple[str, ...], *more: str) -> frozenset[str]:
    return frozenset(plain("".join(words)) for words in product(_BEFORE, nouns, _BEHIND)) | frozenset(more)


DOSE = Column(
    "dose_gy",
    frozenset({"dose", "d", "doses", "absorbed dose", "nominal dose", "physical dose", "delivered dose", "dosis",
               "energiedosis", "dose absorbee", "dosis absorbida"}),
    (*GRAY, *OTHER_UNITS),
)  # fmt: skip
CELLS = Column("cells", _counted(_CELLS, "n", "cell count", "cell counts", "n cells"), _COUNTS)
DICENTRICS = Column("dicentrics", _counted(_FOUND, "x", "n dicentrics", "n dic"), _COUNTS)
SAMPLE = Column(
    "sample",
    frozenset(a + b for a, b in product(_PEOPLE, _NAMED)) | {"id", "name", "code", "samples", "probennummer"},
    None,
)  # fmt: skip
WEIGHT = Column("weight", frozenset({"weights", "gewicht", "poids"}))
_LABORATORY = Column("laboratory", frozenset({"lab", "labor", "laboratoire", "laboratorio", "laboratory id", "lab id",
                                              "lab code", "laboratory code", "participant"}))  # fmt: skip
_VALUE = Column("value", frozenset({"dose", "estimate", "dose estimate", "estimated dose", "reported dose", "yield",
                                    "result", "wert", "valeur"}), (*GRAY, *OTHER_UNITS))  # fmt: skip
_REFERENCE = Column("reference", frozenset({"reference dose", "reference value", "true dose", "physical dose",
                                            "delivered dose", "assigned value"}), (*GRAY, *OTHER_UNITS))  # fmt: skip

COUNTS = Wanted(
    "a table of counts", (DOSE, CELLS, DICENTRICS, WEIGHT),
    (("dose_gy", "cells", "dicentrics"), ("dose_gy", "C")),
    "dose_gy and cells, dicentrics (or N, X) or C0, C1, ...", CountsError, "C",
)  # fmt: skip
SAMPLES = Wanted(
    "a table of samples", (SAMPLE, CELLS, DICENTRICS),
    (("sample", "cells", "dicentrics"), ("sample", "C")),
    "sample and cells, dicentrics (or N, X) or C0, C1, ...", CountsError, "C",
)  # fmt: skip
EXERCISE = Wanted(
    "a table of values by laboratory", (_LABORATORY, _VALUE, _REFERENCE, SAMPLE),
    (("value", "laboratory"), ("value",)),
    "laboratory and value (sample and reference where there are several)", CountsError,
)  # fmt: skip
VALIDATION = Wanted(
    "evaluation.csv of `evaluate`",
    tuple(Column(name) for name in ("dose_gy", "cells", "class", "true", "false", "missed")),
    (("dose_gy", "cells", "class", "true", "false", "missed"),),
    "dose_gy, cells, class, true, false and missed", CountsError,
)  # fmt: skip

#: What stands in a line that sums up the others, plain; also in a column of remarks.
SUMS = frozenset({"total", "totals", "grand total", "sum", "summe", "gesamt", "insgesamt", "gesamtsumme", "somme", "totaux",
                  "total general", "subtotal", "sub total", "zwischensumme", "sous total", "suma", "totale", "totali",
                  "razem", "łacznie", "ogołem", "somma", "ges", "tot", "∑"})  # fmt: skip
#: The same as the whole name of a line. Short ones and those that may begin a name stand here alone.
SUMMARY = SUMS | {
    "sums", "all", "all samples", "alle", "alle proben", "tous", "toutes", "todos", "todas", "tutti", "tutte", "wszystkie",
    "overall", "pooled", "mw", "sd", "std", "stdev", "stabw", "standard deviation", "standard error",
    "robust mean", "standardabweichung", "ecart type", "desviacion estandar", "deviazione standard",
    "odchylenie standardowe", "ensemble", "en tout", "in tutto", "en total",
}  # fmt: skip
#: First words of the name of such a line ("Sum (n=3)", "Mean value", "Tot. 2"), and how longer ones begin
#: ("Gesamtzahl", "Mittelwerte"). No surname may: Summer, Gessner, Totti, Meany, Mediavilla.
_FIRST = frozenset({"sum", "sums", "summe", "summen", "summed", "tot", "ges", "gesamt", "somme", "sommes", "somma", "suma", "sumy",
                    "mean", "means", "mittel", "mittlere", "mittlerer", "schnitt", "avg", "ave", "moy", "media", "medias", "medie",
                    "median", "mediana", "mediane", "ø", "⌀", "σ", "∑", "μ", "µ", "grand total", "sub total", "sous total", "totaux",
                    "razem", "łacznie", "ogołem", "srednia", "srednio", "srednie", "overall", "pooled", "combined"})  # fmt: skip
_BEGINNINGS = ("total", "subtotal", "gesamts", "gesamtz", "gesamta", "gesamtw", "gesamte", "insgesamt", "zwischensumm",
               "teilsumm", "mittelwert", "durchschnitt", "average", "moyenn", "promedi", "podsumowan", "geometric mean")  # fmt: skip


def sums_up(name: str) -> bool:
    """Whether the name of a line says that it sums up others, or is their mean.

    Examples
    --------
    >>> [sums_up(name) for name in ("Mittel", "Ges.", "Summe A+B", "TOTAL DICENTRICS", "Sum (n=3)", "Ø")]
    [True, True, True, True, True, True]
    >>> [sums_up(name) for name in ("Summer, B.", "Gessner", "Totti", "Meany", "A-12", "")]
    [False, False, False, False, False, False]
    """
    words = plain(name)
    first = {" ".join(words.split()[:k]) for k in (1, 2)}
    return words in SUMMARY or not _FIRST.isdisjoint(first) or words.startswith(_BEGINNINGS)
