"""What each format of sounds can hold: converted and told, or refused, and known from a sample of the sound."""

import json
import re
from itertools import product

import numpy as np
import pytest
import soundfile

from impasto.errors import SignalError
from impasto.media.signal import Signal
from impasto.media.sound import WRITABLE
from impasto.media.sound import write as audio_output
from impasto.media.sound.read import read_audio
from impasto.media.sound.write import encode_audio, sample_audio

TAGS = {"title": '日本 "é"\n;', "artist": "A" * 300, "album": "", "date": "2020", "copyright": "me", "license": "free"}
ABOUT = {"prompt": 'é"\\\n' * 200}
LOSSY = {".mp3": 0.1, ".ogg": 0.1, ".oga": 0.1, ".opus": 0.1}
SUBTYPES = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW", "VORBIS", "OPUS")
SUBTYPES += ("MPEG_LAYER_III", "IMA_ADPCM", "GSM610", "ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "DWVW_12", None)


def tones(channels=1, rate=22050, subtype: str | None = "PCM_16", samples=None, tags=TAGS):
    samples = samples or min(4600, max(2000, rate // 3))
    time = np.arange(samples) / rate
    values = [0.5 * np.sin(2 * np.pi * min(440, rate / 20) * (1 + i / 9) * time) for i in range(channels)]
    return Signal(np.stack(values).astype(np.float32), "sound", {"rate": float(rate), "tags": tags, "subtype": subtype})


def shapes():
    """Of content: every form of a sample, then rates and channels with each other."""
    yield from ((2, 44100, subtype) for subtype in SUBTYPES)
    yield from ((channels, rate, "FLOAT") for channels, rate in product((1, 6, 8), (7350, 44100, 96000)))
    yield from ((channels, 22050, "PCM_16") for channels in (3, 4, 5, 7, 9, 32))
    yield from ((1, rate, "PCM_16") for rate in (100, 8000, 44056, 192000, 700000))


@pytest.mark.slow
@pytest.mark.parametrize("ending", [ending for ending in WRITABLE if ending not in (".oga", ".aif", ".aifc")])
def test_every_content_in_every_format(tmp_path, caplog, ending):
    path = tmp_path / f"out{ending}"
    for channels, rate, subtype in shapes():
        given, case = tones(channels, rate, subtype), (channels, rate, subtype)
        caplog.clear()
        try:
            encode_audio(sample_audio(given), path, ABOUT)
        except SignalError as error:
            assert "\n" not in str(error)
            assert channels > 8, case
            continue
        told = caplog.messages
        caplog.clear()
        path.write_bytes(encode_audio(given, path, ABOUT))
        assert caplog.messages == told, case  # known before the work
        caplog.clear()
        again = read_audio(path)
        assert not caplog.messages, case
        new_rate = again.header["rate"]
        assert again.shape[0] / new_rate == pytest.approx(given.shape[0] / rate, abs=1.5 / new_rate), case
        assert (new_rate == rate) != any("resampled" in line for line in told), case
        assert (len(again.values) == channels) != any("mixed down" in line for line in told), case
        if new_rate == rate and len(again.values) == channels:
            # Vorbis and Opus leave nothing but low frequencies in the fourth channel of 5.1
            heard = [i for i in range(channels) if i != 3 or channels < 6 or ending not in LOSSY]
            few_bits = re.search("LAW|8", again.header["subtype"])
            middle = slice(given.shape[0] // 4, 3 * given.shape[0] // 4)
            error = np.abs(again.values[heard, middle] - given.values[heard, middle]).max()
            assert error < LOSSY.get(ending, 0.03 if few_bits else 1e-4), case
        kept = {name: text for name, text in again.header["tags"].items() if name not in ("software", "comment")}
        assert kept.items() <= TAGS.items(), case
        missing = [name for name in TAGS if TAGS[name] and name not in kept]
        assert all(any("no place for the tags" in line and name in line for line in told) for name in missing), case
        if "comment" in again.header["tags"]:
            assert json.loads(again.header["tags"]["comment"]) == ABOUT


@pytest.mark.parametrize("ending", WRITABLE)
@pytest.mark.parametrize("samples", [1, 100])
def test_the_shortest_sounds(tmp_path, ending, samples):
    path = tmp_path / f"out{ending}"
    path.write_bytes(encode_audio(tones(rate=48000, samples=samples), path))
    assert soundfile.info(path).frames == samples


def test_what_an_mp3_cannot_hold_is_converted_and_told(tmp_path, caplog):
    path = tmp_path / "a.mp3"
    given = tones(6, 96000, samples=20000)
    given.values[1:] = 0
    path.write_bytes(encode_audio(given, path))
    again = read_audio(path)
    assert again.header["rate"] == 48000
    assert len(again.values) == 2
    assert np.abs(again.values[0]).max() == pytest.approx(0.5 / (1 + 2**0.5), abs=0.02)  # the left channel stays there
    assert np.abs(again.values[1]).max() < 0.01
    assert [line.split(": ", 1)[1] for line in caplog.messages] == [
        "it holds at most 2 channels: the 6 are mixed down to stereo",
        "it does not hold 96000 Hz: the sound is resampled to 48000 Hz",
        "it has no place for the tags license",
    ]


@pytest.mark.parametrize("channels", [3, 4, 5, 6, 7, 8])
def test_mixing_down_never_clips(tmp_path, channels):
    given = tones(channels, 44100)
    given.values[:] = given.values[0] * 1.8
    path = tmp_path / "a.mp3"
    path.write_bytes(encode_audio(given, path))
    assert np.abs(read_audio(path).values[:, 1000:-1000]).max() == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("ending", "channels", "message"),
    [
        (".flac", 9, "9 channels were given, and a file .flac holds at most 8; give one of the endings .wav .ogg"),
        (".mp3", 32, "32 channels were given, and a file .mp3 holds at most 2; give one of the endings .wav .ogg"),
        (".ogg", 256, "at most 255; give one of the endings .wav"),
    ],
)
def test_too_many_channels_are_refused(ending, channels, message):
    with pytest.raises(SignalError, match=message):
        encode_audio(sample_audio(tones(channels)), f"a{ending}")


@pytest.mark.parametrize(
    ("subtype", "ending", "written"),
    [
        ("PCM_24", ".wav", "PCM_24"),
        ("PCM_24", ".aiff", "PCM_24"),
        ("PCM_24", ".ogg", "VORBIS"),
        ("FLOAT", ".flac", "PCM_24"),
        ("DOUBLE", ".wav", "DOUBLE"),
        ("MPEG_LAYER_III", ".wav", "PCM_16"),
        ("MPEG_LAYER_III", ".caf", "PCM_16"),
        ("VORBIS", ".opus", "OPUS"),
        ("OPUS", ".ogg", "VORBIS"),
        ("IMA_ADPCM", ".wav", "PCM_16"),
        ("ALAC_24", ".caf", "ALAC_24"),
        ("ALAC_24", ".wav", "PCM_24"),
        ("PCM_U8", ".au", "PCM_S8"),
    ],
)
def test_the_bits_of_a_sample_are_the_nearest(tmp_path, subtype, ending, written):
    path = tmp_path / f"a{ending}"
    path.write_bytes(encode_audio(tones(rate=48000, subtype=subtype), path))
    assert soundfile.info(path).subtype == written


def test_long_sounds_are_written_in_pieces(tmp_path):
    """All at once is more than the stack of libsndfile's writer of Vorbis holds."""
    given = Signal(np.random.default_rng(0).normal(0, 0.1, (2, 600_000)).astype(np.float32), "sound", {"rate": 200_000.0})
    path = tmp_path / "a.ogg"
    path.write_bytes(encode_audio(given, path))
    assert soundfile.info(path).frames == 600_000


def test_a_wav_beyond_four_gigabytes_gets_wide_sizes(tmp_path, monkeypatch):
    monkeypatch.setattr(audio_output, "_MOST_BYTES", 1000)
    path = tmp_path / "a.wav"
    path.write_bytes(encode_audio(tones(), path))
    assert path.read_bytes()[:4] == b"RF64"
    np.testing.assert_allclose(read_audio(path).values, tones().values, atol=1e-4)
    with pytest.raises(SignalError, match=r"at most 4 GiB; give the ending \.w64 or \.caf"):
        encode_audio(tones(), "a.aiff")


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ({"title": "cut\0here"}, {"title": "cut"}),
        ({"title": "\0"}, {}),
        ({"title": "lone \udc80"}, {"title": "lone ?"}),
        ({"title": 7}, {"title": "7"}),
        ({"mood": "odd"}, {}),
    ],
)
@pytest.mark.parametrize("ending", [".wav", ".mp3", ".ogg", ".flac"])
def test_odd_tags_are_no_reason_to_fail(tmp_path, ending, tags, kept):
    path = tmp_path / f"a{ending}"
    path.write_bytes(encode_audio(tones(tags=tags), path))
    again = read_audio(path).header["tags"]
    assert {name: text for name, text in again.items() if name != "software"} == kept


@pytest.mark.parametrize("ending", [".wav", ".aiff", ".caf"])
def test_a_comment_that_would_not_be_read_again_is_left_out_and_told(tmp_path, caplog, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(encode_audio(tones(tags={"title": "A"}), path, {"masks": "m" * 50_000}))
    assert read_audio(path).header["tags"]["title"] == "A"
    assert "no place for the tags comment" in caplog.text
