"""The neighbours term, against a separate implementation in NumPy; in tiles, regions, blends and dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import impasto
from impasto.errors import SettingsError, UnknownLayerError
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19
from impasto.networks.tiling.tiles import InTiles
from impasto.networks.weights import Weights
from impasto.objective import matching
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.neighbours import neighbours
from impasto.objective.region_weights import RegionWeights
from impasto.objective.slices import SlicesObjective
from impasto.objective.term import Scene
from tests.conftest import as_tensor

LAYERS = "relu1_1=0.4,relu2_1=0.3,relu3_1=0.2,relu4_1=0.1"
NAMES = {"relu1_1": 4, "relu2_1": 2, "relu3_1": 1, "relu4_1": 0}  # positions of a cell along an axis

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def network64(weights: Weights) -> ConvNet:
    return ConvNet(VGG19, {name: value.double() for name, value in weights.items()}, pooling="avg")


@pytest.fixture
def content(photograph: Signal) -> Tensor:
    return as_tensor(photograph)[..., :32, :40].double()


@pytest.fixture
def style(texture: Signal) -> Tensor:
    return as_tensor(texture)[..., :40, :24].double()


def cost(network: Any, C: Tensor, S: Any, G: Tensor, **more: Any) -> Tensor:  # noqa: N803
    styles = [(S, 1.0)] if isinstance(S, Tensor) else S
    return BoundObjective(1 * neighbours(LAYERS), [View(Scene(network, C, styles, **more))])(G).cost


def in_cells(a: Array) -> Array:
    """(n_C, height, width) at the middle of each cell of 4 x 4 pixels of a picture of 32 or 40 pixels, linearly."""
    channels, rows, columns = a.shape
    cells = {8: 8, 10: 10, 16: 8, 20: 10, 32: 8, 40: 10, 24: 6, 12: 6, 6: 6, 4: 8, 5: 10, 3: 6}
    found = np.empty((channels, cells[rows], cells[columns]))
    for y in range(found.shape[1]):
        for x in range(found.shape[2]):
            value = 0.0
            at_y, at_x = ((i + 0.5) * n / m - 0.5 for i, n, m in ((y, rows, found.shape[1]), (x, columns, found.shape[2])))
            for j in (int(np.floor(at_y)), int(np.floor(at_y)) + 1):
                for i in (int(np.floor(at_x)), int(np.floor(at_x)) + 1):
                    share = max(0.0, 1 - abs(at_y - j)) * max(0.0, 1 - abs(at_x - i))
                    value = value + share * a[:, min(max(j, 0), rows - 1), min(max(i, 0), columns - 1)]
            found[:, y, x] = value
    return found


def numpy_prices(cosines: Array) -> Array:
    """Of each candidate: Sinkhorn's scaling of exp(cosines / 0.05), so that each has the same share of all cells."""
    kernel = np.exp(cosines / 0.05)
    taken = np.ones(cosines.shape[1])
    for _ in range(20):
        asking = 1 / (kernel / taken).sum(1)
        taken = (kernel * asking[:, None]).sum(0)
    return 0.05 * np.log(taken)


