"""A training run -> its networks, epoch by epoch, and the path of their weights."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import RunError, SettingsError
from cytally.files.names import shown
from cytally.files.runs import RUN, read_record
from cytally.nets.architecture import Architecture, architecture_of, tensors_of
from cytally.nets.unet import UNet
from cytally.training.checkpoints import load_tensors, member_path

#: Epochs without which there is no path to speak of.
FEWEST = 3
#: Statistics of normalisation layers follow the images; they are no weights.
_FOLLOWING = ("running_mean", "running_var")


@dataclass(frozen=True)
class TrainedRun:
    """A training run with its checkpoints.

    Attributes
    ----------
    folder : Path
    architecture : Architecture
    epochs : tuple of int
        Those that are looked at, ascending.
    seed : int or None
        Of the cells it learnt from, where run.json says so.
    """

    folder: Path
    architecture: Architecture
    epochs: tuple[int, ...]
    seed: int | None

    @staticmethod
    def open(folder: Path) -> TrainedRun:
        """The run in a folder, or in `training` below it, where `train --out` puts it.

        Raises
        ------
        RunError
            No training of heatmaps, or no checkpoints.
        """
        here = folder if (folder / RUN).is_file() else folder / "training"
        if not (here / RUN).is_file():
            raise RunError(
                f"{shown(folder)}: expected the folder of a training with {RUN}, found none; give what `train --out` made"
            )
        settings = read_record(here).settings
        epochs = sorted(int(found[1]) for p in here.iterdir() if (found := re.fullmatch(_CHECKPOINT, p.name)))
        if not epochs:
            raise RunError(
                f"{shown(here)}: expected checkpoints epoch_001.safetensors, epoch_002..., found none; "
                "train first, or give the folder that holds them"
            )
        seed = settings.get("seed")
        return TrainedRun(here, _architecture(here, settings), tuple(epochs), seed if isinstance(seed, int) else None)

    def chosen(self, begin: int = 1, every: int = 1) -> TrainedRun:
        """Every N-th epoch from `begin` on, counted back from the last, which is always there.

        Raises
        ------
        SettingsError
            Fewer than three are left.
        """
        kept = [epoch for epoch in self.epochs if epoch >= begin][::-1][::every][::-1]
        if len(kept) < FEWEST:
            raise SettingsError(
                f"{shown(self.folder)}: expected at least {FEWEST} epochs to follow, got {len(kept)} "
                f"of {len(self.epochs)}; train longer, or lower --every or --from"
            )
        return replace(self, epochs=tuple(kept))

    def network(self, epoch: int) -> UNet:
        """The network after an epoch, ready to look; errors as of `weights`."""
        import torch

        network = UNet(self.architecture)
        tensors = {name: torch.from_numpy(values) for name, values in self.weights(epoch).items()}
        network.load_state_dict(tensors, strict=False)  # batch counters are not stored
        return network.eval()

    def weights(self, epoch: int) -> dict[str, NDArray[np.float32]]:
        """Tensors of a checkpoint.

        Raises
        ------
        RunError
            A damaged file, values that are not numbers, or tensors of another architecture than that in run.json.
        """
        path = member_path(self.folder, epoch)
        found = {name: t.float().numpy() for name, t in load_tensors(path)[0].items() if t.is_floating_point()}
        expected = tensors_of(self.architecture)
        other = [name for name in expected if name not in found or found[name].shape != expected[name]]
        if other or found.keys() - expected.keys():
            first = other[0] if other else min(found.keys() - expected.keys())
            got = found[first].shape if first in found else "none"
            raise RunError(
                f"{shown(path)}: expected weights of the architecture in {RUN}, got another ({first}: expected "
                f"{expected.get(first, 'none')}, got {got}); give a folder whose checkpoints come from one training"
            )
        return found

    def path(self, epoch: int) -> NDArray[np.float32]:
        """All trained weights after an epoch in one row (P,)."""
        kept = {name: v for name, v in self.weights(epoch).items() if not name.endswith(_FOLLOWING)}
        return np.concatenate([kept[name].ravel() for name in sorted(kept)])


_CHECKPOINT = r"epoch_(\d{3,})\.safetensors"


def _architecture(folder: Path, settings: dict[str, object]) -> Architecture:
    stored = settings.get("architecture")
    try:
        if not isinstance(stored, dict):
            raise SettingsError("no architecture")
        found = architecture_of(stored)
    except (SettingsError, TypeError) as error:
        raise RunError(
            f"{shown(folder / RUN)}: expected the settings of a training of heatmaps, got {error}; "
            "give what `train --out` made"
        ) from error
    if found.classes < 2:
        raise RunError(
            f"{shown(folder / RUN)}: expected channels for dicentrics and fragments, got {found.classes}; "
            "give what `dosimetry train` made"
        )
    return found
