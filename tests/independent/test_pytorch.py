"""The same curves as PyTorch, where it is installed."""

import numpy as np
import pytest

import fastmlp
from fastmlp.schedules import Progress, Schedule, one_cycle

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_training_agrees_with_pytorch(momentum, nesterov, tiny):
    if nesterov and momentum == 0:
        pytest.skip("there is no such rule")
    start = fastmlp.train(
        *tiny, hidden_layer_sizes=(5,), backend="reference", dtype="float64", epochs=1,
        learning_rate_init=1e-9, random_state=4, batch_size=20,
    ).model  # fmt: skip
    layers = [torch.nn.Linear(6, 5), torch.nn.Sigmoid(), torch.nn.Linear(5, 3)]
    network = torch.nn.Sequential(*layers).double()
    with torch.no_grad():
        for number, layer in enumerate((layers[0], layers[2])):
            layer.weight.copy_(torch.tensor(start.coefs_[number].T))
            layer.bias.copy_(torch.tensor(start.intercepts_[number]))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=momentum, nesterov=nesterov)
    X, targets = torch.tensor(tiny.X), torch.tensor(tiny.y)
    expected = []
    for _ in range(5):
        total = 0.0
        for first in range(0, 20, 6):
            batch = slice(first, first + 6)
            loss = torch.nn.functional.cross_entropy(network(X[batch]), targets[batch])
            total += loss.item() * len(X[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        expected.append(total / 20)
    actual = fastmlp.train(
        *tiny, hidden_layer_sizes=(5,), backend="reference", dtype="float64", epochs=5,
        learning_rate_init=0.1, momentum=momentum, nesterov=nesterov, batch_size=6, shuffle=False,
        coefs_init=start.coefs_, intercepts_init=start.intercepts_,
    ).history.loss  # fmt: skip
    # 20 steps of the same arithmetic in another order.
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("n_steps", [10, 33, 100])
def test_one_cycle_agrees_with_pytorch(n_steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.7, total_steps=n_steps, cycle_momentum=False
    )
    expected = []
    for _ in range(n_steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(expected) < n_steps else None
    actual = one_cycle(Schedule(one_cycle, 0.7), Progress(0, n_steps, n_steps, 0))
    # The last rates are small differences of numbers the size of the peak.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-15)
