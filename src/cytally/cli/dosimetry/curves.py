"""`cytally dosimetry calibrate` and `curve`: fitted here, or published elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.dosimetry.given import Command, with_options
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import PICTURE, Finite, draw, was_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin

_FILE = click.Path(path_type=Path, dir_okay=False)


def _origin_options(command: Command) -> Any:
    """Options of where a curve comes from and what it counts; the command gets them as `origin`."""

    @wraps(command)
    def with_origin(
        *given: Any, radiation: str, laboratory: str, aberration: str, about: Path | None, **more: Any
    ) -> Any:
        """The command, with its four options as one noun."""
        from cytally.dosimetry.curves.points import About, Origin, read_about

        known = read_about(about) if about is not None else About()
        return command(*given, origin=Origin(radiation, laboratory, aberration=aberration, about=known), **more)

    return with_options(
        with_origin,
        click.option("--radiation", default="", help='Such as "60Co gamma, 0.3 Gy/min".'),
        click.option("--laboratory", default="", help="Whose curve it is."),
        click.option(
            "--aberration",
            default="dicentrics",
            show_default=True,
            help="What was counted: dicentrics, micronuclei, translocations, acentrics, ...",
        ),
        click.option(
            "--about",
            type=_FILE,
            help="TOML: dose_rate, quantity, medium, temperature, thresholds, counted_by, made, remarks.",
        ),
    )


@dosimetry.command()
@click.argument("counts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=_FILE, help="Curve file (JSON).")
@_origin_options
@click.option(
    "--model",
    type=click.Choice(["linear-quadratic", "linear", "automatic"]),
    default="linear-quadratic",
    show_default=True,
    help="Linear for high LET; automatic takes it where a quadratic term does not help.",
)
@click.option(
    "--family",
    type=click.Choice(["Poisson", "quasi-Poisson", "automatic"], case_sensitive=False),
    default="Poisson",
    show_default=True,
    help="Quasi-Poisson widens errors by the scatter of the points.",
)
@click.option(
    "--by",
    metavar="COLUMN",
    help="Several curves of one table, one for each name in a column such as donor; --out is then a folder.",
)
@click.option(
    "--dose-unit",
    type=click.Choice(["gy", "cgy", "mgy"], case_sensitive=False),
    help="Of the doses in COUNTS; what does not look like Gy is asked about without it.  [default: gy]",
)
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def calibrate(
    counts: tuple[Path, ...],
    out: Path,
    origin: Origin,
    model: str,
    family: str,
    by: str | None,
    dose_unit: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Fit Y = C + alpha D + beta D^2 to COUNTS.

    COUNTS is a table (CSV or XLSX) with dose_gy and cells,dicentrics or C0,C1,..., and a
    weight per line if wanted; or one or more run folders whose cells.csv knows the doses. A
    curve from runs remembers their detector.

    What was counted is taken from the heading of the column (dicentrics, micronuclei, translocations) where it
    says so; --aberration says it otherwise, and must not contradict it.

    Printed and kept in the file beside the coefficients: chi2 with its p, AIC, correlations, and
    for each dose mean, variance, dispersion index and u over the cells (where C0,C1,... are
    known) and what the curve expects. A lack of fit and |u| > 1.96 are said in words.

    \b
    Examples:
      cytally dosimetry calibrate counts.csv --out curve.json
      cytally dosimetry calibrate neutrons.xlsx --model automatic --family automatic --out curve.json
      cytally dosimetry calibrate micronuclei.csv --aberration micronuclei --family automatic --out mn.json
      cytally dosimetry calibrate donors.csv --by donor --out curves
      cytally dosimetry calibrate runs/0Gy runs/1Gy runs/2Gy --out curve.json
    """
    from cytally.dosimetry.curves.calibrate import calibrate as fit
    from cytally.dosimetry.laboratory.series import counted_in, points_of

    origin = replace(origin, aberration=counted_in(counts, origin.aberration if was_given("aberration") else None))

    def fitted(points: list[DosePoint], detector: str = "") -> Curve:
        """The curve of one series, unless no radiation gives it."""
        return believable(fit(points, model=model, family=family, origin=replace(origin, detector=detector)))

    if by is not None:
        _fit_each(counts, by, out, fitted, plot, dose_unit)
        return
    _finish(fitted(*points_of(counts, dose_unit)), out, plot, as_json=as_json)


