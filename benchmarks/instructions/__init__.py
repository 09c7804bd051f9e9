"""How many instructions the kernels execute: a measure that no neighbour on the machine disturbs.

A time on a busy machine varies by some ten percent, so that a kernel may become a percent slower
every month and nobody sees it. The number of instructions of the same compiled code on the same
data is the same number, run for run:

    python -m benchmarks.instructions                  count
    python -m benchmarks.instructions --update         and write the record
    python -m benchmarks.instructions --check          and compare with the record
    python -m benchmarks.instructions --against main   and compare with another commit's library

**What is counted.** Each workload of `table/workloads.py` runs once, on one thread, under
``valgrind --tool=callgrind``, and the instructions that lie in no file are added up: those that
numba compiled, the reading of their arguments included. What Python, NumPy and the C library
execute is left out: the interpreter's part differs by some thousandths from run to run, and by more
between two builds of it, while the kernels' part does not differ at all. The kernels are compiled
anew, in the order of the table, into a cache of their own.

**Why for a fixed processor.** The kernels are compiled for a Haswell (AVX2), whatever processor
they run on: valgrind does not know AVX-512, and so the counts are the same on every x86-64 machine
with AVX2, as long as Python, numba and llvmlite are those of the record. Where they are not,
``--check`` says so and compares nothing; ``--against`` counts both sides here and always compares.

**What it does not show.** An instruction is not a time. Waiting for memory, for a divider or for
another thread costs time and no instructions; that AVX-512 does the same in half as many is not
seen; nor is what libm computes for a kernel. A kernel that reads its weights in a worse order
counts the same: the timed benchmarks are for that. A change that counts more and takes less time is
a good one, and a reason to update the record.

**With hardware counters** no valgrind is needed: ``perf stat -e instructions:u`` before a command
counts the whole process natively, AVX-512 and Python's part included. Virtual machines often have
none: there perf prints ``<not supported>``, and valgrind, which executes each instruction itself,
still counts.
"""
