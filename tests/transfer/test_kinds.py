"""Transfers of series and sounds, judged by what a person would check."""

import json
import logging
import sys
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
import soundfile
from pydicom.data import get_testdata_file
from scipy.signal import find_peaks, lfilter
from skimage import data

import impasto
from impasto.cli import main
from impasto.errors import SettingsError, SignalError, SizeError, UnknownLayerError
from impasto.media.registry import media
from impasto.media.signal import Signal
from impasto.media.sound.read import loudness
from impasto.networks.layers import ARCHITECTURES
from impasto.transfer.default_text import default_text
from impasto.transfer.settings import TransferSettings as Settings

TOLERANCE = 100  # samples of 1 ms
BEFORE, AFTER = 200, 320


@pytest.fixture(scope="module")
def ekg():
    """Lead II and V1 of the first and the last five seconds of a real recording at 1 kHz, in microvolts."""
    leads = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm"))).waveform_array(0).T
    two, v1 = leads[1], leads[6]
    return SimpleNamespace(content=two[:5000], style=v1[5000:], truth=v1[:5000], leads=leads)


def one(layer):
    return ((layer, 1.0),)


def series(*leads, rate=1000.0):
    header = {"rate": rate, "leads": [f"lead {i + 1}" for i in range(len(leads))], "named": True, "timed": True}
    return Signal(np.stack(leads).astype(np.float32), "series", header)


def beats(values):
    """The QRS complexes: where the slope has most energy."""
    energy = np.convolve(np.gradient(np.convolve(values, np.ones(15) / 15, "same")) ** 2, np.ones(100) / 100, "same")
    return find_peaks(energy, height=0.3 * energy.max(), distance=250)[0]


def f1(found, expected):
    hits = sum(np.abs(expected - beat).min() <= TOLERANCE for beat in found) if len(found) else 0
    return 2 * hits / (len(found) + len(expected))


def correlation_of_beats(values, truth):
    """The mean over the beats of the best correlation within the tolerance."""
    best = []
    for beat in beats(truth):
        if BEFORE + TOLERANCE <= beat < len(truth) - AFTER - TOLERANCE:
            expected = truth[beat - BEFORE : beat + AFTER]
            shifts = range(-TOLERANCE, TOLERANCE + 1, 4)
            windows = [values[beat + shift - BEFORE : beat + shift + AFTER] for shift in shifts]
            best.append(max(np.corrcoef(window, expected)[0, 1] for window in windows))
    return np.mean(best)


def test_lead_ii_painted_in_the_style_of_v1_is_v1(ekg):
    assert len(beats(ekg.truth)) == 5
    assert correlation_of_beats(ekg.content, ekg.truth) < 0.3
    painting = impasto.transfer_style(series(ekg.content), series(ekg.style), Settings(beta=1000))
    result = painting.signal.values[0]
    assert correlation_of_beats(result, ekg.truth) >= 0.85
    assert len(beats(result)) == 5
    assert f1(beats(result), beats(ekg.truth)) == 1
    assert result.shape == ekg.content.shape
    assert painting.history[0].style_cost > 10 * painting.best.style_cost


@pytest.mark.parametrize(("painted", "like"), [(1, 10), (6, 7)])
def test_the_rhythm_stays_by_default(ekg, painted, like):
    """Lead II like V5, V1 like V2: leads whose beats point the same way."""
    content, style, truth = ekg.leads[painted, :5000], ekg.leads[like, 5000:], ekg.leads[like, :5000]
    painting = impasto.transfer_style(series(content), series(style))
    result = painting.signal.values[0]
    assert f1(beats(result), beats(content)) >= 0.9
    assert correlation_of_beats(result, truth) > correlation_of_beats(content, truth)
    assert painting.history[0].style_cost > 10 * painting.best.style_cost
    assert painting.settings == Settings().for_kind("series")


@pytest.mark.parametrize("leads", [1, 3])
def test_vgg19_in_one_dimension(ekg, leads):
    content, style = (series(*[part[i : i + 2000] for i in range(leads)]) for part in (ekg.content, ekg.style))
    chosen = Settings(network="vgg19", iterations=8, content_layers=one("relu3_2"), style_layers=one("relu3_1"))
    painting = impasto.transfer_style(content, style, chosen)
    assert painting.signal.values.shape == (leads, 2000)
    assert painting.best.cost < 0.8 * painting.history[0].cost


def test_the_drift_stays_the_contents(ekg):
    drift = 5000 * np.linspace(0, 1, 5000) ** 2
    painting = impasto.transfer_style(series(ekg.content + drift), series(ekg.style), Settings(iterations=5))
    medians = [np.median(part) for part in np.split(painting.signal.values[0] - drift, 5)]
    assert np.ptp(medians) < 400


