"""fastmlp beside the libraries that users would otherwise take, on this machine, in one run.

``python -m benchmarks.peers`` prints a table a row of `rows.ROWS`; ``--help`` lists what else it
does. Who is not installed, or cannot run, is named as missing with the reason.

What is counted
---------------
The whole call: for fastmlp `fastmlp.train` with its checks, its packing of the data, its starting
of threads, its drawing of orders and its losses; for the others all epochs, from weights that are
set to weights that are returned. Everybody starts from the same weights, sees the same samples in
the same order and makes the same number of updates, a smaller last batch included. Then one
function, in float64 NumPy and part of no contestant, computes the training loss of what everybody
returns: who differs from the median by more than the row's tolerance gets no time.

Compiling, importing, and the first calls that warm things up are not counted, but reported as
`prepare`. Each library computes in a process of its own, whose threads are set before it starts.
The runs alternate: everyone runs once, then everyone again. The minimum is taken.

Why each is at its best
-----------------------
Everybody but fastmlp is given the orders for nothing, drawn and converted beforehand, and runs on
one thread and on all (fastmlp on one, and on as many as it chooses itself); the better one counts.

- NumPy: a matrix a batch, float32, one-hot targets made beforehand, no loss computed. `NumPy per
  sample` is the article's loop over vectors.
- scikit-learn: `MLPClassifier.fit` with no momentum, no penalty and nothing that stops it early.
- PyTorch: tensors indexed without a `DataLoader`, the fused optimiser, the loss never read; eager,
  and with `torch.compile` over the forward and backward pass.
- JAX: one `jax.jit` over an epoch, a `lax.scan` over its batches whose parameters are updated in
  place, compiled ahead for the very shapes; no loss computed.

Contestants that would take minutes run on a part of an epoch, which is multiplied to the whole and
marked; their losses are compared with those of fastmlp on that part.
"""
