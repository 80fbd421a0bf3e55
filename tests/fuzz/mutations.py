"""Seeded damage to files: the same seed makes the same bytes on every machine."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np

#: What breaks parsers: numbers at their ends, other alphabets, quoting, nesting, formulas.
TOKENS = (
    b"nan",
    b"NaN",
    b"inf",
    b"-Infinity",
    b"1e300",
    b"-1",
    b"0",
    b"1,000",
    b"1.000",
    b"1_000",
    b"2147483648",
    b"9" * 30,
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe9",
    "\u00b2".encode(),
    "\u0663".encode(),
    b'"',
    b"'",
    b"\n",
    b"\r",
    b";",
    b"\t",
    b",",
    b"=1+1",
    b"[" * 200,
    b'{"a":' * 50,
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"C0",
    b"C10000000000",
    b"../../x",
    b"$\\frac{$",
    b"A" * 5000,
)

Rng = np.random.Generator


def damaged(content: bytes, rng: Rng) -> bytes:
    """One to three mutations of a file; a ZIP archive (XLSX) is damaged inside, too, with right checksums."""
    if content[:2] == b"PK" and rng.random() < 0.6:
        return _inside_archive(content, rng)
    for _ in range(int(rng.integers(1, 4))):
        content = MUTATIONS[int(rng.integers(len(MUTATIONS)))](content, rng)
    return _with_right_checksums(content) if content[:4] == b"\x89PNG" and rng.random() < 0.6 else content


def _inside_archive(content: bytes, rng: Rng) -> bytes:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chosen = sorted(parts)[int(rng.integers(len(parts)))]
    parts[chosen] = MUTATIONS[int(rng.integers(len(MUTATIONS)))](parts[chosen], rng)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return buffer.getvalue()


def _with_right_checksums(png: bytes) -> bytes:
    """A PNG whose damage lies behind right checksums, so that decoders meet it."""
    made, at = [png[:8]], 8
    while at + 8 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        if end + 4 > len(png):
            break
        made.append(png[at:end] + zlib.crc32(png[at + 4 : end]).to_bytes(4, "big"))
        at = end + 4
    return b"".join(made) + png[at:]


def _place(content: bytes, rng: Rng) -> int:
    """Anywhere; every second time near the beginning, where headers are."""
    end = len(content) if rng.random() < 0.5 else min(len(content), 512)
    return int(rng.integers(0, end + 1))


def flip_bits(content: bytes, rng: Rng) -> bytes:
    """One to eight flipped bits."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        if changed:
            changed[min(_place(content, rng), len(changed) - 1)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def truncate(content: bytes, rng: Rng) -> bytes:
    """Only the beginning."""
    return content[: int(rng.integers(0, len(content) + 1))]


def remove(content: bytes, rng: Rng) -> bytes:
    """A piece of up to 64 bytes taken out."""
    start = _place(content, rng)
    return content[:start] + content[start + int(rng.integers(1, 65)) :]


def repeat(content: bytes, rng: Rng) -> bytes:
    """A piece of up to 256 bytes twice."""
    start = _place(content, rng)
    end = start + int(rng.integers(1, 257))
    return content[:end] + content[start:]


def insert_token(content: bytes, rng: Rng) -> bytes:
    """Something that breaks parsers put in."""
    start = _place(content, rng)
    return content[:start] + TOKENS[int(rng.integers(len(TOKENS)))] + content[start:]


def replace_token(content: bytes, rng: Rng) -> bytes:
    """A word or number of a text, or some bytes, exchanged for a token."""
    start = _place(content, rng)
    end = start
    while end < len(content) and end < start + 40 and (chr(content[end]).isalnum() or content[end] in b".+-"):
        end += 1
    end = max(end, start + 1)
    return content[:start] + TOKENS[int(rng.integers(len(TOKENS)))] + content[end:]


def overwrite(content: bytes, rng: Rng) -> bytes:
    """Up to 32 bytes of noise, zeros or ones."""
    start = _place(content, rng)
    size = int(rng.integers(1, 33))
    kinds = (rng.bytes(size), b"\x00" * size, b"\xff" * size)
    return content[:start] + kinds[int(rng.integers(3))] + content[start + size :]


def swap(content: bytes, rng: Rng) -> bytes:
    """Two pieces exchanged."""
    first, second = sorted((_place(content, rng), _place(content, rng)))
    size = min(int(rng.integers(1, 65)), second - first)
    a, b = content[first : first + size], content[second : second + size]
    return content[:first] + b + content[first + size : second] + a + content[second + size :]


MUTATIONS: tuple[Callable[[bytes, Rng], bytes], ...] = (
    flip_bits,
    truncate,
    remove,
    repeat,
    insert_token,
    replace_token,
    overwrite,
    swap,
)
