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
from tests.performance.gate import ROUNDS, ROUNDS_ALONE, Rounds, too_small
from tests.tolerances import assert_close

COMPETITORS = [
    (contest, name) for contest, (_, leads, ours) in CONTESTS.items() for name in (ours, *leads)
]


@pytest.fixture(scope="module")
def competitors(request, mnist_shaped):
    """Make the competitors of a contest, and leave BLAS one thread while they run."""
    with limit_blas(1):
        yield request.param, CONTESTS[request.param].competitors(*mnist_shaped)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize(("competitors", "name"), COMPETITORS, indirect=["competitors"])
def test_right_then_timed(competitors, name, benchmark):
    title, everyone = competitors
    contest, competitor = CONTESTS[title], everyone[name]
    gated = name == contest.ours and benchmark.enabled and not numba.config.DISABLE_JIT
    rounds = Rounds(competitor, {other: everyone[other] for other in contest.leads if gated})
    actual = rounds.ours.round()  # also compiles
    assert_close(actual, competitor.expected(), competitor.quantity, "float32")
    benchmark.group = title
    benchmark.extra_info["threads"] = 1
    n_rounds = ROUNDS if gated else ROUNDS_ALONE
    result = benchmark.pedantic(rounds.ours.run, setup=rounds.begin_round, rounds=n_rounds)
    assert_close(result, actual, competitor.quantity, "float32")
    if competitor.quantity == "loss curve":
        benchmark.extra_info["loss"] = result
    if gated:
        benchmark.extra_info["leads"] = rounds.repeat(contest.least())
        if failures := too_small(rounds.leads(), contest.least()):
            pytest.fail(failures)
