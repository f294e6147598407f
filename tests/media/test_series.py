import io

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.data import get_testdata_file
from scipy.io import savemat

from impasto.errors import SignalError
from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.series.files import read_series
from impasto.media.signal import Signal

WAVE = np.sin(np.arange(40) / 3.0)


def table(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def rows(*columns, delimiter=","):
    return "\n".join(delimiter.join(f"{value:.6g}" for value in row) for row in zip(*columns, strict=True)) + "\n"


TIME = np.arange(40) / 250


@pytest.mark.parametrize(
    ("text", "leads", "names", "rate"),
    [
        (rows(WAVE), 1, ["lead 1"], None),
        ("II\n" + rows(WAVE), 1, ["II"], None),
        (rows(WAVE, WAVE**2), 2, ["lead 1", "lead 2"], None),
        (rows(TIME, WAVE), 1, ["lead 1"], 250),
        ("time,II,V1\n" + rows(TIME, WAVE, WAVE**2), 2, ["II", "V1"], 250),
        ("time (ms),II\n" + rows(TIME * 1000, WAVE), 1, ["II"], 250),
        ("'Elapsed time','MLII'\n'seconds','mV'\n" + rows(TIME, WAVE), 1, ["MLII"], 250),
        ("t\tII\n" + rows(TIME, WAVE, delimiter="\t"), 1, ["II"], 250),
        ("# from the ward\nt;II\n" + rows(TIME, WAVE, delimiter=";").replace(".", ","), 1, ["II"], 250),
        ("\ufefft II\n" + rows(TIME, WAVE, delimiter="  "), 1, ["II"], 250),
    ],
)
def test_tables_as_people_write_them(tmp_path, text, leads, names, rate):
    series = read_series(table(tmp_path, text))
    assert series.values.shape == (leads, 40)
    assert series.values.dtype == np.float32
    np.testing.assert_allclose(series.values[0], WAVE, atol=1e-5)
    assert series.header["leads"] == names
    assert series.header["rate"] == rate


def test_the_rate_that_is_given_counts_where_the_file_has_none(tmp_path):
    assert read_series(table(tmp_path, rows(WAVE)), rate=360).header["rate"] == 360
    assert read_series(table(tmp_path, rows(TIME, WAVE)), rate=360).header["rate"] == 250


def test_the_leads_of_a_dicom_waveform_have_names():
    series = read_signal(get_testdata_file("waveform_ecg.dcm"))
    assert series.kind == "series"
    assert series.values.shape == (12, 10000)
    assert series.header["rate"] == 1000
    assert series.header["leads"][:2] == ["Lead I (Einthoven)", "Lead II"]
    lead_1, lead_2, lead_3 = series.values[:3]
    # Einthoven's law holds only for microvolts of the right leads
    np.testing.assert_allclose(lead_1 + lead_3, lead_2, atol=2.6)


def test_a_wfdb_record(tmp_path):
    (tmp_path / "record.hea").write_text("record 1 360 40\nrecord.dat 16 1000/mV 16 0 0 0 0 MLII\n")
    (WAVE * 1000).round().astype("<i2").tofile(tmp_path / "record.dat")
    series = read_series(tmp_path / "record.hea")
    assert series.header["rate"] == 360
    assert series.header["leads"] == ["MLII"]
    np.testing.assert_allclose(series.values[0], WAVE, atol=1e-3)


@pytest.mark.parametrize("shape", [(40,), (40, 2), (2, 40)])
def test_arrays_have_their_leads_along_the_shorter_axis(tmp_path, shape):
    values = np.random.default_rng(0).normal(size=shape)
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", data=values, fs=128)
    for name, rate in (("a.npy", None), ("a.npz", 128)):
        series = read_series(tmp_path / name)
        assert series.values.shape == (max(1, values.size // 40), 40)
        assert series.header["rate"] == rate


@settings(deadline=None, max_examples=25)
@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(4, 20)), elements=st.floats(-1e3, 1e3, width=32)),
    ending=st.sampled_from([".csv", ".tsv", ".npy", ".npz"]),
    timed=st.booleans(),
    named=st.booleans(),
)
def test_what_is_written_is_read_again(tmp_path_factory, values, ending, timed, named):
    values = values + np.linspace(0, 2000, values.shape[1], dtype=np.float32) ** 1.5  # no constant lead, no even times
    path = tmp_path_factory.mktemp("series") / f"a{ending}"
    header = {"rate": 250.0, "leads": [f"V{i}" for i in range(len(values))], "named": named, "timed": timed}
    write_signal(Signal(values, "series", header), path, {"seed": 0})
    again = read_series(path)
    np.testing.assert_allclose(again.values, values, rtol=1e-5, atol=1e-2)
    if ending == ".npz" or (timed and ending in (".csv", ".tsv")):
        assert again.header["rate"] == 250
    if ending == ".npz" or (named and ending in (".csv", ".tsv")):
        assert again.header["leads"] == header["leads"]


