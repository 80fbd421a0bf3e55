"""What the closed list of networks says without building them, against the networks themselves."""

import numpy as np
import pytest
import torch

from cytally.errors import SettingsError
from cytally.nets.architecture import VerifierArchitecture, tensors_of, verifier_tensors_of
from cytally.nets.unet import Architecture, UNet
from cytally.nets.verifier import Verifier

KINDS = [
    Architecture(filters=3, depth=3, widest=10),
    Architecture(filters=2, depth=4, widest=8, stem="plain", dropout=0.1),
    Architecture(filters=2, depth=3, stride=2, sharp=True, classes=3),
    Architecture(filters=2, depth=3, stride=1),
    Architecture(filters=2, depth=5, widest=6),
]


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_tensors_are_those_of_the_network(how):
    state = {k: tuple(v.shape) for k, v in UNet(how).state_dict().items() if v.is_floating_point()}
    assert tensors_of(how) == state
    if how.sharp:
        with pytest.raises(SettingsError, match="a verifier answers once for each crop"):
            VerifierArchitecture(how, 32)
        return
    verifier = VerifierArchitecture(how, 32)
    state = {k: tuple(v.shape) for k, v in Verifier(verifier).state_dict().items() if v.is_floating_point()}
    assert verifier_tensors_of(verifier) == state


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_a_window_looks_at_its_halo_and_no_further(how):
    """By the gradient of one aligned window of a network whose every path is open."""
    network = UNet(how)
    with torch.no_grad():
        for name, tensor in network.named_parameters():
            tensor.copy_(torch.rand(tensor.shape) if name.endswith("weight") else torch.zeros(tensor.shape))
    step, cell = how.step, how.multiple
    side = (2 * -(-how.halo // cell) + 3) * cell
    image = torch.rand(1, 1, side, side, requires_grad=True)
    start = -(-how.halo // cell) * cell + cell
    inner = slice(start // step, (start + cell) // step)
    features = network.eval().head(network.features(image)[0])
    answers = torch.nn.functional.pixel_shuffle(features, how.stride) if how.sharp else features
    answers[..., inner, inner].sum().backward()
    seen = np.flatnonzero(image.grad[0, 0].abs().sum(dim=1).numpy())
    assert seen[0] >= start - how.halo and seen[-1] < start + cell + how.halo
    assert seen[0] <= start - how.halo + cell  # and the promise is not idle