def test_other_rates_are_resampled_and_that_is_said(ekg, caplog):
    style = series(ekg.style[::4], rate=250.0)
    with caplog.at_level(logging.WARNING):
        painting = impasto.transfer_style(series(ekg.content), style, Settings(iterations=30))
    assert "content 1000 Hz, style 250 Hz" in caplog.text
    assert painting.signal.header["rate"] == 1000
    same = impasto.transfer_style(series(ekg.content), series(ekg.style), Settings(iterations=30))
    assert painting.best.style_cost == pytest.approx(same.best.style_cost, rel=0.5)


def speech(rate=8000, seconds=3.0):
    """Buzzing syllables, four a second, with silence between."""
    time = np.arange(int(rate * seconds)) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time)
    buzz = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / rate) / k for k in range(1, 20))
    return 0.2 * buzz * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1) ** 2


def rain(rate=8000, seconds=2.5):
    noise = np.random.default_rng(0).standard_normal(int(rate * seconds))
    return 0.05 * np.asarray(lfilter([1], [1, -0.6], noise))


def sound(*channels, rate=8000.0):
    return Signal(np.stack(channels).astype(np.float32), "sound", {"rate": rate, "tags": {}, "subtype": "PCM_16"})


def test_a_sound_has_one_scale_however_many_samples_it_has() -> None:
    painting = impasto.transfer_style(sound(rain(seconds=4)), sound(rain(seconds=3)[::-1]), Settings(iterations=3))
    assert [(e.evaluation, e.scale) for e in painting.history] == [(1, 1), (2, 1), (3, 1)]


def envelope(values, rate=8000):
    return np.sqrt(np.square(values[: len(values) // 400 * 400].reshape(-1, 400)).mean(1))


def test_speech_in_the_style_of_rain():
    content = speech()
    painting = impasto.transfer_style(sound(content), sound(rain()), Settings(iterations=60))
    result = painting.signal.values[0]
    assert painting.history[0].style_cost > 10 * painting.best.style_cost
    assert np.corrcoef(envelope(result), envelope(content))[0, 1] >= 0.95
    assert loudness(result) == pytest.approx(loudness(content.astype(np.float32)), rel=0.02)
    assert np.abs(result).max() <= 1
    assert result.shape == content.shape


def test_what_is_loud_never_clips():
    content = 4 * speech(seconds=1.5)
    painting = impasto.transfer_style(sound(content / np.abs(content).max()), sound(rain()), Settings(iterations=6))
    assert np.abs(painting.signal.values).max() <= 1


def test_stereo_stays_stereo_and_equal_channels_stay_equal(caplog):
    content, style = speech(seconds=1.5), rain(rate=11025)
    chosen = Settings(iterations=4)
    painting = impasto.transfer_style(sound(content, content), sound(style, rate=11025.0), chosen)
    left, right = painting.signal.values
    assert np.corrcoef(left, right)[0, 1] > 0.99
    assert "the style has 11025 Hz" in caplog.text


@pytest.mark.parametrize("init", ["content", "random", "style"])
@pytest.mark.parametrize("kind", ["series", "sound"])
def test_where_g_starts(kind, init, ekg):
    pair = (series(ekg.content), series(ekg.style[:3000])) if kind == "series" else (sound(speech()), sound(rain()))
    first, second = (impasto.transfer_style(*pair, Settings(iterations=2, init=init, seed=1)) for _ in range(2))
    assert np.array_equal(first.signal.values, second.signal.values)
    assert np.isfinite(first.signal.values).all()


def test_the_kinds_are_complete():
    for kind in media():
        chosen = Settings().for_kind(kind)
        assert chosen.for_kind(kind) == chosen
        assert Settings(**chosen.as_dict()) == chosen
        given_or_none = ("step", "rate", "strength", "memory", "content_mask", "style_mask", "protect")
        told = chosen.as_dict()
        assert (told.pop("draw") is None) == (kind in ("series", "sound"))
        assert (told.pop("size") is None) != (told.pop("working_rate") is None)
        assert all(value is not None for name, value in told.items() if name not in given_or_none)


def test_help_tells_the_defaults_of_each_kind():
    for text in ("image 20.0", "series 100.0", "sound 10.0"):
        assert text in default_text("beta")
    assert "bank relu3,relu5" in default_text("style_layers")
    assert default_text("pooling") == "avg"
    assert default_text("protect") == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"network": "vgg19"}, UnknownLayerError, "relu65"),
        ({"network": "spectral"}, UnknownLayerError, "relu65"),
        ({"network": "vgg"}, SettingsError, "did you mean 'vgg19'"),
    ],
)
def test_layers_belong_to_a_network(options, error, message):
    assert Settings(style_layers=one("relu65")).style_layers == (("relu65", 1.0),)
    with pytest.raises(error, match=message):
        Settings(style_layers=one("relu65"), **options)
    with pytest.raises(UnknownLayerError, match="relu65"):
        Settings(style_layers=one("relu65")).for_kind("image")
    with pytest.raises(SettingsError, match="bank or vgg19 was expected"):
        Settings(network="spectral").for_kind("series")
    assert ARCHITECTURES["bank"].table


