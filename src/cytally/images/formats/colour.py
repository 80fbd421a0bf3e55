"""Samples as stored -> grey or RGB: the photometric interpretation of a TIFF, honoured or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from cytally.errors import ImageError
from cytally.images.formats.directories import Page
from cytally.images.formats.limits import Damaged
from cytally.images.formats.segments import JPEG, JPEG2000
from cytally.types import Pixels

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
#: Samples of a pixel that carry colour; further ones are transparency or unknown.
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
_NAMES = {
    4: "transparency mask",
    10: "ITU Lab",
    32803: "raw colour filter array",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}
_ASSOCIATED, _UNASSOCIATED = 1, 2
#: What is said where a picture is not the same with and without its transparency.
TRANSPARENT = "transparency was left aside"
_BLOCK = 1_000_000  # pixels that are converted at once


def check_colours(page: Page) -> None:
    """Refuse what has no meaning as a picture, before it is decoded.

    Raises
    ------
    ImageError
        Complex numbers, samples of different depths, a colour space that is not read.
    """
    photometric, bits = page.get("photometric", BLACK_IS_ZERO), page.all("bits")
    kind = page.get("sample_format", 1)
    if kind in (5, 6):
        raise ImageError("complex numbers have no brightness; export the magnitude as an image")
    if kind not in (1, 2, 3):
        raise ImageError(f"expected whole or floating-point numbers, got sample format {kind}; export it again")
    if len(set(bits[: page.samples])) > 1 or len(set(page.all("sample_format")[: page.samples])) > 1:
        raise ImageError(f"expected samples of one depth, got {bits} bits; save it as 8-bit RGB")
    if photometric not in _COLOURS:
        name = _NAMES.get(photometric, f"number {photometric}")
        raise ImageError(f"the colour space {name} is not read; save the image as grey or RGB")
    if page.samples < _COLOURS[photometric]:
        raise Damaged(f"expected {_COLOURS[photometric]} samples for its colour space, got {page.samples}")
    _check_encoding(page, photometric, kind)


def _check_encoding(page: Page, photometric: int, kind: int) -> None:
    compression = page.get("compression", 1)
    inks = page.get("ink_set", 1)
    if photometric in (CMYK, CIELAB, ICCLAB) and compression == JPEG:
        raise ImageError("CMYK and Lab inside JPEG are not read; save the image as RGB")
    if compression == JPEG and page.samples not in (1, 3):
        raise ImageError(f"JPEG of {page.samples} samples inside TIFF is not read; save the image as RGB")
    if photometric not in (BLACK_IS_ZERO, RGB) and compression in JPEG2000:
        raise ImageError("JPEG 2000 is read in grey and RGB only; save the image as RGB")
    if photometric == CMYK and inks != 1:
        raise ImageError(f"expected the inks of CMYK, got ink set {inks}; save the image as RGB")
    if photometric == YCBCR and compression != JPEG and page.all("ycbcr_subsampling") not in ((), (1, 1)):
        raise ImageError("YCbCr of reduced colour outside JPEG is not read; save the image as RGB")
    if photometric in (WHITE_IS_ZERO, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB) and kind == 3:
        raise ImageError("floating-point samples have no colour space but grey and RGB; save it as RGB")
    if photometric in (YCBCR, CIELAB, ICCLAB) and page.bits != 8:
        raise ImageError(f"YCbCr and Lab are read at 8 bits, got {page.bits}; save the image as RGB")


def to_picture(samples: Pixels, page: Page, *, as_numbers: bool = False) -> tuple[Pixels, tuple[str, ...]]:
    """Grey or RGB from the samples of a page.

    Parameters
    ----------
    samples : ndarray of shape (h, w, samples)
    page : Page
        One that `check_colours` let pass.
    as_numbers : bool
        Leave the numbers of a grey or palette image as stored: a mask means them, not their look.

    Returns
    -------
    pixels : ndarray of shape (h, w) or (h, w, 3)
    notes : tuple of str
        What was converted or dropped.

    Raises
    ------
    ImageError
        Samples beyond the colours that are neither transparency nor constant.
    """
    photometric = page.get("photometric", BLACK_IS_ZERO)
    if photometric == YCBCR and page.get("compression", 1) == JPEG:
        photometric = RGB  # the decoder has converted it
    if photometric == BLACK_IS_ZERO and page.samples == 3:
        return _unpacked(samples), ("three samples without a colour space, taken as red, green and blue",)
    colours = _COLOURS[photometric]
    notes = _dropped(samples[..., colours:], page)
    samples = samples[..., :colours]
    if colours == 1:
        grey = _unpacked(samples[..., 0], full=not as_numbers)
        if as_numbers or photometric == BLACK_IS_ZERO:
            return grey, notes
        if photometric == WHITE_IS_ZERO:
            return _inverted(grey, page.bits), notes
        return _looked_up(grey, page), notes
    if photometric == RGB:
        return samples, notes
    name, convert = _CONVERSIONS[photometric]
    return _by_blocks(samples, lambda block: convert(block, page)), (*notes, f"colours converted from {name}")


def _dropped(further: Pixels, page: Page) -> tuple[str, ...]:
    """What is said about samples beyond the colours; transparency is left aside, anything else must be constant."""
    if not further.shape[2]:
        return ()
    kinds = page.all("extra_samples")[: further.shape[2]]
    same = bool((further == further[:1, :1]).all())
    if same:
        return ()
    if further.shape[2] == 1 and kinds and kinds[0] in (_ASSOCIATED, _UNASSOCIATED):
        return (TRANSPARENT,)
    raise ImageError(
        f"expected a grey or RGB image, got {page.samples} channels in each pixel; save one of them, or RGB"
    )


def _unpacked(pixels: Pixels, *, full: bool = True) -> Pixels:
    """One bit becomes 0 and 255, or 0 and 1 where numbers are meant."""
    return pixels.astype(np.uint8) * np.uint8(255 if full else 1) if pixels.dtype == bool else pixels


def _inverted(grey: Pixels, bits: int) -> Pixels:
    """White-is-zero turned about the middle of its full range, so that black stays at 0."""
    if grey.dtype.kind == "i" or bits in (1, 8 * grey.dtype.itemsize):
        return ~grey
    return np.asarray(grey.dtype.type(2**bits - 1) - grey)


def _looked_up(grey: Pixels, page: Page) -> Pixels:
    """Numbers looked up in the page's own colour map (TIFF 6.0, section 5)."""
    colours, width = page.all("colour_map"), 2**page.bits
    if page.bits > 16 or len(colours) != 3 * width:
        raise ImageError(f"expected a palette of {width} colours, got {len(colours) // 3}; save the image as RGB")
    if grey.dtype == np.uint8 and page.bits == 1:
        grey = grey // 255
    table = np.array(colours, np.uint32).reshape(3, width).T
    eight = table if table.max() < 256 else table >> 8  # some writers fill the lower byte only
    return np.asarray(eight.astype(np.uint8)[grey])


