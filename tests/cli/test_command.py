"""The recorded command, parsed again by click, gives what the first call was given."""

import shlex

import click
import pytest

from cytally.cli.command import command_line
from cytally.cli.main import cli

_EVERY = {
    "dosimetry train": [
        "one",
        "a folder",
        "--out=runs/o'ne",
        "--simulated",
        "0.30000000000000004",
        "--preset",
        "further",
        "--epochs",
        "7",
        "--filters",
        "6",
        "--members",
        "3",
        "--average",
        "--pool",
        "16",
        "--seed",
        "5",
        "--start",
        "weights",
        "--name",
        "-odd name",
        "--normal",
        "one",
        "--composed",
        "0.5",
        "--sparsity",
        "0",
        "--warm",
        "4",
        "--cells",
        "paper",
        "--no-auxiliary",
        "--devices",
        "2",
    ],
    "dosimetry adapt": [
        "one",
        "--out",
        "x",
        "--ensemble",
        "a folder",
        "--epochs",
        "3",
        "--share",
        "1e-3",
        "--seed",
        "9",
        "--json",
    ],
    "dosimetry verify": [
        "one",
        "--out",
        "x",
        "--cells",
        "10",
        "--count",
        "2",
        "--epochs",
        "4",
        "--normal",
        "a folder",
        "--composed",
        "0.7",
        "--further",
        "--seed",
        "31",
    ],
    "livecell train": [
        "one",
        "a folder",
        "--out",
        "x",
        "--preset",
        "paper",
        "--start",
        "one",
        "--epochs",
        "9",
        "--seed",
        "2",
    ],
}


def parsed(words):
    """Context of a command, its parameters parsed and nothing run."""
    group, name, *rest = words
    root = click.Context(cli, info_name="cytally")
    inner = click.Context(cli.get_command(root, group), parent=root, info_name=group)
    return inner.command.get_command(inner, name).make_context(name, rest, parent=inner)


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "a folder", "-dash"):
        (tmp_path / name).mkdir()
    (tmp_path / "weights").touch()


def made_of(context):
    return {name: value for name, value in context.params.items() if name != "as_json"}


def again(given):
    first = parsed(given)
    line = command_line(first)
    words = shlex.split(line)
    assert words[:3] == ["cytally", *given[:2]]
    assert made_of(parsed(words[1:])) == made_of(first)
    return line


@pytest.mark.parametrize("name", sorted(_EVERY))
def test_every_option_comes_back(name):
    """All options of these commands are given, so that a new one must join this test."""
    context = parsed([*name.split(), *_EVERY[name]])
    default = [p.name for p in context.command.params if context.get_parameter_source(p.name).name == "DEFAULT"]
    assert default == []
    again([*name.split(), *_EVERY[name]])


@pytest.mark.parametrize(
    "given",
    [
        ["train", "--out", "x"],
        ["train", "--out", "x", "--auxiliary"],
        ["train", "--out", "x", "--seed", "1"],
        ["train", "--out", "x", "--", "-dash", "one"],
        ["adapt", "--out", "-x", "--", "-dash"],
        ["verify", "one", "--out", "x y"],
    ],
)
def test_what_was_not_given_stays_at_its_default(given):
    line = again(["dosimetry", *given])
    assert "--filters" not in line and "--cells" not in line and "--share" not in line


def test_what_is_only_printed_is_not_part_of_it():
    """A resumed `adapt --json` must leave the card that `adapt` leaves."""
    assert "--json" not in command_line(parsed(["dosimetry", "adapt", "one", "--out", "x", "--json"]))


def test_the_line_is_what_a_person_would_type():
    line = command_line(parsed(["dosimetry", "train", "--seed", "4", "a folder", "--no-auxiliary", "--out", "mine"]))
    assert line == "cytally dosimetry train 'a folder' --out mine --seed 4 --no-auxiliary"
