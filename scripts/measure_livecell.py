"""Figures of the livecell door on simulated time-lapses, whose truth is known.

    python scripts/measure_livecell.py --out runs/livecell [--positions 12] [--frames 6] [--preset fast]
        [--epochs 24] [--lapse 24]

Two simulated cell lines. For each: labels made automatically from fluorescence, a network
trained on them, and the same network trained on perfect labels; a third one trained on both
lines mixed (tables 6.1 and 6.2 of Salomon-Sorensen 2023). All are judged against the truth of
wells that no training saw. Then time-lapses of 24 frames with a camera that stands and one that
jumps by up to 30 pixels are followed, and judged by traccuracy.

Finished parts are kept: calling again goes on.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytally.cli.progress import reporting
from cytally.images.masks import read_mask
from cytally.inference.ensemble import Ensemble
from cytally.livecell.ensemble import load_ensemble
from cytally.livecell.labelled import read_labelled
from cytally.livecell.labelling.folder import LabelSettings, label_folder
from cytally.livecell.learn import PRESETS, learn
from cytally.livecell.measure.evaluate import Tally, evaluate, plain, summary
from cytally.livecell.pipeline import Order, follow_images
from cytally.livecell.simulate.folder import TimeLapse, write_sequence
from cytally.livecell.simulate.phase import PhaseSettings
from cytally.livecell.simulate.population import PopulationSettings
from cytally.livecell.simulate.stain import StainSettings

LINES = {
    "first": TimeLapse(),
    "second": TimeLapse(
        population=PopulationSettings(nuclei=30, diameter=(17.0, 26.0), speed=1.0),
        phase=PhaseSettings(nucleus=0.11, nucleolus=0.25, grain=0.09, cytoplasm=0.5),
        stain=StainSettings(nucleus=350.0, weak=0.08, light=0.35),
    ),
}


def cells(out: Path, name: str, positions: int, frames: int, progress) -> Path:
    """Time-lapses of one line, from 15 to 100 nuclei per field, one position per well."""
    folder = out / name / "sim"
    for number in range(positions):
        well = f"{'ABCDEFGH'[number // 12]}{number % 12 + 1:02d}_1"
        if (folder / "truth" / well / "man_track.txt").exists():
            continue
        line = LINES[name]
        crowd = replace(line.population, nuclei=int(round(15 + 85 * number / max(positions - 1, 1))))
        seed = 100 * (1 + list(LINES).index(name)) + number
        write_sequence(replace(line, frames=frames, seed=seed, population=crowd), folder, well, progress)
    return folder


def against_truth(ensemble: Ensemble, sim: Path, progress) -> dict[str, object]:
    """Figures on the wells that this ensemble's training kept for testing."""
    wanted = set(ensemble.card.training["fields"]["test"])
    fields = [one for one in read_labelled(sim).kept if one.name.path.name in wanted]
    return plain(evaluate(fields, ensemble, progress=progress))


def labels_against_truth(labels: Path, sim: Path) -> dict[str, object]:
    """How good the automatic labels themselves are."""
    truth = {one.name.path.resolve(): one.label for one in read_labelled(sim).kept}
    tally = Tally()
    for one in read_labelled(labels).kept:
        tally.add(read_mask(one.label), read_mask(truth[one.name.path.resolve()]))
    return plain(summary(tally))


def tracked(ensemble: Path, out: Path, shift: float, frames: int, progress) -> dict[str, float]:
    """TRA, DET, LNK and divisions on two sequences of so many frames."""
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher, IOUMatcher
    from traccuracy.metrics import CTCMetrics, DivisionMetrics

    found = []
    for seed in (901, 902):
        folder = out / f"lapse_{shift:g}_{seed}"
        if not (folder / "truth" / "man_track.txt").exists():
            write_sequence(TimeLapse(seed=seed, shift=shift, frames=frames), folder, progress=progress)
        follow_images([folder / "phase"], folder / "run", Order(ensemble=ensemble, movie=""), progress)
        pairs = []
        for matcher, metric in (
            (CTCMatcher(), CTCMetrics()),
            (IOUMatcher(iou_threshold=0.5, one_to_one=True), DivisionMetrics(max_frame_buffer=1)),
        ):
            graphs = [load_ctc_data(str(folder / part), name=part) for part in ("truth", "run/tracks")]
            results, _ = run_metrics(gt_data=graphs[0], pred_data=graphs[1], matcher=matcher, metrics=[metric])
            pairs.append(results[0]["results"])
        found.append(
            {
                **{k: float(pairs[0][k]) for k in ("TRA", "DET", "LNK")},
                "division F1": float(pairs[1]["Frame Buffer 1"]["Division F1"]),
            }
        )
    return {k: round(float(np.mean([one[k] for one in found])), 4) for k in found[0]}


