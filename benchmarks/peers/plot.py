"""The table as a picture: a panel a row, a bar a contestant."""

COLOURS = {
    "fastmlp": "#1b6ca8",
    "reference": "#7f7f7f",
    "NumPy": "#4dac6b",
    "NumPy per sample": "#4dac6b",
    "scikit-learn": "#f29e4c",
    "PyTorch": "#d1495b",
    "JAX": "#8e6bbf",
}
BAR_INCHES, PANEL_INCHES, WIDTH_INCHES = 0.26, 1.0, 9.0


def plot(results, path):
    """Draw horizontal bars of seconds on logarithmic scales.

    Parameters
    ----------
    results : list of RowResult
        Contestants without a time are left out, and so are rows without any.
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [(result, [entry for entry in result.entries if entry.best]) for result in results]
    panels = [(result, entries) for result, entries in panels if entries]
    heights = [PANEL_INCHES + BAR_INCHES * len(entries) for _, entries in panels]
    figure = Figure((WIDTH_INCHES, max(sum(heights), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    if panels:
        all_axes = figure.subplots(
            len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for axes, (result, entries) in zip(all_axes[:, 0], panels, strict=True):
            _draw(axes, result, entries)
    figure.savefig(path, dpi=110)


def _draw(axes, result, entries):
    """Draw one row's panel."""
    seconds = [entry.best for entry in entries]
    labels = [entry.contestant.label + ("*" if entry.factor != 1 else "") for entry in entries]
    colours = [COLOURS.get(entry.contestant.group, "#999999") for entry in entries]
    bars = axes.barh(range(len(entries)), seconds, color=colours)
    ratios = [result.ratio(value) for value in seconds]
    texts = [
        f"{value:.3g} s" + (f"  {ratio:.1f}x" if ratio else "")
        for value, ratio in zip(seconds, ratios, strict=True)
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
    axes.set_title(f"{result.row.name}: {result.row.title}", fontsize=9, loc="left")
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
