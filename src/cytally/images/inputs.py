"""Images given to a run: their names in all tables, their copies, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.names import shown, told_apart
from cytally.images.read import find_images
from cytally.types import Image


def name_images(inputs: Sequence[str | Path]) -> dict[str, Path]:
    r"""Name -> path: relative to the folder given; with several, behind that folder's name.

    Bytes of a name that are not UTF-8 are `\xNN` in it; see `told_apart`.

    Raises
    ------
    ImageError
        No images, or two of one name.
    """
    paths: dict[str, Path] = {}
    for given in inputs:
        root = Path(given) if Path(given).is_dir() else Path(given).parent
        for path in find_images(given):
            name = path.relative_to(root).as_posix()
            if len(inputs) > 1 and Path(given).is_dir():
                name = f"{root.resolve().name}/{name}"
            if name in paths and paths[name].resolve() != path.resolve():
                raise ImageError(
                    f"two images are called {shown(name)!r}: {shown(f'{paths[name]} and {path}')}; score them in two runs"
                )
            paths[name] = path
    names = told_apart(paths)
    return {names[name]: path for name, path in paths.items()}


def names_below(folder: Path, paths: Sequence[Path]) -> dict[str, Path]:
    """Images by their names relative to a folder that they lie in, as tables beside them call them."""
    names = told_apart(path.relative_to(folder).as_posix() for path in paths)
    return dict(zip(names.values(), paths, strict=True))


def resolved(inputs: Sequence[str | Path]) -> tuple[str, ...]:
    """Inputs as they are found from any working directory, without repeats."""
    absolute = [Path(given).resolve() if Path(given).exists() else _of_glob(Path(given)) for given in inputs]
    return tuple(dict.fromkeys(path.as_posix() for path in absolute))


def _of_glob(given: Path) -> Path:
    return given.parent.resolve() / given.name


def roots(inputs: Sequence[str]) -> set[str]:
    """Folders in which the images of resolved inputs lie: the same for a folder, its files, a glob in it."""
    return {given if Path(given).is_dir() else Path(given).parent.as_posix() for given in inputs}


def copies(hashes: Mapping[str, str]) -> dict[str, str]:
    """Images that are the same bytes as another -> that other one.

    Of several the shortest name is the original, of equally short ones the first: programs that
    copy make names longer. Images that cannot be read ("" for a hash) are nobody's copies.

    Examples
    --------
    >>> copies({"a (1).png": "f0", "a.png": "f0", "b.png": "3c"})
    {'a (1).png': 'a.png'}
    """
    alike: dict[str, list[str]] = {}
    for name, digest in hashes.items():
        if digest:
            alike.setdefault(digest, []).append(name)
    originals = {digest: min(names, key=len) for digest, names in alike.items()}
    return {name: originals[d] for name, d in hashes.items() if d and originals[d] != name}


def hash_of_picture(image: Image) -> str:
    """SHA-256 of what is scored, whatever file it lies in: size and grey values, of colours the green channel.

    Parameters
    ----------
    image : Image

    Examples
    --------
    >>> import numpy as np
    >>> grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    >>> hash_of_picture(Image(grey)) == hash_of_picture(Image(np.stack([grey] * 3, axis=2).astype(np.uint16)))
    True
    """
    pixels = image.pixels[..., 1] if image.pixels.ndim == 3 else image.pixels
    kind = "<u2" if _fits(pixels) else "<f8"
    digest = sha256(f"{image.shape} {kind}".encode())
    for start in range(0, len(pixels), 256):  # a whole field as floats would be as large as the field twice over
        digest.update(pixels[start : start + 256].astype(kind).tobytes())
    return digest.hexdigest()


def _fits(pixels: NDArray[np.generic]) -> bool:
    """Whether all values are whole numbers of 16 bits, in whatever type they come."""
    if pixels.dtype in (np.uint8, np.uint16):
        return True
    with np.errstate(invalid="ignore"):
        return bool((pixels == pixels.astype(np.uint16)).all())
