"""Where threads wait for one another inside a kernel: 135 ns, no lock and no call of the system.

Every thread counts its arrivals in a slot of its own and spins until the others have counted as
many. The threads are plain threads of Python that run a kernel without the interpreter's lock.
"""

import platform
import sys
import time

from llvmlite import ir
from numba.core import cgutils, types

from fastmlp.kernels.jit import kernel
from fastmlp.kernels.lowering import operation, pointer_to

STRIDE = 16
"""Slots lie 128 bytes apart: processors fetch lines of 64 bytes in pairs."""

PATIENCE = 2000
"""Spins, some 40 us of them, after which the processor is offered to another thread."""


def barrier_size(n_threads: int) -> int:
    """Compute the size of the int64 array for a barrier: a slot a thread, and one to cancel it.

    Parameters
    ----------
    n_threads : int

    Returns
    -------
    int
    """
    return (n_threads + 1) * STRIDE


def _store_twin(array, index, value):
    array[index] = value


@operation(lambda array, index: array[index])
def load_acquire(typing, array, index):
    """Read an int64 that another thread may write, and see all that it wrote before."""

    def generate(context, builder, sig, arguments):
        return builder.load_atomic(pointer_to(context, builder, sig, arguments), "acquire", 8)

    return types.int64(array, index), generate


@operation(_store_twin)
def store_release(typing, array, index, value):
    """Write an int64 for other threads to read, after all that was written before."""

    def generate(context, builder, sig, arguments):
        number = context.cast(builder, arguments[2], sig.args[2], types.int64)
        builder.store_atomic(number, pointer_to(context, builder, sig, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(array, index, value), generate


def _void_call(context, builder, name, *arguments):
    """Call a function that returns nothing of use."""
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
    return context.get_dummy_value()


@operation(lambda: time.sleep(0))
def pause(typing):
    """Tell the processor that this is a loop that waits."""

    def generate(context, builder, sig, arguments):
        if platform.machine().lower() in ("x86_64", "amd64"):
            return _void_call(context, builder, "llvm.x86.sse2.pause")
        if platform.machine().lower() in ("aarch64", "arm64"):
            return _void_call(context, builder, "llvm.aarch64.hint", ir.IntType(32)(1))
        return context.get_dummy_value()

    return types.void(), generate


@operation(lambda: time.sleep(0))
def yield_processor(typing):
    """Let the operating system run another thread."""

    def generate(context, builder, sig, arguments):
        name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
        return _void_call(context, builder, name)

    return types.void(), generate


@kernel
def wait_for_all(slots, thread, n_threads):
    """Wait until every thread has come here.

    Parameters
    ----------
    slots : (barrier_size,) int64
        Zeros before the threads start; the last slot is set to cancel the waiting.
    thread : int
        Which of the threads this is.
    n_threads : int

    Returns
    -------
    bool
        Whether to go on: False where the waiting was cancelled.
    """
    if n_threads == 1:
        return True
    arrivals = slots[thread * STRIDE] + 1
    store_release(slots, thread * STRIDE, arrivals)
    for other in range(n_threads):
        spins = 0
        while load_acquire(slots, other * STRIDE) < arrivals:
            pause()
            spins += 1
            if spins == PATIENCE:
                if load_acquire(slots, n_threads * STRIDE) != 0:
                    return False
                yield_processor()
                spins = 0
    return True
