"""The parts of a lecture that are painted: what each part of J does alone, both in proportion, and the plain update."""

from __future__ import annotations

from typing import Any

import torch

from impasto.descent.descend import Progress
from impasto.lecture.pictures import uri_of, values_of
from impasto.lecture.scene import CONTENT_LAYER, LAYERS, Scene
from impasto.objective.costs import relative_lambda, style_layer_cost, style_matrix

CONTENT_LAYERS = ("relu1_1", "relu2_1", "relu3_1", CONTENT_LAYER, "relu5_1")
ALPHAS, BETAS = (0.0, 0.2, 1.0, 5.0), (0.0, 1.0, 5.0, 25.0)
RATIOS = sorted({beta / alpha for alpha in ALPHAS for beta in BETAS if alpha and beta})
"""The proportions of beta to alpha that the two sliders can say; each has one picture."""
USUAL = 5.0
"""The proportion of the painting that other parts speak of: the default for a descent from noise."""
ONE, ALL, BOTH, PLAIN = 30, 40, 45, 48
"""Evaluations of the descents: for one cost of one layer, for the style of all, for both, and with the plain update."""

Figures = dict[str, Any]


def content_part(scene: Scene, before: Figures) -> Figures:
    """G that has, in one layer, the activations of C: for several layers."""
    layers: Figures = {}
    for layer in CONTENT_LAYERS:
        painting = scene.descend(ONE, beta=0.0, content_layers=layer)
        channels, *space = scene.activations(scene.content.values, [layer])[layer].shape[1:]
        layers[layer] = {
            "picture": uri_of(painting.signal.values),
            "channels": channels,
            "space": space,
            "costs": [_short(painting.history[0].content_cost), _short(painting.best.content_cost)],
        }
    return {"layers": layers, "usual": CONTENT_LAYER, "evaluations": scene.count(ONE)}


def layers_part(scene: Scene, before: Figures) -> Figures:
    """G that has the style matrix of S in one layer alone, and in all five; and what lambda does."""
    layers: Figures = {}
    for layer in LAYERS:
        painting = scene.descend(ONE, alpha=0.0, beta=1.0, style_layers=layer)
        layers[layer] = {"picture": uri_of(painting.signal.values)}
    painting = scene.descend(ALL, alpha=0.0, beta=1.0)
    noise = scene.activations(_noise(scene), LAYERS)
    ends = scene.style_costs(painting.signal.values)
    for layer in LAYERS:
        of_style, of_noise = style_matrix(scene.seen["style"][layer]), style_matrix(noise[layer])
        cost, scale = style_layer_cost(of_style, of_noise), relative_lambda(1 / len(LAYERS), of_style)
        layers[layer] |= {
            "channels": len(of_style),
            "cost": _short(cost),
            "lambda": _short(scale),
            "begin": _short(cost * scale),
            "end": _short(ends[layer] / len(LAYERS)),
        }
    return {"layers": layers, "all": uri_of(painting.signal.values), "evaluations": [scene.count(ONE), scene.count(ALL)]}


def balance_part(scene: Scene, before: Figures) -> Figures:
    """G for each proportion of beta to alpha, and where one of them is 0, or both are."""
    noise = _noise(scene)
    pictures: Figures = {
        "none": {"picture": uri_of(noise), **_costs(scene, noise)},
        "content": _seen(scene, before["content"]["layers"][CONTENT_LAYER]["picture"]),
        "style": _seen(scene, before["layers"]["all"]),
    }
    for ratio in RATIOS:
        made = scene.descend(BOTH, alpha=1.0, beta=ratio).signal.values
        # what other parts measure in it they read from here
        quality = None if ratio == USUAL else 82
        pictures[f"{ratio:g}"] = {"picture": uri_of(made, quality), **_costs(scene, made)}
    return {
        "alphas": [*ALPHAS], "betas": [*BETAS], "usual": [1.0, USUAL], "pictures": pictures, "evaluations": scene.count(BOTH)
    }  # fmt: skip


def descent_part(scene: Scene, before: Figures) -> Figures:
    """G from noise by the plain update: the picture and J at each step."""
    frames: list[str] = []
    costs: list[Figures] = []

    def keep(progress: Progress) -> None:
        frames.append(uri_of(progress.generated[0].cpu().numpy(), 72))
        newest = progress.latest
        costs.append({"J": _short(newest.cost), **{name: _short(cost) for name, cost in newest.costs.items()}})

    painting = scene.descend(PLAIN, keep, beta=USUAL, optimizer="gd")
    return {"frames": frames, "costs": costs, "alpha": painting.settings.alpha, "beta": USUAL}


def _noise(scene: Scene) -> Any:
    """The first G of every descent."""
    first: list[torch.Tensor] = []
    with_noise = Scene(scene.content, scene.style, cancel=scene.cancel, shortened=1)
    with_noise.descend(1, lambda progress: first.append(progress.generated[0].cpu()), beta=0.0)
    return first[0].numpy()


def _seen(scene: Scene, uri: str) -> Figures:
    return {"picture": uri, **_costs(scene, values_of(uri))}


def _costs(scene: Scene, picture: Any) -> Figures:
    styles = scene.style_costs(picture)
    return {
        "content": _short(scene.content_cost(picture, CONTENT_LAYER)), "style": _short(sum(styles.values()) / len(styles))
    }  # fmt: skip


def _short(number: Any) -> float:
    return float(f"{float(number):.4g}")
