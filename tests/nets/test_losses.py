import math

import pytest
import torch

from cytally.nets.losses import heatmap_loss, sparse_variation, squared_error


def slow_sparse_variation(y, rho):
    """Preprint eq. 3-4 as plain loops; a missing neighbour counts as no difference."""
    height, width = len(y), len(y[0])
    total = 0.0
    for u in range(height):
        for v in range(width):
            down = y[u][v] - y[u + 1][v] if u + 1 < height else 0.0
            right = y[u][v] - y[u][v + 1] if v + 1 < width else 0.0
            total += math.sqrt(rho**2 * (down**2 + right**2) + (1 - rho) ** 2 * y[u][v] ** 2)
    return total


@pytest.mark.parametrize("rho", [0.0, 0.1, 0.5, 1.0])
def test_sparse_variation_equals_its_slow_twin(rho):
    torch.manual_seed(0)
    y = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    expected = [sum(slow_sparse_variation(y[b, c].tolist(), rho) for c in range(3)) for b in range(2)]
    # 1e-12 under the root shifts a term by at most 1e-6 where it is 0
    torch.testing.assert_close(
        sparse_variation(y, rho), torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-4
    )


def test_without_gradient_it_is_the_sum_of_values():
    y = torch.rand(1, 1, 4, 4, dtype=torch.float64)
    assert sparse_variation(y, 0.0).item() == pytest.approx(y.sum().item(), rel=1e-6)


def test_criterion_is_l2_plus_lambda_times_sparse_variation():
    torch.manual_seed(1)
    p, y = torch.rand(3, 2, 6, 6), torch.rand(3, 2, 6, 6)
    expected = (((p - y) ** 2).sum() + 0.2 * sparse_variation(p, 0.1).sum()) / 3
    torch.testing.assert_close(heatmap_loss(p, y, 0.2, 0.1), expected)


def test_emphasis_weighs_objects_and_leaves_empty_slide():
    empty, spot = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    guess = torch.full((1, 1, 2, 2), 0.5)
    assert squared_error(guess, empty, 9.0).item() == pytest.approx(1.0)
    assert squared_error(guess, spot, 9.0).item() == pytest.approx(10.0)


def test_gradient_is_finite_at_zero():
    y = torch.zeros(1, 1, 5, 5, requires_grad=True)
    sparse_variation(y).sum().backward()
    assert torch.isfinite(y.grad).all()
