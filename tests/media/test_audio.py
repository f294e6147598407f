import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from impasto.errors import SignalError
from impasto.media.read_write import write_signal
from impasto.media.signal import Signal
from impasto.media.sound.read import describe_audio, limit_peaks, loudness, read_audio, resample_audio

RATE = 16000
LEVELS = st.floats(-4, 4, width=32, allow_subnormal=False)


def tone(seconds=0.5, channels=1):
    time = np.arange(int(RATE * seconds)) / RATE
    return np.stack([0.3 * np.sin(2 * np.pi * 440 * (i + 1) * time) for i in range(channels)]).astype(np.float32)


def spoken(path, values=None, **options):
    soundfile.write(path, (tone() if values is None else values).T, RATE, **options)
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("ending", "error"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.05), ("mp3", 0.05)])
def test_what_is_written_is_read_again(tmp_path, ending, error, channels):
    sound = Signal(tone(channels=channels), "sound", {"rate": float(RATE), "tags": {"title": "A"}, "subtype": "PCM_16"})
    write_signal(sound, tmp_path / f"a.{ending}", {"seed": 0})
    again = read_audio(tmp_path / f"a.{ending}")
    assert again.header["rate"] == RATE
    assert again.header["tags"]["title"] == "A"
    assert again.header["tags"]["comment"] == '{"seed": 0}'
    assert len(again.values) == channels
    same = slice(2000, 6000)  # an MP3 is padded at both ends
    assert np.abs(again.values[:, same] - sound.values[:, same]).max() < error


def test_the_bits_of_a_sample_are_kept(tmp_path):
    sound = read_audio(spoken(tmp_path / "a.wav", subtype="PCM_24"))
    write_signal(sound, tmp_path / "b.wav")
    write_signal(sound, tmp_path / "b.ogg")
    assert soundfile.info(tmp_path / "b.wav").subtype == "PCM_24"
    assert soundfile.info(tmp_path / "b.ogg").subtype == "VORBIS"


def test_what_it_is_in_words():
    assert describe_audio(Signal(tone(0.25, 2), "sound", {"rate": 16000.0})) == "0.25 s at 16000 Hz, stereo"


@settings(deadline=None, max_examples=30)
@given(arrays(np.float32, st.tuples(st.integers(1, 2), st.integers(1, 300)), elements=LEVELS))
def test_the_limiter_never_clips_and_leaves_soft_sounds_alone(values):
    out = limit_peaks(values, 1000)
    assert np.abs(out).max() <= 0.981
    assert (out * values >= 0).all()
    soft = values / 5
    assert np.array_equal(limit_peaks(soft, 1000), soft)


def test_the_limiter_touches_only_the_surroundings_of_a_peak():
    values = tone()
    values[0, 4000] = 3
    out = limit_peaks(values, RATE)
    far = np.abs(np.arange(values.shape[1]) - 4000) > 0.025 * RATE
    assert np.array_equal(out[:, far], values[:, far])


def test_another_rate_has_the_same_tone():
    values = resample_audio(tone(), RATE, 12000)
    spectrum = np.abs(np.fft.rfft(values[0]))
    assert spectrum.argmax() * 12000 / values.shape[1] == pytest.approx(440, abs=2)
    assert loudness(values) == pytest.approx(loudness(tone()), rel=0.02)


def cut(path):
    whole = spoken(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


BAD = {
    "empty.wav": (lambda path: path.write_bytes(b""), "is empty"),
    "text.wav": (lambda path: path.write_text("not a sound"), "cannot be read as a sound"),
    "text.mp3": (lambda path: path.write_text("not a sound" * 50), "cannot be read as a sound"),
    "cut.wav": (cut, r"is cut off or damaged: 0\.5 s were announced, 0\.24\d* s are there"),
    "cut.flac": (cut, "is cut off|cannot be read"),
    "none.wav": (lambda path: spoken(path, np.zeros((1, 0), np.float32)), "has no samples"),
    "silent.wav": (lambda path: spoken(path, np.zeros((1, 999), np.float32)), "is silent"),
    "constant.wav": (lambda path: spoken(path, np.full((1, 999), 0.5, np.float32)), "is silent"),
    "nan.wav": (
        lambda path: spoken(path, np.where(tone() > 0.29, np.nan, tone()), subtype="FLOAT"),
        "NaN or infinite samples",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(tmp_path, name):
    make, message = BAD[name]
    make(tmp_path / name)
    with pytest.raises(SignalError, match=message) as caught:
        read_audio(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
