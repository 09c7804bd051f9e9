"""`fastmlp train --mpi`: one process of several, of which the first alone speaks."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

import click

from fastmlp._errors import invalid
from fastmlp._extras import require
from fastmlp.cli.arguments import given
from fastmlp.cli.failures import FAILED
from fastmlp.cli.interruptions import interruptions
from fastmlp.distributed import RankError, Ranks
from fastmlp.distributed.communicator import TIMEOUT
from fastmlp.distributed.shares import REDUCTIONS

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = ("reduction", "sync_every", "timeout")


def mpi_options(command: Command) -> Command:
    """Decorate a command with what is said about several processes."""
    timeout = f"Seconds after which a process of --mpi is taken for lost [default: {TIMEOUT:g}]"
    steps = "Take so many steps apart between averages: another algorithm, for slow networks"
    sums = f"How --mpi sums gradients [choices: {', '.join(REDUCTIONS)}] [default: sum]"
    for decorate in (
        click.option("--timeout", type=float, help=timeout),
        click.option("--sync-every", type=int, help=f"{steps} [default: 1]"),
        click.option("--reduction", help=sums),
        click.option("--mpi", is_flag=True, help="Be one process of an MPI job (mpiexec, srun)"),
    ):
        command = decorate(command)
    return command


def world(options: dict[str, Any]) -> Ranks | None:
    """Take the options of `mpi_options` out of all, and begin MPI if it is asked for.

    Parameters
    ----------
    options : dict

    Returns
    -------
    Ranks or None

    Raises
    ------
    ImportError
        If mpi4py, or a library of MPI, is not there.
    ValueError
        If an option is not as described, or given without --mpi.
    """
    mpi = options.pop("mpi")
    manner = given({name: options.pop(name) for name in OPTIONS})
    if not mpi:
        for name, value in manner.items():
            flag = "--" + name.replace("_", "-")
            raise invalid(flag, "left out without --mpi", repr(value))
        return None
    require("--mpi", "mpi", "mpi4py")
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        remedy = "pip install 'fastmlp[mpi]' brings one."
        raise ImportError(f"mpi4py finds no library of MPI: {error}. {remedy}") from error
    return Ranks(MPI.COMM_WORLD, **manner)


@contextmanager
def one_voice(ranks: Ranks | None) -> Iterator[bool]:
    """Keep all ranks but the first from printing, but for errors of their own.

    Yields
    ------
    bool
        Whether this is the first.
    """
    if ranks is None or ranks.comm.Get_rank() == 0:
        yield True
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        warnings.simplefilter("ignore")
        try:
            yield False
        except RankError:
            raise SystemExit(FAILED) from None
        except KeyboardInterrupt:  # all are interrupted together
            interruptions.put_off()
            raise SystemExit(interruptions.status) from None
        finally:
            sys.stdout.flush()
