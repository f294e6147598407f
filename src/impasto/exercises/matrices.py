"""The style matrix: of a picture, and of signals with one, two or three axes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from impasto.exercises.exercise import Exercise, Mistake, activations


def style_matrix(a: Tensor) -> Tensor:
    """M_kk' = sum over positions of a_k a_k', (n_C, n_C), of activations (n_C, n_H, n_W)."""
    rows = a.flatten(1)
    return rows @ rows.T


def style_matrix_of_any(a: Tensor) -> Tensor:
    """M_kk' = 1/n * sum over the n positions of a_k a_k', (n_C, n_C), of activations (n_C, *space) with any axes."""
    rows = a.flatten(1)
    return rows @ rows.T / rows.shape[1]


def scrambled_matrix(a: Tensor) -> Tensor:
    """What one gets of activations (n_C, *space) that are reshaped to (n, n_C) without being transposed."""
    rows = a.reshape(-1, len(a))
    return rows.T @ rows


def _pictures() -> list[tuple[Any, ...]]:
    return [(activations(i, *shape),) for i, shape in enumerate(((3, 4, 5), (5, 2, 7), (2, 6, 3)))]


def _signals() -> list[tuple[Any, ...]]:
    return [(activations(i, *shape),) for i, shape in enumerate(((3, 7), (5, 4), (2, 6, 3), (4, 2, 3, 5)))]


def _centred(a: Tensor) -> Tensor:
    return a - a.flatten(1).mean(1).reshape(-1, *(1,) * (a.dim() - 1))


def _directions(a: Tensor) -> Tensor:
    return a / a.flatten(1).norm(dim=1).clamp_min(1e-12).reshape(-1, *(1,) * (a.dim() - 1))


def _positions(a: Tensor) -> Tensor:
    return a.flatten(1).T @ a.flatten(1)


_TRANSPOSE = (
    "the transpose is at the wrong factor: A^T A is {n} x {n} and compares positions; A A^T is n_C x n_C, of A "
    "with a channel "
    "in each row"
)
_RESHAPE = (
    "reshape does not transpose: the activations are (n_C, {space}), and reshape(n, n_C) tears the channels apart. "
    "reshape(n_C, n) keeps one in each row"
)
_CENTRED = (
    "this is the covariance: the means of the channels are subtracted. The style matrix keeps them, as how "
    "bright a colour is "
    "belongs to the style"
)
_DIRECTIONS = "each channel has been scaled to length 1 (a correlation): how strong a channel is belongs to the style"
_MEANS = (
    "means are multiplied where products have to be summed: at each position a_k a_k' first, and then the sum "
    "over positions. "
    "Two channels that are never active together have a product of means all the same"
)

STYLE_MATRIX = Exercise(
    style_matrix,
    _pictures,
    (
        Mistake(_positions, _TRANSPOSE.format(n="n")),
        Mistake(scrambled_matrix, _RESHAPE.format(space="n_H, n_W")),
        Mistake(
            lambda a: style_matrix(a) / a[0].numel(),
            "divided by n, the number of positions: here M is the sum itself; the division comes in the style cost",
        ),
        Mistake(
            lambda a: style_matrix(a) / a.numel(),
            "divided by n_H n_W n_C: here M is the sum itself; the division comes in the style cost",
        ),
        Mistake(lambda a: style_matrix(a) / len(a), "divided by n_C: here M is the sum itself"),
        Mistake(lambda a: style_matrix(_centred(a)), _CENTRED),
        Mistake(lambda a: style_matrix(_directions(a)), _DIRECTIONS),
        Mistake(
            lambda a: style_matrix(a).diagonal(),
            "only the diagonal is there, how strong each channel is: which channels are active TOGETHER is the rest",
        ),
        Mistake(
            lambda a: style_matrix(a).diagonal().diag(),
            "only the diagonal is there, and 0 beside it: which channels are active TOGETHER is the rest",
        ),
        Mistake(lambda a: a.square(), "multiplied element by element (a * a): a product of matrices was expected, A @ A.T"),
        Mistake(
            lambda a: a.flatten(1).square(),
            "multiplied element by element (A * A): a product of matrices was expected, A @ A.T",
        ),
        Mistake(
            lambda a: a @ a.transpose(1, 2),
            "not summed over all positions: this is a matrix of each channel, of rows by rows",
        ),
        Mistake(
            lambda a: torch.einsum("khw,kiw->hi", a, a),
            "the wrong axis: it compares rows of the picture (n_H x n_H), summed over channels; channels are "
            "compared, summed "
            "over positions",
        ),
        Mistake(
            lambda a: torch.einsum("khw,khj->wj", a, a),
            "the wrong axis: it compares columns of the picture (n_W x n_W), summed over channels; channels "
            "are compared, summed "
            "over positions",
        ),
        Mistake(
            lambda a: a.flatten(1).sum(1).outer(a.flatten(1).sum(1)),
            "sums are multiplied where products have to be summed: at each position a_k a_k' first, and then "
            "the sum over positions",
        ),
        Mistake(lambda a: a.flatten(1).mean(1).outer(a.flatten(1).mean(1)), _MEANS),
        Mistake(lambda a: style_matrix(a).sum(), "summed to a single number: a matrix was expected, n_C x n_C"),
        Mistake(lambda a: style_matrix(a).square(), "its entries are squared: that comes in the style cost"),
        Mistake(lambda a: a[:, 0] @ a[:, 0].T, "only the first row of the picture is summed: all positions were expected"),
        Mistake(lambda a: style_matrix(a).triu(), "only one half is there: M is symmetric, and both halves count"),
        Mistake(lambda a: a.flatten(1), "the activations are only reshaped, to A: A @ A.T was expected"),
    ),
)


def _by_slices(a: Tensor) -> Tensor:
    """The style matrix of all that is in the first slice along the last axis."""
    return style_matrix_of_any(a[..., :1])


def _of_two_axes(a: Tensor) -> Tensor:
    rows = a.reshape(len(a), a.shape[1], -1).mean(2)
    return rows @ rows.T / rows.shape[1]


STYLE_MATRIX_OF_ANY = Exercise(
    style_matrix_of_any,
    _signals,
    (
        Mistake(_positions, _TRANSPOSE.format(n="n")),
        Mistake(
            lambda a: _positions(a) / a[0].numel(),
            _TRANSPOSE.format(n="n") + " (divided by n it is)",
        ),
        Mistake(lambda a: scrambled_matrix(a) / a[0].numel(), _RESHAPE.format(space="*space")),
        Mistake(
            style_matrix,
            "not divided by n: without it a signal twice as long would have another style",
        ),
        Mistake(
            lambda a: style_matrix(a) / a.shape[1],
            "divided by the length of the first axis of space alone: n is the number of all positions, the "
            "product of all axes",
        ),
        Mistake(
            lambda a: style_matrix(a) / a.shape[-1],
            "divided by the length of the last axis alone: n is the number of all positions, the product of all axes",
        ),
        Mistake(lambda a: style_matrix(a) / a.numel(), "divided by n n_C: n, the number of positions, was expected"),
        Mistake(lambda a: style_matrix(a) / len(a), "divided by n_C: n, the number of positions, was expected"),
        Mistake(lambda a: style_matrix_of_any(a) / a[0].numel(), "divided by n twice"),
        Mistake(lambda a: style_matrix_of_any(_centred(a)), _CENTRED),
        Mistake(lambda a: style_matrix(_directions(a)), _DIRECTIONS),
        Mistake(
            lambda a: style_matrix_of_any(a).diagonal(),
            "only the diagonal is there: which channels are active TOGETHER is the rest",
        ),
        Mistake(lambda a: a.flatten(1).mean(1).outer(a.flatten(1).mean(1)), _MEANS),
        Mistake(
            lambda a: a.flatten(1) * a.flatten(1),
            "multiplied element by element (A * A): a product of matrices was expected, A @ A.T",
        ),
        Mistake(
            lambda a: style_matrix_of_any(a.diff(dim=-1)),
            "the differences from one position to the next are multiplied: the activations themselves were expected",
        ),
        Mistake(
            _by_slices,
            "only the first position of the last axis is seen: all positions of all axes were expected",
        ),
        Mistake(
            _of_two_axes,
            "further axes are averaged away before the product: every position counts by itself, in a volume too",
        ),
        Mistake(lambda a: style_matrix_of_any(a).sum(), "summed to a single number: a matrix was expected, n_C x n_C"),
        Mistake(lambda a: style_matrix_of_any(a).square(), "its entries are squared: that comes in the style cost"),
    ),
)
