"""PyTorch: eager, or compiled."""

from itertools import pairwise

from .tasks import Fitted, in_one_batch, initial_parameters, orders


class Trainer:
    """A network in PyTorch with its data, which is indexed as it lies.

    Parameters
    ----------
    task : Task
    data : Data
    compiled : bool
        Compile the forward and backward pass, for each size of batch.
    """

    def __init__(self, task, data, compiled):
        import torch

        self.torch, self.task = torch, task
        self.X, self.X_test = torch.from_numpy(data.X), torch.from_numpy(data.X_test)
        self.y, self.y_test = torch.from_numpy(data.y), torch.from_numpy(data.y_test)
        self.initial = [
            (torch.from_numpy(coefs.T), torch.from_numpy(intercepts))
            for coefs, intercepts in zip(*initial_parameters(task, data), strict=True)
        ]
        self.network = self._make_network((data.X.shape[1], *task.hidden_layer_sizes))
        self.loss = self._loss
        if compiled:
            torch.compiler.reset()  # after eight compiled shapes it would go back to eager
            self.loss = torch.compile(self._loss, dynamic=False, fullgraph=True)

    def _make_network(self, sizes):
        """Stack the layers; `initial` says how wide the last one is."""
        nn = self.torch.nn
        activation = {"logistic": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}[
            self.task.activation
        ]
        hidden = [
            layer
            for fan_in, fan_out in pairwise(sizes)
            for layer in (nn.Linear(fan_in, fan_out), activation())
        ]
        return nn.Sequential(*hidden, nn.Linear(sizes[-1], len(self.initial[-1][1])))

    @property
    def layers(self):
        """Weights and biases of each layer."""
        parameters = list(self.network.parameters())
        return list(zip(parameters[::2], parameters[1::2], strict=True))

    def _loss(self, X, y):
        functional, outputs = self.torch.nn.functional, self.network(X)
        if self.task.loss == "log_loss":
            return functional.cross_entropy(outputs, y)
        return functional.mse_loss(outputs, y, reduction="sum") / (2 * len(y))

    def start(self):
        """Set the initial weights and make an optimiser."""
        with self.torch.no_grad():
            for layer, initial in zip(self.layers, self.initial, strict=True):
                for parameter, values in zip(layer, initial, strict=True):
                    parameter.copy_(values)
        kind = {"sgd": self.torch.optim.SGD, "adam": self.torch.optim.Adam}[self.task.solver]
        return kind(self.network.parameters(), lr=self.task.learning_rate_init, fused=True)

    def train(self, order, optimiser, schedule=None):
        """Go through the samples once.

        Parameters
        ----------
        order : Tensor of shape (n_samples,)
        optimiser : Optimizer
        schedule : LRScheduler, optional
        """
        for X, y in self._batches(order):
            optimiser.zero_grad()
            self.loss(X, y).backward()
            optimiser.step()
            if schedule is not None:
                schedule.step()

    def _batches(self, order):
        """Gather the samples of each batch; one batch of all is where it lies."""
        if in_one_batch(self.task, len(order)):
            yield self.X, self.y
            return
        for chosen in order.split(self.task.batch_size):
            yield self.X.index_select(0, chosen), self.y.index_select(0, chosen)

    def test_accuracy(self):
        """Compute the share of the test samples whose class is predicted."""
        with self.torch.no_grad():
            predicted = self.network(self.X_test).argmax(dim=1)
        return (predicted == self.y_test).float().mean().item()

    def fitted(self, epochs):
        """Return the network as arrays.

        Parameters
        ----------
        epochs : int
        """
        layers = [[tensor.detach().numpy().copy() for tensor in layer] for layer in self.layers]
        return Fitted([coefs.T for coefs, _ in layers], [biases for _, biases in layers], epochs)


def prepare(task, data, variant, n_threads):
    """Build the network, and compile and warm up with a batch of each size there is.

    Parameters
    ----------
    task : Task
    data : Data
    variant : {"eager", "compiled"}
    n_threads : int or None

    Returns
    -------
    Run
    """
    import torch

    if n_threads is not None:
        torch.set_num_threads(n_threads)
    trainer = Trainer(task, data, variant == "compiled")
    epochs = [torch.from_numpy(order) for order in orders(task, data)]
    n_last = len(data.X) % task.batch_size
    optimiser = trainer.start()
    for order in (epochs[0][: 2 * task.batch_size], epochs[0][:n_last]):
        if len(order):
            trainer.train(order, optimiser)
    return RUNS[task.kind](trainer, epochs)


def _fit(trainer, epochs):
    """Train for all epochs."""

    def run():
        optimiser = trainer.start()
        for order in epochs:
            trainer.train(order, optimiser)
        return trainer.fitted(len(epochs))

    return run


def _reach(trainer, epochs):
    """Train until the test accuracy is reached, with the rate in one cycle."""
    task = trainer.task
    n_steps = len(epochs) * len(epochs[0].split(task.batch_size))
    one_cycle = trainer.torch.optim.lr_scheduler.OneCycleLR

    def run():
        optimiser = trainer.start()
        # Only the rate is in a cycle, as in fastmlp: Adam's momentum stays.
        schedule = one_cycle(
            optimiser, task.learning_rate_init, total_steps=n_steps, cycle_momentum=False
        )
        done = 0
        for order in epochs:
            trainer.train(order, optimiser, schedule)
            done += 1
            if trainer.test_accuracy() >= task.goal:
                break
        return trainer.fitted(done)

    return run


def _partial_fit(trainer, epochs):
    """Train, and then go on, a step a call."""
    optimiser = trainer.start()
    for order in epochs:
        trainer.train(order, optimiser)

    def run():
        trainer.train(epochs[0], optimiser)
        return lambda: trainer.fitted(len(epochs))

    return run


RUNS = {"fit": _fit, "reach": _reach, "partial_fit": _partial_fit}
