"""One small, good file of each kind that cytally reads, and how it is read."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl
import tifffile
from numpy.typing import NDArray

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Input:
    """A file that is damaged, the undamaged files beside it, and the reader.

    Attributes
    ----------
    name : str
    file : str
        Relative path of the file that is damaged.
    content : bytes
        Undamaged.
    reader : callable
        Gets the folder that holds the file.
    beside : dict of str to bytes
        Other files of the folder.
    """

    name: str
    file: str
    content: bytes
    reader: Callable[[Path], Any]
    beside: dict[str, bytes] = field(default_factory=dict)

    def lay(self, folder: Path, content: bytes) -> None:
        """A fresh folder with the (damaged) file in it."""
        here = folder / self.name
        shutil.rmtree(here, ignore_errors=True)
        for name, part in {**self.beside, self.file: content}.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(part)

    def read(self, folder: Path) -> None:
        """As cytally does."""
        self.reader(folder / self.name)


@cache
def inputs() -> list[Input]:
    """All kinds, in a fixed order."""
    return [*_images(), *_stacks(), *_tables(), *_json(), *_run(), *_weights()]


def field_of_view(shape: tuple[int, int] = (160, 168)) -> Grey:
    """Dark bars on light slide: enough objects to be taken for a metaphase."""
    pixels = np.full(shape, 215, np.uint8)
    for k in range(12):
        row, col = 20 + 38 * (k // 4), 20 + 40 * (k % 4)
        cv2.ellipse(pixels, (col, row), (13, 5), 37 * k, 0, 360, 60 + 4 * k, -1)
    noise = np.random.default_rng(1).normal(0, 2, shape)
    return np.clip(cv2.GaussianBlur(pixels, (0, 0), 1.0) + noise, 0, 255).astype(np.uint8)


def encoded(ending: str, pixels: NDArray[Any], *how: int) -> bytes:
    """PNG, JPEG or BMP of an image."""
    return bytes(cv2.imencode(ending, pixels, list(how))[1])


def tiff(pixels: NDArray[Any], **how: Any) -> bytes:
    """A TIFF of an image."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **how)
    return buffer.getvalue()


