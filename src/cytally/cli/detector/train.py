"""`cytally dosimetry train` and `evaluate`: making a detector and measuring it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from cytally.cli.command import command_line
from cytally.cli.dosimetry.group import THRESHOLDS, composed_from, dosimetry
from cytally.cli.main import SKIPPED
from cytally.cli.options import Finite, gathered
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble
    from cytally.dosimetry.detectors.protocol import Detector
    from cytally.dosimetry.measure.evaluate import Evaluation
    from cytally.training.tasks.heatmaps import TrainingSettings

_FOLDER = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True)
class Course:
    """A preset with what was asked for instead."""

    preset: str
    settings: TrainingSettings

    @property
    def as_published(self) -> bool:
        """Whether the preset follows the preprint."""
        return self.preset.startswith("paper")


def _course(
    preset: str, epochs: int | None, pool: int | None, sparsity: float | None, warm: int | None, seed: int
) -> Course:
    """The settings of a preset, changed where asked."""
    from cytally.training.tasks.heatmaps import PRESETS

    settings = replace(PRESETS[preset], seed=seed)
    if epochs is not None:
        late = max(min(settings.late_from, epochs - 9), 1)
        settings = replace(settings, epochs=epochs, late_from=late)
    if sparsity is not None:
        settings = replace(settings, weight=sparsity)
    if warm is not None:
        settings = replace(settings, warm=warm, ramp=warm)
    if pool is not None:
        fresh = min(settings.pool.fresh, pool // 2)
        settings = replace(settings, pool=replace(settings.pool, size=pool, fresh=fresh))
    return Course(preset, settings)


def _check_members(average: bool) -> None:
    """--average leaves nothing to be drawn."""
    source = click.get_current_context().get_parameter_source("members")
    if average and source is not ParameterSource.DEFAULT:
        raise click.UsageError("--members draws checkpoints, --average takes the mean of all: give one of them")


_COURSE = gathered(
    "course",
    _course,
    click.option(
        "--preset",
        type=click.Choice(["shipped", "further", "finish", "paper", "paper-small"]),
        default="shipped",
        show_default=True,
        help="Of the training; paper: as the preprint, on its counts of aberrations; paper-small: a fifth of it.",
    ),
    click.option("--epochs", type=click.IntRange(1), help="Longer or shorter than the preset; may change on resuming."),
    click.option("--pool", type=click.IntRange(8), help="Cells at hand at a time."),
    click.option("--sparsity", type=Finite(0), help="Weight of the Sparse Variation term; 0 for L2 alone."),
    click.option(
        "--warm",
        type=click.IntRange(0),
        help="Epochs of L2 alone, after which Sparse Variation rises for as many.  [default: the preset's]",
    ),
    click.option("--seed", default=1, show_default=True, help="Same seed, same result."),
)


@dosimetry.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=_FOLDER, help="Ensemble folder; calling again resumes an interrupted run.")
@click.option(
    "--simulated",
    type=Finite(0, 1),
    default=None,
    help="Share of simulated cells.  [default: 1 without folders, else 0]",
)
@_COURSE
@click.option(
    "--filters",
    type=click.IntRange(1),
    help="Channels of the network at full resolution.  [default: 12; 8 for paper-small]",
)
@click.option(
    "--cells",
    type=click.Choice(["rich", "paper"]),
    help="Simulated cells: rich in aberrations, or with the counts of the preprint, without auxiliary classes."
    "  [default: paper for its presets, else rich]",
)
@click.option("--members", default=10, show_default=True, help="Checkpoints drawn for the ensemble.")
@click.option(
    "--average",
    is_flag=True,
    help="One member in place of several: the mean weights of all late checkpoints (SWA; docs/uncertainty.md).",
)
@click.option(
    "--start",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Weights to begin from (use with --preset further).",
)
@click.option("--name", help="Name in the card.  [default: the folder's]")
@composed_from(0.3)
@click.option(
    "--auxiliary/--no-auxiliary",
    default=True,
    show_default=True,
    help="Also learn monocentrics and centromeres of simulated cells.",
)
@click.option(
    "--devices",
    type=click.IntRange(1),
    help="GPUs, or processes on a machine without one.  [default: every GPU, or one process]",
)
def train(
    folders: tuple[Path, ...],
    out: Path,
    simulated: float | None,
    course: Course,
    filters: int | None,
    cells: str | None,
    members: int,
    average: bool,
    start: Path | None,
    name: str | None,
    normal: Path | None,
    composed: float,
    auxiliary: bool,
    devices: int | None,
) -> None:
    """Train an ensemble from labelled FOLDERS, from simulated cells, or from both.

    Checkpoints, the learning curve and the state to resume from go to
    OUT/training. Thresholds are chosen on simulated cells that training never saw.

    \b
    Examples:
      cytally dosimetry train --out ensembles/mine
      cytally dosimetry train slides/labelled --simulated 0.5 --out ensembles/mine
      cytally dosimetry train --normal slides/0Gy --composed 0.5 --out ensembles/mine
      cytally dosimetry train --preset paper-small --sparsity 0 --out runs/L2
      cytally dosimetry train --preset paper-small --average --out runs/swa
      cytally dosimetry train --preset further --start ensembles/mine/training/epoch_040.safetensors --out more
    """
    from cytally.dosimetry.training.train import Plan, train_ensemble

    _check_members(average)
    published = course.as_published if cells is None else cells == "paper"
    plan = Plan(
        tuple(folders),
        1.0 - bool(folders) if simulated is None else simulated,
        filters or (8 if course.preset == "paper-small" else 12),
        members,
        name or out.name,
        start,
        normal,
        composed,
        auxiliary and not published,
        devices or 0,
        published,
        average,
    )
    with reporting() as progress:
        line = command_line(click.get_current_context())
        ensemble = train_ensemble(plan, course.settings, out, progress, command=line)
    _draw_curve(out / "training")
    _tell(ensemble, out)


def _tell(ensemble: MetaphaseEnsemble, out: Path) -> None:
    """What was made, from which images it was not, and its T_A."""
    thresholds = ensemble.card.thresholds
    click.echo(f"{counted(len(ensemble.members), 'members')} in {out}, detector {ensemble.card.identity}")
    skipped = ensemble.card.training["skipped"]
    for image in skipped:
        click.echo(f"  skipped {image}", err=True)
    click.echo(f"agreement {dict(zip(ensemble.classes, thresholds.agreement, strict=True))}, to be exceeded")
    if skipped:
        sys.exit(SKIPPED)


def _draw_curve(run: Path) -> None:
    from cytally.figures.curves import learning_figure
    from cytally.figures.style import as_svg
    from cytally.training.folder import read_curve

    (run / "curves.svg").write_text(as_svg(learning_figure(read_curve(run))))


@dosimetry.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--normal",
    is_flag=True,
    help="Take FOLDER as unexposed cells; no labels needed. Every detection counts as false.",
)
@click.option(
    "--boxes",
    metavar="NAMES",
    help="Labels are boxes in YOLO format, one .txt per image; class names in order, such as dicentric,fragment.",
)
@click.option("--ensemble", type=_FOLDER, help="Ensemble folder.  [default: the shipped one]")
@click.option("--out", required=True, type=_FOLDER, help="Gets evaluation.json, .csv, .html and precision_recall.svg.")
@THRESHOLDS
@click.option("--sweep/--no-sweep", default=True, show_default=True, help="Precision and recall over T_C, with bands.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(
    folder: Path,
    normal: bool,
    boxes: str | None,
    ensemble: Path | None,
    out: Path,
    confidence: float | None,
    agreement: int | None,
    probability: float | None,
    sweep: bool,
    as_json: bool,
) -> None:
    """Measure an ensemble on a labelled FOLDER (images, labels.csv, cells.csv).

    With --normal the folder holds unexposed cells without labels: detections per
    cell with limits, what they would read as in dose, and a gallery (normal.html).

    \b
    Examples:
      cytally dosimetry simulate held-out --cells 300 --dose 3 --style hard --seed 900
      cytally dosimetry evaluate held-out --out runs/held-out
      cytally dosimetry evaluate --normal slides/0Gy --out runs/normal
      cytally dosimetry evaluate reviewed --boxes normal,dicentric --out runs/reviewed
    """
    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.measure.evaluate import evaluate as measure
    from cytally.dosimetry.measure.evaluate import labelled_cells, write_evaluation
    from cytally.dosimetry.measure.gallery import PAGE
    from cytally.images.read import find_images
    from cytally.types import Skipped

    loaded = load_ensemble(ensemble).with_thresholds(
        confidence=confidence, agreement=agreement, probability=probability
    )
    if normal:
        _evaluate_normal(folder, out, loaded, as_json)
        return
    if boxes is not None:
        _evaluate_boxes(folder, out, loaded, [name.strip() for name in boxes.split(",")], as_json)
        return
    skipped: list[Skipped] = []
    with reporting() as progress:
        cells = labelled_cells(folder, skipped)
        result = measure(cells, len(find_images(folder)), loaded, skipped, progress, sweeping=sweep)
    figures = write_evaluation(result, out, loaded)
    click.echo(json.dumps(figures) if as_json else table(result))
    click.echo(f"what was missed, wrongly raised and found: {out / PAGE}", err=True)
    if skipped:
        sys.exit(SKIPPED)


def _evaluate_boxes(folder: Path, out: Path, detector: Detector, names: list[str], as_json: bool) -> None:
    from cytally.dosimetry.measure.boxes import evaluate_boxes, sentences, write_boxed
    from cytally.images.read import find_images

    with reporting() as progress:
        result = evaluate_boxes(find_images(folder), names, detector, progress)
    figures = write_boxed(result, out, detector)
    click.echo(json.dumps(figures) if as_json else "\n".join(sentences(result)))
    for one in result.skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if result.skipped:
        sys.exit(SKIPPED)


def _evaluate_normal(folder: Path, out: Path, detector: Detector, as_json: bool) -> None:
    from cytally.dosimetry.measure.normal import PAGE, as_figures, evaluate_normal, write_normal
    from cytally.images.inputs import names_below
    from cytally.images.read import find_images

    paths = names_below(folder, find_images(folder))
    with reporting() as progress:
        result = evaluate_normal(paths, detector, progress)
    write_normal(result, paths, out, detector)
    click.echo(json.dumps(as_figures(result, detector)) if as_json else "\n".join(result.words))
    for one in result.skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    click.echo(f"gallery: {out / PAGE}", err=True)
    if result.skipped:
        sys.exit(SKIPPED)


def table(result: Evaluation) -> str:
    """The figures for people."""
    lines = [
        f"{'dose':>8} {'cells':>6}  {'class':<10} {'precision':>9} {'recall':>7} {'false/cell':>10} {'with fragment':>13}"
    ]
    for (dose, name), tally in sorted(result.tallies.items()):
        hits, cells = tally.one_to_one, result.cells[dose]
        lines.append(
            f"{dose:>8} {cells:>6}  {name:<10} {hits.precision:>9.3f} {hits.recall:>7.3f} "
            f"{hits.false / cells:>10.4f} {tally.beside_fragment.false / cells:>13.4f}"
        )
    for name in result.classes:
        for kind, words in (("one_to_one", "one to one"), ("by_components", "components")):
            hits = result.total(name, kind)
            lines.append(f"all doses, {name}, {words}: precision {hits.precision:.3f}, recall {hits.recall:.3f}")
    return "\n".join(lines)
