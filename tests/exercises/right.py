"""Right solutions as students write them, each with whether a notebook can go on with it."""

# ruff: noqa: N803, N806
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def content_in_words(a_C: Any, a_G: Any) -> Any:
    n_C, n_H, n_W = a_G.shape
    rows_C, rows_G = torch.reshape(a_C, (n_C, n_H * n_W)), torch.reshape(a_G, (n_C, n_H * n_W))
    return 1 / (4 * n_H * n_W * n_C) * torch.sum((rows_C - rows_G) ** 2)


def content_in_numpy(a_C: Any, a_G: Any) -> Any:
    return np.sum(np.square(np.subtract(a_C.astype(np.float64), a_G))) / (4 * a_C.size)


def content_in_loops(a_C: Any, a_G: Any) -> Any:
    total = 0.0
    for c, g in zip(a_C.flatten().tolist(), a_G.flatten().tolist(), strict=True):
        total += (c - g) ** 2
    return total / 4 / len(a_C.flatten())


def style_in_numpy(a: Any) -> Any:
    rows = np.reshape(a, (a.shape[0], -1))
    return np.dot(rows, rows.transpose())


def layer_in_words(a_S: Any, a_G: Any) -> Any:
    n_C, n_H, n_W = a_G.shape
    S, G = a_S.reshape(n_C, -1), a_G.reshape(n_C, -1)
    M_S, M_G = torch.matmul(S, S.t()), torch.matmul(G, G.t())
    return torch.sum((M_S - M_G) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


def layer_divided_first(a_S: Any, a_G: Any) -> Any:
    def matrix(a: Any) -> Any:
        return torch.einsum("kij,lij->kl", a, a) / (a.shape[1] * a.shape[2])

    return F.mse_loss(matrix(a_S), matrix(a_G)) / 4


def step_backward(J: Any, G: Any, step: float) -> Any:
    G = G.clone().requires_grad_(True)
    J(G).backward()
    with torch.no_grad():
        return G - step * G.grad


def step_in_place(J: Any, G: Any, step: float) -> Any:
    G.requires_grad_(True)
    J(G).backward()
    with torch.no_grad():
        G -= step * G.grad
    return G.detach()


def step_by_sgd(J: Any, G: Any, step: float) -> Any:
    G = G.clone().requires_grad_(True)
    optimizer = torch.optim.SGD([G], lr=step)
    optimizer.zero_grad()
    J(G).backward()
    optimizer.step()
    return G.detach()


def step_by_func(J: Any, G: Any, step: float) -> Any:
    return (G - step * torch.func.grad(J)(G)).detach()


def nine_in_numpy(a: Any, count: int = 9) -> Any:
    highest = a.max(axis=(1, 2))
    return np.argsort(-highest)[:count]


def nine_in_loops(a: Any, count: int = 9) -> Any:
    highest = [photograph.max() for photograph in a]
    return sorted(range(len(highest)), key=lambda i: highest[i], reverse=True)[:count]


RIGHT: dict[str, list[tuple[bool, Callable[..., Any]]]] = {
    "content_cost": [
        (True, content_in_words),
        (True, lambda a_C, a_G: ((a_C - a_G) ** 2).mean() / 4),
        (True, lambda a_C, a_G: F.mse_loss(a_G, a_C) / 4),
        (True, lambda a_C, a_G: (a_C.double() - a_G.double()).square().sum() / (4 * a_C.numel())),
        (True, lambda a_C, a_G: torch.einsum("kij,kij->", a_C - a_G, a_C - a_G) / (4 * a_C.numel())),
        (True, lambda a_C, a_G: (a_C.float() - a_G.float()).square().sum() / (4 * a_C.numel())),
        (False, content_in_numpy),
        (False, content_in_loops),
        (False, lambda a_C, a_G: (((a_C - a_G) ** 2).mean() / 4).item()),
    ],
    "style_matrix": [
        (True, lambda a: torch.matmul(a.reshape(len(a), -1), a.reshape(len(a), -1).T)),
        (True, lambda a: torch.einsum("kij,lij->kl", a, a)),
        (True, lambda a: torch.mm(a.flatten(1), a.flatten(1).t())),
        (True, lambda a: a.reshape(len(a), -1) @ a.reshape(len(a), -1).transpose(0, 1)),
        (True, lambda a: a.permute(1, 2, 0).reshape(-1, len(a)).T @ a.permute(1, 2, 0).reshape(-1, len(a))),
        (True, lambda a: torch.tensordot(a, a, dims=([1, 2], [1, 2]))),  # pyright: ignore[reportArgumentType]
        (True, lambda a: (a[:, None] * a[None]).sum((2, 3))),
        (True, lambda a: a.float().flatten(1) @ a.float().flatten(1).T),
        (False, style_in_numpy),
        (False, lambda a: np.einsum("kij,lij->kl", np.asarray(a), np.asarray(a))),
    ],
    "layer_style_cost": [
        (True, layer_in_words),
        (True, layer_divided_first),
        (
            True,
            lambda s, g: (
                (s.flatten(1) @ s.flatten(1).T - g.flatten(1) @ g.flatten(1).T).square().sum() / (2 * s.numel()) ** 2
            ),
        ),
        (False, lambda s, g: np.sum((style_in_numpy(s) - style_in_numpy(g)) ** 2) / (2 * s.size) ** 2),
    ],
    "total_cost": [
        (True, lambda J_content, J_style, alpha=10, beta=40: alpha * J_content + beta * J_style),
        (True, lambda c, s, a=10.0, b=40.0: torch.stack([a * c, b * s]).sum()),
        (False, lambda c, s, a=10, b=40: np.dot([a, b], [float(c), float(s)])),
    ],
    "gradient_step": [(True, step_backward), (True, step_in_place), (True, step_by_sgd), (True, step_by_func)],
    "most_exciting": [
        (True, lambda a, count=9: a.flatten(1).max(dim=1).values.topk(count).indices),
        (True, lambda a, count=9: torch.argsort(a.amax((1, 2)), descending=True)[:count]),
        (True, nine_in_numpy),
        (True, nine_in_loops),
    ],
    "style_matrix_of_any": [
        (True, lambda a: a.flatten(1) @ a.flatten(1).T / a[0].numel()),
        (True, lambda a: torch.einsum("k...,l...->kl", a, a) / a[0].numel()),
        (True, lambda a: a.reshape(len(a), -1) @ a.reshape(len(a), -1).T * len(a) / a.numel()),
        (False, lambda a: np.cov(a.reshape(len(a), -1), bias=True) + np.outer(*[a.reshape(len(a), -1).mean(1)] * 2)),
    ],
}
