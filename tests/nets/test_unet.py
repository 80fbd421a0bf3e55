import pytest
import torch

from cytally.errors import SettingsError
from cytally.nets.unet import STEMS, Architecture, UNet, build


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("depth", [3, 4, 5])
def test_heatmaps_have_a_quarter_of_the_size_and_lie_in_0_1(stem, depth):
    network = UNet(Architecture(classes=3, filters=2, depth=depth, stem=stem, widest=8)).eval()
    heat = network(torch.randn(2, 1, 64, 96))
    assert heat.shape == (2, 3, 16, 24)
    assert 0 <= heat.min() <= heat.max() <= 1


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("depth", [3, 4])
def test_no_output_looks_beyond_the_reach(stem, depth):
    """The gradient of one output pixel shows the true receptive field."""
    torch.manual_seed(0)
    architecture = Architecture(filters=2, depth=depth, stem=stem, widest=8)
    network = UNet(architecture).double().eval()
    size = 2 * architecture.reach + 4 * architecture.multiple
    for at in (size // 8, size // 8 + 1, size // 8 + 3):  # several phases of the coarse grid
        image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
        network(image)[0, 0, at, at].backward()
        touched = torch.nonzero(image.grad[0, 0].abs().sum(dim=1)).flatten()
        low, high = at * 4 - int(touched[0]), int(touched[-1]) - (at * 4 + 3)
        assert max(low, high) <= architecture.reach
        assert max(low, high) > architecture.reach / 3  # and the promise is not idle


def test_a_size_that_does_not_fit_says_what_would():
    with pytest.raises(ValueError, match="multiples of 16, got 60 x 64"):
        UNet(Architecture(filters=2, depth=4))(torch.zeros(1, 1, 60, 64))


def test_unknown_arguments_are_refused_by_name():
    with pytest.raises(SettingsError, match="colour"):
        build({"filters": 2, "colour": 1})
    with pytest.raises(SettingsError, match="stem"):
        build({"stem": "magic"})


def test_the_shipped_shape_stays_under_a_million_parameters():
    network = UNet(Architecture(filters=12, depth=4, widest=160))
    assert sum(p.numel() for p in network.parameters()) < 1_000_000
