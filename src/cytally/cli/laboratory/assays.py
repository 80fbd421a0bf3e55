"""`cytally dosimetry heterogeneous`, `qdr`, `mixed-field` and `translocations`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.dosimetry.given import exposure_options, plain, with_options
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import (
    AGE,
    CELLS,
    COUNT,
    Finite,
    pair,
    typed_counts,
)
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.dosimetry.assays.translocations import Control, Person
    from cytally.dosimetry.estimation.dose import ExposureConditions
    from cytally.dosimetry.estimation.limits.partial_body import Estimate

_FILE = click.Path(path_type=Path, dir_okay=False)
#: Where the background of translocations comes from.
_BY_AGE = "from age alone (Sigurdson 2008), taken as known"
_BY_CONTROL = "from {} in {} control cells, whose uncertainty is carried"


def _limits(part: Estimate) -> str:
    if not part.lower == part.lower:
        return f"{part.value:.2f} Gy (limits not estimable)"
    upper = f"{part.upper:.2f}" if part.upper < float("inf") else "no upper limit"
    return f"{part.value:.2f} Gy ({part.lower:.2f} to {upper})"


def _say(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"  note: {note}")


@dosimetry.command()
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--distribution", required=True, help="Cells with 0, 1, 2, ... dicentrics, such as 160,55,19,17,9,4.")
@exposure_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def heterogeneous(curve: Path, distribution: str, exposure: ExposureConditions, as_json: bool) -> None:
    """Two doses in one body, and whether one would do.

    A mixture of two Poisson distributions is fitted to the distribution of dicentrics
    over cells. Where a single dose describes the counts as well, that is said.

    \b
    Example:
      cytally dosimetry heterogeneous --curve curve.json --distribution 160,55,19,17,9,4
    """
    from cytally.cli.dosimetry.given import counts_given
    from cytally.dosimetry.assays.heterogeneous import heterogeneous as estimate
    from cytally.dosimetry.curves.calibrate import Curve

    found = estimate(counts_given(distribution), Curve.load(curve), exposure)
    if as_json:
        click.echo(json.dumps(plain(asdict(found))))
        return
    click.echo(f"{_limits(found.high)} to {100 * found.body:.0f} % of the body")
    click.echo(f"{_limits(found.low)} to the rest")
    if not found.needed:
        click.echo("  note: a single dose describes these counts as well; two are not needed (BIC)")
    _say(found.notes)


@dosimetry.command()
@click.option("--curve", required=True, type=_FILE, help="Curve of dicentrics (and rings) (JSON).")
@click.option("--acentrics", required=True, type=_FILE, help="Curve of excess acentrics (JSON).")
@click.option("--dicentrics", required=True, type=COUNT, help="With centric rings.")
@click.option(
    "--damaged",
    required=True,
    type=CELLS,
    help="Cells with any dicentric, ring or excess acentric.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def qdr(curve: Path, acentrics: Path, dicentrics: int, damaged: int, as_json: bool) -> None:
    """Dose to the exposed part of a body from dicentrics per damaged cell (Qdr; IAEA 2011 eq. 16).

    Needs neither the number of undamaged cells nor the time since the exposure.

    \b
    Example:
      cytally dosimetry qdr --curve dicentrics.json --acentrics acentrics.json --dicentrics 86 --damaged 99
    """
    from cytally.dosimetry.assays.qdr import exposed_part
    from cytally.dosimetry.curves.calibrate import Curve

    typed_counts(dicentrics, damaged)
    found = exposed_part(dicentrics, damaged, Curve.load(curve), Curve.load(acentrics))
    if as_json:
        click.echo(json.dumps(plain(asdict(found))))
    elif found.value != found.value:
        click.echo("not estimable: there are too few dicentrics per damaged cell for any dose")
    else:
        click.echo(f"{_limits(found)} to the exposed part, {dicentrics / damaged:.3f} dicentrics per damaged cell")
        _say(found.notes)


@dosimetry.command("mixed-field")
@click.option("--neutron", required=True, type=_FILE, help="Curve of the neutrons (JSON).")
@click.option("--gamma", required=True, type=_FILE, help="Curve of the gamma rays (JSON).")
@click.option("--ratio", required=True, type=Finite(0, 1000), help="Gamma dose over neutron dose, from physics.")
@click.option("--dicentrics", required=True, type=COUNT, help="Dicentrics found.")
@click.option("--cells", required=True, type=CELLS, help="Cells scored.")
@click.option(
    "--backgrounds",
    type=click.Choice(["both", "mean"]),
    default="both",
    show_default=True,
    help="Subtract both curves' backgrounds, as the IAEA manual prints it, or their mean.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def mixed_field(
    neutron: Path, gamma: Path, ratio: float, dicentrics: int, cells: int, backgrounds: str, as_json: bool
) -> None:
    """Neutron and gamma doses of a criticality accident (IAEA 2011, 9.7.5.2).

    \b
    Example:
      cytally dosimetry mixed-field --neutron n.json --gamma g.json --ratio 1.5 --dicentrics 120 --cells 100
    """
    from cytally.dosimetry.assays.mixed_field import criticality
    from cytally.dosimetry.curves.calibrate import Curve

    typed_counts(dicentrics, cells)
    found = criticality(dicentrics, cells, Curve.load(neutron), Curve.load(gamma), ratio, backgrounds)
    if as_json:
        click.echo(json.dumps(plain(asdict(found))))
        return
    for name, (value, lower, upper) in (("neutron", found.neutron), ("gamma", found.gamma)):
        click.echo(f"{name:>8} {value:.2f} Gy ({lower:.2f} to {upper:.2f})")
    click.echo("  note: 95 % limits of the count and of both curves; the ratio is taken as exact")
    for name in found.exact:
        click.echo(f"  note: the curve of the {name} states no errors, so that none of it are carried")
    _say(found.notes)


def _unexposed_options(command: Callable[..., Any]) -> Any:
    """Options of the background of translocations; the command gets them as `unexposed`."""

    @wraps(command)
    def with_unexposed(*given: Any, age: float | None, sex: str | None, control: str | None, **more: Any) -> Any:
        """The command, with its six options as one noun."""
        from cytally.dosimetry.assays.translocations import Control, Person

        about = (more.pop("smoker"), more.pop("region"), more.pop("ethnicity"))
        if (age is None) == (control is None):
            raise click.UsageError("give --age or --control, one of the two")
        if control is not None and any(about):
            raise click.UsageError("--smoker, --region and --ethnicity belong to --age; a control has its own")
        if age is not None:
            smoker, region, ethnicity = about
            return command(*given, unexposed=Person(age, sex or "", smoker, region or "", ethnicity or ""), **more)
        known = pair(control or "", "--control", "12,6000", "translocations")
        return command(*given, unexposed=Control(*known, sex=sex or ""), **more)

    return with_options(
        with_unexposed,
        click.option("--age", type=AGE, help="Years; the background is then that of Sigurdson 2008."),
        click.option("--sex", type=click.Choice(["male", "female"]), help="[default: unknown]"),
        click.option("--smoker", is_flag=True, help="Smokers have more translocations."),
        click.option(
            "--region",
            type=click.Choice(["n-america", "w-europe", "c-europe", "e-europe", "asia"]),
            help="Where the person lives (Sigurdson 2008).  [default: unknown]",
        ),
        click.option(
            "--ethnicity",
            type=click.Choice(["white", "asian", "black", "other"]),
            help="Of the person (Sigurdson 2008).  [default: unknown]",
        ),
        click.option(
            "--control",
            help="TRANSLOCATIONS,CELLS of your own unexposed people, same age and paint, in place of --age.",
        ),
    )


@dosimetry.command()
@click.option("--curve", required=True, type=_FILE, help="Translocations per genome equivalent, without background.")
@click.option("--count", required=True, type=COUNT, help="Translocations seen.")
@click.option("--cells", required=True, type=CELLS, help="Cells scored.")
@click.option("--painted", required=True, help="Chromosomes by colour, such as 1,4/2 for two colours.")
@_unexposed_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def translocations(
    curve: Path, count: int, cells: int, painted: str, unexposed: Person | Control, as_json: bool
) -> None:
    """Dose from translocations seen with painted chromosomes (FISH).

    What the paint does not show is made up for by the genome fraction (Lucas). What age
    brings is taken off (Sigurdson 2008, by age, sex, smoking, region and ethnicity), or what a
    control of your own shows, whose uncertainty then widens the limits.

    \b
    Examples:
      cytally dosimetry translocations --curve fish.json --painted 1,2,4 --count 31 --cells 2000 --age 45
      cytally dosimetry translocations --curve fish.json --painted 1,4/2 --count 31 --cells 2000 \\
        --control 12,6000
    """
    from cytally.dosimetry.assays.translocations import Control, Painted
    from cytally.dosimetry.assays.translocations import translocations as estimate
    from cytally.dosimetry.curves.calibrate import Curve

    typed_counts(count, cells, "translocations")
    colours = [[name.strip().upper() for name in part.split(",") if name.strip()] for part in painted.split("/")]
    found = estimate(Painted(count, cells, colours), unexposed, Curve.load(curve))
    if as_json:
        click.echo(json.dumps(plain(asdict(found))))
        return
    click.echo(_limits(found.dose))
    click.echo(
        f"  {counted(cells, 'cells')} {'is' if cells == 1 else 'are'} {found.equivalents:.4g} genome equivalents (the paint shows "
        f"{100 * found.factor:.1f} % of all exchanges)"
    )
    whence = _BY_AGE
    if isinstance(unexposed, Control):
        whence = _BY_CONTROL.format(unexposed.count, unexposed.cells)
    click.echo(f"  {counted(count, 'translocations')} seen, {found.background:.1f} expected {whence}")
    _say(found.notes)
