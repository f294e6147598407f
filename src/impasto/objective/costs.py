"""The costs of neural style transfer: plain functions of activations.

An activation a^[l] has the shape (N, n_C, *space); n is the number of its positions, over the whole batch. All costs are
differentiable, and take any floating dtype, device and number of dimensions.

After Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), arXiv:1508.06576.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

_TEMPORAL = 1000.0
# added to the variance of every channel, in units of the style's mean square, so that a constant channel has a gradient
_BLUR = 1e-4
# activations shorter than this share of the usual length hardly have a direction
_SHORT = 0.01
# e of the total variation: changes well below it count by their square, so that the cost is differentiable at 0
_FLAT = 0.01


def content_cost(content: Tensor, generated: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """J_content(C, G): how far the activations of G are from those of C, two tensors of one shape.

    1/(4 n n_C) * sum (a(C) - a(G))^2, which does not grow with the size; with ``reduction="sum"`` the paper's
    1/2 * sum (a(C) - a(G))^2 (equation 1).
    """
    squares = (content - generated).square().sum()
    return squares / 2 if reduction == "sum" else squares / (4 * content.numel())


def content_cost_at(content: Tensor, generated: Tensor) -> Tensor:
    """The content cost position by position, (N, *space): its mean is :func:`content_cost`."""
    return (content - generated).square().mean(1) / 4


def content_unit(content: Tensor) -> Tensor:
    """mean(a(C)^2) / 4: in this unit the content cost is the squared relative error of a(G)."""
    return _not_zero(content.square().mean() / 4)


def neighbour_cost(target: Tensor, generated: Tensor, typical: float) -> Tensor:
    """How far the activations of G point from ``target``, vectors of length 1 of the same shape (N, n_C, *space).

    The mean over positions of 1 - <target, a(G)> / sqrt(|a(G)|^2 + e^2), which is 1 - cosine: 0 if all point the same way,
    and 1 if none has a channel in common, whatever the lengths. e, a hundredth of the ``typical`` length of the
    activations, is for those that are nearly 0.

    Kolkin et al. (2022), arXiv:2203.13215, equation 2.
    """
    return 1 - _cosines(target, generated, typical).mean()


def neighbour_cost_at(target: Tensor, generated: Tensor, typical: float) -> Tensor:
    """The neighbour cost position by position, (N, *space): its mean is :func:`neighbour_cost`."""
    return 1 - _cosines(target, generated, typical)


def style_matrix(a: Tensor, weight: Tensor | None = None) -> Tensor:
    """The style (Gram) matrix per position, (n_C, n_C): which channels are active together.

    M_kk' / n with M_kk' = sum over positions of a_k a_k' (equation 3, which writes G), divided by n so that signals of
    different sizes can be compared.

    With ``weight``, the weights of the positions (N, 1, *space) with mean 1, it is the matrix of a region: the sum over
    positions of weight a_k a_k', divided by n (Gatys et al. 2017, arXiv:1611.07865, section 4).
    """
    if weight is None:
        rows = a.movedim(1, -1).flatten(0, -2)
    else:
        rows, weight = _with_weight(a, weight)
        rows = rows * weight.sqrt()
    return _Products.apply(rows) / (a.numel() // a.shape[1])  # pyright: ignore[reportReturnType, reportOperatorIssue]


def style_layer_cost(style: Tensor, generated: Tensor) -> Tensor:
    """J_style^[l](S, G) from the style matrices (n_C, n_C) of S and G, see :func:`style_matrix`.

    1/(2 n_C)^2 * sum (M(S)/n_S - M(G)/n_G)^2, which is the paper's 1/(2 n n_C)^2 * sum (M(S) - M(G))^2 (equation 4) if both
    have n positions.
    """
    return (style - generated).square().sum() / (2 * style.shape[0]) ** 2


def relative_lambda(share: float, style: Tensor) -> Tensor:
    """lambda^[l] = share * (2 n_C)^2 / ||M(S)/n||_F^2 for the style matrix of S.

    With it the layer's cost is the share times the squared relative error of its style matrix, so that no layer outweighs
    the others: with equal lambdas relu4_1 of VGG-19 alone would be 99% of the style cost.
    """
    return share * (2 * style.shape[0]) ** 2 / _not_zero(style.square().sum())


def channel_means(a: Tensor, weight: Tensor | None = None) -> Tensor:
    """The mean of each channel over all positions, (n_C,), with weights as in :func:`style_matrix`."""
    if weight is None:
        return a.transpose(0, 1).flatten(1).mean(1)
    rows, weight = _with_weight(a, weight)
    return (rows * weight).sum(0) / (a.numel() // a.shape[1])


def wasserstein_to(mean_s: Tensor, second_s: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """J_style^[l](S, G) as the squared 2-Wasserstein distance: how far the activations of G are from the distribution of S.

    Returns a function of the mean and the second moment of G, so that what depends on S is computed once:
    ||m(S) - m(G)||^2 + tr(K(S) + K(G) - 2 (K(S)^1/2 K(G) K(S)^1/2)^1/2), for normal distributions with means m (n_C,), see
    :func:`channel_means`, and covariances K = second - m m^T, where the second moments (n_C, n_C) are style matrices, see
    :func:`style_matrix`. Unlike covariances these can be averaged over parts and styles. 1e-4 of the mean square of S is
    added to each variance. Computed on the CPU in float64.

    Dowson and Landau, "The Fréchet distance between multivariate normal distributions" (1982).
    """
    target, second = _exact(mean_s), _exact(second_s)
    variance = _BLUR * _not_zero(second.trace()) / len(second)
    blur = variance * torch.eye(len(second), dtype=second.dtype)
    covariance_s = second - target.outer(target) + blur
    variances, directions = torch.linalg.eigh(covariance_s)
    root = directions * variances.clamp_min(0).sqrt()  # R^T K(G) R has the same eigenvalues for any R with R R^T = K(S)

    def cost(mean_g: Tensor, second_g: Tensor) -> Tensor:
        mean = _exact(mean_g)
        covariance_g = _exact(second_g) - mean.outer(mean) + blur
        # the gradient of eigenvalues is finite even if some are equal, that of eigenvectors is not
        shared = torch.linalg.eigvalsh(root.T @ covariance_g @ root)
        overlap = shared.clamp_min(variance**2).sqrt().sum()
        distance = (target - mean).square().sum() + covariance_s.trace() + covariance_g.trace() - 2 * overlap
        return distance.to(mean_g.dtype).to(mean_g.device)

    return cost


def wasserstein_lambda(share: float, mean: Tensor, second: Tensor) -> Tensor:
    """lambda^[l] = share / tr(second) of S, with which the layer's cost is the share times a squared relative error.

    tr(second) is the cost of a G whose activations are all 0.
    """
    return share / _not_zero(second.trace())


def temporal_cost(moved: Tensor, generated: Tensor, trust: Tensor) -> Tensor:
    """How far a frame G of a movie is from the painted frame before it: 1000 * mean(trust (G - moved)^2).

    ``moved`` is that frame (1, channels, height, width), moved as the content moved; ``trust`` (height, width) is 1 where it
    shows the same thing, and 0 where something comes into view. Values are in 0..1. The factor suits the weighting
    "relative" of the other costs.

    Ruder, Dosovitskiy and Brox (2016), arXiv:1604.08610, equation 7.
    """
    return _TEMPORAL * (trust * (generated - moved).square()).mean()


def total_variation(x: Tensor) -> Tensor:
    """The mean length of the gradient of a signal (N, channels, *space) with values in 0..1.

    1/n * sum over positions of sqrt(|change of x to the next position along each axis, in all channels|^2 + e^2) - e, with
    e = 0.01. It is isotropic, and takes one length for all channels, so that it removes fine grain but keeps edges that are
    at one place in all channels (Rudin, Osher and Fatemi 1992; Blomgren and Chan 1998). At the far borders the change is 0.
    """
    return total_variation_at(x).mean()


def total_variation_at(x: Tensor) -> Tensor:
    """The length of the gradient at each position, (N, *space): its mean is :func:`total_variation`."""
    squares = x.new_zeros((x.shape[0], *x.shape[2:]))
    for axis in range(1, x.dim() - 1):
        change = x.diff(dim=axis + 1).square().sum(1)
        squares = squares + torch.cat([change, torch.zeros_like(squares.narrow(axis, 0, 1))], axis)
    return (squares + _FLAT**2).sqrt() - _FLAT


class _Products(torch.autograd.Function):
    """rows^T rows, with a gradient that takes one matrix product instead of two."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(n_C, n_C) of (positions, n_C)."""
        ctx.save_for_backward(rows)
        return rows.T @ rows

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The gradient with respect to the rows."""
        (rows,) = ctx.saved_tensors
        return rows @ (g + g.T)


def _cosines(target: Tensor, generated: Tensor, typical: float) -> Tensor:
    products = (target * generated).sum(1)
    squares = generated.square().sum(1) + (_SHORT * typical) ** 2
    return products * squares.rsqrt()


def _with_weight(a: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The activations (positions, n_C) and weights (positions, 1) of positions whose weight is not 0, often few."""
    weight = weight.flatten()
    there = weight.nonzero()[:, 0]
    return a.movedim(1, -1).flatten(0, -2)[there], weight[there, None]


def _exact(x: Tensor) -> Tensor:
    # not all devices have float64 and eigenvalues, and the matrices are small
    return x.cpu().double()


def _not_zero(energy: Tensor) -> Tensor:
    return energy.clamp_min(torch.finfo(energy.dtype).tiny ** 0.5)
