"""The headings under which laboratories keep their counts, in one place."""

from __future__ import annotations

from cytally.errors import CountsError
from cytally.files.tables.headings import Column, Wanted, plain

#: Around a noun these change nothing: "Number of cells scored", "ausgewertete Zellen", "N.º de células analizadas".
_BESIDE = frozenset(
    "number numbers of the no nr n # nb nbr nbre num numero nombre numer total totals totale totales totaux totalen sum count counts scored "
    "counted analysed analyzed examined observed evaluated found seen "
    "anzahl anz zahl ausgew gez unters der die gesamt gesamtzahl gesamtanzahl summe ausgewertet ausgewertete ausgewerteten ausgewerteter gezahlt "
    "gezahlte gezahlten gezahlter analysiert analysierte analysierten analysierter untersuchte untersuchten untersuchter "
    "beobachtete beobachteten beobachteter gefundene gefundenen gefundener bewertete bewerteten bewerteter "
    "de des d les la le du analyse analyses analysee analysees compte comptes comptee comptees observe observes observee "
    "observees examine examines examinee examinees evalue evalues evaluee evaluees lues scorees somme "
    "del los las el analizadas analizados analizada contadas contados observadas observados examinadas evaluadas puntuadas "
    "cantidad suma "
    "di delle dei degli analizzate analizzati contate contati osservate osservati esaminate valutate totali somma "
    "liczba ilosc analizowanych przeanalizowanych przeanalizowane zliczonych zliczone ocenionych ocenione "
    "zaobserwowanych policzonych".split()
)
#: In the plural: "Cell" and "Cellule n°" number single cells.
_CELLS = frozenset(
    (
        "cells",
        "metaphases",
        "mitoses",
        "zellen",
        "metaphasen",
        "zellzahl",
        "gesamtzellzahl",
        "zellenzahl",
        "zellanzahl",
        "metaphasenzahl",
        "metaphasenanzahl",
        "mitosen",
        "cellules",
        "celulas",
        "metafases",
        "metafasi",
        "komorki",
        "komorek",
        "metafazy",
        "metafaz",
    )
)
_CELLULE = frozenset(
    (
        "cellule",
        *(f"cellule {word}" for word in "analizzate contate osservate esaminate valutate totali".split()),
        *(f"{word} cellule" for word in ("numero", "numero di", "no", "no di", "n", "n di", "totale", "delle")),
    )
)
_FOUND = frozenset(
    (
        "dicentric",
        "dicentrics",
        "dicentric chromosome",
        "dicentric chromosomes",
        "dic",
        "dics",
        "dic chromosomes",
        "dizentrische",
        "dizentrischen",
        "dizentrischer",
        "dizentren",
        "dizentrika",
        "dizentrische chromosomen",
        "dizentrische chromosome",
        "dizentrische chr",
        "dizentr chromosomen",
        "dizentr chr",
        "diz chromosomen",
        "dizentrischer chromosomen",
        "dizentrenzahl",
        "dicentrique",
        "dicentriques",
        "chromosomes dicentriques",
        "dicentrico",
        "dicentricos",
        "cromosomas dicentricos",
        "dicentrici",
        "cromosomi dicentrici",
        "dicentryki",
        "dicentrykow",
        "chromosomy dicentryczne",
        "chromosomow dicentrycznych",
        "micronuclei",
        "micronucleus",
        "mn",
        "mikrokerne",
        "micronoyaux",
        "micronucleos",
        "mikrojadra",
        "mikrojader",
        "aberrations",
        "aberrationen",
        "aberraciones",
        "aberrazioni",
        "aberracje",
        "translocations",
        "translokationen",
        "translocaciones",
        "traslocazioni",
        "translokacje",
    )
)
#: Whose counts they are; "case" and below only where nothing else names the sample.
_PEOPLE = frozenset(
    "sample samples patient patients person subject probe proben blutprobe patientin echantillon echantillons patiente sujet "
    "muestra muestras paciente sujeto campione campioni paziente soggetto probka probki pacjent osoba "
    "probennummer probenname probencode probenbezeichnung probenkennung probennr patienten patientennummer patientencode pacjenta pacjenci probanden "
    "specimen".split()
)
_WEAK_PEOPLE = frozenset(
    "id name code nr no number case individual donor nummer kennung bezeichnung fall nom cas individu donneur identifiant "
    "codigo caso individuo donante nome codice donatore kod dawca".split()
)
_NAMED = frozenset(
    "id name no nr ref n num number code # of the nummer kennung bezeichnung der numero nom nombre de d du des la le l il identifiant reference "
    "codigo del della dell nome codice nazwa numer kod identyfikator".split()
)
_COUNTS = ("n", "no", "nr", "#", "number", "total", "sum", "count", "counts", "scored")
#: Units in headings, plain: Gy, and what is not Gy.
GRAY = ("", "gy", "gray", "grays")
OTHER_UNITS = ("cgy", "mgy", "ugy", "µgy", "μgy", "rad", "rads", "sv", "msv", "mr", "r")


