"""What a fitted estimator can be written to and turned into."""

from typing import Any, cast

from sklearn.utils.validation import check_is_fitted


class Exports:
    """Methods that save a fitted estimator, or make a network of another library of it."""

    def to_sklearn(self) -> Any:
        """Make a fitted estimator of scikit-learn's of the same name.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            With the same predictions. Of the arguments it has those that scikit-learn knows.

        Raises
        ------
        ValueError
            If an activation is not one of scikit-learn's, or not the same in all layers.
        """
        from fastmlp.estimators.conversion import to_sklearn

        return to_sklearn(cast(Any, self))

    def save(self, path: Any) -> None:
        """Write the fitted estimator to a safetensors file, which `fastmlp.load` reads.

        The file is replaced at once when the new one is whole, where the file system lets us; links
        to it and its permissions stay. All arguments are kept but `callbacks`, and `partial_fit`
        goes on after loading as if nothing had been saved, to the bit.

        A callback may save in the middle of `fit`: of what it saved, each `partial_fit` with the
        same data is the epoch that came next, in the same order and with the same dropout. The
        weights are those of the moment, also with `early_stopping`. `fit` with `warm_start` takes
        the weights only and begins the solver and the draws anew, saved or not.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        ValueError
            If an argument, such as a function for `scoring`, cannot be written.
        OSError
            If the file cannot be written; a folder that is not there is named.
        """
        from fastmlp.estimators.persistence import describe
        from fastmlp.saving.file import write

        check_is_fitted(self)
        write(describe(cast(Any, self)), path)

    def to_onnx(self) -> Any:
        """Make an ONNX model that computes in float32; see `fastmlp.saving.onnx.to_onnx`.

        Returns
        -------
        onnx.ModelProto
            With the input "X", and the outputs "label" and "probabilities", or "variable".

        Raises
        ------
        ImportError
            If onnx is not installed.
        ValueError
            If `out_activation_` was set by hand.
        """
        from fastmlp.estimators.persistence import describe
        from fastmlp.saving.onnx import to_onnx

        check_is_fitted(self)
        cast(Any, self)._require_own_output("in ONNX for")
        return to_onnx(describe(cast(Any, self)).unscaled(*cast(Any, self)._input_scale))

    def to_torch(self) -> Any:
        """Make a `torch.nn.Sequential` with these weights, which gives logits.

        Returns
        -------
        torch.nn.Sequential
            Without the output function: its `state_dict` has "0.weight", "0.bias", "2.weight", ...

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        """
        from fastmlp.estimators.persistence import describe
        from fastmlp.saving.torch import to_sequential

        check_is_fitted(self)
        return to_sequential(describe(cast(Any, self)).unscaled(*cast(Any, self)._input_scale))

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take over the weights of a PyTorch `nn.Sequential` of the same shape.

        Parameters
        ----------
        state_dict : dict of str to torch.Tensor or ndarray

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If it has not the layers of this network.
        """
        from fastmlp.saving.torch import from_state_dict

        check_is_fitted(self)
        estimator: Any = self
        parameters = estimator._parameters()
        arrays = from_state_dict(state_dict, list(parameters.network.coef_shapes))
        for view, array in zip((*parameters.coefs, *parameters.intercepts), arrays, strict=True):
            view[...] = array
        return self