@pytest.mark.slow
def test_the_times_of_a_long_recording_are_told_apart(tmp_path):
    wave = np.sin(np.arange(130_000, dtype=np.float32))[None]
    write_signal(Signal(wave, "series", {"rate": 128.0, "timed": True}), tmp_path / "long.csv")
    assert read_series(tmp_path / "long.csv").header["rate"] == 128


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


BAD = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n  \n", "is empty"),
    "names.csv": (b"time,II\n", "names but no numbers"),
    "text.csv": (b"II\n1\n2\nloose electrode\n4\n", "line 4 has 'loose electrode'"),
    "ragged.csv": (b"1,2\n3,4\n5\n", "line 3 has 1 values; 2 were expected"),
    "nan.csv": (b"II\n1\nnan\n3\n", "II has 1 NaN or infinite samples, the first at 1"),
    "gap.csv": (b"1,2\n,4\n5,6\n", "line 2 has '' where a number was expected"),
    "constant.csv": (b"V1,V2\n1,2\n2,2\n3,2\n", "V2 is constant"),
    "uneven.csv": (b"time,II\n0,1\n1,2\n9,3\n10,4\n", "do not grow in even steps"),
    "binary.csv": (b"\x89PNG\xff\xfe\x00", "is not text"),
    "one.csv": (b"4\n", "1 samples"),
    "cut.npy": (npy(WAVE)[:100], "cannot be read as an array"),
    "text.npy": (npy(np.array(["a", "b"])), "numbers"),
    "movie.npy": (npy(np.zeros((2, 3, 4))), r"shape \(2, 3, 4\)"),
    "open.npy": (npy(WAVE).replace(b"), }", b",  }"), "cannot be read as an array"),
    "far.npy": (npy(np.zeros((10, 10))).replace(b"(10, 10), }" + b" " * 12, b"(10, 10000000000000), }"), "cannot be read"),
    "object.npy": (b"not an array", "cannot be read as an array"),
    "broken.npz": (b"PK\x03\x04 and no more", "cannot be read as arrays"),
    "text.dcm": (b"not a DICOM file", "cannot be read as a DICOM"),
    "lost.hea": (b"lost 1 360 10\nlost.dat 16 200 11 1024 995 0 0 MLII\n", "cannot be read as a WFDB record"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SignalError, match=message) as caught:
        read_series(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def ecg(tmp_path, change):
    dataset = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    change(dataset, dataset.WaveformSequence[0].ChannelDefinitionSequence[0])
    dataset.save_as(tmp_path / "a.dcm")
    return read_series(tmp_path / "a.dcm")


def test_of_several_waveforms_in_dicom_the_first_is_told(tmp_path, caplog):
    assert ecg(tmp_path, lambda dataset, channel: None).values.shape == (12, 10000)
    assert "it holds 2 waveforms: the first is read" in caplog.text


def without(name):
    return lambda dataset, channel: delattr(channel, name)


def empty(name):
    return lambda dataset, channel: setattr(channel, name, None)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (without("ChannelSourceSequence"), "lead 1"),
        (empty("ChannelSensitivity"), "Lead I (Einthoven)"),
        (without("ChannelSensitivity"), "Lead I (Einthoven)"),
        (empty("ChannelBaseline"), "Lead I (Einthoven)"),
        (empty("ChannelSensitivityCorrectionFactor"), "Lead I (Einthoven)"),
        (lambda dataset, channel: setattr(channel.ChannelSourceSequence[0], "CodeMeaning", None), "lead 1"),
    ],
)
def test_tags_that_a_waveform_lacks_mean_their_defaults(tmp_path, change, name):
    series = ecg(tmp_path, change)
    assert series.header["leads"][0] == name
    assert series.header["rate"] == 1000