def _finish(made: Curve, out: Path, plot: Path | None, *, as_json: bool) -> None:
    """Write a curve, draw it where that was asked for, and say what it is."""
    made.save(out)
    if plot:
        from cytally.dosimetry.reporting.run_page import curve_figure

        draw(curve_figure(made, None), plot)
    _say_curve(made, out, as_json)


def believable(curve: Curve) -> Curve:
    """The curve, unless its alpha or beta is larger than any radiation gives.

    Raises
    ------
    CountsError
        It is: the doses are in another unit.
    """
    from cytally.dosimetry.possible import doubtful_coefficients
    from cytally.errors import CountsError

    errors = curve.covariance.diagonal() ** 0.5
    doubt = doubtful_coefficients(curve.coefficients * [0, 1, 1], errors)
    if doubt:
        raise CountsError(f"the counts give {doubt}: are the doses in the unit that --dose-unit says (Gy without it)?")
    return curve


def _fit_each(
    counts: tuple[Path, ...],
    by: str,
    out: Path,
    fitted: Callable[[list[DosePoint]], Curve],
    plot: Path | None,
    unit: str | None,
) -> None:
    """A curve for each name in a column: OUT/NAME.json, and one line each."""
    from cytally.dosimetry.laboratory.tables import read_counts_by

    if len(counts) != 1 or plot is not None or was_given("as_json"):
        raise click.UsageError("--by takes a single table, draws no plot, and knows no --json: read OUT/NAME.json")
    groups = read_counts_by(counts[0], by, unit)
    odd = [name for name in groups if Path(name).name != name]
    if odd:
        raise click.UsageError(f"expected names that can be file names in the column {by}, got {odd[0]!r}")
    curves = {name: fitted(points) for name, points in groups.items()}  # all, or none is written
    out.mkdir(parents=True, exist_ok=True)
    click.echo(f"{by:<16}{'C':>10}{'alpha':>10}{'beta':>10}{'chi2':>8}{'df':>4}{'p':>8}")
    for name, curve in curves.items():
        curve.save(out / f"{name}.json")
        three = "".join(f"{value:>10.5f}" for value in curve.coefficients)
        if curve.fit is not None:
            three += f"{curve.fit.chi2:>8.2f}{curve.fit.degrees:>4} {_p(curve):>7}"
        click.echo(f"{name:<16}{three}")
        for warning in curve.warnings:
            click.echo(f"  note: {warning}")
    click.echo(f"curves: {out}")


