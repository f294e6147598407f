"""Sounds whose heads do not say what is there: pipes, crashes, estimates, and files strung together."""

import io
import re
import struct
import sys

import av
import numpy as np
import pytest
import soundfile

from impasto.errors import SignalError
from impasto.media.read_write import find_medium
from impasto.media.signal import Signal
from impasto.media.sound import mp3
from impasto.media.sound.read import read_audio
from impasto.media.sound.write import encode_audio

RATE = 22050
NOISE = np.random.default_rng(0).normal(0, 0.1, RATE // 2).astype(np.float32)
UNKNOWN = "its head does not know its length"


def encoded(values=NOISE, rate=RATE, **options):
    buffer = io.BytesIO()
    soundfile.write(buffer, values.T, rate, **options)
    return bytearray(buffer.getvalue())


def patched(data, *changes):
    data = bytearray(data)
    for at, form, *values in changes:
        struct.pack_into(form, data, at, *values)
    return data


def read(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return read_audio(tmp_path / name)


WAV = encoded(format="WAV")
SIZE = len(WAV) - 44
LITTLE = 0.0001


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (0, 0),
        (36, 0),
        (2**32 - 1, 0),
        (2**32 - 1, 2**32 - 1),
        (0x7FFFF024, 0x7FFFF000),
        (0x80000024, 0x80000000),
        (0x7FFFFFFF, 0x7FFFFFDB),
        (10**9 + 36, 10**9),
        (0, 3 * SIZE),
        (36 + 2**21, 2**21),
    ],
)
def test_a_piped_wav_is_read_to_its_end(tmp_path, caplog, file, data):
    sound = read(tmp_path, "pipe.wav", patched(WAV, (4, "<I", file), (40, "<I", data)))
    assert sound.header["rate"] == RATE
    np.testing.assert_allclose(sound.values[0], NOISE, atol=LITTLE)
    assert UNKNOWN in caplog.text


@pytest.mark.parametrize(("share", "told"), [(1.06, r"0\.53 s were announced; all .* is read: 0\.5 s"), (1.0, "")])
def test_a_wav_that_lost_a_little_is_read_and_told(tmp_path, caplog, share, told):
    size = 2 * round(SIZE * share / 2)
    sound = read(tmp_path, "a.wav", patched(WAV, (4, "<I", size + 36), (40, "<I", size)))
    np.testing.assert_allclose(sound.values[0], NOISE, atol=LITTLE)
    assert bool(caplog.records) == bool(told)
    if told:
        assert re.search(told, caplog.text)


def chunk(data, name):
    return data.index(name) + len(name)


AIFF, CAF, AU = (encoded(format=name) for name in ("AIFF", "CAF", "AU"))
COUNT = chunk(AIFF, b"COMM") + 6
W64, RF64, FLAC = (encoded(format=name) for name in ("W64", "RF64", "FLAC"))


