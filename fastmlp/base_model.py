"""What all models of `fastmlp.train` have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp.data.fitting import require_target
from fastmlp.data.reading import Reader, features_of
from fastmlp.data.source import Source, names_of, require_no_target, require_width
from fastmlp.feature_names import check_feature_names, compare_names
from fastmlp.held_out import HeldBlocks
from fastmlp.inputs import Features, Scale, wrap_features
from fastmlp.losses import LOSSES, Loss
from fastmlp.network import Parameters
from fastmlp.predictor import Predictor
from fastmlp.saving.content import Content
from fastmlp.tallies import Tally, begin_tally, evaluate


class Evaluation(NamedTuple):
    """How well a model does on data whose targets are known."""

    loss: float
    """Mean loss, without label smoothing: cross-entropy in nats, for a classifier."""
    score: float
    """Share of the samples whose class, or whose labels all, are predicted; or the coefficient of
    determination."""


class Serving(NamedTuple):
    """How a model reads X, and what predicts."""

    input_scale: Scale
    """What is done to every value of X before the first layer."""
    backend: str
    n_threads: int | None
    """At most so many threads predict; None chooses."""
    feature_names: Array | None = None
    """(n_features,), object: the columns' names, which data frames must have, in this order."""
    named_apart: bool = False
    """See `check_feature_names`."""


