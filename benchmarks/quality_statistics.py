"""What the measured numbers say: scores, ranks by pair, intervals, and whether the controls rank as they must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from quality_battery import MEASURES, Kind, Measure
from quality_methods import BASELINE
from scipy.stats import rankdata

Array = NDArray[np.floating[Any]]

CONTENT, STYLE, MATCHED, TEXTURE, FEW, FULL = (
    "content-itself", "style-itself", "colour-matched", "texture", "10-evaluations", BASELINE,
)  # fmt: skip

MUST: dict[Kind, tuple[tuple[str, str], ...]] = {
    "style": (
        *((STYLE, other) for other in (FULL, TEXTURE, FEW, MATCHED, CONTENT)),
        *((other, CONTENT) for other in (FULL, TEXTURE, FEW)),
        (FULL, FEW),
        (TEXTURE, FEW),
    ),
    "content": (
        *((CONTENT, other) for other in (MATCHED, FULL, FEW, TEXTURE, STYLE)),
        *((other, worse) for worse in (STYLE, TEXTURE) for other in (MATCHED, FULL, FEW)),
    ),
    "paint": tuple((STYLE, other) for other in (MATCHED, CONTENT)),
    "damage": tuple((CONTENT, other) for other in (FULL, TEXTURE, FEW)),
}
"""Which control must have less of a measure than which other one, on the mean over all pairs, for the measure to count."""

_RESAMPLES = 2000


class Measured(NamedTuple):
    """Numbers of some methods on the pairs that all of them have.

    Attributes:
        styles: the style of each pair.
        values: of each method, (pairs, measures), the measures in the order of :data:`MEASURES`.
    """

    styles: tuple[str, ...]
    values: dict[str, Array]


class Interval(NamedTuple):
    """A number, and between what it lies with 95% if the styles had been others; NaN if there is only one style."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f}" + ("" if np.isnan(self.low) else f" ({self.low:.2f} to {self.high:.2f})")


def resample_styles(styles: Sequence[str], statistic: Callable[[NDArray[np.intp]], float]) -> Interval:
    """A statistic of pairs with its interval by drawing styles anew: those of a style come or go together.

    Args:
        styles: the style of each pair.
        statistic: of some pairs, given by their indices; the same one may come more than once.
    """
    of_style = [np.flatnonzero(np.array(styles) == style) for style in dict.fromkeys(styles)]
    value = statistic(np.concatenate(of_style))
    if len(of_style) < 2:
        return Interval(value, np.nan, np.nan)
    drawn = np.random.default_rng(0).integers(len(of_style), size=(_RESAMPLES, len(of_style)))
    found = [statistic(np.concatenate([of_style[i] for i in row])) for row in drawn]
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(value, float(low), float(high))


def why_not_counted(measured: Measured) -> dict[str, str]:
    """For each measure why it doesn't count: controls that don't rank as they must; "" if all do."""
    means = {method: values.mean(0) for method, values in measured.values.items()}

    def wrong(column: int, measure: Measure) -> list[str]:
        pairs = [(a, b) for a, b in MUST[measure.kind] if a in means and b in means]
        return [
            f"{better} {means[better][column]:.3g}, {worse} {means[worse][column]:.3g}"
            for better, worse in pairs
            if not _is_less(means[better][column], means[worse][column], measure.kind)
        ]

    return {measure.name: "; ".join(wrong(column, measure)) for column, measure in enumerate(MEASURES)}


def _is_less(better: float, worse: float, kind: Kind) -> bool:
    return better <= worse if kind == "damage" else better < worse  # without damage both are 0


def score(measured: Measured, method: str, kind: Kind, counting: Sequence[str]) -> Interval:
    """The mean of the counting measures of a kind, in each of which 0 is the best control and 1 the worst.

    Of style these are the style itself and the content itself, of content the other way. Measures of the same thing
    (S1, S1p, S1c) weigh as much as one. NaN if none counts.
    """
    columns = [i for i, measure in enumerate(MEASURES) if measure.kind == kind and measure.name in counting]
    if not columns:
        return Interval(np.nan, np.nan, np.nan)
    alike = Counter(MEASURES[i].name[:2] for i in columns)
    weights = np.array([1 / (len(alike) * alike[MEASURES[i].name[:2]]) for i in columns])
    best, worst = (STYLE, CONTENT) if kind == "style" else (CONTENT, STYLE)

    def statistic(pairs: NDArray[np.intp]) -> float:
        own, zero, one = (measured.values[name][pairs][:, columns].mean(0) for name in (method, best, worst))
        return float(weights @ ((own - zero) / (one - zero)))

    return resample_styles(measured.styles, statistic)


def ranks(measured: Measured, methods: Sequence[str]) -> dict[str, Array]:
    """The mean over pairs of a method's rank among some methods, 1 for the least, for each measure."""
    ranked = rankdata([measured.values[name] for name in methods], axis=0).mean(1)
    return dict(zip(methods, ranked, strict=True))


def together(
    rows: Mapping[tuple[str, str], Mapping[str, float]], pairs: Sequence[tuple[str, str]], methods: Sequence[str]
) -> Measured:
    """What was measured of the pairs that all methods have.

    Args:
        rows: of each pair and method, by their names.
        pairs: each pair's name, and its style's.
        methods: by their names.
    """
    whole = [(pair, style) for pair, style in pairs if all((pair, method) in rows for method in methods)]
    names = [measure.name for measure in MEASURES]
    values = {
        method: np.array([[rows[pair, method][name] for name in names] for pair, _ in whole]).reshape(-1, len(names))
        for method in methods
    }
    return Measured(tuple(style for _, style in whole), values)
