"""Wrong solutions as students write them, each with words of what is to be said of it."""

# ruff: noqa: N803, N806
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F


def matrix(a: Any) -> Any:
    return a.flatten(1) @ a.flatten(1).T


def tall(a: Any) -> Any:
    """Positions by channels, or so it is hoped."""
    return a.reshape(a.shape[1] * a.shape[2], a.shape[0])


def update_weights(J: Any, G: Any, step: float) -> Any:
    J(G).backward()
    with torch.no_grad():
        for parameter in J.network.parameters():
            parameter -= step * parameter.grad
    return G


def forgot_detach(J: Any, G: Any, step: float) -> Any:
    G = G.clone().requires_grad_(True)
    return G - step * torch.autograd.grad(J(G), G)[0]


def gradient(J: Any, G: Any) -> Any:
    G = G.clone().requires_grad_(True)
    return torch.autograd.grad(J(G), G)[0]


def backward_twice(J: Any, G: Any, step: float) -> Any:
    G = G.clone().requires_grad_(True)
    J(G).backward()
    J(G).backward()
    return (G - step * G.grad).detach()


def of_the_answer(J: Any, G: Any, step: float) -> Any:
    G = G.clone().requires_grad_(True)
    J.network(G[None]).sum().backward()
    return (G - step * G.grad).detach()


def best(scores: Any, count: int) -> Any:
    return torch.argsort(scores, descending=True)[:count]


