"""From times to shares of the roof, and to a table."""

from .peaks import level_of

COLUMNS = (
    "kernel", "shape", "bytes", "FLOP", "FLOP/byte", "time a call", "GFLOP/s", "GB/s", "bound by",
    "share",
)  # fmt: skip
ARITHMETIC = "arithmetic"
MOSTLY_READ = 5
"""Where so many times more is read than written, the bandwidth of reading holds."""

SHARED = ("L3", "memory")
"""Levels whose bandwidth the threads share."""

TIMES = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "us"), (1, 1e3, "ms"), (float("inf"), 1, "s"))
SIZES = ((1e3, 1, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB"), (float("inf"), 1e9, "GB"))
COUNTS = ((1e3, 1, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (float("inf"), 1e9, "G"))


def row_of(case, seconds, peaks):
    """Compare a kernel with the roof over it.

    attainable = min(peak FLOP/s, FLOP/byte x bandwidth of the level that holds the footprint);
    share = attained / attainable, the same as the least time that the roof allows / the time.

    Parameters
    ----------
    case : cases.Case
    seconds : float
        A call.
    peaks : dict
        See `peaks.peaks_of`.

    Returns
    -------
    dict
    """
    work = case.work
    level = level_of(case.footprint, peaks["levels"])
    kind = "read" if work.read >= MOSTLY_READ * work.written else "update"
    bandwidth = peaks["levels"][level][kind] * (1 if level in SHARED else case.threads)
    peak = peaks["fma"] * case.threads
    least = {ARITHMETIC: work.flops / peak, level: work.bytes / bandwidth}
    bound = max(least, key=least.get)
    return {
        "kernel": case.kernel,
        "source": case.source,
        "shape": case.shape,
        "threads": case.threads,
        "read_bytes": work.read,
        "written_bytes": work.written,
        "bytes": work.bytes,
        "flops": work.flops,
        "intensity": work.flops / work.bytes,
        "seconds": seconds,
        "flops_per_second": work.flops / seconds,
        "bytes_per_second": work.bytes / seconds,
        "level": level,
        "traffic": kind,
        "bound_by": bound,
        "attainable_flops_per_second": work.flops / least[bound],
        "share": least[bound] / seconds,
        "note": case.note,
    }


def table(result):
    """Write the kernels as a table of Markdown.

    Parameters
    ----------
    result : dict
        As `measure` returns it, or from its JSON.

    Returns
    -------
    str
    """
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---|" + "---:|" * 6 + "---|---:|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in result["kernels"]]
    return "\n".join(lines)


def _cells(row):
    """Write the cells of one kernel."""
    return (
        row["kernel"],
        row["shape"],
        scaled(row["bytes"], SIZES),
        scaled(row["flops"], COUNTS),
        f"{row['intensity']:.2g}",
        scaled(row["seconds"], TIMES),
        f"{row['flops_per_second'] / 1e9:.1f}",
        f"{row['bytes_per_second'] / 1e9:.1f}",
        row["bound_by"],
        f"{row['share']:.0%}",
    )


def scaled(number, units):
    """Write a number to three digits with the unit that suits it.

    Parameters
    ----------
    number : float
    units : tuple of (float, float, str)
        Up to which number a unit is used, by what to multiply (times) or divide, and its name.

    Returns
    -------
    str
    """
    _, factor, name = next(unit for unit in units if number < unit[0])
    value = number * factor if units is TIMES else number / factor
    return f"{value:.3g} {name}".rstrip()


def peaks_text(result):
    """Write the machine's peaks as a table of Markdown.

    Parameters
    ----------
    result : dict
        See `table`.

    Returns
    -------
    str
    """
    peaks = result["peaks"]
    sgemm = ", ".join(f"{flops / 1e9:.0f} on {n}" for n, flops in peaks["sgemm"].items())
    lines = [
        f"Multiply-adds of registers: {peaks['fma'] / 1e9:.0f} GFLOP/s on one thread.",
        f"NumPy's sgemm: {sgemm} threads, in GFLOP/s.",
        "",
        "| level | size | read GB/s | read and written GB/s |",
        "|---|---:|---:|---:|",
    ]
    for name, level in peaks["levels"].items():
        size = f"{level['size'] >> 10:,} KiB" if level["size"] else ""
        speeds = " | ".join(f"{level[kind] / 1e9:.0f}" for kind in ("read", "update"))
        lines.append(f"| {name} | {size} | {speeds} |")
    return "\n".join(lines)


def notes(result):
    """Write why shares are low, a line for each kernel that has a note; see `table`."""
    rows = [row for row in result["kernels"] if row["note"]]
    return "\n".join(f"- {row['kernel']}: {row['note']}" for row in rows)
