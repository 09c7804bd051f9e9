"""From settings and data to a trained model: what `train` and `resume` have in common."""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from fastmlp import datasets
from fastmlp._errors import invalid, warn
from fastmlp.arguments import make_rule, make_schedule, refuse_with_lbfgs
from fastmlp.backends.contract import Problem, n_batches
from fastmlp.base_model import BaseModel, Serving
from fastmlp.configuration import as_objective, as_stopping, loss_name, read_settings
from fastmlp.datasets import Dataset
from fastmlp.engine import checkpoint
from fastmlp.engine.descent import Descent, NotFiniteError, nothing
from fastmlp.engine.hooks import Hook, Stop, TimeBudget
from fastmlp.engine.loop import Evaluate, run
from fastmlp.engine.plan import Limits, Plan
from fastmlp.engine.quasi_newton import QuasiNewton
from fastmlp.engine.state import State
from fastmlp.held_out import HeldBlocks, Validation, known_by
from fastmlp.history import DivergenceError, EpochScores, History
from fastmlp.model import Model, RegressionModel
from fastmlp.network import Network
from fastmlp.ranks import Alone, require_alike
from fastmlp.tallies import Tally
from fastmlp.threads import limit_blas
from fastmlp.training_data import TrainingData
from fastmlp.training_source import SourceData
from fastmlp.watching import UNWATCHED, Reports, Watching

Data = TrainingData | SourceData
Run = Callable[[int, list[Hook], Evaluate | None], object]
"""Runs so many epochs, which hooks look on."""


class TrainResult(NamedTuple):
    """What `train` returns."""

    model: Any
    """The trained network: a `Model`, or a `RegressionModel` where numbers are predicted."""
    history: History
    """One entry for each epoch."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training ended because of Ctrl-C.

    Attributes
    ----------
    result : TrainResult
        The model as it was then, and the epochs that were finished.
    """

    def __init__(self, result: TrainResult) -> None:
        super().__init__(f"interrupted after {len(result.history.loss)} epochs")
        self.result = result


def read_alike(arguments: dict[str, Any], ranks: Alone) -> Any:
    """Check the arguments that say how to train, and that they are the same on all ranks.

    Parameters
    ----------
    arguments : dict of str to object
    ranks : Alone

    Returns
    -------
    SimpleNamespace
        See `read_settings`.
    """
    settings, everyone = ranks.collect(
        lambda: read_settings(arguments),
        lambda found: {name: repr(value) for name, value in sorted(vars(found).items())},
    )
    ranks.collect(lambda: require_alike(everyone))
    return settings


def storable(arguments: dict[str, Any], has_arrays: bool, kept: bool) -> dict[str, Any]:
    """Turn the arguments of `train` into what a file can hold.

    Parameters
    ----------
    arguments : dict of str to object
    has_arrays : bool
        Whether X and y were given; a data set is known by its name, if it is one of those that can
        be loaded by it. Whether that is the same shows in the fingerprint of the data.
    kept : bool
        Whether they are to be written.

    Returns
    -------
    dict of str to object
    """
    dataset, seed = arguments["dataset"], arguments["random_state"]
    name = str(dataset.name if isinstance(dataset, Dataset) else dataset)
    if kept and not isinstance(arguments["scoring"], str | None):
        rule = "the name of a score where there is a checkpoint"
        raise invalid("scoring", rule, repr(arguments["scoring"]))
    stored = {
        "dataset": name if name in datasets.NAMES and not has_arrays else "",
        "dtype": np.dtype(arguments["dtype"]).name,
        "random_state": int(seed) if isinstance(seed, Integral) else None,
    }
    return arguments | stored


def make_plan(settings: Any, network: Network, n_samples: int, loss: str) -> Plan:
    """Describe what is to be done.

    Parameters
    ----------
    settings : SimpleNamespace
        See `read_settings`.
    network : Network
    n_samples : int
        So many are trained on.
    loss : str
        A key of `fastmlp.losses.LOSSES`.

    Returns
    -------
    Plan
    """
    steps_per_epoch = n_batches(n_samples, settings.batch_size * settings.accumulate)
    return Plan(
        backend=settings.backend,
        objective=as_objective(settings, len(network.activations), loss),
        rule=make_rule(settings),
        schedule=make_schedule(settings, steps_per_epoch),
        batch_size=settings.batch_size,
        epochs=settings.max_iter,
        n_threads=settings.n_threads,
        stopping=as_stopping(settings),
        time_budget=np.inf if settings.time_budget is None else settings.time_budget,
        accumulate=settings.accumulate,
        full_batch=Limits(settings.max_fun, settings.tol) if settings.solver == "lbfgs" else None,
    )