WRONG: dict[str, list[tuple[str, Callable[..., Any]]]] = {
    "content_cost": [
        ("the 1/4 is missing", lambda a_C, a_G: F.mse_loss(a_C, a_G)),
        ("1/2 where 1/4", lambda a_C, a_G: F.mse_loss(a_C, a_G) / 2),
        ("the paper's 1/2 of the sum", lambda a_C, a_G: 0.5 * ((a_C - a_G) ** 2).sum()),
        ("not divided by n_H n_W n_C", lambda a_C, a_G: ((a_C - a_G) ** 2).sum() / 4),
        ("not divided at all", lambda a_C, a_G: torch.sum((a_C - a_G) ** 2)),
        ("not divided by n,", lambda a_C, a_G: ((a_C - a_G) ** 2).sum() / (4 * a_C.shape[0])),
        ("not divided by n_C", lambda a_C, a_G: ((a_C - a_G) ** 2).sum() / (4 * a_C.shape[1] * a_C.shape[2])),
        ("not squared", lambda a_C, a_G: (a_C - a_G).mean() / 4),
        ("absolute values", lambda a_C, a_G: F.l1_loss(a_C, a_G) / 4),
        ("a root is taken", lambda a_C, a_G: torch.norm(a_C - a_G) / (4 * a_C.numel())),
        ("first summed and then squared", lambda a_C, a_G: (a_C - a_G).sum() ** 2 / (4 * a_C.numel())),
        ("the squares are subtracted", lambda a_C, a_G: (a_C**2 - a_G**2).mean() / 4),
        ("added where their difference counts", lambda a_C, a_G: ((a_C + a_G) ** 2).mean() / 4),
        ("always 0", lambda a_C, a_G: ((a_G - a_G) ** 2).mean() / 4),
        ("not summed", lambda a_C, a_G: (a_C - a_G) ** 2 / (4 * a_C.numel())),
        (
            "content and style are swapped",
            lambda a_C, a_G: ((matrix(a_C) - matrix(a_G)) ** 2).sum() / (2 * a_C.numel()) ** 2,
        ),
    ],
    "style_matrix": [
        ("the transpose is at the wrong factor", lambda a: a.flatten(1).T @ a.flatten(1)),
        ("reshape does not transpose", lambda a: tall(a).T @ tall(a)),
        ("divided by n, the number of positions", lambda a: matrix(a) / (a.shape[1] * a.shape[2])),
        ("divided by n_H n_W n_C", lambda a: matrix(a) / a.numel()),
        ("divided by n_C", lambda a: matrix(a) / a.shape[0]),
        ("the covariance", lambda a: matrix(a - a.mean((1, 2), keepdim=True))),
        ("scaled to length 1", lambda a: matrix(F.normalize(a.flatten(1)))),
        ("only the diagonal is there, how strong", lambda a: (a**2).sum((1, 2))),
        ("only the diagonal is there, and 0", lambda a: torch.diag((a**2).sum((1, 2)))),
        ("element by element (a * a)", lambda a: a * a),
        ("element by element (A * A)", lambda a: a.reshape(len(a), -1) ** 2),
        ("not summed over all positions", lambda a: a @ a.mT),
        ("the wrong axis: it compares rows", lambda a: torch.einsum("kij,klj->il", a, a)),
        ("the wrong axis: it compares columns", lambda a: torch.einsum("kij,kil->jl", a, a)),
        ("sums are multiplied", lambda a: torch.outer(a.sum((1, 2)), a.sum((1, 2)))),
        ("means are multiplied", lambda a: torch.outer(a.mean((1, 2)), a.mean((1, 2)))),
        ("summed to a single number", lambda a: matrix(a).sum()),
        ("its entries are squared", lambda a: matrix(a) ** 2),
        ("only the first row", lambda a: a[:, 0, :] @ a[:, 0, :].T),
        ("only one half is there", lambda a: torch.triu(matrix(a))),
        ("only reshaped", lambda a: a.reshape(a.shape[0], -1)),
    ],
    "layer_style_cost": [
        ("the 1/4 is missing", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / s.numel() ** 2),
        (
            "the 2 of 1 / (2 n_H n_W n_C)^2 is not squared",
            lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (2 * s.numel() ** 2),
        ),
        ("not divided by n,", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (4 * len(s) ** 2)),
        ("n = n_H n_W once", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (4 * len(s) ** 2 * s[0].numel())),
        ("not divided by n_C squared", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (4 * s[0].numel() ** 2)),
        ("n_C once", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (4 * len(s) * s[0].numel() ** 2)),
        ("2 n_H n_W n_C is not squared", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (2 * s.numel())),
        ("the content cost's 1 / (4 n_H n_W n_C)", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum() / (4 * s.numel())),
        ("not divided at all", lambda s, g: ((matrix(s) - matrix(g)) ** 2).sum()),
        ("plain mean of the squares", lambda s, g: F.mse_loss(matrix(s), matrix(g))),
        (
            "divided by n too often",
            lambda s, g: ((matrix(s) - matrix(g)) / s[0].numel()).square().sum() / (2 * s.numel()) ** 2,
        ),
        ("content and style are swapped", lambda s, g: F.mse_loss(s, g) / 4),
        ("activations are compared", lambda s, g: ((s - g) ** 2).sum() / (2 * s.numel()) ** 2),
        (
            "reshape does not transpose",
            lambda s, g: (tall(s).T @ tall(s) - tall(g).T @ tall(g)).square().sum() / (2 * s.numel()) ** 2,
        ),
        (
            "the transpose is at the wrong factor",
            lambda s, g: (
                (s.flatten(1).T @ s.flatten(1) - g.flatten(1).T @ g.flatten(1)).square().sum() / (2 * s.numel()) ** 2
            ),
        ),
        ("differences of the matrices are not squared", lambda s, g: (matrix(s) - matrix(g)).sum() / (2 * s.numel()) ** 2),
        ("absolute values", lambda s, g: (matrix(s) - matrix(g)).abs().sum() / (2 * s.numel()) ** 2),
        ("first summed and then squared", lambda s, g: (matrix(s) - matrix(g)).sum() ** 2 / (2 * s.numel()) ** 2),
        ("only the diagonal", lambda s, g: ((s**2).sum((1, 2)) - (g**2).sum((1, 2))).square().sum() / (2 * s.numel()) ** 2),
        ("a root is taken", lambda s, g: torch.norm(matrix(s) - matrix(g)) / (2 * s.numel()) ** 2),
        ("always 0", lambda s, g: (matrix(s) - matrix(s)).square().sum()),
        ("not summed", lambda s, g: (matrix(s) - matrix(g)) ** 2 / (2 * s.numel()) ** 2),
    ],
    "total_cost": [
        ("content and style are swapped", lambda c, s, alpha=10, beta=40: alpha * s + beta * c),
        ("the defaults are swapped", lambda c, s, alpha=40, beta=10: alpha * c + beta * s),
        ("the defaults are not there", lambda c, s, alpha=1, beta=1: alpha * c + beta * s),
        ("alpha is missing", lambda c, s, alpha=10, beta=40: c + beta * s),
        ("beta is missing", lambda c, s, alpha=10, beta=40: alpha * c + s),
        ("alpha and beta are missing", lambda c, s, alpha=10, beta=40: c + s),
        ("always 10 and 40", lambda c, s, alpha=10, beta=40: 10 * c + 40 * s),
        ("alpha is the weight of both", lambda c, s, alpha=10, beta=40: alpha * (c + s)),
        ("beta is the weight of both", lambda c, s, alpha=10, beta=40: beta * (s + c)),
        ("the costs are multiplied", lambda c, s, alpha=10, beta=40: (alpha * c) * (beta * s)),
        ("subtracted", lambda c, s, alpha=10, beta=40: alpha * c - beta * s),
        ("divided by alpha + beta", lambda c, s, alpha=10, beta=40: (alpha * c + beta * s) / (alpha + beta)),
        ("halved", lambda c, s, alpha=10, beta=40: 0.5 * (alpha * c + beta * s)),
        ("divided by alpha:", lambda c, s, alpha=10, beta=40: c + (beta / alpha) * s),
        ("divided by the weights", lambda c, s, alpha=10, beta=40: c / alpha + s / beta),
        ("squared", lambda c, s, alpha=10, beta=40: (alpha * c) ** 2 + (beta * s) ** 2),
        ("the style cost is missing", lambda c, s, alpha=10, beta=40: alpha * c),
        ("the content cost is missing", lambda c, s, alpha=10, beta=40: beta * s),
    ],
    "gradient_step": [
        ("the gradient of the network is followed instead of that of G", update_weights),
        ("still remembers how it was computed", forgot_detach),
        ("the sign", lambda J, G, step: G + step * gradient(J, G)),
        ("has not moved", lambda J, G, step: G.clone()),
        ("the step is missing", lambda J, G, step: G - gradient(J, G)),
        ("the gradient is returned", lambda J, G, step: gradient(J, G)),
        ("only the change is returned: ", lambda J, G, step: -step * gradient(J, G)),
        ("only the change is returned, and uphill", lambda J, G, step: step * gradient(J, G)),
        ("divided by the step", lambda J, G, step: G - gradient(J, G) / step),
        ("only the sign", lambda J, G, step: G - step * torch.sign(gradient(J, G))),
        ("scaled to length 1", lambda J, G, step: G - step * gradient(J, G) / gradient(J, G).norm()),
        ("averaged to a single number", lambda J, G, step: G - step * gradient(J, G).mean()),
        ("twice the gradient", backward_twice),
        ("J itself is subtracted", lambda J, G, step: G - step * J(G).item()),
        ("what the network answers", of_the_answer),
        ("multiplied by the change", lambda J, G, step: G * (1 - step * gradient(J, G))),
    ],
    "most_exciting": [
        ("the smallest come first", lambda a, count=9: torch.argsort(a.amax((1, 2)))[:count]),
        ("the worst of them first", lambda a, count=9: torch.argsort(a.amax((1, 2)))[-count:]),
        ("the mean over positions", lambda a, count=9: best(a.mean((1, 2)), count)),
        ("the minimum over positions", lambda a, count=9: best(a.amin((1, 2)), count)),
        ("the length (the norm)", lambda a, count=9: best((a**2).sum((1, 2)), count)),
        ("only the middle", lambda a, count=9: best(a[:, a.shape[1] // 2, a.shape[2] // 2], count)),
        ("only the first position", lambda a, count=9: best(a[:, 0, 0], count)),
        ("positions are numbered", lambda a, count=9: best(a.flatten(), count)),
        ("comes several times", lambda a, count=9: best(a.flatten(), count) // (a.shape[1] * a.shape[2])),
        ("sorted by their numbers", lambda a, count=9: best(a.amax((1, 2)), count).sort().values),
        ("the activations are returned", lambda a, count=9: a.amax((1, 2)).topk(count).values),
        ("all photographs are returned", lambda a, count=9: torch.argsort(a.amax((1, 2)), descending=True)),
        ("it is always nine", lambda a, count=9: best(a.amax((1, 2)), 9)),
        ("the best one is missing", lambda a, count=9: torch.argsort(a.amax((1, 2)), descending=True)[1 : count + 1]),
        ("one too large", lambda a, count=9: best(a.amax((1, 2)), count) + 1),
        ("as they came", lambda a, count=9: list(range(count))),
        ("only the best one", lambda a, count=9: a.amax((1, 2)).argmax()),
        ("argmax gives where", lambda a, count=9: best(a.flatten(1).argmax(1), count)),
    ],
    "style_matrix_of_any": [
        ("A^T A is n x n", lambda a: a.flatten(1).T @ a.flatten(1)),
        ("(divided by n it is)", lambda a: a.flatten(1).T @ a.flatten(1) / a[0].numel()),
        ("reshape does not transpose", lambda a: a.reshape(-1, len(a)).T @ a.reshape(-1, len(a)) / a[0].numel()),
        ("not divided by n", matrix),
        ("the length of the first axis", lambda a: matrix(a) / a.shape[1]),
        ("the length of the last axis", lambda a: matrix(a) / a.shape[-1]),
        ("divided by n n_C", lambda a: matrix(a) / a.numel()),
        ("divided by n_C", lambda a: matrix(a) / len(a)),
        ("divided by n twice", lambda a: matrix(a) / a[0].numel() ** 2),
        ("the covariance", lambda a: torch.cov(a.flatten(1), correction=0)),
        ("scaled to length 1", lambda a: matrix(F.normalize(a.flatten(1)))),
        ("only the diagonal", lambda a: a.flatten(1).square().mean(1)),
        ("means are multiplied", lambda a: torch.outer(a.flatten(1).mean(1), a.flatten(1).mean(1))),
        ("element by element", lambda a: a.flatten(1) ** 2),
        ("the differences from one position to the next", lambda a: matrix(a.diff()) / a.diff()[0].numel()),
        ("only the first position", lambda a: matrix(a[..., :1]) / a[..., :1][0].numel()),
        ("summed to a single number", lambda a: (matrix(a) / a[0].numel()).sum()),
    ],
}
