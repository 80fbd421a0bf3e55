"""Averages of checkpoints against torch's own, against slow twins, and draws against their distribution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, update_bn

from cytally.errors import RunError
from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import member_path, save_tensors, weights_of
from cytally.training.posterior.gaussian import gaussian_of, learnt
from cytally.training.posterior.normalisation import load_averaged, recount

HOW = Architecture(classes=2, filters=2, depth=3, widest=8)


def networks(count: int) -> list[UNet]:
    made = []
    for seed in range(count):
        torch.manual_seed(seed)
        made.append(UNet(HOW))
    return made


def saved(folder: Path, made: list[UNet]) -> list[Path]:
    paths = [member_path(folder, epoch) for epoch in range(1, len(made) + 1)]
    for path, network in zip(paths, made, strict=True):
        save_tensors(path, weights_of(network, torch.float32))
    return paths


def batches(count: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(9)
    return [torch.rand(3, 1, 32, 32) * (k + 1) for k in range(count)]


def test_the_mean_and_its_normalisation_are_those_of_torch(tmp_path: Path) -> None:
    """`AveragedModel` and `update_bn` of torch.optim.swa_utils, to 1e-5: sums run in another order."""
    made = networks(4)
    theirs = AveragedModel(made[0])
    for network in made:
        theirs.update_parameters(network)
    update_bn(batches(), theirs)
    ours = UNet(HOW)
    load_averaged(ours, gaussian_of(saved(tmp_path, made)).mean, batches())
    for name, tensor in theirs.module.state_dict().items():
        if "num_batches" not in name:
            assert torch.allclose(ours.state_dict()[name], tensor, atol=1e-5), name
    assert torch.allclose(ours(batches()[0]), theirs.module.eval()(batches()[0]), atol=1e-5)


def test_counting_anew_is_the_mean_over_batches_of_a_slow_twin() -> None:
    network = networks(1)[0]
    first, seen = network.stem[1][1], []
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    recount(network, batches())
    hook.remove()
    mean = torch.stack([each.mean(dim=(0, 2, 3)) for each in seen]).mean(0)
    variance = torch.stack([each.var(dim=(0, 2, 3), unbiased=True) for each in seen]).mean(0)
    assert torch.allclose(first.running_mean, mean, atol=1e-6)
    assert torch.allclose(first.running_var, variance, atol=1e-6)
    assert not network.training and first.momentum == 0.1


@pytest.mark.parametrize("low_rank", [False, True])
def test_draws_have_the_mean_and_scatter_of_the_checkpoints(tmp_path: Path, low_rank: bool) -> None:
    """Of 3,000 draws; 6 standard errors of the mean, 15 % of the standard deviation (rank n: both halves agree)."""
    found = gaussian_of(saved(tmp_path, networks(5)), rank=5)
    rng = np.random.default_rng(1)
    drawn = torch.stack([found.draw(rng, low_rank=low_rank)["head.weight"] for _ in range(3000)])
    spread = found.variance["head.weight"].sqrt()
    if low_rank:  # half the variance over n - 1, half over n
        spread = spread * ((5 / 4 + 1) / 2) ** 0.5
    assert torch.all((drawn.mean(0) - found.mean["head.weight"]).abs() < 6 * spread / 3000**0.5)
    assert torch.allclose(drawn.std(0), spread, rtol=0.15)


def test_variance_is_that_of_numpy(tmp_path: Path) -> None:
    made = networks(6)
    found = gaussian_of(saved(tmp_path, made))
    stacked = np.stack([network.head.weight.detach().numpy() for network in made])
    assert np.allclose(found.variance["head.weight"], stacked.var(axis=0), atol=1e-7)
    assert len(found.deviations) == 6


def test_no_checkpoint_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="got none"):
        gaussian_of([])


def test_another_architecture_is_said(tmp_path: Path) -> None:
    torch.manual_seed(1)
    other = UNet(Architecture(classes=2, filters=4, depth=3, widest=16))
    with pytest.raises(RunError, match=r"epoch_002.*another architecture"):
        gaussian_of(saved(tmp_path, [*networks(1), other]))


def test_weights_that_are_not_numbers_are_said(tmp_path: Path) -> None:
    network = networks(1)[0]
    with torch.no_grad():
        network.head.weight[0, 0] = torch.nan
    with pytest.raises(RunError, match=r"not numbers \(in head\.weight\)"):
        learnt(saved(tmp_path, [network])[0])


def test_a_low_rank_needs_two(tmp_path: Path) -> None:
    found = gaussian_of(saved(tmp_path, networks(1)))
    with pytest.raises(ValueError, match="at least 2"):
        found.draw(np.random.default_rng(0))


def test_foreign_weights_and_no_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="weights of this network"):
        load_averaged(UNet(HOW), {"head.weight": torch.zeros(2, 8, 1, 1)}, batches())
    with pytest.raises(ValueError, match="at least one batch"):
        recount(UNet(HOW), [])
