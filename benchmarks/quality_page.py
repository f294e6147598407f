"""The page of the quality benchmark: tables in Markdown, and style against content as a scatter plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure
from quality_battery import MEASURES
from quality_statistics import Interval, Measured, ranks, score, why_not_counted
from report_page import table

from impasto.files import write_whole

TOP = """# Quality

Made by `python benchmarks/quality.py`. Every number is a distance: less is better. The measures look at layers and with a
pooling and padding that no default's cost uses, in two sizes and at random shifts; the worst counts. *Style* is the mean of
the counting measures against the style: 0 is the style itself, 1 the content itself; *content* the other way. Intervals are
of 95%, by drawing the styles anew. A measure counts only if the controls rank as they must.
""".rstrip()


def page(
    measured: Measured, contestants: Sequence[str], seconds: Mapping[str, Sequence[float]], left_out: Sequence[str]
) -> str:
    """The whole page.

    Args:
        measured: all methods on the pairs that all have.
        contestants: the methods that are no controls.
        seconds: what the pictures of each method took.
        left_out: what is missing, and why.
    """
    wrong = why_not_counted(measured)
    counting = [name for name, why in wrong.items() if not why]
    lines = [*TOP.splitlines(), "", _counted(measured), *left_out, "", "## Style and content", ""]
    rows = []
    for method in measured.values:
        style, content = (score(measured, method, kind, counting) for kind in ("style", "content"))
        taken = seconds.get(method)
        rows.append([method, str(style), str(content), f"{median(taken):.1f} s" if taken else ""])
    lines += table(["method", "style", "content", "time, median"], rows)
    lines += ["", "## Each measure, mean over the pairs", ""]
    names = [measure.name if not wrong[measure.name] else f"({measure.name})" for measure in MEASURES]
    means = {method: values.mean(0) for method, values in measured.values.items()}
    lines += table(["method", *names], ([method, *(f"{value:.3f}" for value in row)] for method, row in means.items()))
    lines += ["", "In brackets: does not count.", "", "## Ranks by pair among the methods, mean over the pairs", ""]
    ranked = ranks(measured, [name for name in measured.values if name in contestants])
    lines += table(["method", *names], ([method, *(f"{value:.2f}" for value in row)] for method, row in ranked.items()))
    lines += ["", "## Whether the controls rank as they must", ""]
    lines += table(
        ["measure", "what", "against", "counts"],
        ([measure.name, measure.title, measure.kind, "yes" if not wrong[measure.name] else f"no: {wrong[measure.name]}"]
         for measure in MEASURES),
    )  # fmt: skip
    return "\n".join(lines) + "\n"


def plot(measured: Measured, contestants: Sequence[str], path: Path) -> None:
    """Draw style against content, with intervals; controls are grey."""
    counting = [name for name, why in why_not_counted(measured).items() if not why]
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    for method in measured.values:
        x, y = (score(measured, method, kind, counting) for kind in ("content", "style"))
        contends = method in contestants
        how: dict[str, Any] = {"label": method} if contends else {"color": "0.6"}
        axes.errorbar(x.value, y.value, xerr=_arms(x), yerr=_arms(y), fmt="o", capsize=2, **how)
        if not contends:
            axes.annotate(method, (x.value, y.value), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.legend(fontsize=8)  # their names would lie one over the other
    axes.set_xlabel("distance to the content: 0 the content itself, 1 the style itself")
    axes.set_ylabel("distance to the style: 0 the style itself, 1 the content itself")
    axes.set_title(f"{_counted(measured)} Lower left is better; bars: 95%, by drawing styles anew", fontsize=9)
    axes.grid(alpha=0.3)
    axes.margins(0.15)  # for the names
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    write_whole(path, drawn.getvalue())


def _counted(measured: Measured) -> str:
    return f"Pairs: {len(measured.styles)}, styles: {len(set(measured.styles))}."


def _arms(interval: Interval) -> list[list[float]] | None:
    if interval.low != interval.low:  # NaN: a single style
        return None
    # a ratio may lie outside of its interval
    return [[max(0.0, interval.value - interval.low)], [max(0.0, interval.high - interval.value)]]
