"""Networks on torch, on whatever this machine has: GPU, bfloat16 or float32."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cytally.inference.members import Weights, padded
from cytally.inference.views import EightViews
from cytally.nets.architecture import Architecture, VerifierArchitecture
from cytally.nets.unet import UNet
from cytally.nets.verifier import Verifier
from cytally.precision import preferred_dtype

Float32 = NDArray[np.float32]


class TorchMember:
    """A network with its normalisation layers folded into the convolutions.

    Parameters
    ----------
    network : UNet
    dtype : torch.dtype, optional
        Default: bfloat16 on processors that multiply in it, else float32.

    Notes
    -----
    Heatmaps in low precision have flat tops; detection works on connected
    components, which ties do not split.
    """

    def __init__(self, network: UNet, dtype: torch.dtype | None = None) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = dtype or preferred_dtype()
        self.architecture = network.architecture
        folded = _fold(copy.deepcopy(network).eval())
        self._network = folded.to(self.device, self.dtype).to(memory_format=torch.channels_last)

    def __call__(self, density: Float32) -> Float32:
        """Heatmaps (classes, h / step, w / step) of a density (h, w) whose sides fit `multiple`."""
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(density))[None, None]
            image = image.to(self.device, self.dtype, memory_format=torch.channels_last)
            heat: Float32 = self._network(image)[0].float().cpu().numpy()
            return heat

    def inside(self, density: Float32, window: tuple[slice, slice]) -> Float32:
        """Heatmaps of a window, in coarse cells, of a density whose sides fit the multiple."""
        unit = self.architecture.multiple // self.architecture.step
        rows, cols = (slice(part.start * unit, part.stop * unit) for part in window)
        return self(density)[:, rows, cols]

    def padded(self, density: Float32) -> Float32:
        """Heatmaps of a density of any size: empty slide is added below and right, then cut."""
        return padded(self, density)


class TorchVerifier(EightViews):
    """A verifier, looking at each crop turned and mirrored in all eight ways.

    Parameters
    ----------
    network : Verifier
    dtype : torch.dtype
        Single precision by default: verifiers decide, and decide alike on every processor.
    """

    def __init__(self, network: Verifier, dtype: torch.dtype = torch.float32) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = dtype
        self.side = network.architecture.side
        folded = _fold(copy.deepcopy(network).eval())
        self._network = folded.to(self.device, self.dtype).to(memory_format=torch.channels_last)

    def views(self, crops: Float32, which: slice) -> Float32:
        """Probabilities (n, k, classes + 1) of k of the eight views of crops (n, side, side)."""
        with torch.inference_mode():
            images = torch.from_numpy(np.ascontiguousarray(crops))[:, None].to(self.device, self.dtype)
            views = [torch.rot90(each, k, (2, 3)) for each in (images, images.flip(3)) for k in range(4)][which]
            answers = [self._network(v.contiguous(memory_format=torch.channels_last)).softmax(1) for v in views]
            each: Float32 = torch.stack(answers, dim=1).float().cpu().numpy()
            return each


def torch_member(architecture: Architecture, weights: Weights) -> TorchMember:
    """A member from the weights of its file."""
    network = UNet(architecture)
    _fill(network, weights)
    return TorchMember(network)


def torch_verifier(architecture: VerifierArchitecture, weights: Weights) -> TorchVerifier:
    """A verifier from the weights of its file."""
    network = Verifier(architecture)
    _fill(network, weights)
    return TorchVerifier(network)


def _fill(network: nn.Module, weights: Weights) -> None:
    """Names and shapes were checked; what normalisation layers count while training is not kept."""
    network.load_state_dict({name: torch.from_numpy(one) for name, one in weights.items()}, strict=False)
    network.eval()


def _fold(module: nn.Module) -> nn.Module:
    """Fold every BatchNorm that follows a convolution inside a Sequential."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            layers = list(child.children())
            for k, (first, second) in enumerate(pairwise(layers)):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    layers[k], layers[k + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
            setattr(
                module,
                name,
                nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Identity))),
            )
        _fold(getattr(module, name))
    if isinstance(module, nn.ModuleList):
        for k, child in enumerate(module):
            if isinstance(child, nn.Sequential):
                module[k] = nn.Sequential(*child.children())
    return module
