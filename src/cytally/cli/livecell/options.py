"""Options that several commands of `cytally livecell` share, each group written once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.options import POSITIVE, Decorator, gathered, together

if TYPE_CHECKING:
    from cytally.livecell.counting.plan import Reading
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.livecell.learn import Preset
    from cytally.livecell.names.frame import Naming

#: A folder to write, and one that is there.
FOLDER = click.Path(path_type=Path, file_okay=False)
THERE = click.Path(path_type=Path, file_okay=False, exists=True)


def diameters(said: str) -> Decorator:
    """`--diameter` with its help: `auto`, which is None, or two numbers."""
    return click.option(
        "--diameter",
        cls=_Diameters,
        metavar="auto|NUMBER NUMBER",
        default="auto",
        show_default=True,
        callback=_range,
        help=f"{said} in pixels; auto: measured on the images.",
    )


class _Diameters(click.Option):
    """An option of one word, or of two where the first is a number."""

    def add_to_parser(self, parser: click.parser.OptionParser, ctx: click.Context) -> None:
        """Take the second number as well."""
        super().add_to_parser(parser, ctx)
        for option in {id(each): each for each in map(parser._long_opt.get, self.opts) if each}.values():
            option.process = partial(_two_words, option.process)  # type: ignore[method-assign]


def _two_words(process: Callable[[str, Any], None], value: str, state: Any) -> None:
    if value != "auto" and " " not in value and state.rargs:
        value = f"{value} {state.rargs.pop(0)}"
    process(value, state)


def _range(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, float] | None:
    """Two numbers above 0; None for `auto`."""
    if value == "auto":
        return None
    words = value.split()
    if len(words) != 2:
        raise click.BadParameter(f"expected auto, or the smallest and the largest diameter, got {value!r}", ctx, param)
    low, high = (float(POSITIVE.convert(word, param, ctx)) for word in words)
    return low, high


def label_settings(
    diameter: tuple[float, float] | None, declump: str = "shape", thesis_filter: bool = False, align: bool = True
) -> LabelSettings:
    """How the stain becomes labels."""
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings
    from cytally.livecell.labelling.quality import RejectSettings
    from cytally.livecell.labelling.sizes import OwnSize

    stain = FluorescenceSettings.for_nuclei(*diameter, declump) if diameter else OwnSize(declump)
    return LabelSettings(stain, RejectSettings(quarter=0.25 if thesis_filter else 0.0), align)


def _preset(preset: str, epochs: int | None, seed: int) -> Preset:
    """Network and training."""
    from cytally.livecell.learn import PRESETS

    chosen = PRESETS[preset]
    settings = replace(chosen.settings, epochs=epochs or chosen.settings.epochs, seed=seed)
    return replace(chosen, settings=settings)


def _naming(pattern: str | None, numbered: bool) -> Naming:
    """How names are read."""
    from cytally.livecell.names.frame import Naming

    return Naming(pattern, numbered)


def _reading(pattern: str | None, numbered: bool, hours: float | None, skip_sizes: bool) -> Reading:
    """How names are read, and what is known of times and sizes."""
    from cytally.livecell.counting.plan import Reading

    return Reading(_naming(pattern, numbered), hours, skip_sizes)


def _names(numbered: bool) -> Decorator:
    """Options of names; `numbered` is the default."""
    return together(
        click.option(
            "--pattern",
            help="Regular expression for file names with groups position, frame and, if wanted, well; "
            "see 'livecell names'.",
        ),
        click.option(
            "--numbered/--no-numbered",
            default=numbered,
            show_default=True,
            help="Numbers without a word (0001.tif) are times, or not.",
        ),
    )


def reading(*, numbered: bool = False) -> Decorator:
    """A command gets `reading`; `numbered` is what numbers without a word are taken for."""
    return gathered(
        "reading",
        _reading,
        click.option(
            "--hours",
            type=POSITIVE,
            help="Between one frame number and the next, for growth.  [default: what names or images say]",
        ),
        click.option(
            "--skip-sizes", is_flag=True, help="Leave out frames of another size than the rest of their position."
        ),
        _names(numbered),
    )


#: A command gets `naming`.
NAMING = gathered("naming", _naming, _names(False))
#: A command gets `settings`: how the stain becomes labels.
LABELLING = gathered(
    "settings",
    label_settings,
    diameters("Smallest and largest nucleus"),
    click.option(
        "--declump",
        type=click.Choice(["shape", "intensity", "none"]),
        default="shape",
        show_default=True,
        help="Part touching nuclei by outline, by brightness, or not.",
    ),
    click.option("--thesis-filter", is_flag=True, help="Also reject the quarter of labels with fewest nucleus pixels."),
    click.option(
        "--align/--no-align",
        default=True,
        show_default=True,
        help="Move labels where the fluorescence camera looks beside the other beyond doubt.",
    ),
)
#: A command gets `preset`: network and training.
LEARNING = gathered(
    "preset",
    _preset,
    click.option(
        "--preset",
        type=click.Choice(["fast", "paper"]),
        default="fast",
        show_default=True,
        help="Minutes on two cores, or as published on a GPU.",
    ),
    click.option("--epochs", type=click.IntRange(1), help="Most epochs.  [default: the preset's]"),
    click.option("--seed", default=1, show_default=True, help="Same seed, same result."),
)
#: How nuclei are followed, and what is drawn of it.
FOLLOWING = together(
    click.option(
        "--largest-shift", default=60, show_default=True, help="Largest jump of the camera in pixels; 0: it stands."
    ),
    click.option(
        "--movie", type=click.Choice(["gif", "mp4", "none"]), default="gif", show_default=True, help="Of the tracks."
    ),
)
