"""Images kept on a device: crops are cut, turned, restained and labelled there, a batch at once.

The same draws as `augment` makes image by image on a processor (its slow twin in the tests); on a GPU
making a batch then costs less than learning from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cytally.training.augment import Augmentation
from cytally.training.examples import ZERO, TrainingCell, choose_corner
from cytally.types import FloatArray

_UNIT = 73.0
#: Half the edge of the blur's kernel: three sigma of the strongest.
_REACH = 3


class Bank:
    """Packed images of one shape on a device.

    Parameters
    ----------
    images : sequence of ndarray of uint8, each of shape (h, w)
        Packed densities; smaller ones are filled up with empty slide.
    device : torch.device or str
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], device: torch.device | str) -> None:
        height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
        self.images = torch.full((len(images), height, width), ZERO, dtype=torch.uint8, device=device)
        for number, image in enumerate(images):
            self.images[number, : image.shape[0], : image.shape[1]] = torch.from_numpy(image)

    def cut(self, numbers: Sequence[int], matrices: FloatArray, side: int) -> Tensor:
        """Crops (b, 1, side, side), density; outside an image is empty slide.

        Parameters
        ----------
        numbers : sequence of int
            Which images.
        matrices : ndarray of float, shape (b, 2, 3)
            From (row, col) of the image to (row, col) of the crop, as `Augmentation.matrix` gives.
        side : int
        """
        device = self.images.device
        back = np.linalg.inv(matrices[:, :, :2])
        shift = -np.einsum("bij,bj->bi", back, matrices[:, :, 2])
        grid = torch.stack(torch.meshgrid(*[torch.arange(side, device=device)] * 2, indexing="ij"), -1).float()
        turn, shift = (torch.as_tensor(part, dtype=torch.float32, device=device) for part in (back, shift))
        places = torch.einsum("bij,rcj->brci", turn, grid) + shift[:, None, None]
        size = torch.tensor(self.images.shape[1:], device=device)
        xy = (2 * places / (size - 1) - 1).flip(-1)  # grid_sample speaks (x, y), -1 to 1
        chosen = self.images[torch.as_tensor(np.asarray(numbers), device=device)]
        density = (chosen[:, None].float() - ZERO) / _UNIT
        return functional.grid_sample(density, xy, mode="bilinear", padding_mode="zeros", align_corners=True)


def restained(crops: Tensor, how: Sequence[Augmentation], limits: tuple[float, float] = (-0.5, 3.0)) -> Tensor:
    """Gain, gamma, blur and noise of each crop (b, 1, h, w), then clipped to `limits`."""

    def each(name: str) -> Tensor:
        values = torch.tensor([float(getattr(one, name)) for one in how], device=crops.device)
        return values[:, None, None, None]

    result = each("gain") * crops.sign() * crops.abs() ** each("gamma")
    result = _blurred(result, each("blur"))
    return (result + torch.randn_like(result) * each("noise")).clamp(*limits)


def _blurred(crops: Tensor, sigma: Tensor) -> Tensor:
    """Each crop under a Gaussian of its own; sigma of at most 0.2 leaves it as it is."""
    away = torch.arange(-_REACH, _REACH + 1, device=crops.device).float()
    kernel = torch.exp(-0.5 * (away / sigma.flatten()[:, None].clamp(min=0.05)) ** 2)
    kernel = torch.where(sigma.flatten()[:, None] > 0.2, kernel, (away == 0).float())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True))[:, None]
    count = len(crops)
    rows = functional.pad(crops.transpose(0, 1), (_REACH, _REACH, _REACH, _REACH), mode="reflect")
    rows = functional.conv2d(rows, kernel[..., None], groups=count)
    return functional.conv2d(rows, kernel[:, :, None], groups=count).transpose(0, 1)


def spots_on(places: Tensor, classes: Tensor, channels: int, side: int, stride: int, sigma: float) -> Tensor:
    """Heatmaps (b, channels, side / stride, side / stride): Gaussian spots of height 1, the higher where they meet.

    Parameters
    ----------
    places : Tensor of float, shape (b, p, 2)
        (row, col) in pixels of the crop.
    classes : Tensor of int, shape (b, p)
        Channel of each; -1 where there is none.
    channels, side, stride : int
    sigma : float
        Pixels of the map.
    """
    edge = torch.arange(side // stride, device=places.device).float()
    at = (places + 0.5) / stride - 0.5
    down = torch.exp(-0.5 * ((edge - at[..., :1]) / sigma) ** 2)
    right = torch.exp(-0.5 * ((edge - at[..., 1:]) / sigma) ** 2)
    heat = torch.zeros(len(places), channels, len(edge), len(edge), device=places.device)
    for channel in range(channels):
        mine = (classes == channel).float()[..., None]
        spots = (down * mine)[..., :, None] * right[..., None, :]
        heat[:, channel] = spots.amax(dim=1)
    return torch.where(heat > np.exp(-8.0), heat, torch.zeros_like(heat))


class CellBank(Bank):
    """Training cells on a device: crops with heatmaps of their labels.

    Parameters
    ----------
    cells : sequence of TrainingCell
    device : torch.device or str
    """

    def __init__(self, cells: Sequence[TrainingCell], device: torch.device | str) -> None:
        super().__init__([cell.packed for cell in cells], device)
        self.cells = cells

    def labels(
        self, numbers: Sequence[int], matrices: FloatArray, channels: int, side: int, stride: int, sigma: float
    ) -> tuple[Tensor, Tensor]:
        """Heatmaps of crops, and (b, channels, 1, 1) with 1 for each channel that was labelled."""
        most = max(1, *(len(self.cells[n].places) for n in numbers))
        places = np.zeros((len(numbers), most, 2), np.float32)
        classes = np.full((len(numbers), most), -1, np.int64)
        for row, (number, matrix) in enumerate(zip(numbers, matrices, strict=True)):
            cell = self.cells[number]
            places[row, : len(cell.places)] = cell.places @ matrix[:, :2].T + matrix[:, 2]
            classes[row, : len(cell.places)] = cell.classes
        device = self.images.device
        where, which = torch.from_numpy(places).to(device), torch.from_numpy(classes).to(device)
        known = np.stack([self.cells[n].known[:channels] for n in numbers])
        heat = spots_on(where, which, channels, side, stride, sigma)
        return heat, torch.from_numpy(known).to(device).float()[:, :, None, None]

    def corner(self, number: int, side: int, rng: np.random.Generator) -> tuple[int, int]:
        """Top left of a crop, mostly around something stained."""
        return choose_corner(self.cells[number], side, rng)
