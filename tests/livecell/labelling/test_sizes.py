"""Nuclei found at the size that the images show."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.images.read import read
from cytally.livecell.labelling.sizes import OwnSize, Sizing, stained_nuclei, typical_diameter


def grid(diameter, side=512, ground=100, seed=1, far=2.2):
    """Disks of a diameter on a grid, blurred, with Poisson noise; and how many there are."""
    image, step = np.zeros((side, side), np.float32), int(far * diameter)
    places = [
        (r, c) for r in range(step // 2, side - step // 2, step) for c in range(step // 2, side - step // 2, step)
    ]
    for row, col in places:
        cv2.circle(image, (col, row), round(diameter / 2), 1, -1)
    light = ground + 400 * cv2.GaussianBlur(image, (0, 0), 1)
    return np.random.default_rng(seed).poisson(light).astype(np.uint16), len(places)


@pytest.mark.parametrize("diameter", [9, 16, 31, 61, 101])
def test_the_size_is_measured_and_every_nucleus_found_once(diameter):
    """Within 15 %: outlines are blurred, and disks are drawn in whole pixels."""
    image, count = grid(diameter)
    assert typical_diameter(image) == pytest.approx(diameter, rel=0.15)
    assert stained_nuclei(image, OwnSize()).count == count


def test_two_sizes_in_one_image_are_both_found():
    large, many = grid(60, side=300)
    small, more = grid(12, side=300, seed=2)
    assert stained_nuclei(np.hstack([large, small]), OwnSize()).count == many + more


def test_noise_has_no_nuclei_by_any_size():
    noise = np.random.default_rng(3).poisson(100, (300, 300)).astype(np.uint16)
    assert typical_diameter(noise) == 0
    assert [stained_nuclei(noise, OwnSize(typical=size)).count for size in (0.0, 12.0, 40.0)] == [0, 0, 0]


def test_images_agree_or_go_by_themselves():
    together = Sizing.of([30, 33, 0, 27, 90])
    assert together.typical == 31.5 and "27 to 90 in 4 images" in together.said
    assert (
        OwnSize(typical=31.5).of(27) == 31.5
        and OwnSize(typical=31.5).of(90) == 90
        and OwnSize(typical=31.5).of(0) == 31.5
    )
    apart = Sizing.of([10, 12, 40, 80, 150])
    assert apart.typical == 0, apart
    assert "differ" in apart.said
    assert Sizing.of([0, 0]) == Sizing(0.0) and Sizing.of([]).said == ""


def test_real_nuclei_are_measured(data):
    """MCC13 s45 of mnfinder: 20 nuclei of 27 pixels among faint cytoplasm; 68 by a range of 5 to 30."""
    path = next((data / "mnfinder").rglob("images/MCC13_rfpcyto_w1cDAPI_s45.tif"))
    assert abs(stained_nuclei(read(path).pixels, OwnSize()).count - 20) <= 4


def test_a_blank_frame_counts_none_and_a_run_goes_on_with_its_size(tmp_path):
    """Four frames, one of noise alone; a frame is added afterwards, and other settings are refused."""
    (tmp_path / "in").mkdir()
    image, count = grid(31, side=300)
    blank = np.random.default_rng(4).poisson(100, image.shape).astype(np.uint16)
    for number in range(4):
        frame = blank if number == 2 else np.roll(image, number, 0)
        cv2.imwrite(str(tmp_path / "in" / f"A01_t{number}.tif"), frame)
    call = ["livecell", "count", str(tmp_path / "in"), "--stained", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli, call)
    assert done.exit_code == 0, done.output
    assert "typical nucleus" in done.output
    told = [line.split(",")[2] for line in (tmp_path / "out" / "counts.csv").read_text().splitlines()[1:]]
    assert told == [str(count), str(count), "0", str(count)]
    assert "ypical nucleus" in (tmp_path / "out" / "report.html").read_text()
    assert "typical nucleus" in (tmp_path / "out" / "run.json").read_text()
    cv2.imwrite(str(tmp_path / "in" / "A01_t4.tif"), grid(40, side=300)[0])
    assert CliRunner().invoke(cli, call).exit_code == 0
    other = CliRunner().invoke(cli, [*call, "--diameter", "12", "60"])
    assert other.exit_code == 1 and "other detector" in other.output


def test_the_option_takes_a_word_or_two_numbers(tmp_path):
    call = ["livecell", "count", str(tmp_path), "--stained", "--out", str(tmp_path / "out"), "--diameter"]
    for words, says in (
        (["9"], "smallest and the largest"),
        (["9", "x"], "not a valid"),
        (["30", "5"], "smallest < largest"),
    ):
        done = CliRunner().invoke(cli, [*call, *words])
        assert done.exit_code and says in done.output, done.output
