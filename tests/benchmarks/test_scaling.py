"""The model of many machines, and what is published of it."""

import json

import pytest

from benchmarks.scaling import __main__ as scaling
from benchmarks.scaling.model import (
    LINKS,
    Link,
    Machine,
    Plan,
    all_reduce,
    fit,
    largest_share,
    recursive_doubling,
    ring,
)  # fmt: skip

LINK = Link("a link", 1e-5, 1e9)
MACHINE = Machine((8, 1024), (1e-3, 0.128))


def test_all_reduces_take_what_their_messages_do():
    """Of 4 ranks: 6 messages of a quarter, or 2 of the whole; additions of 3/4, or of twice all."""
    assert ring(4e6, 4, LINK, 1e-10) == pytest.approx(6 * (1e-5 + 1e-3) + 3e-4)
    assert recursive_doubling(4e6, 4, LINK, 1e-10) == pytest.approx(2 * (1e-5 + 4e-3 + 4e-4))
    assert all_reduce(4, 1024, LINK, 0) == pytest.approx(10 * (1e-5 + 4e-9))
    assert all_reduce(4e6, 1, LINK, 0) == 0


def test_a_link_is_found_again_from_its_times():
    points = {size: all_reduce(size, 2, LINK, 0) for size in (4, 1024, 1 << 20, 1 << 24)}
    found, worst = fit(points, 0)
    assert found.alpha == pytest.approx(LINK.alpha, rel=0.05)
    assert found.beta == pytest.approx(LINK.beta, rel=0.05)
    assert worst < 1.05


def test_efficiency_falls_with_machines_and_rises_with_batches_and_steps_apart():
    plan = Plan(MACHINE, MACHINE, 4_000_000, 1024, 1e-10)
    assert plan.efficiency(1, LINK) == pytest.approx(1)
    assert 1 > plan.efficiency(2, LINK) > plan.efficiency(16, LINK)
    assert plan._replace(batch_size=8192).efficiency(16, LINK) > plan.efficiency(16, LINK)
    assert plan._replace(sync_every=8).efficiency(16, LINK) > plan.efficiency(16, LINK)
    assert 64 < largest_share(1024, 16) < 100


def test_what_is_published_is_shown():
    results = json.loads(scaling.RESULTS.read_text())
    shown = "\n".join(table(results) for table in scaling.TABLES)
    for link in LINKS:
        assert link.name in shown
    assert scaling.PICTURE.exists()
