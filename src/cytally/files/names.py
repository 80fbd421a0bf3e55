r"""Names of files as tables and pages can hold them, and as a disk can.

A file name is bytes. Where they are not UTF-8 (names out of an old archive, in Latin-1), Python
holds them as lone surrogates, which no table, page or terminal takes. Such a byte is shown as
`\xNN` everywhere: `b"Pr\xfcfung.png"` is called `Pr\xfcfung.png`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

#: Bytes that common file systems allow for one name.
LONGEST = 255
_LONE = re.compile("[\ud800-\udfff]")
_SHOWN = re.compile(r"\\x([89a-f][0-9a-f])")


def shown(name: object) -> str:
    r"""A name, path or text as it can be encoded: bytes that are not UTF-8 become `\xNN`.

    Examples
    --------
    >>> print(shown("Pr\udcfcfung_1.png"))
    Pr\xfcfung_1.png
    """
    return _LONE.sub(_escaped, str(name))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def told_apart(names: Iterable[str]) -> dict[str, str]:
    r"""Names as `shown` gives them, no two alike.

    Where a name that holds such a byte and one that is written out would be shown alike, a backslash
    of the latter is doubled.

    Parameters
    ----------
    names : iterable of str
        As on disk, each once.

    Returns
    -------
    dict of str to str
        As on disk -> as shown, in the same order.

    Examples
    --------
    >>> print(*told_apart(["a\udcff.png", r"a\xff.png", r"b\xff.png"]).values())
    a\xff.png a\\xff.png b\xff.png
    """
    names = list(names)
    often = Counter(shown(name) for name in names)
    return {name: shown(name if often[shown(name)] == 1 else name.replace("\\", r"\\")) for name in names}


def on_disk(name: str) -> str:
    """The name on disk of what `shown` gave."""
    return _SHOWN.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name)


def fitting(name: str, ending: str = "") -> str:
    """`name` + `ending`, its parts shortened where a disk would refuse them; a hash keeps them apart.

    Parameters
    ----------
    name : str
        May hold folders, parted by /.
    ending : str

    Examples
    --------
    >>> fitting("cell_1.png", ".png")
    'cell_1.png.png'
    >>> len(fitting("x" * 255, ".png"))
    255
    """
    *folders, last = name.split("/")
    return "/".join([*(_short(folder) for folder in folders), _short(last, ending)])


def _short(name: str, ending: str = "") -> str:
    content = name.encode("utf-8", "surrogateescape")
    if len(content) + len(ending.encode()) <= LONGEST:
        return name + ending
    tail = f"~{hashlib.sha256(content).hexdigest()[:12]}{ending}"
    return content[: LONGEST - len(tail.encode())].decode("utf-8", "ignore") + tail
