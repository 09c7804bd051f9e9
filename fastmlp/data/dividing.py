"""The blocks of a source, or of the sources of several ranks, which train on them together."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Indices
from fastmlp._errors import invalid
from fastmlp.data.fitting import blocks_at_once
from fastmlp.data.reading import Reader
from fastmlp.data.source import Source, kept_dtype
from fastmlp.data.survey import Survey, warn_if_sorted
from fastmlp.ranks import Alone, require_alike
from fastmlp.rng import BlockOrders


class Division(NamedTuple):
    """Blocks, numbered rank after rank."""

    lengths: Indices
    """(n_blocks,): rows of the blocks of all ranks, those of rank 0 first."""
    borders: Indices
    """(size + 1,): where the blocks of each rank begin, and where all end."""
    ranks: Alone

    @property
    def own(self) -> slice:
        """Where the blocks of this rank lie among those of all."""
        return slice(*self.borders[self.ranks.rank : self.ranks.rank + 2].tolist())

    def held_out(self, trained: Indices) -> Indices:
        """List the blocks of this rank, counted from its own first, that are not trained on.

        Parameters
        ----------
        trained : ndarray of shape (n_trained,), intp
            Of all ranks.
        """
        first, last = self.borders[self.ranks.rank : self.ranks.rank + 2]
        held: Indices = np.setdiff1d(np.arange(first, last), trained) - first
        return held

    def begin_orders(
        self, reader: Reader, found: Survey, blocks: Indices | None, shuffle: bool,
        seed: int,
    ) -> BlockOrders:  # fmt: skip
        """Make what draws the orders of the epochs; warn where sorted data are to be mixed.

        Parameters
        ----------
        reader : Reader
            Of this rank's source.
        found : Survey
        blocks : ndarray of shape (n_trained,), intp, or None
            Those to train on, of all ranks; None takes all.
        shuffle : bool
        seed : int
        """
        ranks, source = self.ranks, reader.source
        trained = np.arange(len(self.lengths)) if blocks is None else blocks
        if shuffle and ranks.rank == 0:
            warn_if_sorted(found, trained)
        # One number for all ranks, so that a checkpoint has the orders of all.
        _, fitting = ranks.collect(lambda: blocks_at_once(source, reader.dtype), lambda own: own)
        return BlockOrders(
            seed, self.lengths, trained, min(fitting), shuffle, not source.repeatable,
            self.borders if ranks.size > 1 else None,
        )  # fmt: skip

    def require_as_before(self, orders: BlockOrders, path: str, remedy: str) -> None:
        """Raise a `ValueError` where blocks were divided otherwise among ranks before.

        Parameters
        ----------
        orders : BlockOrders
            Those of a checkpoint.
        path : str
            Where that lies.
        remedy : str
            What to pass.
        """
        size = 1 if orders.borders is None else len(orders.borders) - 1
        if size != self.ranks.size:
            advice = "Only what fits in memory can be gone on with by another number."
            raise invalid("comm", f"of {size} ranks, as in {path}", f"{self.ranks.size}", advice)
        if orders.borders is not None and not np.array_equal(orders.borders, self.borders):
            got = "blocks that are divided otherwise among the ranks"
            raise invalid("X", f"the data of {path}", got, remedy)


def divide(source: Source, dtype: np.dtype[Any], ranks: Alone, further: dict[str, Any]) -> Division:
    """See that the ranks' sources are alike, and give their blocks numbers.

    Parameters
    ----------
    source : Source
        This rank's.
    dtype : dtype
        What is computed in.
    ranks : Alone
    further : dict of str to object
        What else must be the same on all ranks.

    Returns
    -------
    Division

    Raises
    ------
    ValueError
        If something is not.
    """
    names = source.feature_names
    alike = further | {
        "columns": source.n_features, "names of the columns": names and list(names),
        "kind of numbers": kept_dtype(source.dtype, dtype).name,
        "weights": source.weighted, "number of targets": source.n_targets,
        "way of reading": source.repeatable,
    }  # fmt: skip
    _, everyone = ranks.collect(lambda: None, lambda _: (alike, list(source.lengths)))
    ranks.collect(lambda: require_alike([one for one, _ in everyone], "X"))
    n_blocks = [len(lengths) for _, lengths in everyone]
    lengths = np.array([length for _, some in everyone for length in some], np.intp)
    return Division(lengths, np.append(0, np.cumsum(n_blocks)).astype(np.intp), ranks)


def require_sums(ranks: Alone) -> None:
    """Raise a `ValueError` where sums are to be ordered by rows, which are not all known.

    Parameters
    ----------
    ranks : Alone
    """
    reduction = ranks.manner["reduction"]
    if reduction != "sum":
        rule = "'sum' where X is larger than its buffer"
        raise invalid("reduction", rule, repr(reduction), "Its curves are the same to rounding.")
