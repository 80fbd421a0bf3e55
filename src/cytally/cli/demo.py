"""`cytally demo`: the main job, end to end, on simulated cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.main import cli
from cytally.cli.options import POSITIVE
from cytally.cli.progress import reporting

if TYPE_CHECKING:
    from cytally.dosimetry.demonstration import Demonstration


@cli.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False), default="demo")
@click.option(
    "--cells",
    "share",
    type=POSITIVE,
    default=1.0,
    show_default=True,
    help="Fraction of the usual number of cells.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def demo(out: Path, share: float, as_json: bool) -> None:
    """Simulate a calibration series and three blind samples, score them, estimate their doses.

    \b
    Example:
      cytally demo out
    """
    from cytally.dosimetry.demonstration import demonstrate
    from cytally.dosimetry.detectors.ensemble import load_ensemble

    with reporting() as progress:
        shown = demonstrate(out, load_ensemble(), progress, share=share)
    click.echo(_as_json(shown) if as_json else _as_table(shown))


def _as_table(shown: Demonstration) -> str:
    constant, alpha, beta = shown.curve.coefficients
    lines = [
        f"curve  Y = {constant:.4f} + {alpha:.4f} D + {beta:.4f} D^2   ({shown.curve_file})",
        "",
        f"{'sample':<8}{'true Gy':>8}{'found Gy':>10}{'95 % limits':>26}{'cells':>7}{'dicentrics':>12}",
    ]
    for sample in shown.samples:
        dose = sample.dose
        lines.append(
            f"{sample.name:<8}{sample.true_gy:>8.2f}{dose.estimate:>10.2f}{dose.limits:>26}"
            f"{dose.cells:>7}{dose.dicentrics:>12}"
        )
    lines += ["", *(f"report {sample.name}: {sample.report}" for sample in shown.samples)]
    return "\n".join(lines)


def _as_json(shown: Demonstration) -> str:
    return json.dumps(
        {
            "curve": shown.curve.coefficients.tolist(),
            "samples": [
                {
                    "name": s.name,
                    "true_gy": s.true_gy,
                    "dose_gy": s.dose.estimate,
                    "lower_gy": s.dose.lower,
                    "upper_gy": s.dose.upper,
                    "cells": s.dose.cells,
                    "dicentrics": s.dose.dicentrics,
                }
                for s in shown.samples
            ],
        }
    )
