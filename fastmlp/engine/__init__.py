"""The engine: what is to be done, what has been done, and the loop from the one to the other.

- `plan`: what is to be done; it does not change while training;
- `state`: everything that does;
- `supply`: where the samples of an epoch come from;
- `descent`: epochs of gradient descent on a backend;
- `loop`: the training loop; `hooks`: what may look on, and end it;
- `full_batch`: the loss at all samples and its gradient; `quasi_newton`: L-BFGS, which takes them.
"""