def numpy_cost(network: ConvNet, query: Tensor, S: Tensor, G: Tensor) -> float:  # noqa: N803
    a_Q, a_S, a_G = ({k: v[0].numpy() for k, v in network(x, NAMES).items()} for x in (query, S, G))  # noqa: N806
    unit = {k: np.sqrt((v**2).mean()) for k, v in a_S.items()}
    columns = [np.concatenate([in_cells(v) / (unit[k] * len(v)) for k, v in a.items()]) for a in (a_Q, a_S)]
    (_, rows, wide), (_, _, wide_S) = (column.shape for column in columns)  # noqa: N806
    q, s = (column.reshape(len(column), -1).T for column in columns)
    q, s = q - q.mean(0), s - s.mean(0)
    cosines = (q @ s.T) / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(s, axis=1)
    found = (cosines - numpy_prices(cosines)).argmax(1)
    most = np.take_along_axis(cosines, found[:, None], 1).reshape(rows, wide) - 0.1
    found = found.reshape(rows, wide)
    for step in ((1, 0), (0, 1)):  # a cell goes on as the one above, and then as the one to the left, if that is as good
        for y, x in np.ndindex(rows, wide):
            if y >= step[0] and x >= step[1]:
                place = np.add(divmod(found[y - step[0], x - step[1]], wide_S), step)
                if place[0] < len(s) // wide_S and place[1] < wide_S:
                    number = place[0] * wide_S + place[1]
                    found[y, x] = number if cosines[y * wide + x, number] >= most[y, x] else found[y, x]
    total = 0.0
    for (name, side), weight in zip(NAMES.items(), (0.4, 0.3, 0.2, 0.1), strict=True):
        g, of_style = a_G[name], a_S[name] if side else in_cells(a_S[name])
        e = 0.01 * unit[name] * np.sqrt(len(g))
        here = []
        for y in range(g.shape[1]):
            for x in range(g.shape[2]):
                vector = g[:, y, x] / np.sqrt((g[:, y, x] ** 2).sum() + e**2)
                for dy, dx in [(0, 0)] if side else [(0, 0), (0, 1), (1, 0), (1, 1)]:
                    cell = (y // side, x // side) if side else (2 * y + dy, 2 * x + dx)
                    place = divmod(found[cell], wide_S)
                    at = tuple(p * side + i % side for p, i in zip(place, (y, x), strict=True)) if side else place
                    target = of_style[(slice(None), *at)]
                    here.append(1 - vector @ target / np.linalg.norm(target))
        total += weight * float(np.mean(here))
    return total


def test_the_cost_equals_the_formula(network64: ConvNet, content: Tensor, style: Tensor):
    G = 0.6 * content + 0.2  # noqa: N806
    assert cost(network64, content, style, G).item() == pytest.approx(numpy_cost(network64, content, style, G), rel=1e-9)
    painted = content.flip(3)
    found = cost(network64, content, style, G, painted=painted).item()
    assert found == pytest.approx(numpy_cost(network64, 0.75 * content + 0.25 * painted, style, G), rel=1e-9)


def test_the_gradient_equals_finite_differences(network64: ConvNet, content: Tensor, style: Tensor):
    random = torch.Generator().manual_seed(0)
    G = (content + 0.05 * torch.randn(content.shape, generator=random, dtype=torch.float64)).requires_grad_()  # noqa: N806
    objective = BoundObjective(1 * neighbours(LAYERS), [View(Scene(network64, content, [(style, 1.0)]))])
    (gradient,) = torch.autograd.grad(objective(G).cost, G)
    direction = torch.randn(content.shape, generator=random, dtype=torch.float64)
    with torch.no_grad():
        # a small step, as the cost has kinks where an activation sets in
        slope = (objective(G + 1e-8 * direction).cost - objective(G - 1e-8 * direction).cost) / 2e-8
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


def test_a_picture_is_its_own_neighbour(network64: ConvNet, content: Tensor):
    assert cost(network64, content, content, content).item() == pytest.approx(0, abs=5e-3)
    assert cost(network64, content, content, content.flip(3)).item() > 0.05


@pytest.mark.parametrize("size", [(32, 40), (37, 43)])
@pytest.mark.parametrize(
    ("cuts", "sides", "kept"), [((), [16], 0), (("pool1",), [12, 8], 0), (("pool1", "pool2"), [10, 6, 4], 1)]
)
def test_tiles_give_the_whole(
    network64: ConvNet, photograph: Signal, texture: Signal, size: Any, cuts: Any, sides: Any, kept: int
):
    C, S = as_tensor(photograph)[..., : size[0], : size[1]].double(), as_tensor(texture)[..., :33, :26].double()  # noqa: N806
    J, found = 1 * neighbours(LAYERS), []  # noqa: N806
    for network in (network64, InTiles(network64.segments(J.layers, cuts), sides, kept)):
        G = (C * 0.6 + 0.2).requires_grad_()  # noqa: N806
        value = BoundObjective(J, [View(Scene(network, C, [(S, 1.0)]))])(G).cost
        found.append((value.item(), torch.autograd.grad(value, G)[0]))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-10)
    torch.testing.assert_close(found[1][1], found[0][1], rtol=1e-7, atol=1e-13)


