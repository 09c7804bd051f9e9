"""What holds every library to the instructions of an older processor."""

import os

HELD = {
    "avx2": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    }
}
"""Environment variables, which libraries read when they are imported."""


def held_to(isa):
    """Tell whether this process and those that it starts are held to these instructions.

    Parameters
    ----------
    isa : str
        "own", or one of `HELD`.
    """
    return all(os.environ.get(name) == value for name, value in HELD.get(isa, {}).items())