def data_fingerprint(data: Data, ranks: Alone, by_rows: bool) -> str:
    """Compute a number by which to know the data again.

    Parameters
    ----------
    data : TrainingData or SourceData
    ranks : Alone
    by_rows : bool
        Whether it is to be the same however the rows are divided among ranks; that takes longer.

    Returns
    -------
    str
    """
    if isinstance(data, SourceData):
        return checkpoint.fingerprint_of_ranks(data.known_by(), ranks)
    held = known_by(data.validation)
    values, scale = data.features.values, data.features.scale
    codes, weights = data.targets.codes, data.weights
    if not by_rows:
        return checkpoint.fingerprint((values, np.array(scale), codes, weights, *held))
    if weights is not None:
        weights = weights[ranks.first : ranks.first + len(codes)]
    parts = [part for part in ((values, codes, weights), held) if part]
    return checkpoint.fingerprint_of_rows(scale, parts, ranks)


def train_from(
    state: State, settings: Any, data: Data, watching: Watching, arguments: dict[str, Any],
    ranks: Alone,
) -> TrainResult:  # fmt: skip
    """Train from a state to the end.

    Parameters
    ----------
    state : State
    settings : SimpleNamespace
    data : TrainingData or SourceData
    watching : Watching
    arguments : dict
        What a checkpoint is to hold.
    ranks : Alone

    Returns
    -------
    TrainResult

    Raises
    ------
    DivergenceError, TrainingInterrupted, OSError
        See `fastmlp.train`.
    """
    if ranks.rank > 0:
        watching = UNWATCHED
    loss = loss_name(settings, data.targets)
    plan = make_plan(settings, state.parameters.network, state.orders.n_samples, loss)
    if plan.full_batch is not None:
        further = {
            "checkpoint": watching.file is not None, "comm": ranks.shared,
            "a source of data": isinstance(data, SourceData),
        }  # fmt: skip
        ranks.collect(lambda: refuse_with_lbfgs(settings, **further))
    method, run_epochs = _begin(plan, state, data, ranks)
    state.history.compile_seconds += method.compile_seconds
    model = _make_model(plan, state, data)
    hooks = _hooks(plan, state, model, watching)
    write = _writer(method, hooks, (watching.file, arguments, data), ranks)
    evaluate = _evaluator(model, data, settings, ranks)
    result = TrainResult(model, state.history)
    try:
        with limit_blas(method.blas_threads):
            if evaluate is not None:
                _require_defined(evaluate, settings)
            run_epochs(0 if state.over else plan.epochs - state.epoch, hooks, evaluate)
            write()
    except NotFiniteError as what:
        raise DivergenceError(_diverged(state, str(what)), state.history) from None
    except KeyboardInterrupt:
        raise TrainingInterrupted(result) from None
    finally:
        state.take_best()
    if state.diverged:
        warn(_diverged(state, "the weights with the best validation score are kept"))
    return result


def _begin(plan: Plan, state: State, data: Data, ranks: Alone) -> tuple[Descent | QuasiNewton, Run]:
    """Begin to train in the way that the plan asks for, and return what runs the epochs."""
    supply = data.supply(state.orders, plan.step_size)
    if plan.full_batch is None or not isinstance(supply, Problem):
        descent = Descent(plan, state, supply, ranks=ranks)
        return descent, partial(run, descent)
    loss, limits = plan.objective.loss, plan.full_batch
    newton = QuasiNewton(plan.backend, state, plan.rule, loss, supply, plan.n_threads, limits)
    return newton, newton.run


