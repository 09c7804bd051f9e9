"""Data that need not fit in memory: sources, which are accepted wherever X is.

`parquet` and `arrow` read columnar files, `npy`, `memmap` and `zarr` arrays, `blocks` and
`iterator` what functions of one's own return; `shuffle` rewrites a source in random order, `part`
is one rank's blocks of it, `standardized` gives its columns mean 0 and deviation 1.
"""

from fastmlp.data.parts import part
from fastmlp.data.ranges import memmap, npy, zarr
from fastmlp.data.readers import blocks, iterator
from fastmlp.data.shuffling import shuffle
from fastmlp.data.source import Source
from fastmlp.data.standardizing import standardized
from fastmlp.data.tables import arrow, parquet

__all__ = [
    "Source",
    "arrow",
    "blocks",
    "iterator",
    "memmap",
    "npy",
    "parquet",
    "part",
    "shuffle",
    "standardized",
    "zarr",
]
