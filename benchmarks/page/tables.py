"""The tables of the page, and what fastmlp loses, from the records of the race."""

from benchmarks.peers.competitors import ALONE
from benchmarks.peers.records import best, best_entry, best_of, groups_of, ratio, verdict

COLUMN_OF = {"NumPy per sample": ("NumPy", " per sample"), "reference": ("NumPy", " reference")}
"""Groups that stand in the column of another, and what tells them there."""
COLUMNS = ("NumPy", "scikit-learn", "PyTorch", "JAX")


def markdown_table(headings, rows, alignment="l"):
    """Write a Markdown table.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
    alignment : str
        "l" or "r" for each column; the last one counts for all that follow.
    """
    sides = {"l": "---", "r": "---:"}
    marks = [sides[alignment[min(n, len(alignment) - 1)]] for n in range(len(headings))]
    lines = [headings, marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(seconds):
    """Write a time with its unit and three digits.

    Parameters
    ----------
    seconds : float or None
    """
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.1 * size or unit == "us":
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError


def is_of_threads(row):
    """Tell whether a row compares fastmlp with itself on one thread.

    Parameters
    ----------
    row : dict
    """
    return ALONE in groups_of([row])


def race_table(rows, columns=COLUMNS):
    """Write how many times as long as fastmlp the others take.

    Parameters
    ----------
    rows : iterable of dict
    columns : sequence of str
        The groups that have a column.
    """
    body = [[f"`{row['name']}`", row["title"], *race_cells(row, columns)] for row in rows]
    return markdown_table(["row", "work", "fastmlp", *columns], body, "llr")


def race_cells(row, columns, goals=True):
    """Write fastmlp's time, and the ratios of the other groups, each in its column.

    Parameters
    ----------
    row : dict
    columns : sequence of str
    goals : bool
        Write what is to be reached behind what is.

    Returns
    -------
    list of str
    """
    texts = {column: [] for column in columns}
    for group in groups_of([row]):
        times = ratio(row, best(row, group))
        column, note = COLUMN_OF.get(group, (group, ""))
        if column in texts and times is not None:
            goal = row["targets"].get(group) if goals else None
            texts[column].append(f"{times:.3g}x" + (f" ({goal:g}x)" if goal else "") + note)
    return [duration(best(row, "fastmlp")), *map(", ".join, texts.values())]


def row_table(row):
    """Write what every competitor of a row needed.

    Parameters
    ----------
    row : dict
    """
    body = []
    for entry in row["entries"]:
        seconds, label = best_of(entry), entry["label"] + ("*" if entry["in_part"] else "")
        if seconds is None:
            body.append([label, entry["problem"], "", "", ""])
            continue
        times = ratio(row, seconds)
        runs = ", ".join(duration(run) for run in sorted(entry["seconds"]))
        cells = [label, runs, f"{times:.2f}x" if times else "", f"{entry['loss']:.6f}"]
        body.append([*cells, f"{entry['prepare_seconds']:.2f} s"])
    headings = ["competitor", "runs", "to fastmlp's best", "final loss", "prepared in"]
    return markdown_table(headings, body, "lr")


def cost_of(row, seconds):
    """Divide a time by the number of samples trained on; None if it is missing.

    Parameters
    ----------
    row : dict
    seconds : float or None

    Returns
    -------
    float or None
        Seconds a sample.
    """
    return seconds and seconds / (row["task"]["n_samples"] * row["task"]["epochs"])


def sweep_table(sweep):
    """Write a sweep: what is varied down, the libraries across.

    Parameters
    ----------
    sweep : dict
    """
    groups = groups_of(point["row"] for point in sweep["points"])
    body = [
        [f"{point['value']:,g}", *(_sweep_cell(sweep, point["row"], group) for group in groups)]
        for point in sweep["points"]
    ]
    return markdown_table([sweep["axis"], *groups], body, "r")


def _sweep_cell(sweep, row, group):
    """Write the time a sample, or the loss and the time in which it was reached."""
    entry = best_entry(row, group)
    if entry is None:
        return "missing"
    if sweep["measure"] == "loss":
        return f"{entry['loss']:.4f} in {duration(best_of(entry))}"
    times = ratio(row, best_of(entry))
    text = duration(cost_of(row, best_of(entry)))
    return text if group == "fastmlp" or times is None else f"{text} ({times:.2f}x)"


def titled_rows(content):
    """List the rows that compare libraries, and the points of the sweeps, with their titles.

    Parameters
    ----------
    content : dict
        The race's JSON.

    Returns
    -------
    list of (str, dict)
    """
    rows = [(row["title"], row) for row in content["rows"].values() if not is_of_threads(row)]
    for sweep in content["sweeps"].values():
        rows += [
            (f"{sweep['title']}, {sweep['axis']} {point['value']:,g}", point["row"])
            for point in sweep["points"]
        ]
    return rows


def losses(content):
    """List, a sentence each, where another library was faster.

    Parameters
    ----------
    content : dict
        The race's JSON.
    """
    found = []
    for title, row in titled_rows(content):
        for group in groups_of([row]):
            times = ratio(row, best(row, group))
            if times is not None and times < 1:
                found.append(f"{title} (`{row['name']}`): {group} takes {times:.2f}x as long.")
    return found


def missed_targets(rows):
    """List, a sentence each, the goals that were not reached.

    Parameters
    ----------
    rows : iterable of dict
    """
    return [
        f"`{row['name']}`: {group} takes {ratio(row, best(row, group)):.3g}x as long, "
        f"the goal is {goal:g}x."
        for row in rows
        for group, goal in row["targets"].items()
        if verdict(row, group) == "missed"
    ]
