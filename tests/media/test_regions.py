"""J with masks: guided style matrices by the formula, and what is protected stays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError
from impasto.media.image.read import read_image, resample_image
from impasto.media.image.regions import regional_view, where_of
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19
from impasto.networks.tiling.statistics import as_blend
from impasto.networks.tiling.tiles import InTiles
from impasto.networks.weights import Weights
from impasto.objective.evaluation import BoundObjective
from impasto.objective.region_weights import Region, seen
from impasto.objective.style import STYLE_COSTS
from impasto.transfer.resolve import objective_of, resolve
from impasto.transfer.settings import TransferSettings
from tests.conftest import ToldCosts, as_tensor, bound, told

LAYERS: dict[str, Any] = {"content_layers": "relu2_2", "style_layers": "relu1_1=0.5,relu2_1=0.2,relu3_1=0.3"}


@pytest.fixture(scope="module")
def network64(weights: Weights) -> ConvNet:
    return ConvNet(VGG19, {name: value.double() for name, value in weights.items()}, pooling="avg")


def guided(
    network: Any, content: torch.Tensor, style: Any, settings: TransferSettings, *, regions: Any, kept: Any = None
) -> Callable[[torch.Tensor], ToldCosts]:
    view = regional_view(partial(seen, VGG19), regions, network, content, as_blend(style), kept)
    return told(BoundObjective(objective_of(settings), [view]))


def left_of(shape: tuple[int, int], column: int) -> NDArray[np.float32]:
    mask = np.zeros(shape, np.float32)
    mask[:, :column] = 1
    return mask


def matrices(a: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Gatys et al. 2017: a_k weighted by the square root of the mask, whose sum is 1."""
    guided = a * np.sqrt(weight / weight.sum())
    return np.einsum("kyx,jyx->kj", guided, guided)


