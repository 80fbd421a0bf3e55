"""`cytally dosimetry calibrate` and `curve`: fitted here, or published elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import PICTURE, Finite, draw, was_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from cytally.dosimetry.curves.calibrate import Curve, DosePoint

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("counts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=_FILE, help="Curve file (JSON).")
@click.option("--radiation", default="", help='Such as "60Co gamma, 0.3 Gy/min".')
@click.option("--laboratory", default="", help="Whose curve it is.")
@click.option(
    "--model", type=click.Choice(["linear-quadratic", "linear", "automatic"]), default="linear-quadratic",
    show_default=True, help="Linear for high LET; automatic takes it where a quadratic term does not help.",
)  # fmt: skip
@click.option(
    "--family", type=click.Choice(["Poisson", "quasi-Poisson", "automatic"], case_sensitive=False),
    default="Poisson", show_default=True, help="Quasi-Poisson widens errors by the scatter of the points.",
)  # fmt: skip
@click.option(
    "--about", type=_FILE,
    help="TOML: dose_rate, quantity, medium, temperature, thresholds, counted_by, made, remarks.",
)  # fmt: skip
@click.option(
    "--aberration", default="dicentrics", show_default=True, help="What was counted, such as micronuclei."
)
@click.option(
    "--by", metavar="COLUMN",
    help="Several curves of one table, one for each name in a column such as donor; --out is then a folder.",
)  # fmt: skip
@click.option(
    "--dose-unit", type=click.Choice(["gy", "cgy", "mgy"], case_sensitive=False),
    help="Of the doses in COUNTS; what does not look like Gy is asked about without it.  [default: gy]",
)  # fmt: skip
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def calibrate(
    counts: tuple[Path, ...], out: Path, radiation: str, laboratory: str, model: str, family: str,
    about: Path | None, aberration: str, by: str | None, dose_unit: str | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Fit Y = C + alpha D + beta D^2 to COUNTS.

    COUNTS is a table (CSV or XLSX) with dose_gy and cells,dicentrics or C0,C1,..., and a
    weight per line if wanted; or one or more run folders whose cells.csv knows the doses. A
    curve from runs remembers their detector.

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
    from cytally.dosimetry.curves.calibrate import read_about
    from cytally.dosimetry.laboratory.series import points_of

    known = read_about(about) if about else None

    def fitted(points: list[DosePoint], detector: str = "") -> Curve:
        return fit(
            points, radiation=radiation, laboratory=laboratory, detector=detector, model=model, family=family,
            about=known, aberration=aberration,
        )  # fmt: skip

    if by is not None:
        _fit_each(counts, by, out, fitted, plot, dose_unit)
        return
    curve = fitted(*points_of(counts, dose_unit))
    curve.save(out)
    if plot:
        from cytally.dosimetry.reporting.run_page import curve_figure

        draw(curve_figure(curve, None), plot)
    _say_curve(curve, out, as_json)


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
        raise click.UsageError(
            "--by takes a single table, draws no plot, and knows no --json: read OUT/NAME.json"
        )
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
            three += f"{curve.fit.chi2:>8.2f}{curve.fit.degrees:>4}{curve.fit.p_value:>8.3f}"
        click.echo(f"{name:<16}{three}")
        for warning in curve.warnings:
            click.echo(f"  note: {warning}")
    click.echo(f"curves: {out}")


@dosimetry.command(context_settings={"ignore_unknown_options": True})  # -0.001 is a number, not an option
@click.argument("coefficients")
@click.option("--errors", required=True, help="Standard errors of C,alpha,beta.")
@click.option(
    "--covariances", help="Of C and alpha, C and beta, alpha and beta.  [default: 0, as if independent]"
)
@click.option(
    "--highest-dose", type=Finite(0, 100, min_open=True), metavar="GY",
    help="Up to which dose it was calibrated; without it nothing can be said about extrapolation.",
)  # fmt: skip
@click.option("--out", required=True, type=_FILE, help="Curve file (JSON).")
@click.option("--radiation", default="", help='Such as "60Co gamma, 0.3 Gy/min".')
@click.option("--laboratory", default="", help="Whose curve it is.")
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def curve(
    coefficients: str, errors: str, covariances: str | None, highest_dose: float | None, out: Path, radiation: str,
    laboratory: str, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write down a curve known by its COEFFICIENTS C,alpha,beta alone, such as a published one.

    A linear curve has two: C,alpha with two errors.

    Without covariances the limits of a dose come out too wide or too narrow: alpha and beta
    are nearly always strongly anticorrelated. Give them where they were published.

    \b
    Examples (60Co and neutrons):
      cytally dosimetry curve 0.00128,0.02103,0.06307 --errors 0.00047,0.00516,0.00401 \\
        --covariances=-9.95e-7,4.38e-7,-1.512e-5 --highest-dose 5 --radiation "60Co gamma" --out iaea.json
      cytally dosimetry curve 0.0005,0.83 --errors 0.0003,0.02 --highest-dose 2 --out neutrons.json
    """
    from cytally.dosimetry.curves.calibrate import stated

    made = stated(
        _numbers(coefficients, "COEFFICIENTS"), _numbers(errors, "--errors"),
        _numbers(covariances, "--covariances", (1, 3)) if covariances else (),
        radiation=radiation, laboratory=laboratory, highest_dose=highest_dose,
    )  # fmt: skip
    made.save(out)
    if plot:
        from cytally.dosimetry.reporting.run_page import curve_figure

        draw(curve_figure(made, None), plot)
    _say_curve(made, out, as_json)


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
        click.echo(
            f"{name:>6} {value:.5f} " + ("held at 0 by the fit" if name in held else f"+- {error:.5f}")
        )
    if curve.fit is not None:
        freedom = "degree" if curve.fit.degrees == 1 else "degrees"
        click.echo(
            f"chi2 {curve.fit.chi2:.2f} with {curve.fit.degrees} {freedom} of freedom, p = {curve.fit.p_value:.3f}; "
            f"AIC {curve.fit.aic:.2f}" + (f"; held at 0: {', '.join(held)}" if held else "")
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
    rows = curve.summary["per_dose"]
    if not rows:
        return
    click.echo(
        f"{'dose_gy':>8}{'cells':>8}{'dic.':>6}{'mean':>10}{'variance':>10}{'index':>8}{'u':>8}{'expected':>10}{'residual':>10}"
    )
    for row in rows:
        click.echo(
            f"{row['dose_gy']:>8g}{row['cells']:>8}{row['dicentrics']:>6}{row['mean']:>10.5f}"
            f"{_or_gap(row['variance'], 10, 5)}{_or_gap(row['index'], 8, 2)}{_or_gap(row['u'], 8, 2)}"
            f"{row['expected']:>10.2f}{_or_gap(row['residual'], 10, 2)}"
        )


def _or_gap(value: float | None, width: int, digits: int) -> str:
    return f"{'-' if value is None else f'{value:.{digits}f}':>{width}}"
