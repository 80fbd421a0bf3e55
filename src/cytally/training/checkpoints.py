"""What a training run leaves on disk after each epoch; written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cytally.errors import FileError, RunError
from cytally.files.atomic import replacing
from cytally.files.json import parse_json
from cytally.files.names import shown
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import read_table
from cytally.nets.unet import UNet

STATE = "state.safetensors"
_CURVES = Wanted("curves.csv of a training", (Column("epoch"),), (("epoch",),), "epoch and its losses", FileError)


def member_path(folder: Path, epoch: int) -> Path:
    """File of the weights after an epoch (counted from 1)."""
    return folder / f"epoch_{epoch:03d}.safetensors"


def save_tensors(path: Path, tensors: dict[str, Tensor], notes: Mapping[str, object] | None = None) -> None:
    """Write a safetensors file beside its place, then move it there.

    Raises
    ------
    OutputError
        A full or read-only disk.
    """
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as beside:
        try:
            save_file(kept, beside, {"notes": json.dumps(notes or {})})
        except SafetensorError as error:  # its word for the system's errors
            raise OSError(str(error)) from error


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Read a safetensors file and its notes.

    Raises
    ------
    RunError
        Not such a file, or weights that are not numbers.
    """
    where = shown(path)
    try:
        with safe_open(path, framework="pt") as file:
            notes = parse_json((file.metadata() or {}).get("notes", "{}").encode(), "notes", infinite=True)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError, FileError) as error:
        raise RunError(f"{where}: expected a safetensors file, got {error}; remove it to start anew") from error
    if not isinstance(notes, dict):
        raise RunError(f"{where}: expected notes with names, got {type(notes).__name__}; remove it to start anew")
    wrong = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if wrong:
        raise RunError(
            f"{where}: holds values that are not numbers (in {wrong[0]}); remove it to go on from an earlier one"
        )
    return tensors, notes


def weights_of(model: torch.nn.Module, dtype: torch.dtype = torch.float16) -> dict[str, Tensor]:
    """Weights as shipped: floating tensors in half precision, counters dropped."""
    state = model.state_dict()
    return {k: v.to(dtype) for k, v in state.items() if v.is_floating_point()}


def load_weights(network: torch.nn.Module, path: Path, *, headless: bool = False) -> None:
    """Begin from the weights of another training: of the whole network, or of the U-Net within it.

    Parameters
    ----------
    network : Module
        Keeps its own batch counters, which weights as shipped lack.
    path : Path
        A safetensors file: an epoch, a member or a verifier; for a verifier also a member, whose U-Net it has.
    headless : bool
        The file may answer fewer or more channels than `head` does, as a member lacks the auxiliary ones:
        the first channels are taken from it, the others stay as they are.

    Raises
    ------
    RunError
        A damaged file, or weights of another architecture.
    """
    weights = {name: tensor.float() for name, tensor in load_tensors(path)[0].items()}
    wrong = f"{shown(path)}: weights of another architecture; begin with the one that they came from"
    parts = [network, *(each for each in network.children() if isinstance(each, UNet))]
    part = next((each for each in parts if _fit(weights, each)), None)
    if part is None:
        raise RunError(wrong)
    try:
        if headless:
            weights |= _with_fresh_channels(weights, part)
        part.load_state_dict(weights, strict=False)
    except (RuntimeError, KeyError) as error:
        raise RunError(f"{wrong} ({error})") from error


def _fit(weights: dict[str, Tensor], part: torch.nn.Module) -> bool:
    """Whether these are all weights of a module, by name."""
    state = part.state_dict()
    return {name for name, tensor in state.items() if tensor.is_floating_point()} <= weights.keys() <= state.keys()


def _with_fresh_channels(weights: dict[str, Tensor], part: torch.nn.Module) -> dict[str, Tensor]:
    heads = {}
    for name in ("head.weight", "head.bias"):
        heads[name] = part.state_dict()[name].clone()
        heads[name][: len(weights[name])] = weights[name][: len(heads[name])]
    return heads


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments of Adam under flat names."""
    return {
        f"optimiser.{number}.{name}": value
        for number, moments in optimiser.state_dict()["state"].items()
        for name, value in moments.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments back."""
    state = optimiser.state_dict()
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, moment = name.split(".", 2)
            state["state"].setdefault(int(number), {})[moment] = value
    optimiser.load_state_dict(state)


def read_curves(path: Path) -> list[dict[str, str]]:
    """Rows of curves.csv: a whole number under `epoch`, numbers (a loss may be nan) elsewhere.

    Raises
    ------
    FileError
        Anything else.
    """
    rows = []
    for row in read_table(path, _CURVES, empty=True).rows:
        row.whole("epoch")
        try:
            [float(cell) for cell in row.cells]
        except ValueError as error:
            raise row.wrong(f"expected numbers only ({error}); the training must begin anew") from None
        rows.append(dict(zip(row.head.headings, row.cells, strict=True)))
    return rows
