"""What an image may be, and what a decoder hands back."""

from __future__ import annotations

from dataclasses import dataclass

from cytally.errors import ImageError
from cytally.types import Pixels

#: A metaphase field is far smaller; a larger image is a scan that must be cut first.
LARGEST_PIXELS = 100_000_000
#: Decoded pixels of one image, bytes: decoders hold them twice, and all of it must stay below 1 GB.
LARGEST_BYTES = 200_000_000
#: Pages of one TIFF; a time-lapse of a week at one frame a minute has 10,080.
MOST_PAGES = 50_000


class Damaged(Exception):
    """A file that is cut off or contradicts itself; `read` makes an ImageError of it."""


@dataclass(frozen=True)
class Decoded:
    """What a file held.

    Attributes
    ----------
    pixels : ndarray of shape (h, w) or (h, w, 3)
    pixel_size_um : float or None
    orientation : int
        As EXIF and TIFF number them, 1 to 8; not yet applied.
    notes : tuple of str
        What was put right or left aside, for a person to read.
    """

    pixels: Pixels
    pixel_size_um: float | None = None
    orientation: int = 1
    notes: tuple[str, ...] = ()


def check_size(height: int, width: int, bytes_per_pixel: float = 1) -> None:
    """Refuse an image by its declared size.

    Raises
    ------
    ImageError
        More pixels or bytes than one image may have.
    Damaged
        No pixels.
    """
    if height < 1 or width < 1:
        raise Damaged(f"expected an image, got {height} x {width} pixels")
    if height * width > LARGEST_PIXELS:
        raise ImageError(
            f"expected a field of at most {LARGEST_PIXELS // 10**6} megapixels, got "
            f"{height} x {width}; cut the scan into fields first"
        )
    if height * width * bytes_per_pixel > LARGEST_BYTES:
        raise ImageError(
            f"expected at most {LARGEST_BYTES // 10**6} MB of pixels, got {height} x {width} of "
            f"{bytes_per_pixel:g} bytes; cut the scan into fields, or save it with 8 bits"
        )
