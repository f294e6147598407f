"""J as an algebra of terms, and terms of one's own: told by name, tiled, kept in checkpoints, counted in memory."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

import impasto
from impasto.errors import SettingsError, SizeError, UnknownLayerError
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19
from impasto.networks.tiling.statistics import Statistic, everywhere
from impasto.networks.tiling.tiles import InTiles
from impasto.networks.weights import Weights
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Part, Scene
from impasto.transfer.painter import Painter
from impasto.transfer.recorders import draw_costs, trace_to
from tests.conftest import as_tensor

SMALL = impasto.TransferSettings(size=40, iterations=6)
CONTENT, STYLE = data.coffee()[::9, ::9], data.chelsea()[::7, ::7]


@pytest.fixture(scope="module")
def network64(weights: Weights) -> ConvNet:
    return ConvNet(VGG19, {name: value.double() for name, value in weights.items()}, pooling="avg")


def skew(name: str = "skew") -> impasto.Term:
    return impasto.activation_term(
        name,
        "relu1_1=0.25,relu2_1=0.75",
        lambda a: a.pow(3).flatten(2).mean((0, 2)),
        lambda g, c, s: (g - 0.25 * c - 0.75 * s).square().mean(),
    )


def edges(x: torch.Tensor) -> torch.Tensor:
    return x.diff(dim=-1).square().mean()


def usual() -> impasto.Objective:
    return impasto.content("relu2_1") + 20 * impasto.style("relu1_1,relu2_1")


def values(objective: impasto.Objective, network: Any, C: Any, S: Any, G: Any) -> dict[str, float]:  # noqa: N803
    costs = BoundObjective(objective, [View(Scene(network, C, [(S, 1.0)]))])(G)
    assert costs.cost.item() == pytest.approx(sum(cost.item() for cost in costs.costs.values()), rel=1e-6)
    return {name: cost.item() for name, cost in costs.costs.items()}


@settings(deadline=None, max_examples=10)
@given(st.floats(-10, 10), st.floats(0, 10), st.floats(-3, 3))
def test_sums_and_multiples_are_those_of_numbers(network64: ConvNet, a: float, b: float, c: float):
    C, S = (torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(i)).double() for i in (0, 1))  # noqa: N806
    one, two, three = impasto.content("relu1_1"), impasto.style("relu1_1"), impasto.image_term("edges", edges)
    G = 0.5 * (C + S)  # noqa: N806
    single = {term.name: values(1 * term, network64, C, S, G)[term.name] for term in (one, two, three)}
    summed = c * (a * one + two * b + three) + three
    expected = {"content": c * a, "style": c * b, "edges": c + 1}
    assert values(summed, network64, C, S, G) == pytest.approx({n: w * single[n] for n, w in expected.items()}, abs=1e-9)
    both: impasto.Objective = sum([one, two], impasto.Objective())  # pyright: ignore[reportAssignmentType]
    assert values(both, network64, C, S, G) == pytest.approx({n: single[n] for n in ("content", "style")})


def test_j_reads_as_it_was_written():
    J = usual() + 0.5 * skew() + 3 * impasto.image_term("edges", edges) + impasto.total_variation()  # noqa: N806
    assert repr(J) == (
        "content('relu2_1') + 20 * style('relu1_1,relu2_1') + 0.5 * activation_term('skew', 'relu1_1=0.25,relu2_1=0.75')"
        " + 3 * image_term('edges') + total variation"
    )
    assert J.layers == ("relu2_1", "relu1_1") and J.targets == ("relu2_1",) and J.of_style
    assert repr(impasto.style("relu1_1", "wasserstein", "absolute")) == "style('relu1_1', 'wasserstein', 'absolute')"


def test_a_term_of_ones_own_is_its_formula(network64: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph)[..., :24, :32].double(), as_tensor(texture)[..., :20, :28].double()  # noqa: N806
    G = 0.7 * C + 0.1  # noqa: N806
    expected = 0.0
    for layer, weight in (("relu1_1", 0.25), ("relu2_1", 0.75)):
        g, c, s = ((network64(x, [layer])[layer][0].numpy() ** 3).mean((1, 2)) for x in (G, C, S))
        expected += weight * ((g - 0.25 * c - 0.75 * s) ** 2).mean()
    assert values(3 * skew(), network64, C, S, G) == {"skew": pytest.approx(3 * expected, rel=1e-9)}


def test_a_term_of_ones_own_is_tiled_exactly(network64: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph).double(), as_tensor(texture).double()  # noqa: N806
    J = usual() + skew() + impasto.image_term("edges", edges)  # noqa: N806
    found = []
    for network in (network64, InTiles(network64.segments(J.layers, ["pool1"]), [16, 8])):
        G = (C * 0.6 + 0.2).requires_grad_()  # noqa: N806
        cost = BoundObjective(J, [View(Scene(network, C, [(S, 1.0)]))])(G).cost
        found.append((cost.item(), torch.autograd.grad(cost, G)[0]))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-10)
    torch.testing.assert_close(found[1][1], found[0][1], rtol=1e-7, atol=1e-13)


def test_its_value_is_in_everything_that_tells_of_j(tmp_path: Path):
    painter = Painter(objective=usual() + 2 * skew() + 5 * impasto.image_term("edges", edges), settings=SMALL)
    painting = painter.paint(CONTENT, STYLE, on_progress=trace_to(tmp_path / "trace"))
    names = ["content", "style", "skew", "edges"]
    rows = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()]
    assert len(rows) == 6 and all(list(row["costs"]) == names for row in rows)
    assert all(row["cost"] == pytest.approx(sum(row["costs"].values()), rel=1e-6) for row in rows)
    assert rows[0]["skew_cost"] == pytest.approx(rows[0]["costs"]["skew"] / 2)
    assert list(rows[0]["skew_cost_by_layer"]) == ["relu1_1", "relu2_1"]
    assert list(painting.summary()["costs"]) == names and "skew" in painting.summary()["objective"]
    axes = draw_costs(painting.history).axes
    assert [line.get_label() for line in axes[0].lines] == ["J", *names]
    assert [line.get_label() for line in axes[1].lines][-1] == "skew relu2_1"
    assert painting.best.costs["edges"] < painting.history[0].costs["edges"]


@pytest.mark.parametrize("only_image", [False, True])
def test_it_goes_on_from_a_checkpoint(tmp_path: Path, only_image: bool):
    own = 3 * impasto.image_term("edges", edges)
    painter = Painter(objective=own if only_image else usual() + skew() + own, settings=SMALL)
    whole = painter.paint(CONTENT, STYLE)
    cancel, kept = threading.Event(), tmp_path / "checkpoint"
    part = painter.paint(CONTENT, STYLE, checkpoint=kept, cancel=cancel, on_progress=lambda p: cancel.set())
    assert len(part.history) == 1 and not part.finished and kept.exists()
    with pytest.raises(SettingsError, match="keeps an unfinished painting with J"):
        Painter(objective=own + 2 * skew(), settings=SMALL).paint(CONTENT, STYLE, checkpoint=kept)
    rest = painter.paint(CONTENT, STYLE, checkpoint=kept)
    assert np.array_equal(rest.signal.values, whole.signal.values) and rest.finished
    assert [e.costs for e in rest.history] == [e.costs for e in whole.history]


def test_what_a_term_declares_is_counted():
    def refused(signals: float) -> str:
        J = usual() + impasto.image_term("edges", edges, signals=signals)  # noqa: N806
        with pytest.raises(SizeError) as raised:
            small = impasto.TransferSettings(size=2048, scales=1, memory="700MiB")
            Painter(objective=J, settings=small).paint(np.zeros((2048, 2048, 3), np.float32), STYLE)
        return str(raised.value)

    gibibytes = [float(refused(signals).split("at least ")[1].split()[0]) for signals in (0, 20)]
    assert gibibytes[1] - gibibytes[0] == pytest.approx(20 * 4 * 3 * 2048**2 / 2**30, abs=0.11)


class Detached(impasto.Term):
    """A term of which nothing depends on G."""

    name = "detached"

    def __init__(self, parts: Any = ()) -> None:
        self.parts = parts

    def bind(self, scene: Scene) -> Any:
        return self.parts


@pytest.mark.parametrize(
    ("cost", "reason"),
    [
        (lambda x: x.square(), r"the cost of term 'own' is a tensor of torch.float32 and shape \(1, 3, 27, 40\)"),
        (lambda x: 3, "the cost of term 'own' is a int; a scalar of torch was expected"),
        (lambda x: None, "the cost of term 'own' is a NoneType"),
        (lambda x: x.mean() * 1j, "the cost of term 'own' is a tensor of torch.complex64"),
        (lambda x: x.detach().mean(), "term 'own' has no gradient"),
        (lambda x: torch.tensor(3.0), "term 'own' has no gradient"),
        (lambda x: x.mul_(2).mean(), "term 'own' changes in place what it is given"),
        (lambda x: x.mean() * float("nan"), r"J is nan at the start \(content 0, own nan\): .* is not finite there"),
        (lambda x: (0 * x).abs().sqrt().mean(), r"J is 0 at the start .*, with a gradient that is not finite"),
    ],
)
def test_a_cost_that_is_none_is_one_line(cost: Any, reason: str):
    with pytest.raises(SettingsError, match=reason) as raised:
        Painter(objective=impasto.content("relu1_1") + impasto.image_term("own", cost), settings=SMALL).paint(CONTENT, STYLE)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("mean", "reason"),
    [
        (lambda a: a.sum((0, 2, 3)), "the mean of term 'own' is none: of a part of relu1_1"),
        (lambda a: a.std((2, 3)), "a deviation, belongs in its cost"),
        (lambda a: a, "the mean of term 'own' is none"),
        (lambda a: 3, "the mean of term 'own' is a int; a tensor was expected"),
        (lambda a: a.detach().mean((0, 2, 3)), "term 'own' has no gradient"),
        (lambda a: a.mul_(2).mean((0, 2, 3)), "term 'own' changes in place what it is given"),
    ],
)
def test_a_mean_that_is_none_is_one_line_however_it_is_tiled(network64: ConvNet, mean: Any, reason: str):
    J = impasto.activation_term("own", "relu1_1", mean, lambda g, c, s: (g - s).square().mean())  # noqa: N806
    C, S, G = (torch.rand(1, 3, 24, 32).double() for _ in range(3))  # noqa: N806
    for network in (network64, InTiles(network64.segments(J.layers, []), [16])):
        with pytest.raises(SettingsError, match=reason) as raised:
            cost = BoundObjective(1 * J, [View(Scene(network, C, [(S, 1.0)]))])(leaf := G.clone().requires_grad_()).cost
            torch.autograd.grad(cost, leaf)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        (Detached(), r"J has no gradient: no term of it \(detached\) looks at G"),
        (Detached(None), "term 'detached' binds to a NoneType; a list of Part was expected"),
        (Detached([3]), "term 'detached' binds to a list; a list of Part was expected"),
        (
            Detached([Part("relu1_1", 1.0, torch.mean, (Statistic("relu1_1", everywhere(torch.mean)),))]),
            "term 'detached' has a part of layer 'relu1_1'; the layers that it names: none",
        ),
        (type("Nameless", (Detached,), {"name": None})(), "a Nameless has no name"),
        (0 * impasto.content("relu1_1"), r"each weight of J = 0 \* content\('relu1_1'\) is 0"),
    ],
)
def test_a_term_that_says_nothing_is_one_line(term: Any, reason: str):
    with pytest.raises(SettingsError, match=reason):
        Painter(objective=term, settings=SMALL).paint(CONTENT, STYLE)


def test_weights_may_be_negative_and_j_may_have_no_content():
    away = impasto.style("relu1_1") + -0.1 * impasto.image_term("own", edges)
    painting = Painter(objective=away, settings=SMALL).paint(CONTENT, STYLE)
    assert painting.best.costs["own"] < 0 and painting.best.cost < painting.history[0].cost


@pytest.mark.parametrize(
    ("make", "error", "reason"),
    [
        (lambda: impasto.content(3), SettingsError, "content layers 3 are no layers"),  # pyright: ignore
        (lambda: impasto.content("relu1_1", "relativ"), SettingsError, "did you mean 'relative'"),  # pyright: ignore
        (lambda: impasto.style("relu1_1", "gramm"), SettingsError, "did you mean 'gram'"),
        (lambda: float("nan") * impasto.content("relu1_1"), SettingsError, "the weight of a term is nan"),
        (lambda: impasto.image_term("", edges), SettingsError, "a name was expected"),
        (lambda: impasto.image_term("edges", 3), SettingsError, "the cost of term 'edges' is a int; a function"),  # pyright: ignore
        (lambda: impasto.image_term("edges", edges, signals=-1), SettingsError, "signals"),
        (lambda: Painter(objective=3), SettingsError, "J is 3; a sum of terms was expected"),  # pyright: ignore
        (lambda: Painter(objective=impasto.Objective()), SettingsError, "J has no term"),
        (
            lambda: Painter(objective=usual(), settings=impasto.TransferSettings(beta=3)),
            SettingsError,
            "beta was set, and J was given, which says it too",
        ),
        (
            lambda: Painter(objective=1 * impasto.content("relu9_9")).paint(CONTENT, STYLE),
            UnknownLayerError,
            "unknown layer 'relu9_9'",
        ),
    ],
)
def test_what_is_no_term_is_one_line(make: Any, error: Any, reason: str):
    with pytest.raises(error, match=reason) as raised:
        make()
    assert "\n" not in str(raised.value)
