"""BENCHMARKS.md, its pictures and the README's table, all made from the JSON in `published/`.

``python -m benchmarks.page`` makes them again from the JSON that is there;
``python -m benchmarks.page --measure`` measures everything anew before, by the commands of
`COMMANDS`, which takes the better part of an hour. Nothing on the page is written by hand: a test
compares what is in the repository with what the JSON gives.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "benchmarks" / "published"
REPOSITORY = "https://github.com/fastmlp/fastmlp"
PICTURES = "pictures"
"""Folder of the pictures in `PUBLISHED`."""

COMMANDS = {
    "peers": "python -m benchmarks.peers --sweeps --json benchmarks/published/peers.json",
    "avx2": "python -m benchmarks.peers --isa avx2 --json benchmarks/published/avx2.json",
    "first_call": "python -m benchmarks.first_call --json benchmarks/published/first_call.json",
    "roofline": "python -m benchmarks.roofline --json benchmarks/published/roofline.json",
}
"""What measures each file."""
PAGE_COMMAND = "python -m benchmarks.page"
