"""The main job as one function: phase contrast and some fluorescence in; counts, tracks and a page out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import FileError, SettingsError
from cytally.figures.masks import tracked
from cytally.files.runs import RUN, locked, note_more, read_record
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import read_table
from cytally.images.masks import grey
from cytally.images.read import read
from cytally.images.sequences.movie import write_movie
from cytally.images.sequences.tracks import read_masks
from cytally.livecell.counting.counts import GROWTH, growth_curves, write_growth
from cytally.livecell.counting.plan import Plan, Reading, no_tracks, plan, require_times
from cytally.livecell.counting.run import LEARNING, Segmented, count_run, segment_folder, stain_hint
from cytally.livecell.ensemble import load_ensemble
from cytally.livecell.labelling.folder import LabelSettings, label_folder
from cytally.livecell.labelling.sizes import OwnSize, Sizing, Stain, sized
from cytally.livecell.labelling.unchanged import same_settings
from cytally.livecell.learn import PRESETS, Preset, learn
from cytally.livecell.measure.evaluate import PICTURES, evaluate
from cytally.livecell.motion.follow import TABLE, Frames, follow
from cytally.livecell.motion.lineage import Tracks
from cytally.livecell.motion.links import LinkSettings, require_tracker
from cytally.livecell.nuclei import ByEnsemble, ByStain, Finder
from cytally.livecell.report import Story, write_report
from cytally.progress import Progress, silent
from cytally.types import FloatArray

TRACKS = "tracks"
_TAIL = 12
_COLUMNS = ("track", "frame", "row", "col", "camera_row", "camera_col")
_TRACKED = Wanted("a table of tracks", tuple(map(Column, _COLUMNS)), (_COLUMNS,), ", ".join(_COLUMNS), FileError)


@dataclass(frozen=True)
class Order:
    """What to do, beside the folders.

    Attributes
    ----------
    preset : Preset
        Network and training, its seed among the settings.
    ensemble : Path, optional
        Use this one; nothing is labelled or trained. None with images alone: they are stained.
    label : LabelSettings
    link : LinkSettings
    tracks : bool
        Follow nuclei where a position has several frames.
    must_track : bool
        Refuse images of which no position has several frames.
    largest_shift : int
        Largest jump of the camera, pixels.
    movie : str
        Ending: gif, mp4, or "" for none.
    reading : Reading
        How names are read, and the time between frames.
    """

    preset: Preset = field(default_factory=lambda: PRESETS["fast"])
    ensemble: Path | None = None
    label: LabelSettings = field(default_factory=LabelSettings)
    link: LinkSettings = field(default_factory=LinkSettings)
    tracks: bool = True
    must_track: bool = False
    largest_shift: int = 60
    movie: str = "gif"
    reading: Reading = field(default_factory=Reading)


def run_livecell(
    phase: Path,
    fluorescence: Path | None,
    out: Path,
    order: Order,
    progress: Progress = silent,
) -> Story:
    """From images to counts, tracks and a report; calling again goes on where an interrupted run was.

    Parameters
    ----------
    phase : Path
        Folder of phase-contrast (or brightfield) images.
    fluorescence : Path or None
        Folder of stained partners of some of them, of which labels are made.
    out : Path
        Gets learning/ (labels, ensemble), masks/, counts.csv, tracks/, report.html.
    order : Order
    progress : callable

    Raises
    ------
    SettingsError
        Neither fluorescence nor an ensemble, or nothing to follow nuclei with.
    RunError
        `out` holds labels made with other settings.
    """
    if (fluorescence is None) == (order.ensemble is None):
        raise SettingsError(
            "expected either a folder of fluorescence images to learn from, or an ensemble; got both or none"
        )
    planned = _planned([phase], order)
    with locked(out):
        story = (
            _from_stain(planned, phase, fluorescence, out, order, progress)
            if fluorescence is not None
            else _followed(planned, out, ByEnsemble(load_ensemble(order.ensemble)), order, progress)
        )
        write_report(story, out)
    return story


def _from_stain(planned: Plan, phase: Path, fluorescence: Path, out: Path, order: Order, progress: Progress) -> Story:
    """Labels, a network that learns from them, and what it finds."""
    same_settings(out / LEARNING / "labels", order.label)
    labelled = label_folder(
        phase,
        fluorescence,
        out / LEARNING / "labels",
        order.label,
        naming=order.reading.naming,
        progress=progress,
    )
    learnt = learn([labelled.folder], out / LEARNING / "ensemble", order.preset, progress=progress)
    story = _followed(planned, out, ByEnsemble(learnt.ensemble), order, progress)
    found = evaluate(learnt.aside, learnt.ensemble, out=out, progress=progress)
    return replace(story, labelled=labelled, learnt=learnt, evaluation=found, overlays=out / PICTURES)


def follow_images(images: Sequence[str | Path], out: Path, order: Order, progress: Progress = silent) -> Story:
    """Count, and where wanted follow, with an ensemble that is there, or by the stain without any.

    Without `order.ensemble` the images are taken for fluorescence.
    """
    planned = _planned(images, order)
    with locked(out):
        if order.ensemble is not None:
            story = _followed(planned, out, ByEnsemble(load_ensemble(order.ensemble)), order, progress)
        else:
            finder, measured = _by_stain(planned, out, order.label.stain, progress)
            story = replace(_followed(planned, out, finder, order, progress), measured=measured)
            if measured:
                note_more(out, nuclei=measured)
        write_report(story, out)
    return story


def _by_stain(planned: Plan, out: Path, stain: Stain, progress: Progress) -> tuple[ByStain, str]:
    """What finds stained nuclei, and what was measured; a run that is continued keeps the size it began with."""
    if not isinstance(stain, OwnSize):
        return ByStain(stain), ""
    before = str(read_record(out).settings.get("detector", "")) if (out / RUN).is_file() else ""
    known = ByStain.measured(before)
    if known is not None:
        return ByStain(replace(stain, typical=known)), Sizing(known).said
    own, found = sized(stain, list(planned.paths.values()), progress)
    return ByStain(own), found.said


def _planned(images: Sequence[str | Path], order: Order) -> Plan:
    """Names understood, and everything refused that would be refused after hours of work."""
    planned = plan(images, replace(order.reading, repeats=order.tracks))
    if order.must_track:
        require_times(planned)
    if order.tracks and planned.followable:
        require_tracker()
    return planned


def _followed(planned: Plan, out: Path, finder: Finder, order: Order, progress: Progress) -> Story:
    run = segment_folder(planned, out, finder, pattern=order.reading.naming.pattern, progress=progress)
    hint = stain_hint(run, finder.largest) if isinstance(finder, ByStain) else ""
    counts = count_run(run, None if hint else finder.count_error)
    tracks = track_run(run, order, progress) if order.tracks else []
    movie = draw_movie(run, tracks, order) if tracks and order.movie else None
    curves = growth_curves(counts)
    write_growth(out / GROWTH, curves)
    single = "" if tracks or planned.followable or len(planned.paths) < 2 else no_tracks(planned)
    old = (
        ""
        if tracks or not (out / TRACKS).is_dir()
        else f"{out / TRACKS} is of an earlier call and no part of this report"
    )
    remarks = tuple(each for each in (*planned.remarks, single, hint, old) if each)
    return Story(run, finder.identity, counts, curves, tracks, movie=movie, remarks=remarks)


def track_run(run: Segmented, order: Order, progress: Progress) -> list[tuple[str, Tracks]]:
    """Tracks of every position with two frames or more, each a Cell Tracking Challenge folder."""
    several = [one for one in run.series if len(one.frames) > 1]
    found = []
    for one in several:
        target = run.folder / TRACKS / one.position if len(several) > 1 else run.folder / TRACKS
        tracks = follow(
            Frames(one.paths, [run.loose[path] for path in one.paths], one.places),
            target,
            settings=order.link,
            largest_shift=order.largest_shift,
            progress=progress,
        )
        found.append((one.position, tracks))
    return found


def draw_movie(run: Segmented, tracks: Sequence[tuple[str, Tracks]], order: Order) -> Path:
    """The first position with its tracks drawn in."""
    position, first = tracks[0]
    series = next(one for one in run.series if one.position == position)
    folder = run.folder / TRACKS / position if len(tracks) > 1 else run.folder / TRACKS
    path = run.folder / f"tracks.{order.movie}"
    write_movie(path, _frames(dict(zip(series.places, series.paths, strict=True)), folder, first))
    return path


def _frames(images: Mapping[int, Path], folder: Path, tracks: Tracks) -> Iterator[NDArray[np.uint8]]:
    """Each frame that is there with the last places of its tracks, where the camera sees them now."""
    places = _places(folder)
    for time, mask in enumerate(read_masks(folder)):
        path = images.get(time)
        if path is None:
            continue
        tails = {}
        for number in np.unique(mask[mask > 0]).tolist():
            came = [world - tracks.drift[time] for at, world in places[number] if time - _TAIL <= at <= time]
            tails[number] = np.array(came)
        yield tracked(grey(read(path)), mask, tails)


def _places(folder: Path) -> dict[int, list[tuple[int, FloatArray]]]:
    """(frame, place in the first frame's coordinates) of every track, from tracks.csv."""
    found: dict[int, list[tuple[int, FloatArray]]] = {}
    for row in read_table(folder / TABLE, _TRACKED, empty=True).rows:
        world = np.array([row.number("row") + row.number("camera_row"), row.number("col") + row.number("camera_col")])
        found.setdefault(row.whole("track"), []).append((row.whole("frame"), world))
    return found