@pytest.mark.parametrize("weighting", ["relative", "absolute"])
def test_j_equals_the_formulas(network64: ConvNet, photograph: Signal, texture: Signal, weighting: Any):
    C, S = as_tensor(photograph)[..., :24, :32].double(), as_tensor(texture)[..., :20, :28].double()  # noqa: N806
    T, G = as_tensor(texture)[..., 20:40, 30:50].double(), C * 0.7 + 0.1  # noqa: N806
    settings = TransferSettings(alpha=3, beta=7, weighting=weighting, **LAYERS).for_kind("image")
    left, right = left_of((24, 32), 12), 1 - left_of((24, 32), 12)
    inner, all_of_it = left_of((20, 28), 14), np.ones((20, 20), np.float32)
    regions = [Region(left, (inner, all_of_it)), Region(right, (1 - inner, None))]
    objective = guided(network64, C, [(S, 0.75), (T, 0.25)], settings, regions=regions)
    costs = objective(G)

    names = list(settings.style_lambdas)
    a_S, a_T, a_G = ({k: v[0].numpy() for k, v in network64(x, names).items()} for x in (S, T, G))  # noqa: N806

    def looks(mask: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        return {k: v[0, 0].numpy() for k, v in seen(VGG19, torch.from_numpy(mask)[None, None].double(), names).items()}

    for name, share in settings.style_lambdas.items():
        expected = 0.0
        for mask, of_s, blend in ((left, inner, (0.75, 0.25)), (right, 1 - inner, (1.0, 0.0))):
            weight_s = np.maximum(2 * looks(of_s)[name] - 1, 0)
            target = blend[0] * matrices(a_S[name], weight_s)
            target = target + blend[1] * matrices(a_T[name], np.ones(a_T[name].shape[1:]))
            generated = matrices(a_G[name], looks(mask)[name])
            factor = 1 / (target**2).sum() if weighting == "relative" else 1 / (2 * len(target)) ** 2
            expected += share * mask.mean() * factor * ((target - generated) ** 2).sum()
        assert costs.style_cost_by_layer[name].item() == pytest.approx(expected, rel=1e-6)
    assert costs.style_cost.item() == pytest.approx(sum(v.item() for v in costs.style_cost_by_layer.values()))
    assert costs.content_cost.item() == pytest.approx(bound(network64, C, S, settings)(G).content_cost.item())
    assert costs.cost.item() == pytest.approx((3 * costs.content_cost + 7 * costs.style_cost).item())


@pytest.mark.parametrize("style_cost", STYLE_COSTS)
def test_one_region_that_is_everything_is_no_mask(network64: ConvNet, photograph: Signal, texture: Signal, style_cost: Any):
    C, S = as_tensor(photograph)[..., :24, :32].double(), as_tensor(texture)[..., :20, :28].double()  # noqa: N806
    settings = TransferSettings(style_cost=style_cost, **LAYERS).for_kind("image")
    regions = [Region(np.ones((24, 32), np.float32), (np.ones((20, 28), np.float32),))]
    G = C * 0.6 + 0.2  # noqa: N806
    of_all = guided(network64, C, S, settings, regions=regions, kept=np.zeros((24, 32), np.float32))(G)
    plain = bound(network64, C, S, settings)(G)
    assert of_all.cost.item() == pytest.approx(plain.cost.item(), rel=1e-9)


@pytest.mark.parametrize("style_cost", STYLE_COSTS)
def test_the_gradient_equals_finite_differences(network64: ConvNet, photograph: Signal, texture: Signal, style_cost: Any):
    C, S = as_tensor(photograph)[..., :16, :20].double(), as_tensor(texture)[..., :18, :16].double()  # noqa: N806
    settings = TransferSettings(style_cost=style_cost, **LAYERS).for_kind("image")
    left, inner = left_of((16, 20), 9), left_of((18, 16), 8)
    kept = np.linspace(0, 1, 16 * 20, dtype=np.float32).reshape(16, 20)
    regions = [Region(left * (1 - kept), (inner,)), Region((1 - left) * (1 - kept), (1 - inner,))]
    objective = guided(network64, C, S, settings, regions=regions, kept=kept)
    random = torch.Generator().manual_seed(0)
    G = (C + 0.05 * torch.randn(C.shape, generator=random, dtype=torch.float64)).requires_grad_()  # noqa: N806
    (gradient,) = torch.autograd.grad(objective(G).cost, G)
    direction = torch.randn(C.shape, generator=random, dtype=torch.float64)
    h = 1e-6
    with torch.no_grad():
        slope = (objective(G + h * direction).cost - objective(G - h * direction).cost) / (2 * h)
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


def test_nothing_moves_g_where_the_content_is_kept(network: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph), as_tensor(texture)  # noqa: N806
    settings = TransferSettings(**LAYERS).for_kind("image")
    kept = left_of((48, 64), 20)
    regions = [Region(1 - kept, (np.ones((48, 64), np.float32),))]
    objective = guided(network, C, S, settings, regions=regions, kept=kept)
    G = (C * 0.5).requires_grad_()  # noqa: N806
    (gradient,) = torch.autograd.grad(objective(G).cost, G)
    assert not gradient[..., :20].any() and gradient[..., 20:].abs().min() > 0
    other = G.detach().clone()
    other[..., :20] = 1
    assert objective(other).cost.item() == objective(G).cost.item()


def test_in_tiles_it_is_the_same(network64: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph).double(), as_tensor(texture).double()  # noqa: N806
    settings = TransferSettings(**LAYERS).for_kind("image")
    left, inner = left_of((48, 64), 31), left_of((48, 64), 17)
    regions = [Region(left, (inner,)), Region(1 - left, (1 - inner,))]
    segments = network64.segments([*settings.content_weights, *settings.style_lambdas], ["pool1", "pool2"])
    tiled = InTiles(segments, [16] * len(segments))
    results: list[tuple[float, torch.Tensor]] = []
    for seen_by in (network64, tiled):
        G = (C * 0.6 + 0.2).requires_grad_()  # noqa: N806
        cost = guided(seen_by, C, S, settings, regions=regions)(G).cost
        results.append((cost.item(), torch.autograd.grad(cost, G)[0]))
    assert results[1][0] == pytest.approx(results[0][0], rel=1e-9)
    torch.testing.assert_close(results[1][1], results[0][1], rtol=1e-6, atol=1e-12)


SMALL: dict[str, Any] = {"size": 40, "style_layers": "relu1_1,relu2_1", "content_layers": "relu2_1", "iterations": 4}


@pytest.fixture
def masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Masks of two halves, of one, and of three, for content and style, in the folder at work."""
    monkeypatch.chdir(tmp_path)
    for name, greys in {"two": [0, 255], "other": [0, 90], "one": [255], "three": [0, 255, 128]}.items():
        Image.fromarray(np.repeat(np.array(greys, np.uint8), 30)[None].repeat(40, 0)).save(f"{name}.png")
    Image.fromarray((left_of((30, 40), 16) * 255).astype(np.uint8)).save("kept.png")
    return tmp_path


def paint(**given: Any) -> impasto.Painting:
    settings = impasto.TransferSettings(**SMALL | given)
    return impasto.transfer_style(data.coffee()[::9, ::9], data.chelsea()[::7, ::7], settings)


@pytest.mark.parametrize("more", [{}, {"init": "random"}, {"colour": "luminance"}, {"scales": 2, "size": 64}, {"tv": 1}])
def test_what_is_protected_is_the_contents_in_every_bit(masks: Path, more: dict[str, Any]):
    result = paint(**more, protect="kept.png").signal
    content = resample_image(read_image(data.coffee()[::9, ::9]), (result.shape[0], result.shape[1]))
    white = int(0.4 * result.shape[1])
    assert (result.values[..., :white] == content.values[..., :white]).all()
    assert abs(result.values[..., -10:] - content.values[..., -10:]).mean() > 0.01


def test_each_region_takes_the_colours_of_its_own_style(masks: Path):
    style = np.zeros((40, 60, 3), np.uint8)
    style[:, :30] = np.random.default_rng(0).integers(120, 255, (40, 30, 1)) * np.array([1, 0, 0], np.uint8)
    style[:, 30:] = np.random.default_rng(1).integers(120, 255, (40, 30, 1)) * np.array([0, 0, 1], np.uint8)
    settings = impasto.TransferSettings(
        **SMALL | dict[str, Any](iterations=40, beta=200), content_mask="two.png", style_mask="two.png"
    )
    values = impasto.transfer_style(data.coffee()[::9, ::9], style, settings).signal.values
    left, right = values[..., :16].mean((1, 2)), values[..., -16:].mean((1, 2))
    assert left[0] > 2 * left[2] and right[2] > 2 * right[0]


@pytest.mark.parametrize(
    ("given", "error", "reason"),
    [
        ({"content_mask": "two.png"}, SettingsError, "content_mask was given without a style_mask"),
        ({"style_mask": "two.png"}, SettingsError, "style_mask was given without a content_mask"),
        (
            {"content_mask": "three.png", "style_mask": "two.png"},
            SignalError,
            "three.png: the region #808080, 33.3% of the content, has no counterpart: two.png has #000000, #ffffff",
        ),
        ({"content_mask": "two.png", "style_mask": "other.png"}, SignalError, "#ffffff, 50.0% .*: other.png has .*#5a5a5a"),
        (
            {"content_mask": "two.png", "style_mask": ["two.png", "two.png"]},
            SettingsError,
            "style_mask was given 2 times for 1 styles: one for each, or none, was expected",
        ),
        ({"content_mask": "no.png", "style_mask": "two.png"}, SignalError, "no.png: no such file"),
        ({"protect": "one.png"}, SignalError, "one.png protects the whole picture"),
    ],
)
def test_masks_that_do_not_fit_are_one_line(masks: Path, given: dict[str, Any], error: Any, reason: str):
    with pytest.raises(error, match=reason) as raised:
        paint(**given)
    assert "\n" not in str(raised.value)


def test_none_stands_for_a_style_without_a_mask(masks: Path):
    given = TransferSettings(**SMALL, content_mask="three.png", style_mask=["two.png", "none"])
    where = where_of(resolve(given, medium_of("image"))[1], (30, 40), [(20, 30), (25, 25)])
    assert where.held > 0
    _, regions, _ = where.bind.args  # pyright: ignore
    assert [region.styles[0] is None for region in regions].count(True) == 1
    assert all(region.styles[1] is not None and region.styles[1].all() for region in regions)


def test_only_a_picture_has_masks(masks: Path):
    settings = TransferSettings(content_mask="two.png", style_mask="two.png")
    with pytest.raises(SettingsError, match=r"content_mask two.png is not for this kind of signal \(sound\)"):
        settings.for_kind("sound")
