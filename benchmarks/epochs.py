"""Seconds an epoch and a sample, with the loss and its deviation from the reference beside them."""

import numpy as np
from scipy.sparse import random_array

from .common import BACKENDS, BATCH_SIZES, DTYPES, FORMS, N_SAMPLES, make_data, train


class Epoch:
    """One epoch of 784-100-10; the data are bytes, scaled as they are read."""

    params = (BACKENDS, BATCH_SIZES, DTYPES)
    param_names = ("backend", "batch_size", "dtype")
    # An epoch is long: a few of them show its time, and the least of them is meant.
    number = 1
    repeat = (2, 5, 10.0)
    warmup_time = 0
    rounds = 1

    def setup_cache(self):
        """Draw the data once for all."""
        return make_data(max(N_SAMPLES.values()))

    def setup(self, data, backend, batch_size, dtype):
        """Compile, or load from the cache, what will be timed."""
        self.arguments = {"batch_size": batch_size, "dtype": dtype}
        X, y = (array[: max(batch_size, 64)] for array in data)  # 64 hold several classes
        train(X, y, backend, **self.arguments)

    def time_fit(self, data, backend, batch_size, dtype):
        """Time a whole fit of one epoch: checks, packing and thread start included."""
        train(*data, backend, **self.arguments)

    def track_seconds_a_sample(self, data, backend, batch_size, dtype):
        """Track the best epoch of three, by the history."""
        history = train(*data, backend, epochs=3, **self.arguments)
        return min(history.seconds) / N_SAMPLES[backend]

    track_seconds_a_sample.unit = "seconds"

    def track_loss(self, data, backend, batch_size, dtype):
        """Track what was learned: the loss of the third epoch on the reference's samples."""
        return self._losses(data, backend)[-1]

    track_loss.unit = "nats"

    def track_deviation(self, data, backend, batch_size, dtype):
        """Track the largest relative difference from the reference's loss curve."""
        actual, expected = self._losses(data, backend), self._losses(data, "reference")
        return float(np.max(np.abs(actual / expected - 1)))

    track_deviation.unit = "relative"

    def _losses(self, data, backend):
        X, y = (array[: N_SAMPLES["reference"]] for array in data)
        return np.array(train(X, y, backend, epochs=3, **self.arguments).loss)


class Forms:
    """The kernels' paths: one epoch of 784-100-10 from each form of the same images."""

    params = (("dense", "mostly zeros", "bytes", "CSR"), (1, 64, 1024), DTYPES, (1, None))
    param_names = ("form", "batch_size", "dtype", "n_threads")
    number = 1
    repeat = (2, 5, 10.0)
    warmup_time = 0
    rounds = 1

    def setup_cache(self):
        """Draw the data once for all."""
        return make_data(N_SAMPLES["numba"])

    def setup(self, data, form, batch_size, dtype, n_threads):
        """Bring the data into their form, and compile what will be timed or load it."""
        if dtype == "float64" and n_threads is None:
            raise NotImplementedError  # float32 shows what threads are worth
        X, self.y = data
        self.X = FORMS[form](X, dtype)
        scale = "unit" if form == "bytes" else None
        self.arguments = {
            "batch_size": batch_size, "dtype": dtype, "n_threads": n_threads, "input_scale": scale,
        }  # fmt: skip
        few = max(batch_size, 64)
        train(self.X[:few], self.y[:few], "numba", **self.arguments)

    def time_fit(self, data, form, batch_size, dtype, n_threads):
        """Time a whole fit of one epoch: checks, packing and thread start included."""
        train(self.X, self.y, "numba", **self.arguments)

    def track_loss(self, data, form, batch_size, dtype, n_threads):
        """Track what was learned in one epoch, which is the same on any number of threads."""
        if n_threads is None:
            return float("nan")
        return train(self.X, self.y, "numba", **self.arguments).loss[-1]

    track_loss.unit = "nats"


class Wide:
    """One epoch on rows of 40 nonzeros among 10,000 features, where most are in few batches."""

    params = ("sgd", "adam")
    param_names = ("solver",)
    number = 1
    repeat = (2, 5, 10.0)
    warmup_time = 0
    rounds = 1

    def setup(self, solver):
        """Draw the data, and compile what will be timed or load it."""
        generator = np.random.default_rng(0)
        self.X = random_array((4096, 10_000), density=0.004, format="csr", rng=generator)
        self.X, self.y = self.X.astype(np.float32), np.arange(4096) % 20
        self.arguments = {"solver": solver, "input_scale": None, "learning_rate_init": 0.01}
        train(self.X[:64], self.y[:64], "numba", **self.arguments)

    def time_fit(self, solver):
        """Time a whole fit of one epoch."""
        train(self.X, self.y, "numba", **self.arguments)

    def track_loss(self, solver):
        """Track what was learned in one epoch."""
        return train(self.X, self.y, "numba", **self.arguments).loss[-1]

    track_loss.unit = "nats"


class Threads:
    """One epoch of a net whose products are large, on one thread and on as many as pay."""

    params = (("numpy", "numba"), (1, None))
    param_names = ("backend", "n_threads")
    number = 1
    repeat = (2, 5, 10.0)
    warmup_time = 0
    rounds = 1

    def setup_cache(self):
        """Draw the data once for all."""
        return make_data(4096)

    def setup(self, data, backend, n_threads):
        """Compile, or load from the cache, what will be timed."""
        self.arguments = {
            "hidden_layer_sizes": (512, 512), "batch_size": 1024, "n_threads": n_threads
        }  # fmt: skip
        train(*data, backend, **self.arguments)

    def time_fit(self, data, backend, n_threads):
        """Time a whole fit of one epoch."""
        train(*data, backend, **self.arguments)
