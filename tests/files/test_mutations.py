"""Files changed at random: every reader of tables answers with the package's own errors, or reads them.

`CYTALLY_MUTATIONS` sets how many (tests/files/test_mutations.py alone: 40,000 take some minutes).
"""

import io
import os
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from cytally.dosimetry.laboratory.exercise import read_exercise
from cytally.dosimetry.laboratory.samples import read_sample_table
from cytally.dosimetry.laboratory.tables import read_counts
from cytally.dosimetry.laboratory.validation import read_validation
from cytally.dosimetry.reporting.sample_info import read_facts
from cytally.errors import CytallyError
from cytally.images.sequences.tracks import read_tracks
from cytally.labels.boxes import read_yolo
from cytally.labels.known import read_known
from cytally.labels.points import read_labels
from cytally.livecell.labelled import read_labelled
from cytally.livecell.measure.experts import read_review
from cytally.training.checkpoints import read_curves

EACH = int(os.environ.get("CYTALLY_MUTATIONS", "680")) // 15


def workbook(*sheets):
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"s{number}")
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


SAMPLES = 'sample;C0;C1;C2\r\nMüller;475;25;\r\n"B; x";480;18;2\r\n'
READERS = {
    "counts.csv": (b"dose_gy,cells,dicentrics\n0,5000,8\n1,1000,90\n2.5,400,200\n4,200,210\n", read_counts),
    "counts.xlsx": (
        workbook([["Dose (Gy)", "cells", "dicentrics"], [0, 5000, 8], [1, 1000, 90], [2.5, "400", 200]]),
        read_counts,
    ),
    "samples.csv": (SAMPLES.encode(), read_sample_table),
    "samples.txt": (SAMPLES.encode("utf-16"), read_sample_table),
    "samples.xlsx": (
        workbook([["sample", "C0", "C1"], ["a", 5000, 8], ["b", 1000, None]], [["x", 1]]),
        read_sample_table,
    ),
    "exercise.csv": (b"laboratory,value,sample,reference\nA,1,S,2\nB,2,S,2\n", read_exercise),
    "evaluation.csv": (
        b"dose_gy,cells,class,true,false,missed,precision\n0,3000,dicentric,3,20,1,0.1\n2,200,dicentric,49,1,10,\n",
        read_validation,
    ),
    "known.csv": (
        b"image,sample,dose_gy\na.png,S1,2\nsub\\b.png,S1,2.5\n",
        lambda path: read_known(path, ["a.png", "sub/b.png"]),
    ),
    "points.csv": (
        b"image,class,row,col\na.png,dicentric,10.5,20.0\nb.png,fragment,1.5,2.5\n",
        lambda path: read_labels(path, ["a.png", "b.png"]),
    ),
    "boxes.txt": (
        b"0 0.5 0.5 0.1 0.1\n1 0.25 0.25 0.1 0.2\n0 0.1 0.1 0.2 0.2 0.3 0.1\n",
        lambda path: read_yolo(path, ("a", "b"), (100, 100)),
    ),
    "review.csv": (
        b"image,objects,false_positives,false_negatives,remark\na.tif,3,1,0,blurred\nb.tif,3,,,\n",
        read_review,
    ),
    "labels.csv": (
        b"image,label,position,time,well,nuclei,status,reason\nlabels.csv,labels.csv,p,1,,5,kept,\n",
        lambda path: read_labelled(path.parent),
    ),
    "res_track.txt": (b"1 0 5 0\n2 3 9 1\n", lambda path: read_tracks(path.parent)),
    "facts.toml": ('laboratory = "Büro"\nsample = "S1"\n'.encode(), read_facts),
    "curves.csv": (b"epoch,loss,validation,seconds\n1,0.5,0.4,12.5\n2,0.4,nan,12.5\n", read_curves),
}
NASTY = [
    b"\0",
    b"\xff",
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"nan",
    b"inf",
    b"1e300",
    b"-1",
    b"9" * 30,
    "²".encode(),
    "٣".encode(),
    b"C10000000000",
    b"C00",
    b"x" * 200_000,
    b"\x85",
    b"\xe4",
    b"1,000",
    b"=",
    b"sep=;\n",
    b"#",
    b"[[[[" * 6000,
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"<",
    b"&",
    b"7",
]


def mutated(content, rng):
    """Bits flipped, parts left out, doubled, cut off or replaced."""
    for _ in range(rng.choice([1, 1, 1, 2, 4, 8])):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice([1, 2, 5, 30]))
        before, inside, after = content[:start], content[start:end], content[end:]
        content = rng.choice(
            [
                before + bytes(byte ^ 1 << rng.randrange(8) for byte in inside[:1]) + inside[1:] + after,
                before + after,
                before,
                before + inside * 3 + after,
                before + rng.choice(NASTY) + inside + after,
                before + rng.choice(NASTY) + after,
                before + rng.randbytes(len(inside)) + after,
            ]
        )
    return content


def repacked(content, rng):
    """A workbook of which one part is changed, with checksums that are right."""
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    chosen = rng.choice(source.namelist())
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, mutated(source.read(name), rng) if name == chosen else source.read(name))
    return target.getvalue()


@pytest.mark.parametrize("name", READERS)
def test_only_our_own_errors_and_not_late(tmp_path, name):
    content, reader = READERS[name]
    path, rng, refused = Path(tmp_path / name), random.Random(name), 0
    path.write_bytes(content)
    reader(path)
    for number in range(EACH):
        sheet = name.endswith("xlsx") and number % 2
        path.write_bytes(repacked(content, rng) if sheet else mutated(content, rng))
        began = time.process_time()
        try:
            reader(path)
        except CytallyError as error:
            refused += 1
            assert str(error)
        assert time.process_time() - began < 5
    assert refused > EACH // 4
