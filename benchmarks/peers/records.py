"""What the race measured, as plain dicts: written to JSON, read back, and looked at.

The text, the pictures and the page are made from these alone, so that whoever has the file can make
them again without measuring.
"""

import json
from dataclasses import asdict

SAME_MACHINE = ("processor", "cores", "python", "versions")
"""What must be equal for results of different runs to stand in one file."""


def row_record(result):
    """Turn a row's result into a record.

    Parameters
    ----------
    result : RowResult

    Returns
    -------
    dict
    """
    row = result.row
    return {
        "name": row.name,
        "title": row.title,
        "task": asdict(row.task) | {"n_samples": result.n_samples},
        "tolerance": row.tolerance,
        "most_seconds": row.most_seconds,
        "peak_share": row.peak_share,
        "flops": result.flops,
        "targets": dict(row.targets),
        "entries": [_entry_record(entry) for entry in result.entries],
    }


def _entry_record(entry):
    """Turn a competitor's results into a record; times have six digits."""
    competitor = entry.competitor
    return {
        "label": competitor.label,
        "group": competitor.group,
        "n_threads": competitor.n_threads,
        "in_part": entry.factor != 1,
        "seconds": [float(f"{seconds:.6g}") for seconds in entry.seconds],
        "prepare_seconds": entry.prepare_seconds and float(f"{entry.prepare_seconds:.4g}"),
        "loss": entry.loss,
        "accuracy": entry.accuracy,
        "epochs": entry.epochs,
        "problem": entry.problem,
    }


def best_of(entry):
    """Find the shortest time of an entry; None if it does not count.

    Parameters
    ----------
    entry : dict
    """
    return None if entry["problem"] or not entry["seconds"] else min(entry["seconds"])


def best_entry(row, group):
    """Find the entry of a group with the shortest time; None if it has none.

    Parameters
    ----------
    row : dict
    group : str
    """
    counted = [e for e in row["entries"] if e["group"] == group and best_of(e) is not None]
    return min(counted, key=best_of, default=None)


def best(row, group):
    """Find the shortest time of a group; None if it has none.

    Parameters
    ----------
    row : dict
    group : str
    """
    entry = best_entry(row, group)
    return None if entry is None else best_of(entry)


def ratio(row, seconds):
    """Divide a time by fastmlp's best; None if either is missing.

    Parameters
    ----------
    row : dict
    seconds : float or None
    """
    ours = best(row, "fastmlp")
    return seconds / ours if seconds and ours else None


def verdict(row, group):
    """Tell whether the target of a group is reached.

    Parameters
    ----------
    row : dict
    group : str

    Returns
    -------
    str
        "reached", "missed", or "-" where there is no time.
    """
    reached = ratio(row, best(row, group))
    if reached is None:
        return "-"
    return "reached" if reached >= row["targets"][group] else "missed"


def peak_share(row, peaks):
    """Compute the share of the peak of all threads that fastmlp reaches; None if it has no time.

    Parameters
    ----------
    row : dict
    peaks : dict of str to float
        Floating-point operations a second of sgemm for each number of threads.
    """
    seconds = best(row, "fastmlp")
    return row["flops"] / seconds / max(peaks.values()) if seconds and row["flops"] else None


def groups_of(rows):
    """List the groups of some rows, in the order in which they come.

    Parameters
    ----------
    rows : iterable of dict
    """
    return list(dict.fromkeys(entry["group"] for row in rows for entry in row["entries"]))


def read(path, machine):
    """Read what is in a file already, which the next results are added to.

    Parameters
    ----------
    path : Path
        It may not exist yet.
    machine : dict
        As `machine.describe` returns it.

    Returns
    -------
    dict
        With "rows" and "sweeps", each a dict by name.

    Raises
    ------
    ValueError
        If the file is not of the race, or was written on another machine or with other libraries.
    """
    if not path.exists():
        return {"rows": {}, "sweeps": {}}
    try:
        content = json.loads(path.read_text())
        complete = {"machine", "rows", "sweeps"} <= set(content)
    except (ValueError, TypeError):  # no JSON, or not an object
        complete = False
    if not complete:
        raise ValueError(f"{path} must be a file of the race's results. Write into another file.")
    for name in SAME_MACHINE:
        then, now = content["machine"][name], machine[name]
        if then != now:
            raise ValueError(
                f"results must be of the same {name} as those that are in {path} already, {then}; "
                f"got {now}. Write into another file, or remove that one."
            )
    return content


def write(path, content):
    """Write results.

    Parameters
    ----------
    path : Path
    content : dict
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
