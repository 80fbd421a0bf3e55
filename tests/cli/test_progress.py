"""What a command says on standard error: progress in a log, what was skipped."""

import pytest

from cytally.cli import progress as told
from cytally.types import Skipped


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as the test says."""
    now = {"time": 100.0}
    monkeypatch.setattr(told.time, "monotonic", lambda: now["time"])
    return now


def test_a_log_gets_a_line_every_ten_seconds_with_the_time_left(clock, capsys):
    """2 of 10 in ten seconds: the other eight take forty."""
    with told.reporting() as progress:
        progress("scoring", 1, 10)
        clock["time"] += 9
        progress("scoring", 1, 10)
        assert capsys.readouterr().err == ""
        clock["time"] += 1
        progress("scoring", 2, 10)
        assert capsys.readouterr().err == "scoring: 2 of 10, 40 s left\n"
        clock["time"] += 1
        progress("scoring", 3, 10)
        assert capsys.readouterr().err == ""


def test_the_end_is_always_told_and_a_new_stage_has_its_own_clock(clock, capsys):
    with told.reporting() as progress:
        clock["time"] += 60
        progress("reading", 1, 2)
        clock["time"] += 5
        progress("reading", 2, 2)
        progress("writing", 1, 4)
        clock["time"] += 10
        progress("writing", 2, 4)
    assert capsys.readouterr().err == "reading: 2 of 2, 0 s left\nwriting: 2 of 4, 10 s left\n"


def test_a_loss_in_the_name_of_a_stage_does_not_begin_it_anew(clock, capsys):
    with told.reporting() as progress:
        progress("epoch 1, loss 0.5000", 1, 40)
        clock["time"] += 10
        progress("epoch 1, loss 0.4000", 10, 40)
    assert capsys.readouterr().err == "epoch 1, loss 0.4000: 10 of 40, 30 s left\n"


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(told.sys.stderr, "isatty", lambda: True, raising=False)
    with told.reporting() as progress:
        progress("scoring", 3, 3)
    assert "scoring" in capsys.readouterr().err


def test_skipped_images_are_named_and_the_exit_code_says_so(capsys):
    told.say_skipped(())
    with pytest.raises(SystemExit) as ended:
        told.say_skipped((Skipped("a.png", "no image"), Skipped("b.png", "too dark")))
    assert ended.value.code == 3
    assert capsys.readouterr().err == "  skipped a.png: no image\n  skipped b.png: too dark\n"
