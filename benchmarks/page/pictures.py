"""The pictures of the page."""

from benchmarks.peers.plot import COLOURS
from benchmarks.peers.records import best_entry, best_of, groups_of

from .tables import cost_of

SIZE_INCHES, DOTS_AN_INCH = (7.0, 4.2), 110
MARKERS = dict(zip(COLOURS, "os^vDPX", strict=True))
"""So that lines are told apart without colours."""


def draw_sweep(sweep, path):
    """Draw a line a library: the time a sample against what is varied, or loss against time.

    Parameters
    ----------
    sweep : dict
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = {"cost": _cost_points, "loss": _loss_points}[sweep["measure"]]
    for group in groups_of(point["row"] for point in sweep["points"]):
        line = points(sweep, group)
        if line:
            axes.plot(
                *zip(*line, strict=True), label=group, color=COLOURS[group], marker=MARKERS[group],
                linewidth=2.5 if group == "fastmlp" else 1.5, markersize=5,
            )  # fmt: skip
    LABELS[sweep["measure"]](axes, sweep)
    axes.set_title(sweep["title"], loc="left", fontsize=10)
    axes.grid(which="major", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, dpi=DOTS_AN_INCH)


def _cost_points(sweep, group):
    """List the values with the seconds a sample."""
    entries = [(point, best_entry(point["row"], group)) for point in sweep["points"]]
    return [
        (point["value"], cost_of(point["row"], best_of(entry)))
        for point, entry in entries
        if entry is not None
    ]


def _loss_points(sweep, group):
    """List the seconds in which each loss was reached."""
    entries = [best_entry(point["row"], group) for point in sweep["points"]]
    return [(best_of(entry), entry["loss"]) for entry in entries if entry is not None]


def _label_cost(axes, sweep):
    """Scale and name the axes of a sweep over costs; the marks are the values measured."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    values = [point["value"] for point in sweep["points"]]
    wide = max(values) > 4 * min(values)
    axes.set(xscale="log" if wide else "linear", yscale="log")
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)
    micro = FuncFormatter(lambda seconds, _: f"{seconds * 1e6:g}")
    axes.yaxis.set_major_formatter(micro)
    low, high = axes.get_ylim()
    few = high < 100 * low
    axes.yaxis.set_minor_formatter(_only(micro, (2, 5)) if few else NullFormatter())
    axes.set(xlabel=sweep["axis"], ylabel="microseconds a sample")


def _label_loss(axes, sweep):
    """Scale and name the axes of loss over time."""
    from matplotlib.ticker import FuncFormatter

    axes.set(xscale="log", yscale="log")
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    for axis, digits in ((axes.xaxis, (2, 5)), (axes.yaxis, (2, 3, 5))):
        axis.set_major_formatter(plain)
        axis.set_minor_formatter(_only(plain, digits))
    counts = ", ".join(f"{point['value']:g}" for point in sweep["points"])
    axes.set(xlabel=f"seconds of a whole fit of {counts} epochs", ylabel="training loss (nats)")


def _only(formatter, digits):
    """Keep the labels of the marks that begin with certain digits."""
    from matplotlib.ticker import FuncFormatter

    def text(value, position):
        return formatter(value, position) if int(f"{value:e}"[0]) in digits else ""

    return FuncFormatter(text)


LABELS = {"cost": _label_cost, "loss": _label_loss}