DOSE = Column(
    "dose_gy",
    frozenset(
        {
            "dose",
            "d",
            "doses",
            "absorbed dose",
            "nominal dose",
            "physical dose",
            "delivered dose",
            "dosis",
            "dosen",
            "energiedosis",
            "nenndosis",
            "physikalische dosis",
            "dose absorbee",
            "dose nominale",
            "dose physique",
            "dosis absorbida",
            "dosis nominal",
            "dosis fisica",
            "dose assorbita",
            "dose fisica",
            "dosi",
            "dawka",
            "dawki",
            "dawka pochłonieta",
            "dawka fizyczna",
        }
    ),
    (*GRAY, *OTHER_UNITS),
)
CELLS = Column("cells", _CELLULE | {"n", "cell count", "cell counts"}, _COUNTS, _CELLS, _BESIDE)
DICENTRICS = Column("dicentrics", frozenset({"x"}), _COUNTS, _FOUND, _BESIDE)
SAMPLE = Column("sample", frozenset(), None, _PEOPLE, _NAMED, _WEAK_PEOPLE)
WEIGHT = Column("weight", frozenset({"weights", "gewicht", "gewichtung", "poids", "peso", "waga"}))
_LABORATORY = Column(
    "laboratory",
    frozenset(
        {
            "lab",
            "labor",
            "labore",
            "labo",
            "laboratoire",
            "laboratorio",
            "laboratorium",
            "laborcode",
            "laborkennung",
            "labornummer",
            "participant",
            "teilnehmer",
            "participante",
            "partecipante",
            "uczestnik",
        }
    ),
    None,
    frozenset({"laboratory", "lab", "labor", "laboratoire", "laboratorio", "laboratorium"}),
    _NAMED,
)
_VALUE = Column(
    "value",
    frozenset(
        {
            "dose",
            "estimate",
            "dose estimate",
            "estimated dose",
            "reported dose",
            "yield",
            "result",
            "wert",
            "ergebnis",
            "dosis",
            "geschatzte dosis",
            "ganzkorperdosis",
            "dosisschatzung",
            "ermittelte dosis",
            "valeur",
            "resultat",
            "dose estimee",
            "estimation",
            "valor",
            "resultado",
            "dosis estimada",
            "valore",
            "risultato",
            "dose stimata",
            "wartosc",
            "wynik",
            "dawka",
            "dawka szacowana",
            "oszacowana dawka",
        }
    ),
    (*GRAY, *OTHER_UNITS),
)
_REFERENCE = Column(
    "reference",
    frozenset(
        {
            "reference dose",
            "reference value",
            "true dose",
            "physical dose",
            "delivered dose",
            "assigned value",
            "referenz",
            "referenzdosis",
            "referenzwert",
            "sollwert",
            "solldosis",
            "wahre dosis",
            "physikalische dosis",
            "dose de reference",
            "valeur de reference",
            "dose physique",
            "dose vraie",
            "referencia",
            "dosis de referencia",
            "valor de referencia",
            "dosis fisica",
            "riferimento",
            "dose di riferimento",
            "valore di riferimento",
            "dose fisica",
            "dawka referencyjna",
            "wartosc odniesienia",
        }
    ),
    (*GRAY, *OTHER_UNITS),
)

COUNTS = Wanted(
    "a table of counts",
    (DOSE, CELLS, DICENTRICS, WEIGHT),
    (("dose_gy", "cells", "dicentrics"), ("dose_gy", "C")),
    "dose_gy and cells, dicentrics (or N, X) or C0, C1, ...",
    CountsError,
    "C",
)
SAMPLES = Wanted(
    "a table of samples",
    (SAMPLE, CELLS, DICENTRICS),
    (("sample", "cells", "dicentrics"), ("sample", "C")),
    "sample and cells, dicentrics (or N, X) or C0, C1, ...",
    CountsError,
    "C",
)
EXERCISE = Wanted(
    "a table of values by laboratory",
    (_LABORATORY, _VALUE, _REFERENCE, SAMPLE),
    (("value", "laboratory"), ("value",)),
    "laboratory and value (sample and reference where there are several)",
    CountsError,
)
VALIDATION = Wanted(
    "evaluation.csv of `evaluate`",
    tuple(Column(name) for name in ("dose_gy", "cells", "class", "true", "false", "missed")),
    (("dose_gy", "cells", "class", "true", "false", "missed"),),
    "dose_gy, cells, class, true, false and missed",
    CountsError,
)