def flac_of(samples):
    (facts,) = struct.unpack_from(">Q", FLAC, 18)
    return patched(FLAC, (18, ">Q", facts >> 36 << 36 | samples))


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (
            "zero.aiff",
            patched(AIFF, (4, ">I", 0), (chunk(AIFF, b"SSND"), ">I", 0), (chunk(AIFF, b"COMM") + 6, ">I", 0)),
            True,
        ),
        ("all.aiff", patched(AIFF, (4, ">I", 2**32 - 1), (chunk(AIFF, b"SSND"), ">I", 2**32 - 1)), True),
        ("head.aiff", patched(AIFF, (4, ">I", 46), (chunk(AIFF, b"SSND"), ">I", 8)), True),
        ("all.caf", patched(CAF, (chunk(CAF, b"data"), ">q", -1)), False),
        ("zero.caf", patched(CAF, (chunk(CAF, b"data"), ">q", 0)), True),
        ("all.au", patched(AU, (8, ">I", 2**32 - 1)), False),
        ("zero.au", patched(AU, (8, ">I", 0)), True),
        ("most.w64", patched(W64, (16, "<Q", 2**63 - 1), (chunk(W64, b"data") + 12, "<Q", 2**63 - 1)), True),
        ("zero.wav", patched(RF64, (chunk(RF64, b"ds64") + 4, "<QQQ", 0, 0, 0)), True),
        ("all.wav", patched(RF64, (chunk(RF64, b"ds64") + 4, "<QQQ", *3 * (2**64 - 1,))), True),
        ("unknown.flac", flac_of(0), False),
        ("fewer.flac", flac_of(100), False),
        ("more.flac", flac_of(len(NOISE) + 500), True),
        ("tagged.flac", b"ID3\x03\0\0\0\0\1\0" + bytes(128) + FLAC, False),
    ],
)
def test_so_is_any_other(tmp_path, caplog, capfd, name, data, told):
    sound = read(tmp_path, name, data)
    np.testing.assert_allclose(sound.values[0], NOISE, atol=LITTLE)
    assert len(caplog.records) == told
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.wav", WAV[: SIZE // 2]),
        ("a.aiff", AIFF[: SIZE // 2]),
        ("a.au", AU[: SIZE // 2]),
        ("a.w64", W64[: SIZE // 2]),
        ("a.flac", FLAC[: len(FLAC) // 2]),
    ],
)
def test_half_a_sound_is_refused(tmp_path, name, data):
    with pytest.raises(SignalError, match=r"is cut off or damaged: 0\.5 s were announced, 0\.\d+ s are there"):
        read(tmp_path, name, data)


MP3 = {rate: encoded(np.tile(NOISE, 6), rate, format="MP3") for rate in (44100, 22050, 11025)}


def announcing(data, share):
    at = max(data.find(b"Xing"), data.find(b"Info")) + 8
    (frames,) = struct.unpack_from(">I", data, at)
    return patched(data, (at, ">I", round(frames * share)))


@pytest.mark.parametrize("rate", MP3)
@pytest.mark.parametrize("share", [0, 0.5, 0.95, 1, 1.05, 2])
def test_all_of_an_mp3_is_read_whatever_it_announces(tmp_path, caplog, rate, share):
    plain = soundfile.read(io.BytesIO(MP3[rate]), dtype="float32")[0]
    sound = read(tmp_path, "v.mp3", announcing(MP3[rate], share))
    np.testing.assert_allclose(sound.values[0], plain, atol=1e-6)
    assert sound.header["rate"] == rate
    assert len(caplog.records) == (share > 1)


WHOLE = MP3[44100]
FIRST_FRAME = mp3._frame(bytes(WHOLE), 0)
assert FIRST_FRAME is not None
FIRST = FIRST_FRAME.length
PLAIN = soundfile.read(io.BytesIO(WHOLE), dtype="float32")[0]


@pytest.mark.parametrize(
    ("data", "times"),
    [
        (b"ID3\x03\0\0\0\1\0\0" + bytes(128 * 128) + WHOLE, 1),  # a tag with a picture
        (b"\x12 junk" * 50 + WHOLE, 1),
        (WHOLE + b"TAG" + bytes(125), 1),
        (WHOLE + b"APETAGEX" + struct.pack("<IIII", 2000, 64, 0, 0) + bytes(72), 1),
        (WHOLE + WHOLE, 2),
        (WHOLE + b"TAG" + bytes(125) + b"ID3\x03\0\0\0\0\1\0" + bytes(128) + WHOLE, 2),
        (WHOLE + MP3[22050], 1),
    ],
    ids=["ID3v2", "junk", "ID3v1", "APE", "two", "two with tags", "of another rate"],
)
def test_what_is_around_the_frames_of_an_mp3_is_no_sound(tmp_path, caplog, data, times):
    sound = read(tmp_path, "a.mp3", data)
    np.testing.assert_allclose(sound.values[0, : len(PLAIN)], PLAIN, atol=1e-6)
    # the second one's padding at its start is played
    assert sound.shape[0] == pytest.approx(times * len(PLAIN), abs=2 * 1152 * (times - 1))
    assert ("another rate" in caplog.text) == (data.endswith(MP3[22050]))


def test_an_mp3_without_a_head_is_read_to_its_end(tmp_path):
    sound = read(tmp_path, "a.mp3", WHOLE[FIRST:])
    assert sound.shape[0] >= len(PLAIN)


def test_half_an_mp3_is_read_and_told(tmp_path, caplog):
    sound = read(tmp_path, "a.mp3", WHOLE[: len(WHOLE) // 2])
    np.testing.assert_allclose(sound.values[0], PLAIN[: sound.shape[0]], atol=1e-6)
    assert "s were announced" in caplog.text


def test_chained_ogg_is_one_sound(tmp_path, caplog):
    link = encoded(format="OGG")
    alone = read(tmp_path, "a.ogg", link).values
    np.testing.assert_array_equal(read(tmp_path, "b.ogg", link + link).values, np.concatenate([alone, alone], 1))
    assert not caplog.records
    stereo = encoded(np.stack([NOISE, NOISE]), format="OGG")
    assert read(tmp_path, "c.ogg", link + stereo).shape == alone.shape[1:]
    assert "a part of 2 channels is left out" in caplog.text


def test_an_ogg_that_does_not_end_is_read_and_told(tmp_path, caplog):
    whole = encoded(np.tile(NOISE, 4), format="OGG")
    assert 0 < read(tmp_path, "a.ogg", whole[: 3 * len(whole) // 4]).shape[0] < 4 * len(NOISE)
    assert "its end is missing" in caplog.text


@pytest.mark.parametrize("channels", [3, 5, 6, 8])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_the_channels_of_ogg_are_in_the_order_of_wav(tmp_path, channels, subtype):
    time = np.arange(24000) / 48000
    tones = np.stack([0.3 * np.sin(2 * np.pi * 400 * (i + 1) * time) for i in range(channels)]).astype(np.float32)
    if channels > 5:
        tones[3] = 0.3 * np.sin(2 * np.pi * 60 * time)  # low frequencies
    path = tmp_path / ("a.opus" if subtype == "OPUS" else "a.ogg")
    path.write_bytes(encode_audio(Signal(tones, "sound", {"rate": 48000.0}), path))
    np.testing.assert_allclose(read_audio(path).values[:, 4000:20000], tones[:, 4000:20000], atol=0.1)
    with av.open(str(path)) as container:  # another reader hears the same
        floats = av.AudioResampler("flt")
        frames = [part.to_ndarray() for frame in container.decode(audio=0) for part in floats.resample(frame)]
    heard = np.concatenate(frames, 1).reshape(-1, channels).T
    loudest = np.abs(np.fft.rfft(heard[:, 4000:14000])).argmax(1)
    expected = np.abs(np.fft.rfft(tones[:, 4000:14000])).argmax(1)
    np.testing.assert_allclose(loudest, expected, atol=1)


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "W64", "VOC", "NIST", "IRCAM", "PAF", "SVX"])
def test_what_libsndfile_reads_is_a_sound(tmp_path, form):
    endings = {"NIST": "sph", "SVX": "8svx", "IRCAM": "sf"}
    name = f"a.{endings.get(form, form.lower())}"
    sound = read(tmp_path, name, encoded(rate=8000, format=form))
    assert find_medium(tmp_path / name).name == "sound"
    np.testing.assert_allclose(sound.values[0], NOISE, atol=LITTLE)

    assert find_medium((tmp_path / name).rename(tmp_path / "untold")).name == "sound"


@pytest.mark.parametrize(
    "coding", [("WAV", "GSM610"), ("WAV", "G721_32"), ("AU", "G723_24"), ("XI", "DPCM_16")], ids="-".join
)
def test_a_sound_that_cannot_be_sought_in_is_read(tmp_path, coding):
    form, subtype = coding
    data = encoded(rate=8000, format=form, subtype=subtype)
    expected, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    sound = read(tmp_path, f"a.{form.lower()}", data)
    assert sound.header["rate"] == rate
    np.testing.assert_array_equal(sound.values[0], expected)


def test_aiff_c_and_opus(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, "a.aif", encoded(format="AIFF", subtype="FLOAT")).values[0], NOISE)
    read(tmp_path, "a.opus", encoded(rate=48000, format="OGG", subtype="OPUS"))
    assert {find_medium(tmp_path / name).name for name in ("a.aif", "a.opus")} == {"sound"}


def with_codec(path, codec, form):
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=44100, layout="mono")
        container.metadata["title"] = "Für"
        for at in range(0, 40960, 1024):
            tone = 0.3 * np.sin(2 * np.pi * 441 * np.arange(at, at + 1024) / 44100)
            frame = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["untold", "a.wav", "a.mp3", "a.png"])
@pytest.mark.parametrize("codec", ["aac", "wavpack", "tta", "ac3", "mp2"])
def test_what_ffmpeg_reads_is_a_sound_whatever_it_is_called(tmp_path, codec, name):
    path = with_codec(tmp_path / name, codec, {"aac": "adts", "wavpack": "wv"}.get(codec, codec))
    assert find_medium(path).name == "sound"
    sound = read_audio(path)
    assert np.abs(np.fft.rfft(sound.values[0, 4000:26050])[1:]).argmax() + 1 == pytest.approx(441 / 2, abs=1)


def test_a_coding_that_libsndfile_does_not_know_is_read_by_ffmpeg(tmp_path):
    path = with_codec(tmp_path / "a.caf", "alac", "caf")
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(path)
    assert read_audio(path).values.shape == (1, 40960)


@pytest.mark.parametrize("form", ["ipod", "mp4"])
def test_m4a_is_read_by_ffmpeg(tmp_path, form):
    path = with_codec(tmp_path / "a.m4a", "aac", form)
    assert find_medium(path).name == "sound"
    sound = read_audio(path)
    assert sound.header["rate"] == 44100
    assert sound.header["tags"]["title"] == "Für"
    assert sound.shape[0] == pytest.approx(40960, abs=2048)
    assert np.abs(np.fft.rfft(sound.values[0, 4410:8820])).argmax() == 44


def test_without_ffmpeg_m4a_says_what_to_do(tmp_path, monkeypatch):
    path = with_codec(tmp_path / "a.m4a", "aac", "ipod")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SignalError, match=r"read by the package av, .*; or convert it to WAV or FLAC first"):
        read_audio(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("text.m4a", b"no sound " * 50, "convert it to WAV or FLAC"),
        ("head.mp3", WHOLE[:300], "cannot be read as a sound"),
        ("head.wav", WAV[:30], "No 'data' chunk"),
        ("none.wav", WAV[:44], "has no samples"),
        ("rate.wav", patched(WAV, (24, "<I", 0)), "no rate or no channels"),
        ("channels.wav", patched(WAV, (22, "<H", 0)), "cannot be read as a sound"),
        ("text.flac", b"fLaC and no more", "cannot be read as a sound"),
        ("text.ogg", b"OggS and no more", "cannot be read as a sound"),
        ("text.aiff", b"FORM\0\0\0\0AIFF", "cannot be read as a sound"),
        ("text.au", b".snd", "has no samples"),
        ("picture.aiff", b"FORM\0\0\0\x20ILBMBMHD" + bytes(40), "cannot be read as a sound"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, name, data, message):
    with pytest.raises(SignalError, match=message) as caught:
        read(tmp_path, name, data)
    assert "\n" not in str(caught.value)


def test_samples_in_the_scale_of_16_bits_are_scaled(tmp_path, caplog):
    sound = read(tmp_path, "a.wav", encoded(NOISE * 32768, format="WAV", subtype="FLOAT"))
    assert np.abs(sound.values).max() == pytest.approx(0.98, abs=1e-4)
    assert np.corrcoef(sound.values[0], NOISE)[0, 1] > 0.9999
    assert "full scale is 1: they are scaled to it" in caplog.text
