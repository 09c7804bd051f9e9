"""`load`: reads what was saved, whatever it is."""

from os import PathLike
from typing import Any

from fastmlp import model
from fastmlp._errors import invalid
from fastmlp.engine import checkpoint
from fastmlp.saving import file


def load(path: str | PathLike[str]) -> Any:
    """Load an estimator, or a model of `train`, that was saved by its `save`.

    Nothing in the file is executed, so that a stranger's file does no harm.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    MLPClassifier, MLPRegressor, Model or RegressionModel

    Raises
    ------
    ValueError
        If the file is broken, or another program's, or a checkpoint.
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import fastmlp, pathlib, sklearn.datasets, tempfile
    >>> X, y = sklearn.datasets.load_digits(return_X_y=True)
    >>> model = fastmlp.MLPClassifier(solver="lbfgs", random_state=0, backend="numpy").fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder, "digits.safetensors"))
    ...     loaded = fastmlp.load(pathlib.Path(folder, "digits.safetensors"))
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    content = file.read(path)
    if checkpoint.is_writer(content.kind):
        rule = "a saved estimator or model"
        raise invalid(str(path), rule, "a checkpoint", checkpoint.reader_of(content.kind))
    try:
        if content.kind in model.KINDS:
            return model.restore(content)
        from fastmlp.estimators.persistence import restore

        return restore(content)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        remedy = "Save it again, with this version."
        raise invalid(str(path), "a saved estimator", f"{content.kind}: {error}", remedy) from error