#: What stands in a line that sums up the others, plain; also in a column of remarks.
SUMS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "sum",
        "summe",
        "gesamt",
        "insgesamt",
        "gesamtsumme",
        "somme",
        "totaux",
        "total general",
        "subtotal",
        "sub total",
        "zwischensumme",
        "sous total",
        "suma",
        "totale",
        "totali",
        "razem",
        "łacznie",
        "ogołem",
        "somma",
        "ges",
        "tot",
        "∑",
    }
)
#: The same as the whole name of a line. Short ones and those that may begin a name stand here alone.
SUMMARY = SUMS | {
    "sums",
    "all",
    "all samples",
    "alle",
    "alle proben",
    "tous",
    "toutes",
    "todos",
    "todas",
    "tutti",
    "tutte",
    "wszystkie",
    "overall",
    "pooled",
    "zusammen",
    "std dev",
    "st dev",
    "mw",
    "sd",
    "std",
    "stdev",
    "stabw",
    "standard deviation",
    "standard error",
    "robust mean",
    "standardabweichung",
    "ecart type",
    "desviacion estandar",
    "deviazione standard",
    "odchylenie standardowe",
    "ensemble",
    "en tout",
    "in tutto",
    "en total",
}
#: First words of the name of such a line ("Sum (n=3)", "Mean value", "Tot. 2"), and how longer ones begin
#: ("Gesamtzahl", "Mittelwerte"). No surname may: Summer, Gessner, Totti, Meany, Mediavilla.
_FIRST = frozenset(
    {
        "sum",
        "sums",
        "summe",
        "summen",
        "summed",
        "tot",
        "ges",
        "gesamt",
        "somme",
        "sommes",
        "somma",
        "suma",
        "sumy",
        "mean",
        "means",
        "mittel",
        "mittlere",
        "mittlerer",
        "schnitt",
        "avg",
        "ave",
        "moy",
        "media",
        "medias",
        "medie",
        "median",
        "mediana",
        "mediane",
        "ø",
        "⌀",
        "σ",
        "∑",
        "μ",
        "µ",
        "grand total",
        "sub total",
        "sous total",
        "totaux",
        "razem",
        "łacznie",
        "ogołem",
        "srednia",
        "srednio",
        "srednie",
        "overall",
        "pooled",
        "combined",
    }
)
_BEGINNINGS = (
    "total",
    "subtotal",
    "gesamts",
    "gesamtz",
    "gesamta",
    "gesamtw",
    "gesamte",
    "insgesamt",
    "zwischensumm",
    "endsumm",
    "arithm",
    "wartosc sredni",
    "valor medio",
    "valore medio",
    "cumul",
    "kumul",
    "mw ±",
    "mw +",
    "teilsumm",
    "mittelwert",
    "durchschnitt",
    "average",
    "moyenn",
    "promedi",
    "podsumowan",
    "geometric mean",
)


#: How the name of such a line may end: "Kontrolle gesamt", "S1 total".
_LAST = frozenset({"total", "totals", "totale", "totaux", "gesamt", "insgesamt", "zusammen", "summe", "razem"})


def sums_up(name: str) -> bool:
    """Whether the name of a line says that it sums up others, or is their mean.

    Examples
    --------
    >>> [sums_up(name) for name in ("Mittel", "Ges.", "Summe A+B", "TOTAL DICENTRICS", "Sum (n=3)", "Ø")]
    [True, True, True, True, True, True]
    >>> [sums_up(name) for name in ("Summer, B.", "Gessner", "Totti", "Meany", "A-12", "")]
    [False, False, False, False, False, False]
    """
    words = plain(name).split()
    first = {" ".join(words[:k]) for k in (1, 2)} | {word.rstrip("0123456789") for word in words[:1]}
    last = words[-1] if len(words) > 1 else ""
    return (
        " ".join(words) in SUMMARY
        or not _FIRST.isdisjoint(first)
        or last in _LAST
        or " ".join(words).startswith(_BEGINNINGS)
    )
