"""Counts, settings and doses on the command line: how they are given, and how they are said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.options import (
    CELLS,
    COUNT,
    D0,
    HOURS,
    REPAIR,
    pair,
    refuse_unused,
    typed_counts,
    was_given,
    whole_numbers,
)
from cytally.dosimetry import D0_GY, REPAIR_HOURS

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import Dose, DoseSettings, ExposureConditions, Totals
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
    from cytally.types import IntArray

#: What a command is before and after it gets options.
Command = Callable[..., None]

_FILE = click.Path(path_type=Path, dir_okay=False)
METHODS = ("likelihood", "merkle", "merkle95", "delta", "bayes")
#: How long the exposure lasted, and how the cells outlive it.
_EXPOSURE = (
    click.option("--hours", type=HOURS, default=0.0, help="Duration of the exposure.  [default: acute]"),
    click.option(
        "--repair-hours",
        type=REPAIR,
        default=REPAIR_HOURS,
        show_default=True,
        help="Mean time of repair, with --hours.",
    ),
    click.option(
        "--d0", type=D0, default=D0_GY, show_default=True, help="Gy; survival of cells, for partial-body doses."
    ),
)
_PARTIAL = click.option("--partial", is_flag=True, help="Also as an exposure of a part of the body, whatever u says.")
_PRIOR = click.option(
    "--prior",
    help="With --method bayes: uniform, uniform:GY (up to a dose), or gamma:SHAPE,MEAN.  [default: uniform]",
)
#: What is known of the detector that counted.
_DETECTOR = (
    click.option(
        "--recall",
        "recalled",
        help="FOUND,MISSED dicentrics of a validation set: automatic counts on a curve by manual scoring.",
    ),
    click.option(
        "--false",
        "false",
        help="FALSE,CELLS: false dicentrics, and the cells without aberrations they were counted in.",
    ),
    click.option(
        "--beside",
        help="FALSE,CELLS in the exposed cells of --recall: they grow with dose.  [default: as many as in silent ones]",
    ),
    click.option(
        "--validation",
        type=_FILE,
        help="evaluation.csv of `evaluate` on cells of 0 Gy and above, instead of these three.",
    ),
    click.option("--any-detector", is_flag=True, help="Accept counts of another detector than the curve's."),
)
#: Counts without a run.
_TYPED = (
    click.option("--dicentrics", type=COUNT, help="Typed count, with --cells."),
    click.option("--cells", type=CELLS, help="Cells scored, with --dicentrics."),
    click.option("--distribution", help="Cells with 0, 1, 2, ... dicentrics, such as 475,20,5."),
)


@dataclass(frozen=True)
class Typed:
    """Counts as typed: totals, or a distribution over cells; None and "" where they were not."""

    dicentrics: int | None = None
    cells: int | None = None
    distribution: str | None = None

    @property
    def totals(self) -> bool:
        """Whether a total was given, or a half of one."""
        return self.dicentrics is not None or self.cells is not None

    def counts(self, aberration: str) -> IntArray | Totals:
        """What the dose is computed from; refused where cells cannot hold it."""
        from cytally.dosimetry.estimation.dose import Totals

        if self.distribution is not None:
            return counts_given(self.distribution)
        if self.dicentrics is None or self.cells is None:
            raise click.UsageError("--dicentrics and --cells belong together")
        typed_counts(self.dicentrics, self.cells, aberration)
        return Totals(self.dicentrics, self.cells)


def typed_options(command: Command) -> Command:
    """Options of typed counts; the command gets them as `typed`."""

    @wraps(command)
    def with_counts(
        *given: object, dicentrics: int | None, cells: int | None, distribution: str | None, **more: object
    ) -> None:
        """The command, with its three options as one noun."""
        command(*given, typed=Typed(dicentrics, cells, distribution), **more)

    return with_options(with_counts, *_TYPED)


def exposure_options(command: Command) -> Command:
    """Options of the exposure; the command gets them as `exposure`."""

    @wraps(command)
    def with_exposure(*given: object, hours: float, repair_hours: float, d0: float, **more: object) -> None:
        """The command, with its three options as one noun."""
        command(*given, exposure=_exposure(hours, repair_hours, d0), **more)

    return with_options(with_exposure, *_EXPOSURE)


def dose_options(
    *, methods: tuple[str, ...] = METHODS, prior: bool = False, detector: bool = False
) -> Callable[[Command], Command]:
    """Options of a dose; the command gets them as `settings`.

    Parameters
    ----------
    methods : tuple of str
        Those that may be asked for.
    prior, detector : bool
        Whether a prior, and the errors of a detector, may be given too.
    """
    method = click.option(
        "--method",
        type=click.Choice(methods),
        default=methods[0],
        show_default=True,
        help="Of the limits: likelihood ratio, Merkle's two regions of 83 % or of 95 %, delta method, posterior density."
        if methods == METHODS
        else "Of the limits, as in `dose`.",
    )
    options = (method, *_EXPOSURE, _PARTIAL, *([_PRIOR] if prior else []), *(_DETECTOR if detector else ()))

    def decorated(command: Command) -> Command:
        """The command, with the options of a dose as one noun."""

        @wraps(command)
        def with_settings(*given: object, **options: Any) -> None:
            """The command as click calls it."""
            command(*given, settings=_settings(options), **options)

        return with_options(with_settings, *options)

    return decorated


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """A command with options, in the order in which the help shows them."""
    for option in reversed(options):
        command = option(command)
    return command


def _exposure(hours: float, repair_hours: float, d0: float) -> ExposureConditions:
    from cytally.dosimetry.estimation.dose import ExposureConditions

    refuse_unused("repair_hours", unless="--hours", because=not was_given("hours"))
    return ExposureConditions(hours, repair_hours, d0)


def _settings(options: dict[str, Any]) -> DoseSettings:
    """Take the options of a dose out of all options of a command."""
    from cytally.dosimetry.estimation.dose import DoseSettings
    from cytally.dosimetry.estimation.limits.prior import Prior

    typed = (options.pop(name, None) for name in ("recalled", "false", "beside", "validation"))
    errors, method = errors_given(*typed), options.pop("method")
    exposure = _exposure(options.pop("hours"), options.pop("repair_hours"), options.pop("d0"))
    refuse_unused(
        "method",
        unless="counts without a detector's errors (with them: likelihood ratio)",
        because=errors is not None and method != "likelihood",
    )
    return DoseSettings(
        method,
        exposure,
        errors,
        any_detector=options.pop("any_detector", False),
        partial=options.pop("partial"),
        prior=Prior.of(options.pop("prior", None) or "uniform"),
    )


def check_one_source(typed: Typed, *others: object, names: str) -> None:
    """Refuse none, or more than one, of the places that counts may come from."""
    if sum(each is not None for each in (typed.distribution, *others)) + typed.totals != 1:
        raise click.UsageError(f"give one of: {names}")


def counts_given(distribution: str) -> IntArray:
    """Cells with 0, 1, 2, ... dicentrics as given on the command line."""
    import numpy as np

    from cytally.dosimetry.possible import check_possible_cells
    from cytally.errors import CountsError

    counts = np.array(whole_numbers(distribution, "--distribution", "475,20,5"))
    if counts.sum() > CELLS.max:
        raise click.UsageError(
            f"expected {CELLS.max} cells at most in --distribution, got {counts.sum()} ({distribution})"
        )
    try:
        check_possible_cells(counts)
    except CountsError as error:
        raise click.UsageError(f"--distribution: {error}") from None
    return counts.astype(int)


def errors_given(
    recalled: str | None, false: str | None, beside: str | None, validation: Path | None
) -> DetectorErrors | None:
    """A detector's errors as given on the command line; None where they are not."""
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
    from cytally.dosimetry.laboratory.validation import read_validation

    typed = [each for each in (recalled, false, beside) if each is not None]
    if validation is not None:
        if typed:
            raise click.UsageError("give --validation, or --recall, --false and --beside, not both")
        return read_validation(validation)
    if not typed:
        return None
    if recalled is None or false is None:
        raise click.UsageError("--recall and --false belong together: a detector has both kinds of errors")
    found, missed = whole_numbers(recalled, "--recall", "150,50", 2)
    wrong, cells = pair(false, "--false", "6,600", "false dicentrics")
    wrong_beside, exposed = pair(beside, "--beside", "9,300", "false dicentrics") if beside is not None else (0, 0)
    return DetectorErrors(found, missed, wrong, cells, wrong_beside, exposed)


