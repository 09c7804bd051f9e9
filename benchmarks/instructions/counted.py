"""The process that valgrind runs: it asks that one run of each workload be counted.

Run without valgrind it does the same and nothing is counted, which compiles the kernels.
"""

import ctypes
import gc
import importlib
import sys
from pathlib import Path

import fastmlp

LEFT_OUT = 3
"""Exit status where a workload could not be run."""


def run(requests, name, prepare):
    """Let one run of a workload be counted.

    Parameters
    ----------
    requests : ctypes.CDLL
        Made of `requests.c`.
    name : str
    prepare : callable
        Returns what is run.
    """
    work = prepare()
    gc.collect()
    requests.start()
    work()
    requests.stop(name.encode())


def main(folder, library, table):
    """Count the workloads of a table; one that this version of fastmlp cannot run is left out.

    Parameters
    ----------
    folder : str
        Where fastmlp must come from.
    library : str
        Path of the compiled `requests.c`.
    table : str
        Name of the module with the `WORKLOADS`.

    Returns
    -------
    int
        The exit status.
    """
    source = Path(fastmlp.__file__).resolve()
    if not source.is_relative_to(Path(folder).resolve()):
        raise ImportError(f"fastmlp must come from {folder}; got {source}")
    gc.disable()
    requests, status = ctypes.CDLL(library), 0
    for name, prepare in importlib.import_module(table).WORKLOADS.items():
        try:
            run(requests, name, prepare)
        except Exception as error:
            print(f"not counted: {name} ({type(error).__name__}: {error})", file=sys.stderr)
            status = LEFT_OUT
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
