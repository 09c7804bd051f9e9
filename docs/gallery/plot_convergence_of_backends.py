"""
One algorithm, three programs
=============================

The reference goes through samples one by one, the NumPy backend through matrices, the kernels
through registers. How far apart are their curves after so many steps? No further than rounding.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

curves = {
    (backend, dtype): np.array(
        fastmlp.train(
            dataset="digits", epochs=15, random_state=0, backend=backend, dtype=dtype
        ).history.loss
    )
    for backend in ("reference", "numpy", "numba")
    for dtype in ("float32", "float64")
}

figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
expected = curves["reference", "float64"]
for (backend, dtype), curve in curves.items():
    if (backend, dtype) != ("reference", "float64"):
        style = "-" if dtype == "float64" else "--"
        deviation = np.maximum(abs(curve / expected - 1), 1e-17)
        axis.semilogy(range(1, 16), deviation, style, label=f"{backend}, {dtype}")
axis.set(xlabel="epoch", ylabel="relative difference to the reference")
_ = axis.legend(ncols=2, fontsize=8)