def picture():
    return data.astronaut()[:64, :64]


# fmt: off
PAIRS = {
    "series, picture": (
        lambda e: (series(e.content), picture()), SignalError, "a series cannot be painted in the style of a picture: "),
    "picture, series": (
        lambda e: (picture(), series(e.style)), SignalError, "a picture cannot be painted in the style of a series: "),
    "sound, series": (lambda e: (sound(speech()), series(e.style)), SignalError, "a sound was expected"),
    "series, sound": (lambda e: (series(e.content), sound(rain())), SignalError, "a series was expected"),
    "leads": (
        lambda e: (series(e.content, e.truth), series(e.style)), SignalError,
        r"the content has 2 lead\(s\) and the style 1"),
    "short content": (
        lambda e: (series(e.content[:900]), series(e.style)), SizeError,
        "the content has 113 samples at 125 Hz, too short for relu129, which needs 129"),
    "short style": (lambda e: (series(e.content), series(e.style[:900])), SizeError, "the style has 113 samples"),
    "ramp": (
        lambda e: (series(np.arange(5000.0)), series(e.style)), SignalError, "constant but for a slow drift"),
    "short sound": (
        lambda e: (sound(speech(seconds=0.3)), sound(rain())), SizeError,
        r"the content lasts 0\.3 s, too short for relu31, which needs 0\.992 s"),
    "rates": (
        lambda e: (series(e.content, rate=1e6), series(e.style, rate=1e-3)), SignalError, "too far apart"),
}
# fmt: on


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_that_make_no_sense(name, ekg):
    make, error, message = PAIRS[name]
    content, style = make(ekg)
    with pytest.raises(error, match=message) as caught:
        impasto.transfer_style(content, style, Settings(iterations=1))
    assert "\n" not in str(caught.value)


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["impasto", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_the_command_line_paints_a_series(tmp_path, monkeypatch, capsys, ekg):
    for name, values in (("c", ekg.content), ("s", ekg.style)):
        np.savetxt(tmp_path / f"{name}.csv", values[:2000:4])
    words = [tmp_path / "c.csv", tmp_path / "s.csv", "-o", tmp_path / "out.csv", "--plot", tmp_path / "out.png"]
    assert run(monkeypatch, "transfer", *words, "--rate", 250, "--iterations", 3, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["kind"], summary["beta"], summary["evaluations"]) == ("series", 100.0, 3)
    assert np.loadtxt(tmp_path / "out.csv").shape == (500,)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_line_paints_a_sound(tmp_path, monkeypatch, capsys):
    soundfile.write(tmp_path / "c.wav", speech(), 8000)
    soundfile.write(tmp_path / "s.flac", rain(), 8000)
    words = [tmp_path / "c.wav", tmp_path / "s.flac", "-o", tmp_path / "out.ogg", "--plot", tmp_path / "out.svg"]
    assert run(monkeypatch, "transfer", *words, "--iterations", 2) == 0
    assert "3 s at 8000 Hz, mono" in capsys.readouterr().out
    assert soundfile.info(tmp_path / "out.ogg").frames == 24000
    assert (tmp_path / "out.svg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("output", "options", "message", "code"),
    [
        ("out.wav", (), "a series is not written with the ending '.wav'; did you mean", 1),
        ("out.csv", ("--frames", "frames"), "--frames writes pictures; a series has none", 2),
        ("out.csv", ("--style-layers", "relu128", "--network", "bank"), "did you mean 'relu129'", 2),
        ("out.csv", ("--rate", "0"), "rate is 0; a number above 0 was expected", 2),
        ("out.csv", (), "line 3 has 'x' where a number was expected", 1),
    ],
)
def test_failures_are_one_line_and_leave_the_output(tmp_path, monkeypatch, capsys, output, options, message, code):
    (tmp_path / "c.csv").write_text("1\n2\nx\n4\n")
    (tmp_path / output).write_text("precious")
    words = [tmp_path / "c.csv", tmp_path / "c.csv", "-o", tmp_path / output, *options]
    assert run(monkeypatch, "transfer", *words) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out
    assert (tmp_path / output).read_text() == "precious"
