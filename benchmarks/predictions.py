"""Seconds to predict: many rows at once, and one row after the other."""

import fastmlp

from .common import FEW, FORMS, make_images

N_ROWS = 10_000
N_CALLS = 100

SCALES = {"dense": None, "uint8": "unit", "CSR": None}


class _Predictions:
    """784-100-10 in float32, which has seen a few rows: how well it predicts does not matter."""

    params = (("numba", "numpy"), tuple(SCALES))
    param_names = ("backend", "form")
    number = 1
    rounds = 2
    warmup_time = 0
    model = None

    def setup_cache(self):
        """Draw the rows once for all."""
        return make_images(N_ROWS)

    def setup(self, rows, backend, form):
        """Train on a few rows and predict once, which compiles the kernels or loads them."""
        if self.model is None:
            images, y = rows
            self.X = FORMS[form](images, "float32")
            self.row = self.X[:1]
            self.model = _train(self.X[:FEW], y[:FEW], backend, SCALES[form])
            self.model.predict_proba(self.X)
            self.model.predict_proba(self.row)


def _train(X, y, backend, input_scale):
    """Train as this version of the library can, or let asv show n/a."""
    try:
        return fastmlp.train(X, y, backend=backend, input_scale=input_scale, epochs=1).model
    except (TypeError, ValueError) as error:
        raise NotImplementedError(str(error)) from error


class Throughput(_Predictions):
    """As many threads as pay."""

    repeat = (4, 20, 1.0)

    def time_predict_proba_10000_rows(self, rows, backend, form):
        """Time all rows in one call."""
        self.model.predict_proba(self.X)


class Latency(_Predictions):
    """A row a call; asv times a function once, so that a hundred calls are one."""

    repeat = (4, 20, 0.5)

    def time_predict_proba_100_single_rows(self, rows, backend, form):
        """Time one row after the other."""
        predict_proba, row = self.model.predict_proba, self.row
        for _ in range(N_CALLS):
            predict_proba(row)