def load_curve(path: Path) -> Curve:
    """Read a curve without loading anything before it is needed."""
    from cytally.dosimetry.curves.calibrate import Curve

    return Curve.load(path)


def dose_words(found: Dose) -> str:
    """A dose and what must be said of it, for the screen."""
    lines = [str(found)]
    if found.protraction < 1:
        lines.append(f"  protracted exposure: quadratic term times {found.protraction:.3f}")
    if found.merkle_limits:
        lines.append(f"  by Merkle's method (83 % and 83 %): {found.merkle_limits} Gy")
    if found.prior:
        lines.append(f"  {found.prior} on the dose")
    lines += [f"  {words}" for words in found.beside]
    return "\n".join([*lines, *(f"  note: {warning}" for warning in found.warnings)])


#: A whole-body dose in JSON and in tables, and in `Dose`.
_IN_GRAY = {"dose": "estimate", "lower": "lower", "upper": "upper"}


def dose_json(found: Dose) -> dict[str, object]:
    """A dose as plain numbers, for programs."""
    told = asdict(found)
    in_gray = {f"{name}_gy": told.pop(key) for name, key in _IN_GRAY.items()}
    whole = in_gray | told | {"warnings": list(found.warnings)}
    return {name: plain(value) for name, value in whole.items()}


def plain(value: object) -> object:
    """For JSON: NaN and infinity have no JSON: null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
