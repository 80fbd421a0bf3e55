"""`livecell names`: what is understood, said before any work."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.images.write import write
from cytally.types import Image


def call(*words, code=0):
    done = CliRunner().invoke(cli, ["livecell", "names", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def folder(tmp_path):
    def filled(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, Image(np.zeros((4, 4), np.uint8)))
        return tmp_path

    return filled


def test_a_table_a_summary_and_json(folder):
    where = folder(*(f"A1_{s}_00d{h:02d}h00m.tif" for s in (1, 2) for h in (0, 4, 8)))
    said = call(where)
    assert "6 images; 2 positions; 3 times each" in said and "A1_2" in said
    told = json.loads(call(where, "--json"))
    assert told["positions"] == ["A1_1", "A1_2"] and told["images"][2] == {
        "image": "A1_1_00d08h00m.tif",
        "position": "A1_1",
        "well": "A1",
        "channel": "",
        "time": 480,
        "z": "",
        "hours": 8.0,
    }


def test_many_lines_are_cut_but_not_with_all(folder):
    where = folder(*(f"t{k:03d}.tif" for k in range(40)))
    assert "... 16 more" in call(where) and "t020.tif" not in call(where)
    assert "t020.tif" in call(where, "--all")


def test_nothing_understood_fails_and_says_what_to_do(folder):
    said = call(folder("cells.tif", "others.tif"), code=1)
    assert "nothing is understood" in said and "--pattern" in said and "no position has two times" in said


def test_doubles_fail(folder):
    assert "two images of position 'A1' at time 1" in call(folder("A1_t1.tif", "A1_t01.tif"), code=1)


def test_a_position_without_a_channel_is_named(folder):
    said = call(folder("A01_s1_w1_t1.tif", "A01_s1_w2_t1.tif", "A01_s2_w1_t1.tif"))
    assert "A01_s2: no image of channel w2" in said and "channels w1, w2" in said


def test_a_joined_prefix_and_decimals_are_said_right(folder):
    said = call(folder(*(f"exp001t{t:02d}xy01c1.tif" for t in (1, 2))))
    assert "1 position; 2 times each; channels c1" in said and "exp001_xy01" in said
    said = call(folder("A1_t0.5.tif", "A1_t1.5.tif"), code=1)
    assert "expected whole numbers as times, got '0.5'" in said