class BaseModel(ABC):
    """What the two kinds of model have in common.

    Parameters
    ----------
    parameters : Parameters
        Weights and biases; used, not copied.
    loss : Loss
        What was minimised.
    serving : Serving
    """

    feature_names_in_: Array
    """Names of the features seen in training; only there if X named its columns by strings."""

    def __init__(self, parameters: Parameters, loss: Loss, serving: Serving) -> None:
        scale, backend, n_threads, names, named_apart = serving
        output = LOSSES[loss.name].output
        self.predictor = Predictor(parameters, scale, output, backend, n_threads)
        self.loss, self.named_apart = loss, named_apart
        if names is not None:
            self.feature_names_in_ = names

    @property
    def parameters(self) -> Parameters:
        """Weights and biases."""
        return self.predictor.parameters

    @property
    def input_scale(self) -> Scale:
        """What is done to every value of X before the first layer."""
        return self.predictor.scale

    @property
    def backend(self) -> str:
        """Name of the backend that predicts."""
        return self.predictor.backend

    @property
    def n_threads(self) -> int | None:
        """At most so many threads predict; None chooses."""
        return self.predictor.n_threads

    @property
    def coefs_(self) -> tuple[Array, ...]:
        """Weights of each layer, of shape (fan_in, fan_out): views, to write into."""
        return self.parameters.coefs

    @property
    def intercepts_(self) -> tuple[Array, ...]:
        """Biases of each layer, of shape (fan_out,): views, to write into."""
        return self.parameters.intercepts

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in training."""
        return self.parameters.network.layer_sizes[0]

    def score(self, X: Any, y: Any = None) -> float:
        """Score the predictions for data whose targets are known.

        Parameters
        ----------
        X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features)
        y : array_like of shape (n_samples,) or (n_samples, n_outputs)
            As in training; left out where X is a source, which has its own.

        Returns
        -------
        float
            See `Evaluation.score`.

        Raises
        ------
        ValueError
            If X or y cannot be used, a label was not seen in training, or X and y differ in length.
        """
        self._check_names(X)
        if isinstance(X, Source):
            require_no_target(y, ("X", "y"))
            return self.evaluate_parts(self._parts(X)).score
        features, check = self._unchecked(X)
        check()
        return self.evaluate(features, self._read_targets(y, features.n_samples)).score

    def evaluate(
        self,
        features: Features,
        targets: Array,
        gather: Callable[[Array], Array] = np.asarray,
        tally: Tally | None = None,
    ) -> Evaluation:
        """Compute loss and score on data that has been checked already.

        Parameters
        ----------
        features : Features
        targets : ndarray
            As the engine takes them: see `fastmlp.losses.LOSSES`.
        gather : callable
            From the logits of `features` to those that belong to `targets`.
        tally : Tally, optional
            Scores in place of the model's own score.

        Returns
        -------
        Evaluation
        """
        return self.evaluate_parts([(features, targets)], gather, tally)

    def evaluate_parts(
        self,
        parts: Iterable[tuple[Features, Array]],
        gather: Callable[[Array], Array] = np.asarray,
        tally: Tally | None = None,
    ) -> Evaluation:
        """Compute loss and score on data that come in parts; see `evaluate`.

        Parameters
        ----------
        parts : iterable of (Features, ndarray)
            As many on each of several ranks.
        gather : callable
            As in `evaluate`.
        tally : Tally, optional
            Scores in place of the model's own score.

        Returns
        -------
        Evaluation
        """
        tally = begin_tally(self.loss.name) if tally is None else tally

        def compute_logits(features: Features) -> Array:
            return gather(self.predictor.logits(features))

        return Evaluation(*evaluate(compute_logits, self.loss, parts, tally))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a safetensors file, which `fastmlp.load` reads.

        Parameters
        ----------
        path : path-like
            Replaced at once when the new file is whole.

        Raises
        ------
        OSError
            If the file cannot be written; a folder that is not there is named.
        """
        from fastmlp.saving.file import write

        write(self._describe(), path)

    def to_onnx(self) -> Any:
        """Make an ONNX model that computes in float32; see `fastmlp.saving.onnx.to_onnx`.

        Returns
        -------
        onnx.ModelProto
            Its input "X" is as in training: `input_scale` is in the weights.

        Raises
        ------
        ImportError
            If onnx is not installed.
        """
        from fastmlp.saving.onnx import to_onnx

        return to_onnx(self._unscaled())

    def to_torch(self) -> Any:
        """Make a `torch.nn.Sequential` that gives logits.

        Returns
        -------
        torch.nn.Sequential
            Its input is as in training: `input_scale` is in the weights.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        """
        from fastmlp.saving.torch import to_sequential

        return to_sequential(self._unscaled())

    def to_sklearn(self) -> Any:
        """Make a fitted estimator of scikit-learn's with the same predictions.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            Its input is as in training: `input_scale` is in the weights.

        Raises
        ------
        ValueError
            If an activation is not one of scikit-learn's, or not the same in all layers.
        """
        from fastmlp.saving.scikit_learn import to_sklearn

        return to_sklearn(self._unscaled())

    def _describe(self) -> Content:
        """Describe the model for a file."""
        parameters, predictor = self.parameters, self.predictor
        settings = {
            "backend": predictor.backend, "n_threads": predictor.n_threads,
            "input_scale": tuple(predictor.scale), "loss": tuple(self.loss),
            "named_apart": self.named_apart,
        }  # fmt: skip
        names = getattr(self, "feature_names_in_", None)
        fitted = self._fitted() | ({} if names is None else {"feature_names_in_": names})
        return Content(
            type(self).__name__, list(parameters.coefs), list(parameters.intercepts),
            parameters.network.activations, predictor.output, {}, settings, fitted,
        )  # fmt: skip

    def _unscaled(self) -> Content:
        """Describe the model with weights that take X as it is."""
        return self._describe().unscaled(*self.input_scale)

    def _predictions(self, X: Any) -> Array:
        """Compute what the network puts out, of shape (n_samples, n_outputs)."""
        self._check_names(X)
        if isinstance(X, Source):
            return self._in_parts(X, self.predictor)
        found = self.predictor.few(X)
        return self.predictor(*self._unchecked(X)) if found is None else found

    def _check_names(self, X: Any) -> None:
        """Refuse a data frame whose columns are not those of training."""
        names = getattr(self, "feature_names_in_", None)
        if isinstance(X, Source):
            compare_names(names, names_of(X), named_apart=self.named_apart)
            require_width(X, self.n_features_in_, "X")
            return
        check_feature_names(names, X, named_apart=self.named_apart)

    def _in_parts(self, source: Source, compute: Callable[[Features], Array]) -> Array:
        """Compute something for all rows of a source, block by block, in their order."""
        parts = features_of(source, self.input_scale, self.parameters.dtype)
        return np.concatenate([compute(features) for features in parts])

    def _parts(self, source: Source) -> Iterator[tuple[Features, Array]]:
        """Read the blocks of a source, and their targets as the engine takes them."""
        require_target(source, "X")
        dtype = self.parameters.dtype
        reader = Reader(source, dtype, lambda y, name: self._read_targets(y, len(y)))
        blocks = np.arange(len(source.lengths))
        return HeldBlocks(reader, blocks, self.input_scale).parts()

    def _unchecked(self, X: Any) -> tuple[Features, Callable[[], None]]:
        """Read X, and return what raises where it is not finite."""
        return wrap_features(
            X, self.input_scale, self.parameters.dtype, n_features=self.n_features_in_
        )

    @abstractmethod
    def _fitted(self) -> dict[str, Any]:
        """Collect what was learned beside the weights."""

    @abstractmethod
    def _read_targets(self, y: Any, n_samples: int) -> Array:
        """Check y and turn it into the engine's targets."""

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.parameters.network.layer_sizes))
        kind, dtype = type(self).__name__, self.parameters.dtype.name
        return f"{kind}({sizes}, dtype={dtype}, backend={self.backend!r})"
