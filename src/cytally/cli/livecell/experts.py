"""`cytally livecell experts`: pages for experts, and how far they agree."""

from __future__ import annotations

from pathlib import Path

import click

from cytally.cli.livecell.group import livecell


@livecell.group()
def experts() -> None:
    """Let experts tick what is wrong, and read back what they found.

    \b
    Example:
      cytally livecell experts pages runs/lapse --out review-anna
      (fill in review-anna/review.csv, looking at review-anna/pages)
      cytally livecell experts scores review-anna/review.csv review-ben/review.csv
    """


@experts.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for pages and review.csv.",
)
@click.option("--images", "count", type=click.IntRange(1), default=30, show_default=True, help="Random subset.")
@click.option(
    "--fluorescence",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Show the stain beside.",
)
@click.option("--seed", default=1, show_default=True, help="The same for every expert.")
def pages(run: Path, out: Path, count: int, fluorescence: Path | None, seed: int) -> None:
    """Write pages of a RUN's found nuclei, and review.csv to fill in.

    Count on each page the outlined nuclei that are none (false_positives) and the
    nuclei without outline (false_negatives); 0 where there is none, empty where you
    did not look.

    \b
    Example:
      cytally livecell experts pages runs/lapse --out review-anna
    """
    from cytally.livecell.counting.run import to_review
    from cytally.livecell.measure.experts import choose, write_review

    table = write_review(choose(to_review(run, fluorescence), count, seed), out)
    click.echo(f"pages in {out / 'pages'}; fill in {table}")


@experts.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
def scores(tables: tuple[Path, ...]) -> None:
    """Read one or two experts' filled-in TABLES: scores of each, and how far two agree.

    \b
    Example:
      cytally livecell experts scores review-anna/review.csv review-ben/review.csv
    """
    from cytally.errors import SettingsError
    from cytally.livecell.measure.experts import as_words, compare_experts, read_review

    if len(tables) > 2:
        raise SettingsError(f"expected one or two tables, got {len(tables)}; compare experts two by two")
    experts = [read_review(table) for table in tables]
    for table, expert in zip(tables, experts, strict=True):
        hits, score = expert.hits, expert.scores
        click.echo(
            f"{table}: TP* {hits.true}, FP {hits.false}, FN {hits.missed}; precision {score.precision:.3f}, "
            f"recall {score.recall:.3f}, Dice {score.dice:.3f}, IoU {score.iou:.3f}"
        )
    if len(experts) == 2:
        click.echo(as_words(compare_experts(experts[0], experts[1])))
