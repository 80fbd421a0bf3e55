"""Does the radiation of an exposure agree with that of the curve, as far as their names tell?"""

from __future__ import annotations

import re

from cytally.dosimetry.phrases import Words

_ELEMENTS = "Co|Cs|Ir|Ra|Am|Sr|Tc|Lu|Se|Yb|Cf|Po|I|Y|H"
#: 60Co, Co-60, 60-Co, cobalt 60.
_NUCLIDE = re.compile(
    rf"(?<![A-Za-z0-9])(?:(\d{{1,3}})m?\s*-?\s*({_ELEMENTS})|({_ELEMENTS})\s*-?\s*(\d{{1,3}}))(?![A-Za-z0-9])"
)
_NAMES = {
    "cobalt": "Co",
    "cesium": "Cs",
    "caesium": "Cs",
    "césium": "Cs",
    "iridium": "Ir",
    "radium": "Ra",
    "americium": "Am",
    "américium": "Am",
    "californium": "Cf",
    "iodine": "I",
    "iode": "I",
}
_KINDS = {
    "neutron": r"neutron|fission",
    "proton": r"proton",
    "carbon": r"carbon|carbone",
    "x rays": r"\bx[\s-]?rays?\b|rayons?\s*x\b|\bkvp?\b",
    "electron": r"electron|électron",
    "alpha": r"\balpha\b",
    "beta": r"\bb[eê]ta\b",
}


def qualities(text: str) -> frozenset[str]:
    """Nuclides and kinds of radiation that a text names, in one spelling.

    Examples
    --------
    >>> sorted(qualities("60Co gamma, 0.3 Gy/min")), sorted(qualities("Co-60")), sorted(qualities("250 kVp"))
    (['60Co'], ['60Co'], ['x rays'])
    """
    for name, symbol in _NAMES.items():
        text = re.sub(name, symbol, text, flags=re.IGNORECASE)
    found = {f"{a or d}{b or c}" for a, b, c, d in _NUCLIDE.findall(text)}
    found |= {kind for kind, spelt in _KINDS.items() if re.search(spelt, text, re.IGNORECASE)}
    if not found and re.search(r"gamma|γ", text, re.IGNORECASE):
        found.add("gamma")
    return frozenset(found)


def quality_note(words: Words, exposure: str, curve: str) -> str:
    """A sentence where the exposure's radiation is not that of the curve, or is not known to be; else "".

    Parameters
    ----------
    words : Words
    exposure, curve : str
        As the laboratory wrote them; nothing is said where the exposure's is not known.
    """
    if not exposure.strip():
        return ""
    if not curve.strip():
        return words("quality_unstated", exposure)
    first, second = qualities(exposure), qualities(curve)
    if (first == second and first) or exposure.strip().casefold() == curve.strip().casefold():
        return ""
    if not first or not second or "gamma" in first | second:
        return words("quality_unclear", exposure, curve)
    return words("quality_other", exposure, curve)
