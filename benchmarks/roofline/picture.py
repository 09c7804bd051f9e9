"""The roofline as a picture: operations a second over operations a byte."""

import numpy as np

from .report import ARITHMETIC

COLOURS = {
    ARITHMETIC: "#000000", "L1": "#56b4e9", "L2": "#0072b2", "L3": "#009e73", "memory": "#d55e00",
}  # fmt: skip
"""Of Okabe and Ito's palette, which the colour-blind can tell apart."""

MARKERS = {ARITHMETIC: "s", "L1": "v", "L2": "o", "L3": "D", "memory": "^"}
WIDTH_INCHES, HEIGHT_INCHES, DPI = 11.0, 7.5, 110
SMALL = 8
"""Points of the labels' letters."""

MARGINS = (0.06, 0.075, 0.925, 0.88)
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}

RADII, N_DIRECTIONS = (12, 16, 22, 30, 40, 52, 66, 82, 100), 24
"""Where a label is tried: so many pixels from its point, in so many directions."""

POINT_PIXELS = 6


def plot(result, path):
    """Draw the roofs and a labelled point for each kernel on one thread.

    Parameters
    ----------
    result : dict
        As `measure` returns it, or from its JSON.
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDTH_INCHES, HEIGHT_INCHES), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes(MARGINS)
    rows = [row for row in result["kernels"] if row["threads"] == 1]
    _set_axes(axes, rows, result["peaks"])
    roof_names = _draw_roofs(axes, result)
    _draw_kernels(axes, rows, roof_names)
    axes.set_title(
        f"Kernels of fastmlp in float32 on one thread of {result['machine']['processor']}, "
        f"{result['date']}",
        fontsize=10, loc="left",
    )  # fmt: skip
    figure.savefig(path)


def _set_axes(axes, rows, peaks):
    """Set scales, limits and their texts."""
    from matplotlib.ticker import FuncFormatter

    intensities = [row["intensity"] for row in rows]
    speeds = [row["flops_per_second"] / 1e9 for row in rows]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(intensities) / 5, max(intensities) * 8)
    axes.set_ylim(min(speeds) / 2, peaks["fma"] / 1e9 * 2)
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.set_xlabel("operations a byte")
    axes.set_ylabel("GFLOP/s")
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def roofs(result):
    """List the bandwidths that bound a kernel, and those of reading from every level.

    Parameters
    ----------
    result : dict
        See `plot`.

    Returns
    -------
    list of (str, str)
        Levels, and "read" or "update"; the nearest first.
    """
    levels = result["peaks"]["levels"]
    rows = [row for row in result["kernels"] if row["threads"] == 1]
    used = {(row["bound_by"], row["traffic"]) for row in rows}
    return [
        (name, kind)
        for name in levels
        for kind in ("read", "update")
        if kind == "read" or (name, kind) in used
    ]


def _draw_roofs(axes, result):
    """Draw the roofs with their names along them, and return the names."""
    peaks, (low, high) = result["peaks"], axes.get_xlim()
    top, texts, fastest = peaks["fma"] / 1e9, [], 0.0
    style = {"fontsize": SMALL + 0.5, "bbox": BEHIND, "va": "center", "ha": "center"}
    slope = np.subtract(*axes.transData.transform([(10, 10), (1, 1)]))
    angle = np.degrees(np.arctan2(slope[1], slope[0]))
    for name, kind in roofs(result):
        speed, colour = peaks["levels"][name][kind] / 1e9, COLOURS.get(name, "#999999")
        fastest = max(fastest, speed)
        line = "-" if kind == "read" else "--"
        axes.plot([low, top / speed], [low * speed, top], line, color=colour, linewidth=1.3)
        # L1's stands further on, for its bandwidth may be much the same as the next one's.
        place = low * (5.5 if name == "L1" else 1.9)
        words = f"{name} {'read' if kind == 'read' else 'read, written'} {speed:.0f} GB/s"
        texts.append(axes.text(place, place * speed, words, color=colour, rotation=angle, **style))
    for name, flops, line in (
        ("multiply-adds of registers", peaks["fma"], "-"),
        ("NumPy's sgemm", peaks["sgemm"]["1"], "--"),
    ):
        speed = flops / 1e9
        axes.plot([speed / fastest, high], [speed, speed], line, color="black", linewidth=1.3)
        words = f"{name} {speed:.0f} GFLOP/s"
        below = 1 if line == "-" else -1
        texts.append(axes.annotate(words, (high, speed), (-6, 9 * below), ha="right", va="center",
                                   textcoords="offset points", fontsize=SMALL + 0.5))  # fmt: skip
    return texts


def _draw_kernels(axes, rows, roof_names):
    """Draw the points and write their labels where there is room."""
    points = np.array([(row["intensity"], row["flops_per_second"] / 1e9) for row in rows])
    for bound in dict.fromkeys(row["bound_by"] for row in rows):
        some = [row["bound_by"] == bound for row in rows]
        axes.scatter(*points[some].T, s=42, color=COLOURS.get(bound, "#999999"), zorder=3,
                     marker=MARKERS.get(bound, "o"), label=f"bound by {bound}",
                     edgecolors="white", linewidths=0.6)  # fmt: skip
    legend = axes.legend(
        loc="lower right", fontsize=SMALL + 1, frameon=False, title="% of the roof that bounds it",
        title_fontsize=SMALL + 1,
    )  # fmt: skip
    places = axes.transData.transform(points)
    taken = [text.get_window_extent() for text in (*roof_names, legend)]
    taken += [_box(place, (2 * POINT_PIXELS, 2 * POINT_PIXELS)) for place in places]
    for row, place in zip(rows, places, strict=True):
        label = axes.text(0, 0, f"{row['kernel']} {row['share']:.0%}", fontsize=SMALL,
                          transform=None, ha="center", va="center", bbox=BEHIND)  # fmt: skip
        size = label.get_window_extent().size + 2
        centre = free_place(place, size, taken, axes.bbox)
        taken.append(_box(centre, size))
        label.set_position(centre)
        axes.add_line(_leader(place, centre, size))


def free_place(place, size, taken, room):
    """Find the nearest place for a label's centre that overlaps nothing.

    Parameters
    ----------
    place : ndarray of shape (2,)
        The point, in pixels as all else.
    size : ndarray of shape (2,)
        Of the label.
    taken : list of matplotlib.transforms.Bbox
        What must not be covered.
    room : matplotlib.transforms.Bbox
        The label must lie in it.

    Returns
    -------
    ndarray of shape (2,)
        The last one tried where nothing is free.
    """
    angles = np.linspace(0, 2 * np.pi, N_DIRECTIONS, endpoint=False)
    for radius in RADII:
        for angle in angles:
            direction = np.array([np.cos(angle), np.sin(angle)])
            # The label's edge, not its centre, is so far away.
            centre = place + direction * (radius + size / 2 * np.abs(direction))
            box = _box(centre, size)
            inside = room.x0 < box.x0 and box.x1 < room.x1 and room.y0 < box.y0 < box.y1 < room.y1
            if inside and not box.count_overlaps(taken):
                return centre
    return centre


def _box(centre, size):
    """Make a box around a centre."""
    from matplotlib.transforms import Bbox

    half = np.asarray(size) / 2
    return Bbox([centre - half, centre + half])


def _leader(place, centre, size):
    """Make a thin line from a point to the nearest edge of its label."""
    from matplotlib.lines import Line2D

    edge = np.clip(place, centre - size / 2, centre + size / 2)
    return Line2D(*np.stack([place, edge]).T, transform=None, color="#888888", linewidth=0.6)