def _make_model(plan: Plan, state: State, data: Data) -> Model | RegressionModel:
    """Make what predicts with the parameters as they are, while they are trained and after."""
    named = data.feature_names, data.named_apart
    serving = Serving(data.scale, plan.backend, plan.n_threads, *named)
    parameters, classes = state.parameters, data.targets.classes
    if classes is not None:
        return Model(parameters, classes, serving, data.targets.multilabel)
    return RegressionModel(parameters, plan.objective.loss, data.targets.flat, serving)


def _writer(
    method: Descent | QuasiNewton,
    hooks: list[Hook],
    what: tuple[checkpoint.File | None, dict[str, Any], Data],
    ranks: Alone,
) -> Callable[[], object]:
    """Add what writes checkpoints to the hooks, and make what writes the last one."""
    file, arguments, data = what
    if isinstance(method, QuasiNewton) or not ranks.agree(file is not None):
        return nothing
    if isinstance(data, SourceData) and not data.source.repeatable:
        remedy = "fastmlp.data.blocks can be gone on with."
        raise invalid("checkpoint", "left out with an iterator", repr(file), remedy)
    known = data_fingerprint(data, ranks, ranks.shared)
    if file is None:
        return lambda: ranks.collect(nothing)
    settings = arguments | (ranks.manner if ranks.shared else {})
    described = checkpoint.Description("train", settings, known)
    hooks.append(checkpoints := checkpoint.Checkpoints(file, method, described))
    return lambda: ranks.collect(checkpoints.write)


def _evaluator(model: BaseModel, data: Data, settings: Any, ranks: Alone) -> Evaluate | None:
    """Make what evaluates the model after each epoch, of all ranks where there are several.

    It looks at the validation set, or at the training data where there is none, but a score asked
    for.
    """
    held, tally = data.validation, None
    if held is None and settings.scoring is None:
        return None
    seen = _training_rows(data, settings) if held is None else held
    if settings.scoring is not None:
        tally, _ = ranks.collect(lambda: _chosen_score(model, seen, settings, ranks))
    if isinstance(seen, HeldBlocks):
        parts = seen.shared(ranks)
        return lambda: EpochScores(*model.evaluate_parts(parts(), ranks.gather, tally))
    features, codes = seen
    evaluate = partial(model.evaluate, features, ranks.gather(codes), ranks.gather, tally)
    if held is None:
        return lambda: EpochScores(score=evaluate().score)
    return lambda: EpochScores(*evaluate())


def _training_rows(data: Data, settings: Any) -> Validation:
    """Return what is trained on, to be scored."""
    if isinstance(data, SourceData):
        rule = "left out where X is larger than its buffer and there is no validation set"
        raise invalid("scoring", rule, repr(settings.scoring), "Pass X_val.")
    return data.features, data.targets.codes


def _chosen_score(model: BaseModel, held: Validation, settings: Any, ranks: Alone) -> Tally:
    """Make what computes the score of the user's choice."""
    from fastmlp.scoring import ChosenScore

    X = None if ranks.shared or isinstance(held, HeldBlocks) else held[0].values
    return ChosenScore(settings.scoring, model, X)


def _require_defined(evaluate: Evaluate, settings: Any) -> None:
    """Raise a `ValueError` where a metric that weights are chosen by is undefined."""
    if settings.scoring is not None and settings.early_stopping:
        from fastmlp.scoring import is_metric, require_defined

        if is_metric(settings.scoring):
            require_defined(lambda: float(evaluate().val_score or 0.0))


def _hooks(plan: Plan, state: State, model: BaseModel, watching: Watching) -> list[Hook]:
    """Put together what looks on, in the order in which it is told."""
    hooks: list[Hook] = []
    if plan.stopping is not None:
        hooks.append(Stop(plan.stopping, state, nothing))
    if watching.callbacks:
        hooks.append(Reports(model, state, plan.epochs, watching))
    if plan.time_budget < np.inf:
        hooks.append(TimeBudget(plan.time_budget - sum(state.history.seconds)))
    return hooks


def _diverged(state: State, what: str) -> str:
    """Say that training diverged, and what to do."""
    return (
        f"training diverged in epoch {state.epoch}: {what}. Try a smaller learning_rate_init, an "
        "input_scale that brings X near [-1, 1], or dtype='float64'."
    )
