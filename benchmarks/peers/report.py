"""The table as text."""

from .records import best, best_of, peak_share, ratio, verdict

COLUMNS = ("seconds", "ratio", "target", "", "loss", "GFLOP/s", "of peak", "prepare s")
WIDTHS = (11, 10, 8, 9, 11, 9, 9, 11)
LABEL_WIDTH = 34
HELD_BACK = "OPENBLAS_CORETYPE"
"""With this variable users keep OpenBLAS from instructions that the processor has."""
WITHOUT_DATASET = (
    "sparse", "digits", "table", "random", "standard", "waves", "exponentials",
)  # fmt: skip
"""The forms of data that bring their own."""
EXPLANATION = """\
seconds    the whole call, the shortest of the runs; * a part was run and multiplied to the whole
ratio      to fastmlp's best time; the target is for the best of each library
loss       training loss of what was returned, by one function in float64: cross-entropy, or for
           values the mean squared error
GFLOP/s    6 x weights x samples / seconds, whether or not inputs are zero and products left out
of peak    that of NumPy's sgemm on as many threads (fastmlp by its own choice: on all)
prepare    compiling and warming up, not counted"""


def machine_text(machine, peaks):
    """Write what the machine is.

    Parameters
    ----------
    machine : dict
        As `machine.describe` returns it.
    peaks : dict of str to float
        Floating-point operations a second of sgemm for each number of threads.
    """
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    blas = "; ".join(f"{name}: {value}" for name, value in machine["blas"].items())
    variables = " ".join(f"{name}={value}" for name, value in machine["variables"].items())
    speeds = ", ".join(f"{peak / 1e9:.0f} GFLOP/s on {n}" for n, peak in peaks.items())
    lines = [
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}",
        f"load before    {machine['load']}",
        f"python         {machine['python']}, {versions}",
        f"BLAS           {blas}",
        f"variables      {variables or 'none'}",
        f"sgemm 2048^3   {speeds} threads",
    ]
    if HELD_BACK in machine["variables"]:
        lines.append(
            f"               {HELD_BACK} holds NumPy, SciPy and scikit-learn, but not PyTorch "
            "and JAX, to the kernels it names: unset it to see them at their best"
        )
    return "\n".join(lines)


def row_text(row, peaks):
    """Write the table of a row.

    Parameters
    ----------
    row : dict
        As `records.row_record` makes it.
    peaks : dict of str to float

    Returns
    -------
    str
        A heading, a line for each competitor, and whether fastmlp's own aims were reached.
    """
    task = row["task"]
    source = task["form"] if task["form"] in WITHOUT_DATASET else task["dataset"]
    facts = f"{source} data, {task['n_samples']:,} samples, losses within {row['tolerance']:g}"
    lines = [f"{row['name']}: {row['title']} ({facts})", _line("", COLUMNS)]
    lines += [_entry_line(row, entry, peaks) for entry in row["entries"]]
    if row["most_seconds"] is not None:
        ours = best(row, "fastmlp")
        outcome = "missed" if ours is None or ours >= row["most_seconds"] else "reached"
        lines.append(f"  fastmlp in less than {row['most_seconds']} s: {outcome}")
    if row["peak_share"] is not None:
        lines.append("  " + peak_text(row, peaks))
    return "\n".join(lines)


def peak_text(row, peaks):
    """Write the share of the peak that fastmlp reaches, where the row has an aim for it.

    Parameters
    ----------
    row : dict
    peaks : dict of str to float
    """
    share, aim = peak_share(row, peaks), row["peak_share"]
    outcome = "missed" if share is None or share < aim else "reached"
    reached = written(share, "{:.0%}") or "no share"
    goal = f"the goal is {aim:.0%}: {outcome}"
    return f"fastmlp reaches {reached} of sgemm's peak on all threads, {goal}"


def count_text(rows):
    """Count the targets that were reached.

    Parameters
    ----------
    rows : iterable of dict
    """
    verdicts = [verdict(row, group) for row in rows for group in row["targets"]]
    missing = verdicts.count("-")
    text = f"{verdicts.count('reached')} of {len(verdicts)} targets reached"
    return text + (f", {missing} not measured" if missing else "")


def _line(label, cells):
    """Set a line of the table."""
    pairs = zip(cells, WIDTHS, strict=True)
    return (f"  {label:<{LABEL_WIDTH}}" + "".join(f"{c:>{width}}" for c, width in pairs)).rstrip()


def _entry_line(row, entry, peaks):
    """Write one competitor's line."""
    label = entry["label"] + ("*" if entry["in_part"] else "")
    seconds, group = best_of(entry), entry["group"]
    if seconds is None:
        return f"  {label:<{LABEL_WIDTH}}  missing: {entry['problem']}"
    aim = row["targets"].get(group) if seconds == best(row, group) else None
    flops = row["flops"] / seconds if row["flops"] else None
    peak = peaks.get("1") if entry["n_threads"] == 1 else max(peaks.values(), default=None)
    share = flops / peak if flops and peak and row["task"]["dtype"] == "float32" else None
    cells = (
        f"{seconds:.4g}",
        written(ratio(row, seconds), "{:.2f}x"),
        written(aim, "{:g}x"),
        verdict(row, group) if aim else "",
        f"{entry['loss']:.6f}",
        written(flops and flops / 1e9, "{:.1f}"),
        written(share, "{:.0%}"),
        f"{entry['prepare_seconds']:.2f}",
    )
    accuracy = entry["accuracy"]
    outcome = f"  {accuracy:.2%}, {entry['epochs']} epochs" if accuracy else ""
    return _line(label, cells) + outcome


def written(value, form):
    """Write a number that may be missing.

    Parameters
    ----------
    value : float or None
    form : str
        Its format.
    """
    return "" if value is None else form.format(value)
