"""What compiled code depends on: a kernel on disk is of use only where all of it is the same."""

import hashlib
import pkgutil
import sys
from importlib import import_module
from importlib.util import find_spec
from types import CodeType
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba.core import config

SETTINGS_OF_NO_CODE = (
    "CACHE_", "COLOR_SCHEME", "CUDA_", "DEBUG_CACHE", "DEVELOPER_MODE", "DISABLE_CUDA",
    "DISABLE_PERFORMANCE_WARNINGS", "ENABLE_CUDASIM", "FORCE_CUDA", "FULL_TRACEBACKS",
    "FUNCTION_CACHE_SIZE", "GDB_BINARY", "NUMBA_", "SHOW_HELP", "THREADING_LAYER", "_",
)  # fmt: skip
"""How numba's settings begin that say where, on how many threads or with which messages to work.
All others count, those that numba will have one day included."""


def versions():
    """List the versions of what reads the source and makes the code.

    Returns
    -------
    tuple
    """
    python = sys.version_info[:2], getattr(sys, "abiflags", "")
    llvm = llvmlite.__version__, llvmlite.binding.llvm_version_info
    return python, numba.__version__, llvm, np.__version__.split(".")[:2]


def settings():
    """List numba's settings that may change the code, as they are now.

    Returns
    -------
    dict of str to str
    """
    config.reload_config()  # numba heeds changes of the environment, too, before it compiles
    return {
        name: repr(value)
        for name, value in sorted(vars(config).items())
        if name.isupper() and not name.startswith(SETTINGS_OF_NO_CODE)
    }


def fingerprint(code):
    """Describe what byte code does, and not where its source lay.

    Parameters
    ----------
    code : code object

    Returns
    -------
    str
    """
    constants = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            constants.append(fingerprint(constant))
        elif isinstance(constant, frozenset):  # in the order of the hashes, which are random
            constants.append(sorted(map(repr, constant)))
        else:
            constants.append(repr(constant))
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return repr((code.co_code, code.co_exceptiontable, counts, names, constants))


def sources(package):
    """Hash the sources of a package's modules, or their byte code where there is no source.

    The loaders know both wherever they lie: in files, in an archive, inside a program.

    Parameters
    ----------
    package : str

    Returns
    -------
    str

    Raises
    ------
    Exception
        Of many kinds, where a loader does not know them.
    """
    digest = hashlib.sha256()
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    if not names:
        raise ImportError(f"the modules of {package} cannot be listed")
    for name in names:
        full = f"{package}.{name}"
        spec: Any = find_spec(full)
        source = spec.loader.get_source(full)
        text = fingerprint(spec.loader.get_code(full)) if source is None else source
        digest.update(repr((name, text)).encode())
    return digest.hexdigest()


def identity():
    """Describe all that the code of the kernels depends on, but for the processor.

    Returns
    -------
    str
        Empty where that cannot be known.
    """
    try:
        return repr((versions(), settings(), sources(__package__)))
    except Exception:  # loaders raise what they like
        return ""


AT_IMPORT = identity()


def is_known():
    """Tell whether the kernels are what `identity` says.

    They are not where a file or a setting has changed since they were imported: part of them may be
    compiled of what was before.

    Returns
    -------
    bool
    """
    return AT_IMPORT != "" and identity() == AT_IMPORT
