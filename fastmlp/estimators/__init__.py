"""scikit-learn's MLP estimators on fastmlp's backends, with what their users asked for beside.

- `classifier`, `regressor`: the two public classes;
- `base`: what they share, from the constructor's arguments to the fitted attributes; `fitting`:
  how they fit and score;
- `stochastic`, `quasi_newton`: the two ways to fit; `validation`: what they are watched on;
- `task`: what a fit is given; `memory`: what it leaves for the next one; `checkpoints`: a fit in a
  file, and going on from it;
- `conversion`: from scikit-learn's estimators and back; `exports`, `persistence`: files;
- `callbacks`: scikit-learn's protocol;
- `targets`, `labels`: y as it comes, and class labels and their codes;
- `coefs`: weights, drawn or put in their place;
- `options`: the arguments' rules and what they become.
"""

from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.conversion import from_sklearn
from fastmlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn"]
