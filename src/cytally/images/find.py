"""Which files of a folder are images, and which were left out, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.types import Skipped

#: Endings that are read, upper or lower case.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
#: Endings of images that are not read; each is counted as left out. Anything else in a folder is not an image.
OTHER_ENDINGS = (
    ".jp2",
    ".j2k",
    ".jpx",
    ".jpf",
    ".jxl",
    ".jxr",
    ".webp",
    ".gif",
    ".heic",
    ".heif",
    ".avif",
    ".psd",
    ".pcx",
    ".tga",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    ".czi",
    ".nd2",
    ".lif",
    ".lsm",
    ".oib",
    ".oif",
    ".oir",
    ".vsi",
    ".ets",
    ".svs",
    ".ndpi",
    ".scn",
    ".mrxs",
    ".bif",
    ".stk",
    ".zvi",
    ".ims",
    ".dv",
    ".r3d",
    ".dcm",
    ".dicom",
    ".mrc",
    ".ics",
    ".ids",
    ".flex",
    ".qptiff",
    ".btf",
    ".tf2",
    ".tf8",
    ".jfif",
    ".jpe",
    ".dib",
    ".exr",
    ".nef",
    ".cr2",
    ".cr3",
    ".arw",
    ".dng",
    ".raf",
    ".orf",
    ".rw2",
    ".raw",
)
#: How PNG, JPEG, TIFF and BigTIFF begin.
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Folders that this package writes: simulated truth, and runs by the file in them.
_TRUTH, _RUN = "_truth", "run.json"


@dataclass(frozen=True)
class Found:
    """Images, sorted, and what was left out.

    Attributes
    ----------
    images : tuple of Path
    left_out : tuple of Skipped
        Path and reason of what looks like an image but is not read, and of folders that were not entered.
    """

    images: tuple[Path, ...]
    left_out: tuple[Skipped, ...] = ()


def look(path: str | Path) -> Found:
    """Images of a folder (and the folders in it, linked ones too), one file, or a glob.

    Hidden files and `__MACOSX` are left alone. Left out, with the reason, is what this package wrote
    itself (run folders, `_truth`), and a folder reached a second time through links.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Found
        Possibly without any image.

    Raises
    ------
    ImageError
        The disk does not answer.
    """
    path = Path(path)
    try:
        if path.is_file():
            return Found((path,))
        return _sorted(_walk(path) if path.is_dir() else _matching(path))
    except OSError as error:  # a name too long for the disk, a part that may not be entered
        raise ImageError(f"{shown(path)}: cannot be looked through ({error.strerror})") from error


def find_images(path: str | Path) -> list[Path]:
    """The images that `look` finds.

    Raises
    ------
    ImageError
        Nothing there, or no image among what is there.
    """
    found = look(path)
    if not found.images:
        raise ImageError(
            f"{shown(path)}: expected images ({', '.join(ENDINGS)}), found none{_hint(found)}; is the path right?"
        )
    return list(found.images)


def left_out(inputs: Sequence[str | Path]) -> tuple[Skipped, ...]:
    """What `look` left out of several inputs, for the screen, a run's record and its report; each once."""
    return tuple(dict.fromkeys(one for given in inputs for one in look(given).left_out))


def _hint(found: Found) -> str:
    return f" ({len(found.left_out)} left out: {found.left_out[0].reason})" if found.left_out else ""


def _sorted(judged: Iterator[Path | Skipped]) -> Found:
    images, left_out = [], []
    for each in judged:
        if isinstance(each, Skipped):
            left_out.append(each)
        else:
            images.append(each)
    return Found(tuple(sorted(images)), tuple(sorted(left_out, key=lambda one: one.image)))


def _judged(path: Path) -> Iterator[Path | Skipped]:
    """A file as an image, as left out, or not at all."""
    ending = path.suffix.lower()
    if path.name.startswith("."):
        return
    if ending in ENDINGS:
        if path.is_file():
            yield path
        elif not path.is_dir():
            yield Skipped(shown(path), "not a file" if path.exists() else "a link to nothing")
    elif ending in OTHER_ENDINGS and not path.is_dir():
        yield Skipped(shown(path), f"{ending} is not read; export it as TIFF or PNG")
    elif _unnamed(path):
        yield Skipped(shown(path), "an image by its content, without the ending of one; give it its ending")


def _unnamed(path: Path) -> bool:
    """An image that has lost its ending, or has another behind it, such as cell.jpg.bak."""
    endings = [ending.lower() for ending in path.suffixes]
    if (endings and not set(endings) & {*ENDINGS, *OTHER_ENDINGS}) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(_BEGINNINGS)
    except OSError:
        return False


def _walk(root: Path) -> Iterator[Path | Skipped]:
    """Real folders first, so that what lies in one has its name from there; then linked ones."""
    entered: set[tuple[int, int]] = set()
    waiting, linked = [root], list[Path]()
    while waiting or linked:
        folder = waiting.pop() if waiting else linked.pop(0)
        try:
            state = folder.stat()
            entries = sorted(folder.iterdir())
        except OSError as error:
            yield Skipped(shown(folder), f"the folder cannot be opened ({error.strerror})")
            continue
        reason = _left_alone(folder, entries) if folder != root else ""
        if (state.st_dev, state.st_ino) in entered:
            reason = "a link to a folder that is already looked through"
        entered.add((state.st_dev, state.st_ino))
        if reason:
            yield Skipped(shown(folder), reason)
            continue
        for inside in entries:
            if not inside.is_dir():
                yield from _judged(inside)
            elif not inside.name.startswith(".") and inside.name != "__MACOSX":
                (linked if inside.is_symlink() else waiting).append(inside)


def _left_alone(folder: Path, entries: list[Path]) -> str:
    """Why a folder is not looked through, "" where it is."""
    if folder.name == _TRUTH:
        return "the truth of simulated cells"
    if any(entry.name == _RUN for entry in entries):
        return f"results of an earlier run ({_RUN} lies in it)"
    return ""


def _matching(pattern: Path) -> Iterator[Path | Skipped]:
    """Files that a glob names; wildcards are read in the last part of a path."""
    if not pattern.parent.is_dir():
        return
    try:
        for path in pattern.parent.glob(pattern.name):
            yield from _judged(path)
    except ValueError:  # no pattern
        return
