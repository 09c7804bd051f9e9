"""What is computed is compared with the reference, then timed, and the kernels must be ahead.

``pytest -n 0 tests/performance --benchmark-enable`` times; else, or where the kernels run as plain
Python, these are tests of agreement. `gate` tells how leads are measured and `contests` how large
they must be. That the gate does not fail by chance is shown by running it often, beside a process
that is always busy::

    python -c "while True: pass" & busy=$!
    for run in $(seq 20); do
        pytest -q -n 0 tests/performance --benchmark-enable || echo "run $run failed"
    done
    kill $busy
"""

import time

import numba
import pytest

from fastmlp.threads import limit_blas
from tests.performance.contests import CONTESTS
from tests.performance.gate import ROUNDS, ROUNDS_ALONE, Heat, too_small
from tests.tolerances import assert_close

CONTESTANTS = [
    (contest, name) for contest, (_, leads, ours) in CONTESTS.items() for name in (ours, *leads)
]


@pytest.fixture(scope="module")
def contestants(request, mnist_shaped):
    """Make the contestants of a contest, and leave BLAS one thread while they run."""
    with limit_blas(1):
        yield request.param, CONTESTS[request.param].contestants(*mnist_shaped)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize(("contestants", "name"), CONTESTANTS, indirect=["contestants"])
def test_right_then_timed(contestants, name, benchmark):
    title, everyone = contestants
    contest, contestant = CONTESTS[title], everyone[name]
    gated = name == contest.ours and benchmark.enabled and not numba.config.DISABLE_JIT
    heat = Heat(contestant, {other: everyone[other] for other in contest.leads if gated})
    actual = heat.ours.round()  # also compiles
    assert_close(actual, contestant.expected(), contestant.quantity, "float32")
    benchmark.group = title
    benchmark.extra_info["threads"] = 1
    rounds = ROUNDS if gated else ROUNDS_ALONE
    result = benchmark.pedantic(heat.ours.run, setup=heat.begin_round, rounds=rounds)
    assert_close(result, actual, contestant.quantity, "float32")
    if contestant.quantity == "loss curve":
        benchmark.extra_info["loss"] = result
    if gated:
        benchmark.extra_info["leads"] = heat.repeat(contest.least())
        if failures := too_small(heat.leads(), contest.least()):
            pytest.fail(failures)