def _images() -> list[Input]:
    from cytally.dosimetry.density import normalise
    from cytally.images.read import read

    grey = field_of_view()
    colour = np.stack([grey, grey // 2 + 90, grey], axis=2)
    ome = {"PhysicalSizeX": 0.146, "PhysicalSizeXUnit": "µm", "axes": "YX"}
    files = {
        "png8.png": encoded(".png", grey),
        "png16.png": encoded(".png", grey.astype(np.uint16) * 257),
        "rgb.png": encoded(".png", colour),
        "grey.jpg": encoded(".jpg", grey),
        "rgb.jpg": encoded(".jpg", colour),
        "grey.bmp": encoded(".bmp", grey),
        "raw.tif": tiff(grey),
        "lzw.tif": tiff(grey, compression="lzw"),
        "jpeg.tif": tiff(colour, compression="jpeg", photometric="rgb"),
        "tiled.tif": tiff(grey, tile=(64, 64), compression="zlib"),
        "float.tif": tiff(grey.astype(np.float32)),
        "ome.ome.tif": tiff(grey, ome=True, metadata=ome),
        "imagej.tif": tiff(grey, imagej=True, resolution=(68493, 68493), metadata={"unit": "um"}),
        "white.tif": tiff(255 - grey, photometric="miniswhite"),
        "palette.tif": tiff(
            grey, photometric="palette", colormap=np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
        ),
    }

    def reader(name: str) -> Callable[[Path], Any]:
        return lambda folder: normalise(read(folder / name))

    return [Input(f"image {name}", name, content, reader(name)) for name, content in files.items()]


def _stacks() -> list[Input]:
    from cytally.images.sequences.tracks import read_masks, read_tracks
    from cytally.livecell.names.unstacked import unstack

    frames = np.stack([field_of_view((64, 72))] * 3)
    colour = np.stack([frames, frames // 2 + 90, frames], axis=3)
    labels = (frames[0] < 120).astype(np.uint16)
    palette = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    times = {"metadata": {"axes": "TYX"}}
    files = {
        "stack.tif": tiff(frames, imagej=True, **times),
        "s.ome.tif": tiff(frames, ome=True, **times),
        "positions.ome.tif": _positions(frames),
        "row.tif": _without_links(tiff(frames, imagej=True, byteorder=">", **times)),
        "channels.tif": tiff(np.moveaxis(frames[:2], 0, 2), planarconfig="contig", metadata={"axes": "YXC"}),
        "jpeg.tif": tiff(colour, compression="jpeg", photometric="rgb", rowsperstrip=32),
        "tiled.tif": tiff(frames, tile=(32, 32), compression="zlib", photometric="minisblack"),
        "white.tif": tiff(255 - frames, photometric="miniswhite", compression="lzw"),
        "palette.tif": tiff(frames, photometric="palette", colormap=palette),
    }

    def reader(name: str) -> Callable[[Path], Any]:
        return lambda folder: unstack([folder / name], folder / "out")

    return [
        *(Input(f"stack {name}", name, content, reader(name)) for name, content in files.items()),
        Input(
            "masks",
            "mask001.tif",
            tiff(labels, compression="zlib"),
            lambda f: list(read_masks(f)),
            {"mask000.tif": tiff(labels)},
        ),
        Input("tracks", "res_track.txt", b"1 0 3 0\n2 1 3 1\n3 4 9 1\n", read_tracks),
    ]


def _positions(frames: Grey) -> bytes:
    """Two series of two sizes, and an hour between times."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, ome=True) as file:
        for part in (frames, frames[:2, :50]):
            how = {"axes": "TYX", "PhysicalSizeX": 0.65, "TimeIncrement": 1, "TimeIncrementUnit": "h"}
            file.write(part, metadata=how, photometric="minisblack")
    return buffer.getvalue()


def _without_links(content: bytes) -> bytes:
    """Big-endian planes behind one page, as ImageJ writes stacks above 4 GB."""
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        at = file.pages[0].offset + 2 + 12 * len(file.pages[0].tags)
    return content[:at] + bytes(4) + content[at + 4 :]


_COUNTS = "dose_gy,C0,C1,C2,C3\n0,1999,1,0,0\n0.5,960,38,2,0\n1,905,86,8,1\n2,700,240,50,10\n4,300,350,220,130\n"
_SAMPLES = "sample,C0,C1,C2\nA,475,20,5\nB,490,10,0\nC,300,80,20\n"
_VALIDATION = "dose_gy,cells,class,true,false,missed\n0,600,dicentric,0,3,0\n3,200,dicentric,150,6,30\n"
_EXERCISE = "laboratory,sample,value,reference\n" + "".join(f"L{k},S1,{2 + 0.1 * k},2.3\n" for k in range(6))


def workbook(text: str) -> bytes:
    """A CSV as XLSX."""
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.active.append([_number(cell) for cell in line.split(",")])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _number(text: str) -> str | int | float:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _tables() -> list[Input]:
    from cytally.dosimetry.curves.calibrate import read_about
    from cytally.dosimetry.laboratory.exercise import read_exercise
    from cytally.dosimetry.laboratory.samples import read_samples
    from cytally.dosimetry.laboratory.tables import read_counts
    from cytally.dosimetry.laboratory.validation import read_validation
    from cytally.dosimetry.reporting.sample_info import read_facts
    from cytally.labels.boxes import read_yolo
    from cytally.labels.points import read_labels
    from cytally.livecell.measure.experts import read_review

    points = b"image,class,row,col\na.png,dicentric,10.5,20\na.png,fragment,30,40\nb.png,fragment,3,4\n"
    review = b"image,objects,false_positives,false_negatives,remark\na.png,10,1,2,\nb.png,12,0,0,dim\n"
    return [
        Input("counts csv", "c.csv", _COUNTS.encode(), lambda f: read_counts(f / "c.csv")),
        Input("counts xlsx", "c.xlsx", workbook(_COUNTS), lambda f: read_counts(f / "c.xlsx")),
        Input("samples csv", "s.csv", _SAMPLES.encode(), lambda f: _dose_all(read_samples(f / "s.csv"))),
        Input("samples xlsx", "s.xlsx", workbook(_SAMPLES), lambda f: _dose_all(read_samples(f / "s.xlsx"))),
        Input("validation", "v.csv", _VALIDATION.encode(), lambda f: read_validation(f / "v.csv")),
        Input("exercise", "e.csv", _EXERCISE.encode(), lambda f: read_exercise(f / "e.csv")),
        Input("labels.csv", "labels.csv", points, lambda f: read_labels(f / "labels.csv", ["a.png", "b.png"])),
        Input(
            "yolo",
            "a.txt",
            b"0 0.5 0.5 0.1 0.2\n1 0.25 0.75 0.05 0.05\n",
            lambda f: read_yolo(f / "a.txt", ["dicentric", "fragment"], (600, 800)),
        ),
        Input("review", "review.csv", review, lambda f: read_review(f / "review.csv")),
        Input("facts toml", "f.toml", b'sample = "S1"\nexposed = "12 March"\n', lambda f: read_facts(f / "f.toml")),
        Input("about toml", "a.toml", b'medium = "RPMI"\n', lambda f: read_about(f / "a.toml")),
    ]


def _dose_all(samples: Any) -> None:
    from cytally.dosimetry.estimation.dose import dose_of_counts

    for sample in samples:
        dose_of_counts(sample.counts, _curve())


@cache
def _curve() -> Any:
    from cytally.dosimetry.curves.calibrate import Curve

    covariance = np.diag([0.0005**2, 0.005**2, 0.004**2])
    return Curve(np.array([0.00128, 0.02103, 0.06307]), covariance)


def _json() -> list[Input]:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import dose_of_counts

    return [
        Input(
            "curve",
            "curve.json",
            curve_bytes(),
            lambda f: dose_of_counts(np.array([475, 20, 5]), Curve.load(f / "curve.json")),
        )
    ]


def curve_bytes() -> bytes:
    """A fitted curve as it is saved."""
    import tempfile

    from cytally.dosimetry.curves.calibrate import calibrate
    from cytally.dosimetry.laboratory.tables import read_counts

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "c.csv").write_text(_COUNTS)
        calibrate(read_counts(Path(folder) / "c.csv")).save(Path(folder) / "curve.json")
        return (Path(folder) / "curve.json").read_bytes()


@cache
def _ensemble() -> dict[str, bytes]:
    """Files of a tiny, untrained ensemble."""
    import tempfile

    from tests.conftest import untrained

    with tempfile.TemporaryDirectory() as folder:
        made = untrained(Path(folder), members=2, agreement=1)
        return {path.name: path.read_bytes() for path in made.iterdir()}


@cache
def _finished_run() -> dict[str, bytes]:
    """Files of a scored run, and the images that it scored under `cells/`."""
    import tempfile

    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.pipeline import score_folder

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for part, files in (("ensemble", _ensemble()), ("cells", _cells())):
            (here / part).mkdir()
            for name, content in files.items():
                (here / part / name).write_bytes(content)
        score_folder([here / "cells"], here / "run", load_ensemble(here / "ensemble"), sampled=3)
        paths = [path for path in (here / "run").rglob("*") if path.is_file() and path.suffix != ".html"]
        return {path.relative_to(here / "run").as_posix(): path.read_bytes() for path in paths}


def _cells() -> dict[str, bytes]:
    first = field_of_view()
    return {
        "a.png": encoded(".png", first),
        "b.png": encoded(".png", first[::-1, ::-1].copy()),
        "cells.csv": b"image,sample,dose_gy\na.png,S1,2\nb.png,S1,2\n",
    }


def _run() -> list[Input]:
    run = _finished_run()

    def dosed(folder: Path) -> None:
        from cytally.dosimetry.estimation.dose import DoseSettings
        from cytally.dosimetry.laboratory.series import dose_of_run

        dose_of_run(folder, _curve(), DoseSettings(any_detector=True))

    def pooled(folder: Path) -> None:
        from cytally.dosimetry.laboratory.series import points_of

        points_of([folder])

    def scored(folder: Path) -> None:
        from cytally.dosimetry.detectors.ensemble import load_ensemble
        from cytally.dosimetry.pipeline import score_folder

        score_folder([folder / "cells"], folder / "run", load_ensemble(folder / "ensemble"))

    cells = {f"cells/{name}": content for name, content in _cells().items()}
    ensemble = {f"ensemble/{name}": content for name, content in _ensemble().items()}
    whole = cells | ensemble | {f"run/{name}": content for name, content in run.items()}
    files = ("run.json", "journal.jsonl", "cells.csv", "sampled.csv")
    found = [Input(f"dose of {name}", name, run[name], dosed, run) for name in files]
    found += [Input(f"series of {name}", name, run[name], pooled, run) for name in ("run.json", "cells.csv")]
    found += [
        Input(f"resumed {name}", f"run/{name}", run[name], scored, whole) for name in ("run.json", "journal.jsonl")
    ]
    found += [Input("given cells.csv", "cells/cells.csv", cells["cells/cells.csv"], scored, whole)]
    return found


def _weights() -> list[Input]:
    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.inference.card import sha256_of

    files = _ensemble()

    def with_right_hash(folder: Path) -> None:
        """The card vouches for the damaged member, as a hostile one would."""
        card = json.loads((folder / "card.json").read_text())
        card["members"][0]["sha256"] = sha256_of(folder / "member_00.safetensors")
        (folder / "card.json").write_text(json.dumps(card))
        load_ensemble(folder)

    return [
        Input("card", "card.json", files["card.json"], load_ensemble, files),
        Input("member", "member_00.safetensors", files["member_00.safetensors"], with_right_hash, files),
    ]
