"""The controls: every setting has a field, and what is painted can be shown in them again."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from impasto.errors import SettingsError
from impasto.studio.components.controls import DIALS, GROUPS, NAMES, PLAIN_WORDS, mistakes, settings_of, texts_of
from impasto.studio.components.preset_choice import preset_texts
from impasto.transfer.presets import PRESETS
from impasto.transfer.settings import TransferSettings

EMPTY = dict.fromkeys(NAMES, "")


def of(**given: str) -> TransferSettings:
    return settings_of({**EMPTY, **given})


def test_empty_fields_are_the_defaults():
    assert of() == TransferSettings()


def test_every_setting_has_a_field_but_those_that_name_files():
    hidden = {"weights", "cuts", "content_mask", "style_mask", "protect"}
    assert {setting.name for setting in fields(TransferSettings)} - set(NAMES) == hidden


def test_fields_are_read_as_the_command_line_reads_its_options():
    settings = of(size="full", beta=" 33.5 ", style_layers="relu1_1=0.5,relu3_1=0.5", seed="7", init="random")
    assert settings == TransferSettings(
        size="full", beta=33.5, style_layers={"relu1_1": 0.5, "relu3_1": 0.5}, seed=7, init="random"
    )


@pytest.mark.parametrize("given", [{"init": "/etc/passwd"}, {"optimizer": "sgd"}, {"device": "cuda:77"}, {"size": "-3"}])
def test_what_is_out_of_range_is_refused(given: dict[str, str]):
    with pytest.raises(SettingsError):
        of(**given)


@effort(deadline=None)
@given(
    st.builds(
        TransferSettings,
        size=st.none() | st.integers(1, 4000) | st.just("full"),
        iterations=st.none() | st.integers(1, 1000),
        beta=st.none() | st.floats(1e-3, 1e6),
        init=st.sampled_from(["content", "random", "style"]),
        optimizer=st.sampled_from(["auto", "lbfgs", "adam", "gd"]),
        style_layers=st.none() | st.just({"relu1_1": 0.25, "relu3_1": 0.75}),
        seed=st.integers(0, 99),
    )
)
def test_what_was_painted_is_painted_again_from_the_fields(settings: TransferSettings):
    painted = settings.for_kind("image")
    again = settings_of(texts_of(painted.as_dict(), "image")).for_kind("image")
    assert again == painted


@pytest.mark.parametrize("kind", ["image", "series", "sound", "volume"])
def test_what_a_run_has_left_open_is_left_open_again(kind: str):
    assert set(texts_of(TransferSettings().as_dict(), kind).values()) == {""}
    texts = texts_of(TransferSettings(iterations=7).as_dict(), kind)
    assert {name: text for name, text in texts.items() if text} == {"iterations": "7"}


def test_what_is_wrong_is_known_by_its_field():
    assert mistakes(EMPTY) == {}
    wrong = mistakes({**EMPTY, "size": "-7", "optimizer": "sgd", "beta": "33"})
    assert set(wrong) == {"size", "optimizer"}
    assert "size is -7" in wrong["size"] and "--" not in "".join(wrong.values())


def test_every_setting_is_in_a_group_and_every_dial_writes_what_can_be_painted():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
    for dial in DIALS:
        for value in (dial.low, dial.low + dial.step, dial.high):
            of(**{dial.setting: str(value)}).for_kind("image")


def test_every_word_is_a_setting_that_can_be_painted():
    for row in PLAIN_WORDS:
        for written in row.choices.values():
            of(**{row.setting: written}).for_kind("image")
        assert "" in row.choices.values()


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "pytorch-tutorial"])
def test_a_preset_is_painted_from_the_fields_as_by_its_name(name: str):
    assert settings_of(preset_texts()[name]).for_kind("image") == TransferSettings.preset(name).for_kind("image")


def test_no_preset_lets_a_visitor_fetch_weights():
    assert set(PRESETS) - set(preset_texts()) == {"pytorch-tutorial"}


@pytest.mark.parametrize("settings", [{"size": "huge"}, {"init": "/etc/passwd"}, {"style_layers": 3}])
def test_settings_of_a_strange_file_are_refused(settings: dict[str, object]):
    with pytest.raises(SettingsError):
        texts_of(settings, "image")
