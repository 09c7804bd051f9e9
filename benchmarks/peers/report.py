"""The table as text and as JSON."""

import json
from dataclasses import asdict

COLUMNS = ("seconds", "ratio", "target", "", "loss", "GFLOP/s", "of peak", "prepare s")
WIDTHS = (11, 10, 8, 9, 11, 9, 9, 11)
LABEL_WIDTH = 34
HELD_BACK = "OPENBLAS_CORETYPE"
"""With this variable users keep OpenBLAS from instructions that the processor has."""
EXPLANATION = """\
seconds    the whole call, the shortest of the runs; * a part was run and multiplied to the whole
ratio      to fastmlp's best time; the target is for the best of each library
loss       training loss of what was returned, by one function in float64
GFLOP/s    6 x weights x samples / seconds, whether or not inputs are zero and products left out
of peak    that of NumPy's sgemm on as many threads (fastmlp by its own choice: on all)
prepare    compiling and warming up, not counted"""


def machine_text(machine, peaks):
    """Write what the machine is.

    Parameters
    ----------
    machine : dict
        As `machine.describe` returns it.
    peaks : dict of int to float
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


def row_text(result, peaks):
    """Write the table of a row.

    Parameters
    ----------
    result : RowResult
    peaks : dict of int to float

    Returns
    -------
    str
        A heading, a line for each contestant, and whether fastmlp's own limit was kept.
    """
    row = result.row
    source = row.task.form if row.task.form in ("sparse", "digits", "table") else row.task.dataset
    facts = f"{source} data, {result.n_samples:,} samples, losses within {row.tolerance:g}"
    lines = [f"{row.name}: {row.title} ({facts})", _line("", COLUMNS)]
    lines += [_entry_line(result, entry, peaks) for entry in result.entries]
    ours = result.best("fastmlp")
    if row.most_seconds is not None:
        verdict = "missed" if ours is None or ours >= row.most_seconds else "reached"
        lines.append(f"  fastmlp in less than {row.most_seconds} s: {verdict}")
    return "\n".join(lines)


def verdict(result, group):
    """Judge the target of a group.

    Parameters
    ----------
    result : RowResult
    group : str

    Returns
    -------
    str
        "reached", "missed", or "-" where there is no time to judge.
    """
    ratio = result.ratio(result.best(group))
    if ratio is None:
        return "-"
    return "reached" if ratio >= result.row.targets[group] else "missed"


def to_json(path, machine, peaks, results):
    """Write everything measured, every run's time included.

    Parameters
    ----------
    path : Path
    machine : dict
    peaks : dict of int to float
    results : list of RowResult
    """
    rows = [_row_dict(result) for result in results]
    content = {"machine": machine, "sgemm_flops_per_second": peaks, "rows": rows}
    path.write_text(json.dumps(content, indent=1) + "\n")


def _line(label, cells):
    """Set a line of the table."""
    pairs = zip(cells, WIDTHS, strict=True)
    return (f"  {label:<{LABEL_WIDTH}}" + "".join(f"{c:>{width}}" for c, width in pairs)).rstrip()


def _entry_line(result, entry, peaks):
    """Write one contestant's line."""
    contestant = entry.contestant
    label = contestant.label + ("*" if entry.factor != 1 else "")
    if entry.problem is not None:
        return f"  {label:<{LABEL_WIDTH}}  missing: {entry.problem}"
    is_best = entry.best == result.best(contestant.group)
    aim = result.row.targets.get(contestant.group) if is_best else None
    flops = result.flops / entry.best if result.flops else None
    peak = peaks.get(1) if contestant.n_threads == 1 else max(peaks.values(), default=None)
    share = flops / peak if flops and peak and entry.task.dtype == "float32" else None
    cells = (
        f"{entry.best:.4g}",
        _written(result.ratio(entry.best), "{:.2f}x"),
        _written(aim, "{:g}x"),
        verdict(result, contestant.group) if aim else "",
        f"{entry.loss:.6f}",
        _written(flops and flops / 1e9, "{:.1f}"),
        _written(share, "{:.0%}"),
        f"{entry.prepare_seconds:.2f}",
    )
    outcome = f"  {entry.accuracy:.2%}, {entry.epochs} epochs" if entry.accuracy else ""
    return _line(label, cells) + outcome


def _written(value, form):
    """Write a number that may be missing."""
    return "" if value is None else form.format(value)


def _row_dict(result):
    """Turn a row into what JSON can hold."""
    row = result.row
    return {
        "name": row.name,
        "title": row.title,
        "task": asdict(row.task) | {"n_samples": result.n_samples},
        "tolerance": row.tolerance,
        "flops": result.flops,
        "targets": [
            {
                "group": group,
                "target": target,
                "ratio": result.ratio(result.best(group)),
                "verdict": verdict(result, group),
            }
            for group, target in row.targets.items()
        ],
        "entries": [
            asdict(entry) | {"label": entry.contestant.label, "best": entry.best}
            for entry in result.entries
        ],
    }