def _from_cmyk(block: Pixels, page: Page) -> Pixels:
    """R = (1 - C)(1 - K), without a colour profile."""
    most = float(2**page.bits - 1)
    ink = block.astype(np.float32) / np.float32(most)
    light = (1 - ink[..., :3]) * (1 - ink[..., 3:])
    return np.asarray(np.rint(light * most), block.dtype)


def _from_ycbcr(block: Pixels, page: Page) -> Pixels:
    """TIFF 6.0 section 21, with the page's own coefficients and reference levels."""
    red, green, blue = page.tags.get("ycbcr_coefficients", (0.299, 0.587, 0.114))[:3]
    levels = np.array(page.tags.get("black_white", (0, 255, 128, 255, 128, 255))[:6], float).reshape(3, 2)
    spans = np.diff(levels, axis=1)[:, 0]
    if not np.isfinite([red, green, blue, *levels.ravel()]).all() or not green or (spans <= 0).any():
        raise ImageError("its YCbCr coefficients have no meaning; save the image as RGB")
    full = np.array([255.0, 127.0, 127.0])
    y, cb, cr = np.moveaxis((block - levels[:, 0]) * (full / spans), -1, 0)
    r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
    picture = np.stack([r, (y - blue * b - red * r) / green, b], axis=-1)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _from_lab(block: Pixels, page: Page) -> Pixels:
    """CIE L*a*b*: L from 0 to 255 for 0 to 100; a and b signed, or shifted by 128 (ICC)."""
    stored = block.astype(np.uint8)  # some writers call all three signed
    lab = stored.astype(np.float32)
    lab[..., 0] *= 100 / 255
    if page.get("photometric") == CIELAB:
        lab[..., 1:] = stored[..., 1:].view(np.int8)
    else:
        lab[..., 1:] -= 128
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.asarray(np.clip(np.rint(rgb * 255), 0, 255), np.uint8)


def _by_blocks(samples: Pixels, convert: Callable[[Pixels], Pixels]) -> Pixels:
    """Convert some rows at a time: floats of a whole image would need gigabytes."""
    rows = max(1, _BLOCK // samples.shape[1])
    parts = [convert(samples[row : row + rows]) for row in range(0, len(samples), rows)]
    return np.concatenate(parts)


_Conversion = Callable[[Pixels, Page], Pixels]
_CONVERSIONS: dict[int, tuple[str, _Conversion]] = {
    CMYK: ("CMYK", _from_cmyk),
    YCBCR: ("YCbCr", _from_ycbcr),
    CIELAB: ("CIELAB", _from_lab),
    ICCLAB: ("ICC Lab", _from_lab),
}
