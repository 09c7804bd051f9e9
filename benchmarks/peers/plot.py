"""The table as a picture: a panel a row, a bar a competitor."""

from .records import best_of, ratio

COLOURS = {
    "fastmlp": "#0072b2",
    "reference": "#7f7f7f",
    "NumPy": "#009e73",
    "NumPy per sample": "#56b4e9",
    "scikit-learn": "#e69f00",
    "PyTorch": "#d55e00",
    "JAX": "#cc79a7",
}
"""Okabe and Ito's colours, which the colour-blind can tell apart."""
BAR_INCHES, PANEL_INCHES, WIDTH_INCHES = 0.26, 1.0, 9.0


def plot(rows, path):
    """Draw horizontal bars of seconds on logarithmic scales.

    Parameters
    ----------
    rows : iterable of dict
        As `records.row_record` makes them. Competitors without a time are left out, and so are
        rows without any.
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [(row, [entry for entry in row["entries"] if best_of(entry)]) for row in rows]
    panels = [(row, entries) for row, entries in panels if entries]
    heights = [PANEL_INCHES + BAR_INCHES * len(entries) for _, entries in panels]
    figure = Figure((WIDTH_INCHES, max(sum(heights), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    if panels:
        all_axes = figure.subplots(
            len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for axes, (row, entries) in zip(all_axes[:, 0], panels, strict=True):
            _draw(axes, row, entries)
    figure.savefig(path, dpi=110)


def _draw(axes, row, entries):
    """Draw one row's panel."""
    seconds = [best_of(entry) for entry in entries]
    labels = [entry["label"] + ("*" if entry["in_part"] else "") for entry in entries]
    colours = [COLOURS.get(entry["group"], "#999999") for entry in entries]
    bars = axes.barh(range(len(entries)), seconds, color=colours)
    ratios = [ratio(row, value) for value in seconds]
    texts = [
        f"{value:.3g} s" + (f"  {times:.1f}x" if times else "")
        for value, times in zip(seconds, ratios, strict=True)
    ]
    axes.bar_label(bars, texts, padding=4, fontsize=8)
    axes.set_yticks(range(len(entries)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g} s")
    axes.xaxis.set_minor_formatter("")
    low, high = min(seconds), max(seconds)
    # Bars begin a little below the shortest time, and leave room for the text of the longest.
    axes.set_xlim(low / 2, high * (high / low * 2) ** 0.3)
    axes.set_title(f"{row['name']}: {row['title']}", fontsize=9, loc="left")
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