def test_a_waveform_without_a_rate_takes_the_one_that_is_given(tmp_path):
    def change(dataset, channel):
        dataset.WaveformSequence[0].SamplingFrequency = None

    assert ecg(tmp_path, change).header["rate"] is None
    assert read_series(tmp_path / "a.dcm", rate=500).header["rate"] == 500


def test_a_matlab_file(tmp_path):
    savemat(tmp_path / "a.mat", {"val": np.stack([WAVE, WAVE**2]), "Fs": 360})
    series = read_signal(tmp_path / "a.mat")
    assert series.values.shape == (2, 40)
    assert series.header["rate"] == 360


def test_a_wfdb_record_of_12_bits_and_one_whose_samples_are_lost(tmp_path):
    steps = (WAVE * 1000).round().astype(int) & 0xFFF
    first, second = steps[::2], steps[1::2]
    packed = np.stack([first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF], 1)
    (tmp_path / "r.dat").write_bytes(packed.astype(np.uint8).tobytes())
    (tmp_path / "r.hea").write_text("r 1 360 40\nr.dat 212 1000/mV 12 0 0 0 0 MLII\n")
    np.testing.assert_allclose(read_series(tmp_path / "r.hea").values[0], WAVE, atol=1e-3)
    (tmp_path / "r.dat").unlink()
    with pytest.raises(SignalError, match=r"its file r\.dat is not beside it"):
        read_series(tmp_path / "r.hea")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": WAVE, "b": WAVE}, "holds a, b; one array of samples was expected, or one of the name values"),
        ({"rate": 5}, "holds rate; one array"),
        ({"a": np.array(["x", "y"])}, "holds a; one array"),
    ],
)
def test_archives_that_hold_no_one_array(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SignalError, match=message):
        read_series(tmp_path / "a.npz")


@pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf])
def test_an_archive_with_odd_names_and_rates(tmp_path, rate):
    np.savez(tmp_path / "a.npz", values=WAVE, other=WAVE, leads=["a", "b", "c"], rate=rate)
    series = read_series(tmp_path / "a.npz")
    assert series.header["leads"] == ["lead 1"]
    assert series.header["rate"] is None


@pytest.mark.parametrize("ending", [".edf", ".scp", ".xlsx", ".h5"])
def test_other_recordings_say_what_to_do(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"0       X X X X" * 20)
    with pytest.raises(SignalError, match=f"{ending} is not read; convert it to a WFDB record"):
        read_signal(path)


def test_a_dicom_file_without_a_waveform():
    with pytest.raises(SignalError, match="without a waveform"):
        read_series(str(get_testdata_file("CT_small.dcm")))


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(SignalError, match="no such file"):
        read_series(tmp_path / "a.csv")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(SignalError, match="is a folder; a series was expected"):
        read_series(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("name", "kind"), [("a.CSV", "series"), ("a.npz", "series"), ("a.wav", "sound"), ("a.xyz", "image")]
)
def test_the_ending_tells_the_kind(name, kind):
    assert find_medium(name).name == kind
