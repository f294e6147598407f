"""The costs: of the content, of the style at a layer, and their sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from impasto.exercises.exercise import Exercise, Mistake, activations
from impasto.exercises.matrices import scrambled_matrix, style_matrix


def content_cost(a_C: Tensor, a_G: Tensor) -> Tensor:
    """1/(4 n_H n_W n_C) * sum (a_C - a_G)^2 of activations (n_C, n_H, n_W)."""
    return (a_C - a_G).square().sum() / (4 * a_C.numel())


def layer_style_cost(a_S: Tensor, a_G: Tensor) -> Tensor:
    """1/(2 n_H n_W n_C)^2 * sum (M(S) - M(G))^2 of activations (n_C, n_H, n_W), with the style matrices M."""
    return (style_matrix(a_S) - style_matrix(a_G)).square().sum() / (2 * a_S.numel()) ** 2


def total_cost(J_content: Any, J_style: Any, alpha: float = 10, beta: float = 40) -> Any:
    """Alpha J_content + beta J_style."""
    return alpha * J_content + beta * J_style


def _pairs() -> list[tuple[Any, ...]]:
    shapes = ((3, 4, 5), (5, 2, 7), (2, 6, 3))
    return [(activations(i, *shape), activations(i + 10, *shape)) for i, shape in enumerate(shapes)]


def _sums() -> list[tuple[Any, ...]]:
    """Calls with and without weights."""
    return [
        (activations(i, 1)[0] + 0.7 + i, activations(i + 5, 1)[0] + 1.3, *w) for i, w in enumerate(((), (3, 5), (2, 90)))
    ]


def _squares(c: Tensor, g: Tensor) -> Tensor:
    return (c - g).square().sum()


def _n(a: Tensor) -> int:
    return a[0].numel()


CONTENT_COST = Exercise(
    content_cost,
    _pairs,
    (
        Mistake(
            lambda c, g: _squares(c, g) / c.numel(),
            "the 1/4 is missing: it is a quarter of the mean of the squares. A factor does not move the minimum, but alpha "
            "then means something else",
        ),
        Mistake(
            lambda c, g: _squares(c, g) / (2 * c.numel()),
            "it has 1/2 where 1/4 was expected: 1 / (4 n_H n_W n_C) is before the sum",
        ),
        Mistake(
            lambda c, g: _squares(c, g) / 2,
            "this is the paper's 1/2 of the sum, which grows with the picture; here the sum is divided by 4 n_H n_W n_C",
        ),
        Mistake(
            lambda c, g: _squares(c, g) / 4,
            "not divided by n_H n_W n_C: only the 1/4 is there, so the cost grows with the picture",
        ),
        Mistake(lambda c, g: _squares(c, g), "the sum is not divided at all: 1 / (4 n_H n_W n_C) is before it"),
        Mistake(
            lambda c, g: _squares(c, g) / (4 * len(c)),
            "not divided by n, the number of positions n_H n_W: a picture twice as wide would cost twice as much",
        ),
        Mistake(lambda c, g: _squares(c, g) / (4 * _n(c)), "not divided by n_C, the number of channels"),
        Mistake(
            lambda c, g: (c - g).sum() / (4 * c.numel()),
            "the differences are not squared, so that one too large makes good for one too small",
        ),
        Mistake(
            lambda c, g: (c - g).abs().sum() / (4 * c.numel()), "absolute values are summed where squares were expected"
        ),
        Mistake(
            lambda c, g: _squares(c, g).sqrt() / (4 * c.numel()),
            "a root is taken: the sum of squares was expected, and not a length (a norm)",
        ),
        Mistake(
            lambda c, g: (c - g).sum().square() / (4 * c.numel()),
            "first summed and then squared: each difference is squared, and then they are summed",
        ),
        Mistake(
            lambda c, g: (c.square() - g.square()).sum() / (4 * c.numel()),
            "the squares are subtracted: the difference comes first, and then its square",
        ),
        Mistake(
            lambda c, g: (c + g).square().sum() / (4 * c.numel()), "a_C and a_G are added where their difference counts"
        ),
        Mistake(
            lambda c, g: _squares(c, c),
            "it is always 0: a_C is compared with itself, or a_G is, and not the one with the other",
        ),
        Mistake(
            lambda c, g: (c - g).square() / (4 * c.numel()), "not summed: one number was expected, and not one for each unit"
        ),
        Mistake(
            lambda c, g: _squares(style_matrix(c), style_matrix(g)) / (2 * c.numel()) ** 2,
            "content and style are swapped: this is the style cost, which compares style matrices; the content "
            "cost compares "
            "the activations themselves, place by place",
        ),
    ),
)


def _style(divisor: Callable[[int, int], float], matrix: Callable[[Tensor], Tensor] = style_matrix) -> Callable[..., Tensor]:
    """The sum of squared differences of matrices, divided by a function of n_C and n."""
    return lambda s, g: _squares(matrix(s), matrix(g)) / divisor(len(s), _n(s))


def _positions_matrix(a: Tensor) -> Tensor:
    return a.flatten(1).T @ a.flatten(1)


def _over(s: Tensor) -> float:
    return (2 * s.numel()) ** 2


LAYER_STYLE_COST = Exercise(
    layer_style_cost,
    _pairs,
    (
        Mistake(
            _style(lambda c, n: (c * n) ** 2),
            "the 1/4 is missing: 1 / (2 n_H n_W n_C)^2 is before the sum, and the 2 is squared too",
        ),
        Mistake(_style(lambda c, n: 2 * (c * n) ** 2), "the 2 of 1 / (2 n_H n_W n_C)^2 is not squared, but all of it is"),
        Mistake(
            _style(lambda c, n: 4 * c**2),
            "not divided by n, the number of positions n_H n_W, squared: larger pictures would cost more",
        ),
        Mistake(
            _style(lambda c, n: 4 * c**2 * n),
            "divided by n = n_H n_W once; twice was expected, as each of the two matrices that are multiplied grows with n",
        ),
        Mistake(_style(lambda c, n: 4 * n**2), "not divided by n_C squared, the number of channels"),
        Mistake(
            _style(lambda c, n: 4 * n**2 * c), "divided by n_C once; the square was expected, as a matrix has n_C^2 entries"
        ),
        Mistake(_style(lambda c, n: 2 * c * n), "2 n_H n_W n_C is not squared"),
        Mistake(
            _style(lambda c, n: 4 * c * n),
            "this is the content cost's 1 / (4 n_H n_W n_C); 1 / (2 n_H n_W n_C)^2 was expected",
        ),
        Mistake(_style(lambda c, n: 1), "the sum is not divided at all: 1 / (2 n_H n_W n_C)^2 is before it"),
        Mistake(
            _style(lambda c, n: c**2), "the plain mean of the squares: 1 / (2 n_H n_W n_C)^2 was expected, and not 1 / n_C^2"
        ),
        Mistake(
            _style(lambda c, n: (2 * c * n**2) ** 2),
            "divided by n too often: the style matrices were divided by n = n_H n_W already, or their sum is again",
        ),
        Mistake(
            lambda s, g: _squares(s, g) / (4 * s.numel()),
            "content and style are swapped: this is the content cost, which compares activations place by place; the style "
            "cost compares style matrices",
        ),
        Mistake(
            lambda s, g: _squares(s, g) / _over(s),
            "the activations are compared where style matrices were expected: M(S) and M(G) come first",
        ),
        Mistake(
            _style(lambda c, n: (2 * c * n) ** 2, scrambled_matrix),
            "reshape does not transpose: the activations are (n_C, n_H, n_W), and reshape(n, n_C) tears the channels apart. "
            "reshape(n_C, n) keeps one in each row",
        ),
        Mistake(
            _style(lambda c, n: (2 * c * n) ** 2, _positions_matrix),
            "the transpose is at the wrong factor: A^T A compares positions; A A^T compares channels, of A "
            "with a channel in "
            "each row",
        ),
        Mistake(
            lambda s, g: (style_matrix(s) - style_matrix(g)).sum() / _over(s),
            "the differences of the matrices are not squared",
        ),
        Mistake(
            lambda s, g: (style_matrix(s) - style_matrix(g)).abs().sum() / _over(s),
            "absolute values are summed where squares were expected",
        ),
        Mistake(
            lambda s, g: (style_matrix(s) - style_matrix(g)).sum().square() / _over(s),
            "first summed and then squared: each entry's difference is squared, and then they are summed",
        ),
        Mistake(
            lambda s, g: (style_matrix(s) - style_matrix(g)).diagonal().square().sum() / _over(s),
            "only the diagonal is compared: which channels are active TOGETHER stands beside it",
        ),
        Mistake(
            lambda s, g: _squares(style_matrix(s), style_matrix(g)).sqrt() / _over(s),
            "a root is taken: the sum of squares was expected, and not a length (a norm)",
        ),
        Mistake(lambda s, g: 0 * s.sum(), "it is always 0: S is compared with itself, or G is"),
        Mistake(
            lambda s, g: (style_matrix(s) - style_matrix(g)).square() / _over(s),
            "not summed: one number was expected, and not a matrix",
        ),
    ),
)

TOTAL_COST = Exercise(
    total_cost,
    _sums,
    (
        Mistake(
            lambda c, s, alpha=10, beta=40: beta * c + alpha * s,
            "content and style are swapped: alpha belongs to the content, and beta to the style",
        ),
        Mistake(lambda c, s, alpha=40, beta=10: alpha * c + beta * s, "the defaults are swapped: alpha is 10 and beta 40"),
        Mistake(lambda c, s, alpha=1, beta=1: alpha * c + beta * s, "the defaults are not there: alpha is 10 and beta 40"),
        Mistake(lambda c, s, alpha=10, beta=40: c + beta * s, "alpha is missing: the content cost has no weight"),
        Mistake(lambda c, s, alpha=10, beta=40: alpha * c + s, "beta is missing: the style cost has no weight"),
        Mistake(lambda c, s, alpha=10, beta=40: c + s, "alpha and beta are missing: the costs are summed without weights"),
        Mistake(
            lambda c, s, alpha=10, beta=40: 10 * c + 40 * s,
            "it is always 10 and 40: alpha and beta are arguments, and these are only their defaults",
        ),
        Mistake(lambda c, s, alpha=10, beta=40: alpha * (c + s), "alpha is the weight of both: the style has beta"),
        Mistake(lambda c, s, alpha=10, beta=40: beta * (c + s), "beta is the weight of both: the content has alpha"),
        Mistake(lambda c, s, alpha=10, beta=40: alpha * c * beta * s, "the costs are multiplied: a sum was expected"),
        Mistake(
            lambda c, s, alpha=10, beta=40: alpha * c - beta * s,
            "the style cost is subtracted, so that G would run away from the style: a sum was expected",
        ),
        Mistake(
            lambda c, s, alpha=10, beta=40: (alpha * c + beta * s) / (alpha + beta),
            "divided by alpha + beta: the weights need not sum to 1, and here they do not",
        ),
        Mistake(
            lambda c, s, alpha=10, beta=40: (alpha * c + beta * s) / 2, "halved: the sum was expected, and not the mean"
        ),
        Mistake(
            lambda c, s, alpha=10, beta=40: c + beta / alpha * s,
            "divided by alpha: the picture would be the same, as only beta / alpha counts, but J is another number",
        ),
        Mistake(lambda c, s, alpha=10, beta=40: c / alpha + s / beta, "divided by the weights: they multiply"),
        Mistake(
            lambda c, s, alpha=10, beta=40: (alpha * c) ** 2 + (beta * s) ** 2,
            "the weighted costs are squared: they are sums of squares already",
        ),
        Mistake(lambda c, s, alpha=10, beta=40: alpha * c, "the style cost is missing"),
        Mistake(lambda c, s, alpha=10, beta=40: beta * s, "the content cost is missing"),
    ),
)
