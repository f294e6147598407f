"""The costs of neural style transfer: plain functions of activations.

An activation a^[l] has shape (N, n_C, *space); n is the number of its positions, over the whole batch. Everything here is
differentiable, in any floating dtype, on any device and in any number of dimensions.

After Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), arXiv:1508.06576.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

_TEMPORAL = 1000.0
# variance of every channel beside its own, in units of the style's mean square: a channel that is flat in G has a gradient
_BLUR = 1e-4
# differences below it count by their square: they are seen as smooth, and the cost has a gradient where all is flat
_FLAT = 0.01


def content_cost(content: Tensor, generated: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """J_content(C, G): how far the activations of G are from those of C, two tensors of one shape.

    1/(4 n n_C) * sum (a(C) - a(G))^2, which means the same at every size; with ``reduction="sum"`` the paper's own
    1/2 * sum (a(C) - a(G))^2 (equation 1).
    """
    squares = (content - generated).square().sum()
    return squares / 2 if reduction == "sum" else squares / (4 * content.numel())


def content_unit(content: Tensor) -> Tensor:
    """mean(a(C)^2) / 4: in this unit the content cost is the squared relative error of a(G)."""
    return content_unit_of(content.square().mean())


def content_unit_of(energy: Tensor) -> Tensor:
    """The unit of the content cost for activations whose mean square is ``energy``."""
    return _not_zero(energy / 4)


def style_matrix(a: Tensor, weight: Tensor | None = None) -> Tensor:
    """The style (Gram) matrix per position, (n_C, n_C): which channels are active together.

    G_kk' / n with G_kk' = sum over positions of a_k a_k' (equation 3). Divided by n, so that signals of different sizes
    can be compared.

    With a weight of each position, (N, 1, *space), it is the guided one: the sum over positions of weight a_k a_k', divided
    by n. It means the same where the weights have a mean of 1 (Gatys et al. 2017, arXiv:1611.07865, section 4).
    """
    if weight is None:
        rows = a.movedim(1, -1).flatten(0, -2)
    else:
        rows, weight = _weighty(a, weight)
        rows = rows * weight.sqrt()
    return _Products.apply(rows) / (a.numel() // a.shape[1])  # pyright: ignore[reportReturnType, reportOperatorIssue]


def style_layer_cost(style: Tensor, generated: Tensor) -> Tensor:
    """J_style^[l](S, G) of two style matrices (n_C, n_C), as :func:`style_matrix` gives them.

    1/(2 n_C)^2 * sum (G(S)/n_S - G(G)/n_G)^2, which is the paper's 1/(2 n n_C)^2 * sum (G(S) - G(G))^2 (equation 4) where
    both have n positions.
    """
    return (style - generated).square().sum() / (2 * style.shape[0]) ** 2


def relative_lambda(share: float, style: Tensor) -> Tensor:
    """lambda^[l] = share * (2 n_C)^2 / ||G(S)||_F^2 for the style matrix of S.

    It makes the layer's cost the share times the squared relative error of its style matrix, so that no layer drowns the
    others: unbalanced, relu4_1 of VGG-19 alone would be 99% of the style cost.
    """
    return share * (2 * style.shape[0]) ** 2 / _not_zero(style.square().sum())


def channel_means(a: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean of each channel over all positions, (n_C,), with weights as :func:`style_matrix` takes them."""
    if weight is None:
        return a.transpose(0, 1).flatten(1).mean(1)
    rows, weight = _weighty(a, weight)
    return (rows * weight).sum(0) / (a.numel() // a.shape[1])


def wasserstein_cost(mean_s: Tensor, second_s: Tensor, mean_g: Tensor, second_g: Tensor) -> Tensor:
    """How far the activations of G must be moved to be distributed as those of S: the squared 2-Wasserstein distance.

    ||m(S) - m(G)||^2 + tr(K(S) + K(G) - 2 (K(S)^1/2 K(G) K(S)^1/2)^1/2) of normal distributions with means m (n_C,), as
    :func:`channel_means` gives them, and covariances K = second - m m^T, with second moments (n_C, n_C), as
    :func:`style_matrix` gives them: those can be averaged over parts and styles, covariances cannot. Both distributions are
    blurred a little (1e-4 of the mean square of S is added to each variance). Computed on the CPU in float64.

    Dowson and Landau, "The Fréchet distance between multivariate normal distributions" (1982).
    """
    return wasserstein_to(mean_s, second_s)(mean_g, second_g)


def wasserstein_to(mean_s: Tensor, second_s: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """:func:`wasserstein_cost` as a function of the mean and the second moment of G; what it takes of S is computed once."""
    target, second = _exact(mean_s), _exact(second_s)
    variance = _BLUR * _not_zero(second.trace()) / len(second)
    blur = variance * torch.eye(len(second), dtype=second.dtype)
    covariance_s = second - target.outer(target) + blur
    variances, directions = torch.linalg.eigh(covariance_s)
    root = directions * variances.clamp_min(0).sqrt()  # of any R with R R^T = K(S), R^T K(G) R has the same eigenvalues

    def cost(mean_g: Tensor, second_g: Tensor) -> Tensor:
        mean = _exact(mean_g)
        covariance_g = _exact(second_g) - mean.outer(mean) + blur
        # the gradient of eigenvalues is finite where they are equal, that of eigenvectors is not
        shared = torch.linalg.eigvalsh(root.T @ covariance_g @ root)
        overlap = shared.clamp_min(variance**2).sqrt().sum()
        distance = (target - mean).square().sum() + covariance_s.trace() + covariance_g.trace() - 2 * overlap
        return distance.to(mean_g.dtype).to(mean_g.device)

    return cost


def wasserstein_lambda(share: float, mean: Tensor, second: Tensor) -> Tensor:
    """lambda^[l] = share / tr(second) of S, which makes the layer's cost the share times a squared relative error.

    tr(second) is the cost of a G without any activation.
    """
    return share / _not_zero(second.trace())


def temporal_cost(moved: Tensor, generated: Tensor, trust: Tensor) -> Tensor:
    """How far a frame G of a movie is from the painted frame before it: 1000 * mean(trust (G - moved)^2).

    ``moved`` is that frame (1, channels, height, width), moved as the content moved; ``trust`` (height, width) is 1 where
    it shows the same thing, and 0 where something comes out from behind or from outside. Values are in 0..1. The factor
    suits costs that are relative errors.

    Ruder, Dosovitskiy and Brox (2016), arXiv:1604.08610, equation 7.
    """
    return _TEMPORAL * (trust * (generated - moved).square()).mean()


def total_variation(x: Tensor) -> Tensor:
    """How restless a signal (N, channels, *space) with values in 0..1 is: the mean length of its gradient.

    1/n * sum over positions of sqrt(|x's change to the next position along each axis, in all channels|^2 + e^2) - e, with
    e = 0.01. Isotropic, and with one length for all channels: edges may stay where they are in all of them at once, and fine
    grain goes (Rudin, Osher and Fatemi 1992; Blomgren and Chan 1998). At the far borders the change is 0.
    """
    squares = x.new_zeros((x.shape[0], *x.shape[2:]))
    for axis in range(1, x.dim() - 1):
        change = x.diff(dim=axis + 1).square().sum(1)
        squares = squares + torch.cat([change, torch.zeros_like(squares.narrow(axis, 0, 1))], axis)
    return ((squares + _FLAT**2).sqrt() - _FLAT).mean()


class _Products(torch.autograd.Function):
    """rows^T rows; its gradient by one product, where that of a general product takes two."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(n_C, n_C) of (positions, n_C)."""
        ctx.save_for_backward(rows)
        return rows.T @ rows

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The gradient by the rows."""
        (rows,) = ctx.saved_tensors
        return rows @ (g + g.T)


def _weighty(a: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The positions that count, (positions, n_C), and their weights, (positions, 1); of many regions each has few."""
    weight = weight.flatten()
    there = weight.nonzero()[:, 0]
    return a.movedim(1, -1).flatten(0, -2)[there], weight[there, None]


def _exact(x: Tensor) -> Tensor:
    # not all devices have float64 and eigenvalues, and the matrices are small
    return x.cpu().double()


def _not_zero(energy: Tensor) -> Tensor:
    return energy.clamp_min(torch.finfo(energy.dtype).tiny ** 0.5)
