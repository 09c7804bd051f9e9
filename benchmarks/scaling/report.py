"""The tables and the picture of how training grows with the number of machines."""

import numpy as np

from benchmarks.page.tables import duration, markdown_table
from benchmarks.scaling.model import (
    BATCHES,
    ENOUGH,
    LINKS,
    MACHINES,
    Machine,
    Plan,
    all_reduce,
    fit,
)  # fmt: skip

N_PARAMETERS = {"784-100-10": 79_510, "784-1024-1024-10": 1_863_690}
SIZE_INCHES, DOTS_AN_INCH = (9.0, 3.6), 90


def plan_of(results, name, batch_size):
    """Put together what was measured of a network.

    Parameters
    ----------
    results : dict
        As `benchmarks.scaling` writes it.
    name : str
    batch_size : int

    Returns
    -------
    Plan
    """
    machines = [
        Machine(tuple(map(int, steps)), tuple(steps.values()))
        for steps in (results["steps"][name][kind] for kind in ("together", "alone"))
    ]
    return Plan(*machines, 4 * N_PARAMETERS[name], batch_size, results["gamma"])


def measured_table(results):
    """Write the all-reduces of two processes, beside what the model makes of them."""
    points = {int(size): seconds for size, seconds in results["all_reduce"].items()}
    link, worst = fit(points, results["gamma"])
    rows = [
        [f"{size:,}", duration(seconds), duration(all_reduce(size, 2, link, results["gamma"]))]
        for size, seconds in points.items()
    ]
    head = ["bytes", "measured", "alpha-beta model"]
    text = (
        f"Two processes on one machine, {results['mpi']}: alpha = {link.alpha * 1e6:.1f} µs, "
        f"beta = {link.beta / 1e9:.1f} GB/s; the farthest point is {worst:.1f} times off."
    )
    return f"{markdown_table(head, rows, 'r')}\n\n{text}"


def steps_table(results):
    """Write what steps take on one thread."""
    kinds = {"alone": "fused", "together": "gradient, update"}
    columns = [(name, kind) for name in results["steps"] for kind in kinds]
    rows = [
        [f"{int(n_rows):,}", *(duration(results["steps"][n][kind][n_rows]) for n, kind in columns)]
        for n_rows in next(iter(results["steps"].values()))["alone"]
    ]
    return markdown_table(["rows", *(f"{n}, {kinds[kind]}" for n, kind in columns)], rows, "r")


def accuracy_table(results):
    """Write how well batches of each size learn."""
    rows = [[f"{int(size):,}", f"{score:.2%}"] for size, score in results["accuracy"].items()]
    return markdown_table(["batch", "best test accuracy after 10 epochs"], rows, "r")


def efficiency_table(results):
    """Write the computed efficiency of each network, batch and link."""
    rows = []
    for name in results["steps"]:
        for batch_size in BATCHES:
            plan = plan_of(results, name, batch_size)
            for link in LINKS:
                cells = [f"{plan.efficiency(n, link):.0%}" for n in MACHINES]
                rows.append([name, f"{batch_size:,}", link.name, *cells])
    head = ["network", "batch", "network between", *(f"{n:,}" for n in MACHINES)]
    return markdown_table(head, rows, "lrlr")


def needed_table(results):
    """Write from which batch, or from how many steps apart, machines are worth it."""
    rows = []
    for name in results["steps"]:
        plan = plan_of(results, name, 1024)
        for link in LINKS:
            for n_ranks in (8, 128):
                batch_size, sync_every = plan.needed(n_ranks, link)
                steps = "not enough rows" if sync_every is None else f"{sync_every:,}"
                rows.append([name, link.name, str(n_ranks), f"{batch_size:,}", steps])
    head = ["network", "network between", "machines", "batch", "or `sync_every` at 1,024"]
    return f"From {ENOUGH:.0%} on:\n\n{markdown_table(head, rows, 'llr')}"


def draw(results, path):
    """Draw the efficiency against the number of machines.

    Parameters
    ----------
    results : dict
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    machines = 2 ** np.arange(1, 11)
    for axes, name in zip(figure.subplots(1, 2, sharey=True), results["steps"], strict=True):
        for link, colour in zip(LINKS, ("C0", "C1", "C2", "C3", "C4"), strict=True):
            for batch_size, style in zip(BATCHES[1:], ("--", "-"), strict=True):
                plan = plan_of(results, name, batch_size)
                line = [plan.efficiency(int(n), link) for n in machines]
                label = f"{link.name}, {batch_size:,}"
                axes.plot(machines, line, style, color=colour, label=label)
        axes.set_xscale("log", base=2)
        axes.set(title=name, xlabel="machines (computed)", ylim=(0, 1))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("efficiency")
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(),
        fontsize=7,
        frameon=False,
        loc="outside right center",
        title="network between, batch",
        title_fontsize=7,
    )
    figure.savefig(path, dpi=DOTS_AN_INCH)
