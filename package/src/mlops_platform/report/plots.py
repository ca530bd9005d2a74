"""Plots of the report: matplotlib SVG with the colours and fonts of the page.

Every function returns one `<svg>` element. Colours are drawn as markers and replaced by the page's
CSS variables, so that a plot fits the light and the dark scheme. The same evidence gives the same
bytes.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from mlops_platform.evidence import CalibrationBin, ColumnDrift, Group, Importance

INK, MUTED, GRID, ACCENT, SECOND, SURFACE = (f"#0000{number:02x}" for number in range(1, 7))
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
    SURFACE: "var(--surface)",
}
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.prop_cycle": cycler(color=[INK]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
}
WIDTH = 4.7
WITHOUT_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def plot_difference(value: float, low: float, high: float, *, margin: float, metric: str) -> str:
    """Plot the gain over the champion with its interval, zero and the margin."""

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=INK, linewidth=1)
        axes.axvline(margin, color=SECOND, linewidth=1.2, linestyle="--")
        axes.plot([low, high], [0, 0], color=ACCENT, linewidth=5, solid_capstyle="round", alpha=0.5)
        axes.plot([value], [0], "o", color=ACCENT, markersize=9)
        axes.annotate("margin", (margin, 0.8), (4, 0), textcoords="offset points")
        axes.set(ylim=(-1, 1.2), yticks=[], xlabel=f"gain in {metric}")
        axes.margins(x=0.15)
        axes.spines["left"].set_visible(False)

    label = f"Gain {value:.4f}, interval {low:.4f} to {high:.4f}"
    return _render("difference", label, 1.5, draw)


def plot_confusion(counts: list[list[int]], labels: list[str]) -> str:
    """Plot the confusion matrix; the shade is the share of the row."""
    table = np.array(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    names = [_short(label, 14) for label in labels]
    size = float(np.clip(40 / len(labels), 4, 11))

    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        for row, column in np.ndindex(table.shape):
            axes.add_patch(
                Rectangle(
                    (column - 0.48, row - 0.48),
                    0.96,
                    0.96,
                    facecolor=ACCENT,
                    alpha=0.05 + 0.35 * float(shares[row, column]),
                )
            )
            text = f"{table[row, column]}\n{shares[row, column]:.0%}"
            axes.text(column, row, text, ha="center", va="center", fontsize=size)
        codes = range(len(labels))
        axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5))
        axes.set_xticks(codes, names)
        axes.set_yticks(codes, names, rotation=90, va="center")
        axes.set(xlabel="predicted", ylabel="true")
        axes.tick_params(length=0, labelcolor=INK)
        for spine in axes.spines.values():
            spine.set_visible(False)

    correct = f"{np.trace(table)} of {table.sum()} rows on the diagonal"
    height = min(0.8 + 1.1 * len(labels), WIDTH)
    return _render("confusion", f"Confusion matrix: {correct}", height, draw)


def plot_residuals(pairs: list[tuple[float, float]]) -> str:
    """Plot the residuals, true minus predicted, over the predictions."""
    predicted, residuals = np.array(pairs).T

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=INK, linewidth=1)
        axes.plot(
            predicted, residuals, "o", color=ACCENT, markersize=3.5, alpha=0.45, markeredgewidth=0
        )
        axes.set(xlabel="predicted", ylabel="true minus predicted")

    return _render("residuals", f"Residuals of {len(pairs)} rows of the test set", 3.1, draw)


def plot_calibration(bins: list[CalibrationBin]) -> str:
    """Plot the observed share over the predicted probability, one line for each class."""
    labels = list(dict.fromkeys(each.label for each in bins))

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", label="perfect")
        for number, label in enumerate(labels):
            x, y = zip(*((b.predicted, b.observed) for b in bins if b.label == label), strict=True)
            colour, marker = (ACCENT, SECOND, INK)[number % 3], "osD^v"[number % 5]
            axes.plot(x, y, marker=marker, color=colour, label=_short(label))
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted probability", ylabel="observed share")
        axes.legend(loc="upper left")

    return _render("calibration", f"Calibration for {', '.join(labels)}", 3.1, draw)


def plot_importance(importance: list[Importance], metric: str) -> str:
    """Plot the permutation importance of the twenty most important features."""
    top = importance[:20][::-1]

    def draw(axes: Axes) -> None:
        axes.barh(
            [_short(each.feature) for each in top],
            [each.mean for each in top],
            xerr=[each.std for each in top],
            color=ACCENT,
            height=0.6,
            error_kw={"ecolor": INK, "elinewidth": 1.2, "capsize": 3},
        )
        axes.axvline(0, color=INK, linewidth=1)
        axes.set(xlabel=f"loss of {metric} if permuted")
        axes.grid(visible=False, axis="y")

    first = top[-1].feature if top else "none"
    return _render("importance", f"Most important feature: {first}", 0.8 + 0.3 * len(top), draw)


def plot_groups(groups: list[Group], metric: str, overall: float) -> str:
    """Plot the metric with its interval in each group with enough rows, and over all rows."""
    measured = [group for group in groups if group.value is not None][::-1]

    def draw(axes: Axes) -> None:
        axes.axvline(overall, color=SECOND, linewidth=1.2, linestyle="--")
        for position, group in enumerate(measured):
            if group.low is not None and group.high is not None:
                ends = [group.low, group.high]
                axes.plot(
                    ends,
                    [position] * 2,
                    color=ACCENT,
                    linewidth=5,
                    alpha=0.5,
                    solid_capstyle="round",
                )
            axes.plot(group.value or 0, position, "o", color=ACCENT, markersize=7)
        names = [f"{_short(f'{group.column}: {group.group}')} ({group.rows})" for group in measured]
        axes.set_yticks(range(len(measured)), names)
        axes.set(ylim=(-0.6, len(measured) - 0.4), xlabel=f"{metric}; the dashed line is all rows")
        axes.grid(visible=False, axis="y")

    height = 0.8 + 0.32 * len(measured)
    return _render("groups", f"{metric} in {len(measured)} groups", height, draw)


def plot_drift(column: ColumnDrift, number: int) -> str:
    """Plot the share of rows in each bin, in the training data and in the current data."""
    positions = np.arange(len(column.bins))

    def draw(axes: Axes) -> None:
        axes.barh(positions + 0.2, column.then, 0.38, color=MUTED, label="training", alpha=0.6)
        axes.barh(positions - 0.2, column.now, 0.38, color=ACCENT, label="current")
        axes.set_yticks(positions, [_short(name) for name in column.bins])
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)

    label = f"{column.column}: PSI {column.psi:.3f}"
    return _render(f"drift-{number}", label, 0.9 + 0.27 * len(column.bins), draw)


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _render(name: str, label: str, height: float, draw: Callable[[Axes], Any]) -> str:
    """Render one plot as SVG; `label` is its text for screen readers."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata=WITHOUT_METADATA)
    text = buffer.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    # A page has several plots, so their ids must differ.
    body = re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{name}-", body)
    for marker, variable in VARIABLES.items():
        body = body.replace(marker, variable)
    box = f"0 0 {WIDTH * 72:g} {height * 72:g}"
    return f'<svg viewBox="{box}" role="img" aria-label="{html.escape(label)}">{body}'.strip()
