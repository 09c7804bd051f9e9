"""BENCHMARKS.md and the README's section, written from the JSON."""

import re

from benchmarks import first_call, roofline
from benchmarks.peers.competitors import ALONE
from benchmarks.peers.report import count_text, peak_text
from benchmarks.roofline.report import notes
from benchmarks.roofline.report import peaks_text as roofline_peaks

from . import COMMANDS, PAGE_COMMAND, PICTURES
from .front import front, peaks_text
from .tables import (
    duration,
    is_of_threads,
    losses,
    markdown_table,
    missed_targets,
    race_table,
    row_table,
    sweep_table,
)

BEGIN, END = "<!-- made by python -m benchmarks.page -->", "<!-- end -->"
"""What stands around the section of the README."""


def page(results):
    """Write BENCHMARKS.md.

    Parameters
    ----------
    results : dict of str to dict
        The content of each file, by the names of `COMMANDS`.

    Returns
    -------
    str
    """
    parts = [HEAD.format(page_command=PAGE_COMMAND), *(part(results) for part in SECTIONS)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def competitors(results):
    """Write every run of every competitor, for the site.

    Parameters
    ----------
    results : dict of str to dict
        As for `page`.

    Returns
    -------
    str
    """
    races = (("peers", ""), ("avx2", " --isa avx2"))
    return "\n\n".join(
        _competitors(row, results[name]["sgemm_flops_per_second"], options)
        for name, options in races
        for row in results[name]["rows"].values()
    )


def _competitors(row, peaks, options):
    """Write what everybody needed for a row."""
    return (
        f"**{row['name']}**: {row['title']}\n\n"
        f"`python -m benchmarks.peers{options} --only {row['name']}`, {row['date']}, "
        f"{row['task']['n_samples']:,} samples, losses within {row['tolerance']:g}\n\n"
        + row_table(row)
        + (f"\n\n{peak_text(row, peaks)}" if row.get("peak_share") else "")
    )


def readme(text, results):
    """Replace the section of the README.

    Parameters
    ----------
    text : str
        The README.
    results : dict of str to dict

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the README has no such section.
    """
    section = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(section.findall(text)) != 1:
        raise ValueError(f"README.md must have one section between {BEGIN!r} and {END!r}")
    told = front(results["peers"], results["first_call"])
    return section.sub(lambda match: f"{BEGIN}\n{told.strip()}\n{END}", text)


def _machine(results):
    """Write the machine as a table."""
    machine = results["peers"]["machine"]
    rows = [
        (name, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict)
         else ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in machine.items()
    ]  # fmt: skip
    table = markdown_table(["", "measured on"], [*rows, ("sgemm", peaks_text(results["peers"]))])
    return f"## The machine\n\n{table}"


def _race(results):
    """Write the table of the race."""
    content = results["peers"]
    rows = list(content["rows"].values())
    return RACE.format(command=COMMANDS["peers"], table=_tables(rows), count=count_text(rows))


def _tables(rows):
    """Write the table of the libraries, and behind it that of fastmlp's own threads."""
    of_threads = [row for row in rows if is_of_threads(row)]
    table = race_table([row for row in rows if not is_of_threads(row)])
    return table + (THREADS + race_table(of_threads, (ALONE,)) if of_threads else "")


def _race_avx2(results):
    """Write the race in which everybody is held to AVX2."""
    content = results["avx2"]
    rows = list(content["rows"].values())
    return RACE_AVX2.format(
        command=COMMANDS["avx2"], table=_tables(rows), count=count_text(rows),
        peaks=peaks_text(content),
    )  # fmt: skip


def _losing(results):
    """Write where fastmlp loses, and which goals it misses."""
    found = losses(results["peers"])
    found += [f"With AVX2: {text}" for text in losses(results["avx2"])]
    missed = missed_targets(results["peers"]["rows"].values())
    missed += [f"With AVX2: {text}" for text in missed_targets(results["avx2"]["rows"].values())]
    starting = results["first_call"]["fastmlp"]["cold_seconds"]
    lines = [f"- {text}" for text in found] or ["- In no row and at no point of a sweep."]
    lines.append(
        f"- The first training on a machine compiles the kernels: {starting:.1f} s "
        "(`python -m benchmarks.first_call`)."
    )
    text = "## Where fastmlp loses\n\n" + "\n".join(lines)
    if missed:
        text += "\n\nAnd where it is ahead, but by less than its goals:\n\n"
        text += "\n".join(f"- {sentence}" for sentence in missed)
    return text


def _sweeps(results):
    """Write the curves and the sweeps, each with its picture and its numbers."""
    parts = {"loss": [LOSS_CURVES], "cost": [COSTS]}
    for sweep in results["peers"]["sweeps"].values():
        parts[sweep["measure"]].append(
            f"### {sweep['title']}: {sweep['axis']}\n\n"
            f"![{sweep['title']}](benchmarks/published/{PICTURES}/{sweep['name']}.png)\n\n"
            f"`python -m benchmarks.peers --only {sweep['name']}`\n\n{sweep_table(sweep)}"
        )
    return "\n\n".join(parts["loss"] + parts["cost"])


def _roofline(results):
    """Write the roofline: the picture and the table of the kernels."""
    measured = results["roofline"]
    return ROOFLINE.format(
        command=COMMANDS["roofline"], peaks=roofline_peaks(measured),
        table=roofline.table(measured), notes=notes(measured),
        pictures=f"benchmarks/published/{PICTURES}",
    )  # fmt: skip


def _starting(results):
    """Write what imports and first fits take."""
    starting = results["first_call"]
    facts = starting["fastmlp"]
    return STARTING.format(
        command=COMMANDS["first_call"], table=first_call.table(starting),
        files=facts["cache_files"], size=f"{facts['cache_bytes'] / 1e6:.1f}",
        cold=duration(facts["cold_seconds"]),
    )  # fmt: skip


SECTIONS = (_machine, _race, _race_avx2, _losing, _sweeps, _roofline, _starting)

HEAD = """
# Benchmarks

Every number on this page comes from the JSON files in `benchmarks/published` and stands beside the
command that measured it. The page is made from them by `{page_command}`, and all of it is measured
anew by `{page_command} --measure`. How each library is run, why that is its best case, and how
noise is handled is told in [benchmarks/README.md](https://github.com/fastmlp/fastmlp/blob/main/benchmarks/README.md).
"""

RACE = """
## The race

How many times as long as fastmlp the others take, each at its best number of threads; in brackets
what we want to reach. Measured by `{command}`; a row alone by `--only` and its name. {count}.

{table}

Every run of every competitor is in `benchmarks/published/peers.json`; the site shows them, too.
"""

THREADS = """

What a second thread is worth: how many times as long fastmlp takes on one alone. Beside a process
that keeps a core half busy its own choice is to take at most 1.1 times as long as one.

"""

RACE_AVX2 = """
## The race where everybody has AVX2 alone

Most processors have no AVX-512. Here every library is held to AVX2 by variables of the environment
({peaks} in float32 by NumPy), each at its best number of threads: `{command}`. {count}.

{table}

"""

LOSS_CURVES = """
## Loss over time

Everybody starts from the same weights and sees the same samples in the same order, so that after as
many epochs everybody has the same loss: what differs is when. Each point is a whole fit.
"""

COSTS = """
## What it costs as sizes vary

Seconds a sample of whole fits on MNIST, or on what the title says; in brackets how many times
as long as fastmlp. Each library on one thread and on all, the better one shown.
"""

ROOFLINE = """
## How near to the machine's limits

What each kernel must move and compute, what the machine can do, and the share of it that is
reached: `{command}`.

{peaks}

![Roofline]({pictures}/roofline.png)

{table}

{notes}
"""

STARTING = """
## Imports and first fits

A new Python for each: `{command}`. The first fit of fastmlp on a machine compiles ({cold}), and
leaves {files} files of together {size} MB.

{table}
"""
