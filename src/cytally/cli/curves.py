"""`cytally dosimetry calibrate` and `curve`: fitted here, or published elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry import dosimetry
from cytally.cli.options import PICTURE, draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from cytally.dosimetry.calibrate import Curve, DosePoint

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
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def calibrate(
    counts: tuple[Path, ...], out: Path, radiation: str, laboratory: str, model: str, family: str,
    about: Path | None, aberration: str, by: str | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Fit Y = C + alpha D + beta D^2 to COUNTS.

    COUNTS is a table (CSV or XLSX) with dose_gy and cells,dicentrics or C0,C1,..., and a
    weight per line if wanted; or one or more run folders whose cells.csv knows the doses. A
    curve from runs remembers their detector.

    \b
    Examples:
      cytally dosimetry calibrate counts.csv --out curve.json
      cytally dosimetry calibrate neutrons.xlsx --model automatic --family automatic --out curve.json
      cytally dosimetry calibrate micronuclei.csv --aberration micronuclei --family automatic --out mn.json
      cytally dosimetry calibrate donors.csv --by donor --out curves
      cytally dosimetry calibrate runs/0Gy runs/1Gy runs/2Gy --out curve.json
    """
    from cytally.dosimetry.calibrate import calibrate as fit
    from cytally.dosimetry.calibrate import read_about
    from cytally.dosimetry.laboratory.series import points_of

    known = read_about(about) if about else None

    def fitted(points: list[DosePoint], detector: str = "") -> Curve:
        return fit(
            points, radiation=radiation, laboratory=laboratory, detector=detector, model=model, family=family,
            about=known, aberration=aberration,
        )  # fmt: skip

    if by is not None:
        _fit_each(counts, by, out, fitted, plot)
        return
    curve = fitted(*points_of(counts))
    curve.save(out)
    if plot:
        from cytally.dosimetry.report import curve_figure

        draw(curve_figure(curve, None), plot)
    _say_curve(curve, out, as_json)


def _fit_each(
    counts: tuple[Path, ...],
    by: str,
    out: Path,
    fitted: Callable[[list[DosePoint]], Curve],
    plot: Path | None,
) -> None:
    """A curve for each name in a column: OUT/NAME.json, and one line each."""
    from cytally.dosimetry.laboratory.tables import read_counts_by

    if len(counts) != 1 or plot is not None:
        raise click.UsageError("--by takes a single table, and draws no plot")
    groups = read_counts_by(counts[0], by)
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
    click.echo(f"curves: {out}")


@dosimetry.command()
@click.argument("coefficients")
@click.option("--errors", required=True, help="Standard errors of C,alpha,beta.")
@click.option(
    "--covariances", default="0,0,0", show_default=True, help="Of C and alpha, C and beta, alpha and beta."
)
@click.option("--out", required=True, type=_FILE, help="Curve file (JSON).")
@click.option("--radiation", default="", help='Such as "60Co gamma, 0.3 Gy/min".')
@click.option("--laboratory", default="", help="Whose curve it is.")
@click.option("--plot", type=PICTURE, help="Also draw the curve (SVG or PNG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def curve(
    coefficients: str, errors: str, covariances: str, out: Path, radiation: str, laboratory: str,
    plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write down a curve known by its COEFFICIENTS C,alpha,beta alone, such as a published one.

    Without covariances the limits of a dose come out too wide or too narrow: alpha and beta
    are nearly always strongly anticorrelated. Give them where they were published.

    \b
    Example (60Co, IAEA EPR-Biodosimetry 2011, table 5):
      cytally dosimetry curve 0.00128,0.02103,0.06307 --errors 0.00047,0.00516,0.00401 \\
        --covariances=-9.95e-7,4.38e-7,-1.512e-5 --radiation "60Co gamma" --out iaea.json
    """
    from cytally.dosimetry.calibrate import stated

    typed = (
        _three(coefficients, "C,alpha,beta"),
        _three(errors, "--errors"),
        _three(covariances, "--covariances"),
    )
    made = stated(*typed, radiation=radiation, laboratory=laboratory)
    made.save(out)
    if plot:
        from cytally.dosimetry.report import curve_figure

        draw(curve_figure(made, None), plot)
    _say_curve(made, out, as_json)


def _three(text: str, what: str) -> tuple[float, float, float]:
    try:
        one, two, three = map(float, text.split(","))
    except ValueError:
        raise click.UsageError(
            f"{what}: expected three numbers such as 0.001,0.02,0.06, got {text!r}"
        ) from None
    return one, two, three


def _say_curve(curve: Curve, out: Path, as_json: bool) -> None:
    if as_json:
        click.echo(out.read_text(), nl=False)
        return
    errors = curve.covariance.diagonal() ** 0.5
    for name, value, error in zip(("C", "alpha", "beta"), curve.coefficients, errors, strict=True):
        click.echo(f"{name:>6} {value:.5f} +- {error:.5f}")
    if curve.fit is not None:
        held = f"; held at 0: {', '.join(curve.fit.at_bound)}" if curve.fit.at_bound else ""
        click.echo(
            f"chi2 {curve.fit.chi2:.2f} with {curve.fit.degrees} degrees of freedom, p = {curve.fit.p_value:.3f}{held}"
        )
    click.echo(f"{curve.model}, {curve.family}" + (f" ({curve.reason})" if curve.reason else ""))
    click.echo(f"curve: {out}")
