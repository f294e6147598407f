"""A convolution with its padding, bias and ReLU, computed in the fastest way for its shape.

This is what the networks call; everything else in this folder serves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from impasto.networks.kernels.autotune import chooses_winograd

Padding = Literal["replicate", "zeros", "none"]

_CONVOLUTION = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def convolve(
    a: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    stride: int = 1,
    padding: Padding = "zeros",
    rectified: bool = False,
    pooled: bool = False,
) -> Tensor:
    """The convolution of a (N, channels, \\*space) with weight (out, channels, \\*kernel), plus bias (out,).

    Args:
        a: the activations, of 1, 2 or 3 spatial dimensions.
        weight: the kernels. Where they or the bias need a gradient, the convolution is torch's own.
        bias: one number per output channel.
        stride: positions from one result to the next.
        padding: what lies outside: the border repeated, zeros, or nothing, so that only the inner positions are computed.
        rectified: take the ReLU of the result.
        pooled: take the mean of each 2 x 2 positions afterwards; only together with ``rectified``, and in 2D.
    """
    if _winograd_applies(a, weight, bias, stride) and chooses_winograd(a.shape, weight.shape[0]):
        return Winograd.apply(a, weight, bias, padding, rectified, pooled)  # pyright: ignore[reportReturnType]
    y = _direct(a, weight, bias, stride, padding, rectified)
    return F.avg_pool2d(y, 2) if pooled else y


def _direct(a: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: Padding, rectified: bool) -> Tensor:
    margin, dims = weight.shape[-1] // 2, weight.dim() - 2
    if padding == "replicate" and a.device.type == "cuda":
        a = Replicated.apply(a, margin) if margin else a  # pyright: ignore[reportAssignmentType]
    elif padding == "replicate":
        a = F.pad(a, (margin, margin) * dims, mode="replicate")
    y = _CONVOLUTION[dims](a, weight, bias, stride, margin if padding == "zeros" else 0)
    return y.relu_() if rectified else y  # in place: these tensors are the largest there are


def _winograd_applies(a: Tensor, weight: Tensor, bias: Tensor, stride: int) -> bool:
    frozen = not (torch.is_grad_enabled() and (weight.requires_grad or bias.requires_grad))
    return (
        weight.shape[2:] == (3, 3)
        and stride == 1
        and frozen
        and all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in (a, weight, bias))
    )


class Replicated(torch.autograd.Function):
    """The border repeated, in the layout of a; torch's own on a GPU changes the layout, and adds gradients in any order."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, margin: int) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The tensor (N, channels, \\*space), ``margin`` wider at each side."""
        ctx.space, ctx.margin = a.shape[2:], margin
        shape = (*a.shape[:2], *(n + 2 * margin for n in ctx.space))
        # channels last, or first
        y = a.new_empty((shape[0], *shape[2:], shape[1])).movedim(-1, 1) if a.stride(1) == 1 else a.new_empty(shape)
        y[(..., *(slice(margin, margin + n) for n in ctx.space))] = a
        for axis, n in enumerate(ctx.space, start=2):
            for side, border in ((0, margin), (margin + n, margin + n - 1)):
                y.narrow(axis, side, margin).copy_(y.narrow(axis, border, 1).expand_as(y.narrow(axis, side, margin)))
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The border gets the gradients of its copies. They are added in place: the padded tensor is nobody else's."""
        g = g.clone() if torch.is_grad_enabled() else g
        for axis, n in enumerate(ctx.space, start=2):
            for side, border in ((0, ctx.margin), (ctx.margin + n, ctx.margin + n - 1)):
                g.narrow(axis, border, 1).add_(g.narrow(axis, side, ctx.margin).sum(axis, keepdim=True))
            g = g.narrow(axis, ctx.margin, n)
        return g, None


class Winograd(torch.autograd.Function):
    """Winograd's convolution. For the gradient it keeps no activations, only the sign of each result, which is one bit."""

    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, a: Tensor, weight: Tensor, bias: Tensor, padding: Padding, rectified: bool, pooled: bool
    ) -> Tensor:
        """The same as :func:`convolve`."""
        from impasto.networks.kernels import winograd

        margin = 0 if padding == "none" else 1
        height, width = (n - 2 + 2 * margin for n in a.shape[2:])
        y, signs = winograd.convolve(
            _channels_last(a),
            _kernels_at_points(weight, adjoint=False),
            bias,
            (height, width),
            lead=margin,
            repeat=padding == "replicate",
            rectified=rectified,
            pooled=pooled,
        )
        ctx.save_for_backward(weight, signs)
        ctx.rectified, ctx.pooled = rectified, pooled
        ctx.size, ctx.margin, ctx.padding = tuple(a.shape[2:]), margin, padding
        return y.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The gradient with respect to a: g convolved with the kernels rotated by 180 degrees, input and output swapped.

        What falls on repeated padding is added to the border, which that padding was a copy of.
        """
        from impasto.networks.kernels import winograd

        weight, signs = ctx.saved_tensors
        none = (None,) * 5
        if ctx.pooled:
            g = g / 4
        if torch.is_grad_enabled():
            if ctx.pooled:
                g = _repeat_2x2(g, signs.shape[1:3])
            return _differentiable_adjoint(g, weight, signs, ctx.size, ctx.padding), *none
        x, _ = winograd.convolve(
            _channels_last(g),
            _kernels_at_points(weight, adjoint=True),
            g.new_zeros(weight.shape[1]),
            ctx.size,
            lead=2 - ctx.margin,
            fold=ctx.padding == "replicate",
            mask=signs,
            unpool=ctx.pooled,
        )
        return x.permute(0, 3, 1, 2), *none


def _repeat_2x2(g: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat each position of g (N, channels, H, W) 2 x 2 times; rows and columns missing to ``size`` are zero."""
    g = F.interpolate(g, scale_factor=2.0)
    return F.pad(g, (0, size[1] - g.shape[3], 0, size[0] - g.shape[2]))


def _differentiable_adjoint(
    g: Tensor, weight: Tensor, signs: Tensor | None, size: tuple[int, int], padding: Padding
) -> Tensor:
    """The gradient with respect to a by torch's direct convolution, so that it has a gradient itself."""
    if signs is not None:
        from impasto.networks.kernels.winograd import unpack_signs

        g = g * unpack_signs(signs, g.shape[1]).permute(0, 3, 1, 2)
    a = g.new_zeros(g.shape[0], weight.shape[1], *size, requires_grad=True)
    y = _direct(a, weight, g.new_zeros(weight.shape[0]), 1, padding, rectified=False)
    return torch.autograd.grad(y, a, g, create_graph=True)[0]


def _channels_last(a: Tensor) -> Tensor:
    return a.permute(0, 2, 3, 1).contiguous()


_KERNELS_AT_POINTS = WeakTensorKeyDictionary()


def _kernels_at_points(weight: Tensor, *, adjoint: bool) -> Tensor:
    """The kernels at Winograd's 36 points, computed once for as long as the weight lives and is not changed."""
    from impasto.networks.kernels import winograd

    kept: dict[bool, tuple[int, Tensor]] = _KERNELS_AT_POINTS.setdefault(weight, {})  # pyright: ignore[reportAssignmentType]
    version = 0 if weight.is_inference() else weight._version
    if adjoint not in kept or kept[adjoint][0] != version:
        with torch.no_grad():
            kept[adjoint] = version, winograd.transform_kernels(weight.flip(2, 3).transpose(0, 1) if adjoint else weight)
    return kept[adjoint][1]