@dosimetry.command(context_settings={"ignore_unknown_options": True})  # -0.001 is a number, not an option
@click.argument("coefficients")
@click.option("--errors", required=True, help="Standard errors of C,alpha,beta.")
@click.option("--covariances", help="Of C and alpha, C and beta, alpha and beta.  [default: 0, as if independent]")
@click.option(
    "--highest-dose",
    type=Finite(0, 100, min_open=True),
    metavar="GY",
    help="Up to which dose it was calibrated; without it nothing can be said about extrapolation.",
)
@click.option("--per-cell", is_flag=True, help="The coefficients are per cell and in order, however large they are.")
@click.option("--out", required=True, type=_FILE, help="Curve file (JSON).")
@_origin_options
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def curve(
    coefficients: str,
    errors: str,
    covariances: str | None,
    highest_dose: float | None,
    per_cell: bool,
    out: Path,
    origin: Origin,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Write down a curve known by its COEFFICIENTS C,alpha,beta alone, such as a published one.

    A linear curve has two: C,alpha with two errors.

    Without covariances the limits of a dose come out too wide or too narrow: alpha and beta
    are nearly always strongly anticorrelated. Give them where they were published.

    \b
    Examples (60Co and neutrons):
      cytally dosimetry curve 0.00128,0.02103,0.06307 --errors 0.00047,0.00516,0.00401 \\
        --covariances=-9.95e-7,4.38e-7,-1.512e-5 --highest-dose 5 --radiation "60Co gamma" --out iaea.json
      cytally dosimetry curve 0.0005,0.83 --errors 0.0003,0.02 --highest-dose 2 --out neutrons.json
      cytally dosimetry curve 0,0.02,0.06 --errors 0,0.003,0.002 --aberration translocations --out fish.json
    """
    import numpy as np

    from cytally.dosimetry.curves.calibrate import stated
    from cytally.dosimetry.possible import doubtful_coefficients

    made = stated(
        _numbers(coefficients, "COEFFICIENTS"),
        _numbers(errors, "--errors"),
        _numbers(covariances, "--covariances", (1, 3)) if covariances else (),
        highest_dose=highest_dose,
        origin=origin,
    )
    if not per_cell:
        doubt = doubtful_coefficients(made.coefficients, np.zeros(3))
        if doubt:
            raise click.UsageError(
                f"{doubt}: are these C,alpha,beta in this order, and per cell, not per 100 cells? Then add --per-cell"
            )
    _finish(made, out, plot, as_json=as_json)


def _numbers(text: str, what: str, sizes: tuple[int, ...] = (2, 3)) -> tuple[float, ...]:
    """Numbers as typed, as many as one of the sizes says."""
    try:
        found = tuple(map(float, text.split(",")))
    except ValueError:
        found = ()
    if len(found) not in sizes or not all(abs(value) < float("inf") for value in found):
        wanted = (
            "three numbers such as 0.001,0.02,0.06, or two such as 0.001,0.8 for a linear curve"
            if sizes == (2, 3)
            else "three numbers such as -1e-6,4e-7,-1.5e-5, or one for a linear curve"
        )
        raise click.UsageError(f"{what}: expected {wanted}, got {text!r}")
    return found


def _say_curve(curve: Curve, out: Path, as_json: bool) -> None:
    if as_json:
        click.echo(out.read_text(encoding="utf-8"), nl=False)
        return
    errors = curve.covariance.diagonal() ** 0.5
    held = curve.fit.at_bound if curve.fit is not None else ()
    names = ("C", "alpha", "beta")[: 2 if curve.model == "linear" else 3]
    for name, value, error in zip(names, curve.coefficients, errors, strict=False):
        click.echo(f"{name:>6} {value:.5f} " + ("held at 0 by the fit" if name in held else f"+- {error:.5f}"))
    if curve.fit is not None:
        freedom = "degree" if curve.fit.degrees == 1 else "degrees"
        click.echo(
            f"chi2 {curve.fit.chi2:.2f} with {curve.fit.degrees} {freedom} of freedom, "
            + (f"p {_p(curve, equals='= ')}; " if curve.fit.degrees else "so that nothing says how well it fits; ")
            + f"AIC {curve.fit.aic:.2f}"
            + (f"; held at 0: {', '.join(held)}" if held else "")
        )
    click.echo(f"correlations: {_correlations(curve)}")
    click.echo(f"{curve.model}, {curve.family}" + (f" ({curve.reason})" if curve.reason else ""))
    _say_doses(curve)
    for warning in curve.warnings:
        click.echo(f"  note: {warning}")
    click.echo(f"curve: {out}")


def _correlations(curve: Curve) -> str:
    errors = curve.covariance.diagonal() ** 0.5
    names = ("C", "alpha", "beta")
    pairs = [(i, j) for i, j in ((0, 1), (0, 2), (1, 2)) if errors[i] and errors[j]]
    said = (f"{names[i]}, {names[j]} {curve.covariance[i, j] / errors[i] / errors[j]:.3f}" for i, j in pairs)
    return "; ".join(said) or "none"


def _say_doses(curve: Curve) -> None:
    """What was counted at each dose, how it is dispersed over the cells, and what the curve expects."""
    from cytally.dosimetry.curves.quality import rows_of

    rows = rows_of(curve.points, curve.coefficients)
    if not rows:
        return
    lines = [["dose_gy", "cells", "dic.", "mean", "variance", "index", "u", "expected", "residual"]] + [
        [
            f"{row['dose_gy']:g}",
            str(row["cells"]),
            str(row["dicentrics"]),
            f"{row['mean']:.5f}",
            _or_gap(row["variance"], 5),
            _or_gap(row["index"], 2),
            _or_gap(row["u"], 2),
            f"{row['expected']:.2f}",
            _or_gap(row["residual"], 2),
        ]
        for row in rows
    ]
    least = (8, 8, 6, 10, 10, 8, 8, 10, 10)
    widths = [
        max(each, 1 + max(map(len, column))) for each, column in zip(least, zip(*lines, strict=True), strict=True)
    ]
    click.echo("\n".join("".join(map(str.rjust, line, widths)) for line in lines))


def _or_gap(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _p(curve: Curve, *, equals: str = "") -> str:
    """The p of the fit; a small one as its bound, and none without degrees of freedom."""
    if curve.fit is None or not curve.fit.degrees:
        return "-"
    return f"{equals}{curve.fit.p_value:.3f}" if curve.fit.p_value >= 0.0005 else "< 0.001"
