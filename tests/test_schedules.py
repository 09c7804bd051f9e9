"""Learning-rate schedules against their formulas."""

import numpy as np
import pytest

from fastmlp.schedules import Progress, Schedule, cosine, invscaling, one_cycle, step


def test_cosine_falls_from_the_rate_to_almost_zero():
    rates = Schedule(cosine, 0.4).rates(Progress(0, 100, 100, 0))
    assert rates[0] == 0.4
    assert rates[50] == pytest.approx(0.2)
    assert 0 < rates[-1] < 0.4 / 1000
    assert (np.diff(rates) < 0).all()


def test_invscaling_is_one_rate_an_epoch():
    rates = Schedule(invscaling, 0.4).rates(
        Progress(first_step=20, n_steps=10, total_steps=100, samples_seen=399)
    )
    np.testing.assert_allclose(rates, np.full(10, 0.4 / 20))


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10, 1000])
def test_one_cycle_is_finite_and_never_above_its_peak(n_steps):
    rates = Schedule(one_cycle, 0.4).rates(Progress(0, n_steps, n_steps, 0))
    assert np.isfinite(rates).all()
    assert (rates > 0).all()
    assert (rates <= 0.4).all()


@pytest.mark.parametrize("schedule", [cosine, one_cycle, step])
def test_schedules_do_not_depend_on_how_epochs_cut_them(schedule):
    whole = Schedule(schedule, 0.4, step_every=5, warm_up=7).rates(Progress(0, 12, 12, 0))
    parts = [
        Schedule(schedule, 0.4, step_every=5, warm_up=7).rates(Progress(first, 4, 12, 0))
        for first in (0, 4, 8)
    ]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_step_falls_after_so_many_updates():
    rates = Schedule(step, 0.4, step_every=3, step_factor=0.5).rates(Progress(2, 6, 100, 0))
    np.testing.assert_allclose(rates, [0.4, 0.2, 0.2, 0.2, 0.1, 0.1])


def test_warm_up_rises_to_the_rate():
    rates = Schedule(cosine, 0.4, warm_up=4).rates(Progress(0, 6, 1000, 0))
    expected = Schedule(cosine, 0.4).rates(Progress(0, 6, 1000, 0))
    np.testing.assert_allclose(rates / expected, [0.25, 0.5, 0.75, 1, 1, 1])