def covered(ensemble: Path, sim: Path, out: Path, progress) -> dict[str, float]:
    """How often the 95 % limits of a count hold the true one, on wells kept for testing."""
    wanted = set(load_ensemble(ensemble).card.training["fields"]["test"])
    fields = [one for one in read_labelled(sim).kept if one.name.path.name in wanted]
    true = {one.name.path.name: len(np.unique(read_mask(one.label))) - 1 for one in fields}
    images = [str(one.name.path) for one in fields]
    story = follow_images(images, out / "counted", Order(ensemble=ensemble, tracks=False, movie=""), progress)
    counted = [one.lower <= true[one.name.path.name] <= one.upper for one in story.counts]
    by_area = [one.area_lower <= true[one.name.path.name] <= one.area_upper for one in story.counts]
    return {"fields": len(counted), "nuclei": float(np.mean(counted)), "by area": float(np.mean(by_area))}


def shown(value: float | None, how: str = ".3f") -> str:
    """A score; a dash where nothing was found or nothing was there."""
    return "-" if value is None else format(value, how)


def as_markdown(result: dict) -> str:
    """The tables of docs/livecell.md."""
    head = "| {} | precision | recall | Dice | IoU |\n|---|---|---|---|---|"
    tables = []
    for title, kind in (
        ("pixels", "pixel"),
        ("objects that touch", "object"),
        ("objects one to one, IoU 0.5", "matched"),
    ):
        rows = [head.format(title)]
        for name, found in result.items():
            if isinstance(found, dict) and "pixel" in found:
                scores = (found[kind][each] for each in ("precision", "recall", "dice", "iou"))
                rows.append(f"| {name} | {' | '.join(shown(each) for each in scores)} |")
        tables.append("\n".join(rows))
    rows = [
        "| counts per field, off by | nuclei | by area | average precision | panoptic quality |\n|---|---|---|---|---|"
    ]
    for name, found in result.items():
        if isinstance(found, dict) and "pixel" in found:
            rows.append(
                f"| {name} | {shown(found['count_error'], '.1%')} | {shown(found['area_count_error'], '.1%')} | "
                f"{shown(found['average_precision'])} | {shown(found['panoptic_quality'])} |"
            )
    tables.append("\n".join(rows))
    rest = [
        f"- {name}: " + ", ".join(f"{k} {v:.4g}" for k, v in found.items())
        for name, found in result.items()
        if isinstance(found, dict) and "pixel" not in found
    ]
    return "\n\n".join([*tables, "\n".join(rest)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--positions", type=int, default=12, help="wells of each line")
    parser.add_argument("--frames", type=int, default=6, help="of each well")
    parser.add_argument("--epochs", type=int, help="of every training; default: as the preset has it")
    parser.add_argument("--lapse", type=int, default=24, help="frames of the time-lapses that are followed")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="fast")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    result: dict[str, object] = {
        "positions": chosen.positions,
        "frames": chosen.frames,
        "preset": chosen.preset,
    }
    preset, out = PRESETS[chosen.preset], chosen.out
    if chosen.epochs:
        preset = replace(preset, settings=replace(preset.settings, epochs=chosen.epochs))
    with reporting() as progress:
        for name in LINES:
            sim = cells(out, name, chosen.positions, chosen.frames, progress)
            labels = out / name / "labels"
            label_folder(sim / "phase", sim / "fluorescence", labels, LabelSettings(), progress=progress)
            result[f"{name}: labels"] = labels_against_truth(labels, sim)
            for kind, folder in (("automatic", labels), ("perfect", sim)):
                made = learn([folder], out / name / kind, preset, progress=progress)
                result[f"{name}: {kind}"] = against_truth(made.ensemble, sim, progress)
                print(name, kind, json.dumps(result[f"{name}: {kind}"]), flush=True)
        mixed = learn([out / name / "labels" for name in LINES], out / "mixed", preset, progress=progress)
        for name in LINES:
            result[f"{name}: mixed"] = against_truth(mixed.ensemble, out / name / "sim", progress)
        for shift in (0.0, 30.0):
            result[f"tracks, camera jumps {shift:g}"] = tracked(
                out / "first" / "automatic", out, shift, chosen.lapse, progress
            )
        result["limits of counts hold the truth"] = covered(
            out / "first" / "automatic", out / "first" / "sim", out, progress
        )
    (out / "livecell.json").write_text(json.dumps(result, indent=1) + "\n")
    print(as_markdown(result))


if __name__ == "__main__":
    main()
