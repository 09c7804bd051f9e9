"""Optimizer, steps and targets as the kernels take them."""

from typing import Any

import numpy as np

from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.contract import Epoch, Problem
from fastmlp.kernels import losses, optimizers
from fastmlp.kernels.losses import ClassTargets, PairTargets, ValueTargets
from fastmlp.kernels.optimizers import Solver, StepSizes
from fastmlp.losses import LOSSES, Loss
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule


def as_solver(rule: Rule, dtype: np.dtype[Any]) -> Solver:
    """Describe an update rule to the kernels, its numbers in the parameters' dtype.

    Parameters
    ----------
    rule : Rule
    dtype : dtype

    Returns
    -------
    optimizers.Solver
        What the optimizer has no number for is 0.
    """
    optimizer = rule.solver
    numbers = {name: getattr(optimizer, name, 0) for name in Solver._fields[1:]}
    numbers |= {"alpha": rule.alpha, "l1": rule.l1}
    kinds = {name: bool if name == "nesterov" else dtype.type for name in numbers}
    values = {name: kinds[name](number) for name, number in numbers.items()}
    return Solver(optimizers.CODES[optimizer.kernel], **values)


def as_step_sizes(rule: Rule, epoch: Epoch) -> StepSizes:
    """Work out the numbers of each step."""
    dtype = epoch.rates.dtype
    strengths = (rule.alpha / epoch.totals, rule.l1 / epoch.totals)
    l2, l1 = (read_only(strength.astype(dtype)) for strength in strengths)
    # One row of rates, or two: see `contract.Epoch.rates`.
    rates = second = read_only(epoch.rates)
    if rates.ndim == 2:
        rates, second = (read_only(np.ascontiguousarray(column)) for column in rates.T)
    return StepSizes(rates, l2, l1, read_only(epoch.decays), second)


def as_targets(
    problem: Problem, loss: Loss, parameters: Parameters
) -> ClassTargets | ValueTargets | PairTargets:
    """Hand targets and weights to the kernels where they lie."""
    dtype, n_outputs = parameters.dtype, parameters.network.layer_sizes[-1]
    weights = np.empty(0, dtype) if problem.weights is None else problem.weights
    weights = read_only(np.ascontiguousarray(weights, dtype))
    smoothing = dtype.type(loss.label_smoothing)
    if LOSSES[loss.name].targets == "classes":
        classes = read_only(np.ascontiguousarray(problem.targets, np.intp))
        return ClassTargets(classes, weights, n_outputs, smoothing)
    if loss.name in losses.PAIRED:
        twice = np.repeat(np.ascontiguousarray(problem.targets, dtype), 2)
        return PairTargets(read_only(twice), weights, n_outputs)
    values = read_only(np.ascontiguousarray(problem.targets, dtype).ravel())
    code = losses.CODES[loss.name]
    numbers = smoothing, dtype.type(loss.delta), dtype.type(loss.level)
    return ValueTargets(values, weights, n_outputs, code, *numbers)
