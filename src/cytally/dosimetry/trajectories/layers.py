"""A network and a cell -> features of one layer, and confidences, at places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cytally.dosimetry.training.sources import CLASSES
from cytally.errors import SettingsError
from cytally.nets.architecture import Architecture
from cytally.nets.unet import UNet
from cytally.types import FloatArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Sight:
    """What a network makes of a cell.

    Attributes
    ----------
    features : dict of str to ndarray of shape (C, h', w')
        By layer.
    heat : ndarray of shape (2, h'', w'')
        Confidences of dicentrics and fragments.
    shape : (h, w)
        Of the padded cell, in pixels.
    """

    features: dict[str, Float32]
    heat: Float32
    shape: tuple[int, int]

    def at(self, layer: str, places: FloatArray) -> Float32:
        """Features (n, C) at the nearest places of the layer's grid."""
        maps = self.features[layer]
        return _nearest(maps, places, self.shape[0] // maps.shape[1]).T

    def confidences(self, places: FloatArray) -> Float32:
        """Confidences (n, 2) at places: the largest of the 3 x 3 nearest of the grid, as maxima shift a little."""
        step = self.shape[0] // self.heat.shape[1]
        around = [(down * step, right * step) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        return np.asarray(np.max([_nearest(self.heat, places + np.array(by), step) for by in around], axis=0).T)


def _nearest(maps: Float32, places: FloatArray, step: int) -> Float32:
    """Columns (C, n) of maps (C, h, w) at pixels, of which each place of the grid covers step x step."""
    at = np.floor((np.asarray(places, float).reshape(-1, 2) + 0.5) / step).astype(int)
    row, col = np.clip(at, 0, np.array(maps.shape[1:]) - 1).T
    return maps[:, row, col]


def layer_names(architecture: Architecture) -> tuple[str, ...]:
    """Layers that can be asked for, from image to answer; `deepest` and `decoder` are the last on the way down and up."""
    levels = range(architecture.depth - architecture.finest)
    return ("stem", *(f"down.{k}" for k in levels), *(f"up.{k}" for k in levels), "deepest", "decoder")


def check_layer(architecture: Architecture, layer: str) -> None:
    """Refuse a layer that the network lacks.

    Raises
    ------
    SettingsError
        Names those there are.
    """
    names = layer_names(architecture)
    if layer not in names:
        raise SettingsError(f"expected a layer among {', '.join(names)}, got {layer!r}")


def look(network: UNet, density: Float32, layers: tuple[str, ...]) -> Sight:
    """One pass over a cell (h, w), padded with empty slide below and right.

    Parameters
    ----------
    network : UNet
        Ready to look (`eval`).
    density : ndarray of float32, shape (h, w)
    layers : tuple of str
        From `layer_names`.
    """
    multiple = network.architecture.multiple
    padding = [(0, -side % multiple) for side in density.shape]
    image = torch.from_numpy(np.ascontiguousarray(np.pad(density, padding)))[None, None]
    with torch.inference_mode(), _noting(network, layers) as noted:
        heat = network(image)[0, : len(CLASSES)].numpy()
    features = {name: maps[0].numpy() for name, maps in noted.items()}
    return Sight(features, heat, (int(image.shape[2]), int(image.shape[3])))


@contextmanager
def _noting(network: UNet, layers: tuple[str, ...]) -> Iterator[dict[str, Tensor]]:
    """What layers give, noted while the network looks."""
    noted: dict[str, Tensor] = {}

    def noting(name: str) -> object:
        def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            noted[name] = output

        return _block(network, name).register_forward_hook(note)

    hooks = [noting(name) for name in layers]
    try:
        yield noted
    finally:
        for hook in hooks:
            hook.remove()  # type: ignore[attr-defined]


def _block(network: UNet, layer: str) -> nn.Module:
    check_layer(network.architecture, layer)
    if layer == "stem":
        return network.stem
    if layer in ("deepest", "decoder"):
        return (network.down if layer == "deepest" else network.up)[-1]
    return network.get_submodule(layer)
