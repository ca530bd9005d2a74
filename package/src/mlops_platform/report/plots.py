"""The report's pictures: matplotlib's SVG as text that takes its colours and font from the page.

Every function returns one `<svg>` element. Colours are drawn as markers and replaced by the
page's CSS variables, so that a picture fits the light and the dark scheme. The same evidence gives
the same bytes.
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


def difference(value: float, low: float, high: float, *, margin: float, metric: str) -> str:
    """The gain over the champion and its interval, beside zero and the margin."""

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=INK, linewidth=1)
        axes.axvline(margin, color=SECOND, linewidth=1.2, linestyle="--")
        axes.plot([low, high], [0, 0], color=ACCENT, linewidth=5, solid_capstyle="round", alpha=0.5)
        axes.plot([value], [0], "o", color=ACCENT, markersize=9)
        axes.annotate("margin", (margin, 0.8), (4, 0), textcoords="offset points")
        axes.set(ylim=(-1, 1.2), yticks=[], xlabel=f"gain in {metric}")
        axes.margins(x=0.15)
        axes.spines["left"].set_visible(False)

    said = f"Gain {value:.4f}, from {low:.4f} to {high:.4f}"
    return _picture("difference", said, 1.5, draw)


def confusion(counts: list[list[int]], labels: list[str]) -> str:
    """Rows of each true class by the class that was predicted; shade is the share of the row."""
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
            shown = f"{table[row, column]}\n{shares[row, column]:.0%}"
            axes.text(column, row, shown, ha="center", va="center", fontsize=size)
        codes = range(len(labels))
        axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5))
        axes.set_xticks(codes, names)
        axes.set_yticks(codes, names, rotation=90, va="center")
        axes.set(xlabel="predicted", ylabel="true")
        axes.tick_params(length=0, labelcolor=INK)
        for spine in axes.spines.values():
            spine.set_visible(False)

    right = f"{np.trace(table)} of {table.sum()} rows on the diagonal"
    height = min(0.8 + 1.1 * len(labels), WIDTH)
    return _picture("confusion", f"Confusion matrix: {right}", height, draw)


def residuals(pairs: list[tuple[float, float]]) -> str:
    """What was measured minus what was predicted, over the prediction."""
    predicted, rest = np.array(pairs).T

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=INK, linewidth=1)
        axes.plot(predicted, rest, "o", color=ACCENT, markersize=3.5, alpha=0.45, markeredgewidth=0)
        axes.set(xlabel="predicted", ylabel="true minus predicted")

    return _picture("residuals", f"Residuals of {len(pairs)} rows of the test set", 3.1, draw)


def calibration(bins: list[CalibrationBin]) -> str:
    """The share that came true over the probability that was predicted, a line for each class."""
    labels = list(dict.fromkeys(found.label for found in bins))

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", label="perfect")
        for number, label in enumerate(labels):
            x, y = zip(*((b.predicted, b.observed) for b in bins if b.label == label), strict=True)
            colour, marker = (ACCENT, SECOND, INK)[number % 3], "osD^v"[number % 5]
            axes.plot(x, y, marker=marker, color=colour, label=_short(label))
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted probability", ylabel="came true")
        axes.legend(loc="upper left")

    return _picture("calibration", f"Calibration for {', '.join(labels)}", 3.1, draw)


def importance(found: list[Importance], metric: str) -> str:
    """What the metric loses when a feature is shuffled; the twenty that matter most."""
    shown = found[:20][::-1]

    def draw(axes: Axes) -> None:
        axes.barh(
            [_short(each.feature) for each in shown],
            [each.mean for each in shown],
            xerr=[each.std for each in shown],
            color=ACCENT,
            height=0.6,
            error_kw={"ecolor": INK, "elinewidth": 1.2, "capsize": 3},
        )
        axes.axvline(0, color=INK, linewidth=1)
        axes.set(xlabel=f"loss of {metric} without it")
        axes.grid(visible=False, axis="y")

    first = shown[-1].feature if shown else "none"
    return _picture("importance", f"Most important feature: {first}", 0.8 + 0.3 * len(shown), draw)


def groups(found: list[Group], metric: str, overall: float) -> str:
    """The metric and its interval in each group that is large enough, and over all rows."""
    shown = [group for group in found if group.value is not None][::-1]

    def draw(axes: Axes) -> None:
        axes.axvline(overall, color=SECOND, linewidth=1.2, linestyle="--")
        for place, group in enumerate(shown):
            if group.low is not None and group.high is not None:
                ends = [group.low, group.high]
                axes.plot(
                    ends,
                    [place] * 2,
                    color=ACCENT,
                    linewidth=5,
                    alpha=0.5,
                    solid_capstyle="round",
                )
            axes.plot(group.value or 0, place, "o", color=ACCENT, markersize=7)
        names = [f"{_short(f'{group.column}: {group.group}')} ({group.rows})" for group in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set(ylim=(-0.6, len(shown) - 0.4), xlabel=f"{metric}; the dashed line is all rows")
        axes.grid(visible=False, axis="y")

    return _picture("groups", f"{metric} in {len(shown)} groups", 0.8 + 0.32 * len(shown), draw)


def shares(found: ColumnDrift, number: int) -> str:
    """The share of rows in each bin, at training and now."""
    places = np.arange(len(found.bins))

    def draw(axes: Axes) -> None:
        axes.barh(places + 0.2, found.then, 0.38, color=MUTED, label="at training", alpha=0.6)
        axes.barh(places - 0.2, found.now, 0.38, color=ACCENT, label="now")
        axes.set_yticks(places, [_short(name) for name in found.bins])
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)

    said = f"{found.column}: PSI {found.psi:.3f}"
    return _picture(f"drift-{number}", said, 0.9 + 0.27 * len(found.bins), draw)


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _picture(name: str, said: str, height: float, draw: Callable[[Axes], Any]) -> str:
    """Draw on one pair of axes; `said` is what a screen reader says of the picture."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata=WITHOUT_METADATA)
    text = buffer.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    # Many pictures share a page, so their names must differ.
    body = re.sub(r'(\bid="|"#|url\(#)', rf"\g<1>{name}-", body)
    for marker, variable in VARIABLES.items():
        body = body.replace(marker, variable)
    box = f"0 0 {WIDTH * 72:g} {height * 72:g}"
    return f'<svg viewBox="{box}" role="img" aria-label="{html.escape(said)}">{body}'.strip()