def test_a_region_is_matched_within_its_own(network64: ConvNet, content: Tensor, style: Tensor):
    """The left half takes from one style, the right one from another: as if each were alone."""
    other = style.flip(1)
    G, layers = 0.6 * content + 0.2, neighbours(LAYERS).layers  # noqa: N806

    def weights(left: bool) -> dict[str, Tensor]:
        found = {}
        for name, a in network64(content, layers).items():
            half = torch.zeros(1, 1, *a.shape[2:], dtype=torch.float64)
            middle = a.shape[3] * 20 // 40
            half[..., slice(0, middle) if left else slice(middle, None)] = 2.0
            found[name] = half
        return found

    def everywhere(picture: Tensor) -> dict[str, Tensor]:
        return {name: torch.ones(1, 1, *a.shape[2:], dtype=torch.float64) for name, a in network64(picture, layers).items()}

    regions = [
        RegionWeights(0.5, weights(True), (everywhere(style), {})),
        RegionWeights(0.5, weights(False), ({}, everywhere(other))),
    ]
    scene = Scene(network64, content, [(style, 0.9), (other, 0.1)], regions=lambda names: regions)
    parts = {part.layer: part for part in neighbours("relu3_1").bind(scene)}
    (statistic,) = parts["relu3_1"].statistics
    a = network64(G, ["relu3_1"])["relu3_1"]
    for picture, window in ((style, slice(0, 5)), (other, slice(5, 10))):
        # each vector is one of its own style, and of length 1
        candidates = torch.nn.functional.normalize(network64(picture, ["relu3_1"])["relu3_1"][0].flatten(1), dim=0)
        target = statistic.mean.args[0][..., window][0].flatten(1)  # pyright: ignore[reportFunctionMemberAccess]
        assert ((target.T @ candidates).max(1).values > 1 - 1e-9).all()
    assert 0 < statistic.mean(a, (slice(None),) * 3).item() < 1


def test_several_styles_have_candidates_by_their_shares():
    for shares in ([0.5, 0.5], [0.9, 0.1], [0.3, 0.7]):
        candidates = matching.candidates_of([(1, 30, 40), (1, 20, 20)], shares)
        counts = [int((candidates.style == i).sum()) for i in range(2)]
        assert [n / sum(counts) for n in counts] == pytest.approx(shares, abs=0.01)
        assert max(counts) in (1200, 400) or counts[1] == 400
    many = matching.candidates_of([(1, 512, 512)], [1.0])
    assert len(many.cell) == 2**14 and torch.equal(many.cell, matching.candidates_of([(1, 512, 512)], [1.0]).cell)


def test_a_style_without_a_share_is_not_seen(network64: ConvNet, content: Tensor, style: Tensor):
    G = 0.6 * content + 0.2  # noqa: N806
    alone = cost(network64, content, style, G)
    assert cost(network64, content, [(style, 1.0), (content, 0.0)], G).item() == alone.item()
    assert cost(network64, content, [(style, 0.5), (content, 0.5)], G).item() != alone.item()


def test_projected_descriptions_find_nearly_the_same(
    network64: ConvNet, content: Tensor, style: Tensor, monkeypatch: pytest.MonkeyPatch
):
    G = 0.6 * content + 0.2  # noqa: N806
    exact = cost(network64, content, style, G).item()
    monkeypatch.setattr(matching, "_EXACT", 0)
    projected = cost(network64, content, style, G).item()
    assert projected == pytest.approx(exact, rel=0.05) and projected == cost(network64, content, style, G).item()


