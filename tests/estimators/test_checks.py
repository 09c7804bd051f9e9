"""scikit-learn's own checks of its conventions: none is expected to fail."""

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    MLPClassifier(backend="numpy"),
    MLPRegressor(backend="numpy"),
]


# The checks fit a few epochs, and pass lists of dtypes that they warn about themselves.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.filterwarnings("ignore", category=ConvergenceWarning)
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
