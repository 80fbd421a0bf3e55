"""Every command as a person calls it: exit codes, words, JSON."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import cytally
from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import stated
from cytally.dosimetry.laboratory.series import points_of
from cytally.images.write import write
from cytally.types import Image


def call(*arguments, code=0):
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def test_version():
    assert cytally.__version__ in call("--version").output


@pytest.fixture
def curve(tmp_path):
    (tmp_path / "counts.csv").write_text(
        "dose_gy,cells,dicentrics\n0,5000,8\n0.5,2002,55\n1,1168,109\n2,333,103\n3,193,108\n4,103,103\n"
    )
    call(
        "dosimetry",
        "calibrate",
        tmp_path / "counts.csv",
        "--out",
        tmp_path / "curve.json",
        "--plot",
        tmp_path / "c.svg",
    )
    return tmp_path / "curve.json"


def test_calibrate_and_dose_from_typed_counts(curve):
    assert (curve.parent / "c.svg").read_text().startswith("<svg")
    said = call("dosimetry", "dose", "--curve", curve, "--dicentrics", 25, "--cells", 500).output
    assert said.startswith("0.7") and "500 cells, 25 dicentrics" in said
    found = json.loads(call("dosimetry", "dose", "--curve", curve, "--distribution", "475,25", "--json").output)
    assert 0.45 < found["lower_gy"] < found["dose_gy"] < found["upper_gy"] < 1.0
    infinite = json.loads(
        call("dosimetry", "dose", "--curve", curve, "--distribution", "1,1,1,1,1,1,1", "--json").output
    )
    assert infinite["dose_gy"] > 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give one of"),
        (("--dicentrics", 3), "belong together"),
        (("--distribution", "a,b"), "whole numbers"),
        (("--distribution", "5,-1"), "a count is 0 or more"),
        (("--dicentrics", 3, "--cells", 9, "--distribution", "1,2"), "give one of"),
    ],
)
def test_wrong_use_is_exit_code_2(curve, arguments, words):
    assert words in call("dosimetry", "dose", "--curve", curve, *arguments, code=2).output


def test_bad_input_is_one_line_and_exit_code_1(tmp_path):
    said = call("dosimetry", "dose", "--curve", tmp_path / "none.json", "--distribution", "5,1", code=1).output
    assert said.startswith("cytally: ") and said.count("\n") == 1


def test_simulate_score_calibrate_dose_with_another_ensemble(tmp_path, random_ensemble):
    runs, easy = [], ("--confidence", 0.05, "--agreement", 0)
    for gray in (0, 2, 4):
        folder = tmp_path / f"{gray}Gy"
        call(
            "dosimetry",
            "simulate",
            folder,
            "--cells",
            2,
            "--dose",
            gray,
            "--seed",
            gray + 1,
            "--style",
            "dark",
        )
        runs.append(tmp_path / f"run{gray}")
        call("dosimetry", "score", folder, "--out", runs[-1], "--ensemble", random_ensemble, *easy)
    points, detector = points_of(runs)  # a random ensemble finds as many at any dose: no curve follows
    assert [(p.dose_gy, p.cells, sum(p.distribution)) for p in points] == [(0, 2, 2), (2, 2, 2), (4, 2, 2)]
    assert all(p.dicentrics == sum(k * n for k, n in enumerate(p.distribution)) for p in points)
    published = stated((0.001, 0.02, 0.06), (0.0005, 0.005, 0.004), highest_dose=4)
    replace(published, detector=detector).save(tmp_path / "curve.json")
    said = call("dosimetry", "dose", runs[-1], "--curve", tmp_path / "curve.json").output
    assert "2 cells" in said
    assert "Gy" in (runs[-1] / "report.html").read_text()
    hand = tmp_path / "hand.json"
    content = json.loads((tmp_path / "curve.json").read_text())
    hand.write_text(json.dumps(content | {"detector": ""}))
    assert "--any-detector" in call("dosimetry", "dose", runs[-1], "--curve", hand, code=1).output
    call("dosimetry", "dose", runs[-1], "--curve", hand, "--any-detector")


def test_skipped_images_give_exit_code_3_and_json(tmp_path, random_ensemble):
    call("dosimetry", "simulate", tmp_path / "cells", "--cells", 1, "--style", "dark")
    write(tmp_path / "cells" / "black.png", Image(np.zeros((99, 99), np.uint8)))
    result = call(
        "dosimetry",
        "score",
        tmp_path / "cells",
        "--out",
        tmp_path / "run",
        "--ensemble",
        random_ensemble,
        "--json",
        code=3,
    )
    # before click 8.2 its runner mixes standard error into the output
    found = json.loads(next(line for line in result.output.splitlines() if line.startswith("{")))
    assert found["cells"] == 1 and found["skipped"][0]["image"] == "black.png"


def test_what_was_left_out_is_counted_on_the_screen_and_in_json(tmp_path, random_ensemble):
    call("dosimetry", "simulate", tmp_path / "cells", "--cells", 1, "--style", "dark")
    for name in ("a.czi", "b.jp2"):
        (tmp_path / "cells" / name).write_bytes(b"")
    asked = (
        "dosimetry",
        "score",
        tmp_path / "cells",
        "--out",
        tmp_path / "run",
        "--ensemble",
        random_ensemble,
    )
    said = call(*asked).output
    assert "2 left out, not images that are read:" in said
    assert "a.czi: .czi is not read; export it as TIFF or PNG" in said
    found = json.loads(next(line for line in call(*asked, "--json").output.splitlines() if line.startswith("{")))
    assert [one["reason"][:4] for one in found["left_out"]] == [".czi", ".jp2"]


def test_without_torch_doctor_and_score_say_so(monkeypatch, tmp_path, random_ensemble):
    write(tmp_path / "a.png", Image(np.full((64, 64), 200, np.uint8)))
    monkeypatch.setitem(sys.modules, "torch", None)
    found = json.loads(call("doctor", "--json").output)
    assert found["networks learn in"].startswith("nothing: torch cannot be loaded")
    assert "pip install torch" in found["networks learn in"] and "openvino" in found["networks look on"]
    done = call(
        "dosimetry",
        "score",
        tmp_path / "a.png",
        "--out",
        tmp_path / "run",
        "--ensemble",
        random_ensemble,
        "--runtime",
        "torch",
        code=1,
    )
    assert "the runtime torch is not installed: pip install torch, or choose openvino" in done.output


def test_a_reader_that_has_had_enough_is_no_error_of_the_disk():
    code = "from cytally.cli.main import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.argv = ['cytally', 'doctor']; sys.stdin.read(); {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child.stdout.close()
    child.stdin.close()
    with child.stderr as said:
        assert said.read() == b"" and child.wait() == 141


def test_doctor_names_what_there_is():
    found = json.loads(call("doctor", "--json").output)
    assert found["cytally"] == cytally.__version__ and "members" in found["shipped ensemble"]
    assert "torch" in call("doctor").output


def test_a_dose_from_typed_counts_needs_no_network(curve):
    code = (
        "import sys; from cytally.cli.main import main; sys.argv = "
        f"['cytally', 'dosimetry', 'dose', '--curve', {str(curve)!r}, '--dicentrics', '5', '--cells', '100'];\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "assert not {'torch', 'cv2', 'matplotlib', 'scipy.stats'} & set(sys.modules), 'too much was loaded'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "100 cells, 5 dicentrics" in done.stdout


def test_the_road_in_python():
    assert cytally.Curve.__name__ == "Curve" and callable(cytally.detect)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cytally.nothing