def test_slices_of_a_volume_that_is_its_own_style(network64: ConvNet):
    volume = torch.rand(1, 3, 16, 20, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    objective = SlicesObjective(1 * neighbours("relu1_1,relu2_1"), network64, volume, volume)
    assert objective(volume).cost.item() == pytest.approx(0, abs=5e-3)
    picture = volume[:, :, 0]
    some = SlicesObjective(1 * neighbours("relu1_1,relu2_1"), network64, volume, picture, count=4)
    assert 0 < some(volume).cost.item() < 1


def test_a_picture_is_the_style_of_a_volume_that_is_seen_whole(network64: ConvNet, texture: Signal):
    """A volume that is constant along its first axis is found in the picture of which it is made."""
    picture = as_tensor(texture)[..., :24, :32].double()
    volume = picture[:, :, None].expand(-1, -1, 16, -1, -1).contiguous()
    inflated = network64.in_dimensions(3)
    how: dict[str, Any] = {"inflated": inflated, "axes": (0,)}
    objective = SlicesObjective(1 * neighbours("relu1_1,relu2_1"), network64, volume, picture, **how)
    assert objective(volume).cost.item() == pytest.approx(0, abs=5e-3)


def test_all_of_a_style_is_found_and_not_only_what_is_most_like():
    random = torch.Generator().manual_seed(0)
    flat = matching.directions(torch.randn(4, 8, generator=random))
    queries = torch.nn.functional.normalize(flat[:1] + 0.2 * torch.randn(400, 8, generator=random), dim=1)
    others = queries[:1] + torch.randn(39, 8, generator=random)
    candidates = torch.nn.functional.normalize(torch.cat([flat[:1], others]), dim=1)
    most = (queries @ candidates.T).argmax(1).bincount(minlength=40)
    found = matching.nearest(queries, candidates).bincount(minlength=40)
    assert most.max() > 250 and found.max() < 60 and (found > 0).sum() > 2 * (most > 0).sum()


@pytest.mark.parametrize("count", [30, 3000])
def test_candidates_are_found_more_evenly(count: int):
    """Also where prices are those of some cells."""
    random = torch.Generator().manual_seed(0)
    place, style = (torch.rand(n, 2, generator=random).double() for n in (count, 2 * count // 3))
    queries, candidates = (matching.directions(torch.cat([x, x.square(), (7 * x).sin()], 1)) for x in (place**2, style))
    prices, expected = matching.prices_of(queries, candidates), numpy_prices((queries @ candidates.T).numpy())
    assert (prices.numpy() - expected).std() < (1e-9 if count == 30 else 0.2) * expected.std()

    def spread(found: Tensor) -> float:
        return float(found.bincount(minlength=len(style)).double().std())

    assert spread(matching.nearest(queries, candidates)) < 0.8 * spread((queries @ candidates.T).argmax(1))


def test_a_flat_place_has_whole_strokes_of_the_style():
    """Where all candidates are alike the cells of the content take cells of the style that lie side by side."""
    candidates = matching.candidates_of([(1, 6, 8)], [1.0])
    rows = torch.nn.functional.normalize(1 + 0.05 * torch.rand(48, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    queries = rows[:1].repeat(20, 1)
    found = matching.coherent(torch.zeros(1, 4, 5, dtype=torch.long), queries, rows, candidates)
    assert found.tolist() == [[[8 * y + x for x in range(5)] for y in range(4)]]
    beside = candidates.beside(2)
    assert beside[1, 7] == -1 and beside[1, 6] == 7 and beside[0, 0] == 8 and beside[0, 40] == -1


def test_it_is_a_term_like_the_others():
    J = impasto.content("relu4_2") + 3 * impasto.neighbours("relu1_1,relu2_1")  # noqa: N806
    assert repr(J) == "content('relu4_2') + 3 * neighbours('relu1_1,relu2_1')"
    assert J.of_style and J.of_painted and J.targets == ("relu4_2", "relu1_1", "relu2_1")
    with pytest.raises(SettingsError, match="relu1_1"):
        impasto.neighbours("relu1_1=-1")


def test_an_unknown_layer_is_told_with_the_nearest():
    J = impasto.neighbours("relu1_9") + impasto.content("relu1_1")  # noqa: N806
    with pytest.raises(UnknownLayerError, match="did you mean"):
        impasto.Painter(objective=J, settings=impasto.TransferSettings(size=32)).paint(
            np.zeros((32, 32, 3)), np.ones((32, 32, 3))
        )
