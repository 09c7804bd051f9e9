"""fastmlp beside the libraries that users would otherwise take, on this machine, in one run.

``python -m benchmarks.peers`` prints a table a row of `rows.ROWS`, and with ``--sweeps`` one a
point of `sweeps.sweeps`; ``--help`` lists what else it does. Who is not installed, or cannot run,
is named as missing with the reason. What is counted, and why each library is at its best, is told
in ``benchmarks/README.md``.
"""
