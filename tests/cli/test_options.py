"""Options with numbers and files: what no command takes."""

import click
import pytest
from click.testing import CliRunner
from tests.cases.commands import every_command

from cytally.cli.main import cli
from cytally.cli.options import AGE, PICTURE, POSITIVE, SHARE, TABLE, Finite, gathered, together

FLOATS = [
    (path, option)
    for path, command in every_command(cli)
    for option in command.params
    if isinstance(option.type, click.types.FloatParamType)
]


def test_there_are_such_options():
    assert len(FLOATS) > 30


@pytest.mark.parametrize(("path", "option"), FLOATS, ids=lambda v: "-".join(v) if isinstance(v, tuple) else v.name)
def test_no_option_of_any_command_takes_nan_or_infinity(path, option):
    for value in ("nan", "inf", "-inf", "1e999"):
        with pytest.raises(click.BadParameter):
            option.type.convert(value, option, None)
        done = CliRunner().invoke(cli, [*path, option.opts[-1], *[value] * option.nargs])
        assert done.exit_code == 2, (value, done.output)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(AGE, "-1"), (AGE, "200"), (SHARE, "1.01"), (POSITIVE, "0"), (Finite(0), "-0.1"), (Finite(), "x")],
)
def test_bounds(kind, value):
    with pytest.raises(click.BadParameter):
        kind.convert(value, None, None)
    assert kind.convert("0.5", None, None) == 0.5


@pytest.mark.parametrize(("kind", "name"), [(PICTURE, "a.gif"), (TABLE, "a.ods"), (TABLE, "a")])
def test_a_file_s_ending_is_refused_before_anything_is_computed(kind, name):
    with pytest.raises(click.BadParameter, match=r"ends in .* or .*, got a"):
        kind.convert(name, None, None)


def test_several_options_become_one_noun_in_the_order_given():
    """The command gets the noun in place of the values; `--help` shows the options as they were written."""
    seen = []

    @click.command()
    @gathered(
        "area",
        lambda width, height: width * height,
        click.option("--width", type=int, default=2, help="First."),
        together(click.option("--height", type=int, default=3, help="Second.")),
    )
    @click.option("--name", default="x", help="Third.")
    def draw_it(area: int, name: str) -> None:
        """Draw."""
        seen.append((area, name))

    call = CliRunner().invoke
    assert call(draw_it, ["--height", "5", "--name", "y"]).exit_code == 0 and seen == [(10, "y")]
    said = call(draw_it, ["--help"]).output
    assert said.index("--width") < said.index("--height") < said.index("--name") and "Draw." in said
