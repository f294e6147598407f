"""Tables as spreadsheets and devices write them, and as we do."""

import zipfile

import numpy as np
import pytest

from impasto.errors import SignalError
from impasto.media.series.files import encode_series, read_series
from impasto.media.signal import Signal

WAVE = np.sin(np.arange(40) / 3.0)
TIME = np.arange(40) / 250
COUNT = np.arange(40)


def rows(*columns, delimiter=",", end="\n"):
    return "".join(delimiter.join(f"{v:.6g}" for v in row) + end for row in zip(*columns, strict=True))


def commas(text):
    return text.replace(".", ",")


def clocks(form, delimiter=","):
    return "".join(f"{form.format(4 * i)}{delimiter}{v:.6f}\n" for i, v in enumerate(WAVE))


def read(tmp_path, text, encoding="utf-8", name="a.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_series(path)


TABLES = {
    "semicolons and decimal commas": ("t;II\n" + commas(rows(TIME, WAVE, delimiter=";")), "II", 250),
    "tabs and decimal commas": (commas(rows(TIME, WAVE, delimiter="\t")), "lead 1", 250),
    "spaces and decimal commas": (commas(rows(TIME, WAVE, delimiter=" ")), "lead 1", 250),
    "pipes": ("t|II\n" + rows(TIME, WAVE, delimiter="|"), "II", 250),
    "comma and space": (rows(TIME, WAVE, delimiter=", "), "lead 1", 250),
    "quoted decimal commas": ("".join(f'"{t:.3f}";"{v:.6f}"\n' for t, v in zip(TIME, WAVE, strict=True)), "lead 1", 250),
    "quoted, with commas between too": (
        "".join(f'"{commas(f"{t:.3f}")}","{commas(f"{v:.6f}")}"\n' for t, v in zip(TIME, WAVE, strict=True)),
        "lead 1",
        250,
    ),
    "one column of decimal commas": (commas("".join(f"{v:.6f}\n" for v in WAVE)), "lead 1", None),
    "old Mac": ("t,II\r" + rows(TIME, WAVE, end="\r"), "II", 250),
    "Windows": ("t,II\r\n" + rows(TIME, WAVE, end="\r\n"), "II", 250),
    "an empty last column": ("t,II,\n" + rows(TIME, WAVE, end=",\n"), "II", 250),
    "empty rows at the end": ("t,II\n" + rows(TIME, WAVE) + ",\n,\n\n", "II", 250),
    "an index": (",II\n" + rows(COUNT, WAVE), "II", None),
    "an index without a name": (rows(COUNT, WAVE), "lead 1", None),
    "samples": ("sample,II\n" + rows(COUNT, WAVE), "II", None),
    "seconds that count": ("time,II\n" + rows(COUNT, WAVE), "II", 1),
    "milliseconds": ("time [ms],II\n" + rows(TIME * 1e3, WAVE), "II", 250),
    "microseconds": ("time_us,II\n" + rows(TIME * 1e6, WAVE), "II", 250),
    "units in a row of their own": ("Time,II\n(ms),(mV)\n" + rows(TIME * 1e3, WAVE), "II", 250),
    "comments": ("% a ward\n# 1, 2\n// x\nt,II\n" + rows(TIME, WAVE), "II", 250),
    "names in a comment": ("# t,II\n" + rows(TIME, WAVE), "II", 250),
    "a rate in a comment": ("# Sampling rate: 0.36 kHz\n" + rows(WAVE), "lead 1", 360),
    "a rate in a head": ('Name,"A, B"\nRecorded,2026-01-31 10:00:00\nSample Rate,512 hertz\n\n' + rows(WAVE), "lead 1", 512),
    "another rate": ("Heart rate: 72\nFilter: 50 Hz\n" + rows(WAVE, delimiter=";"), "lead 1", None),
    "scientific": ("t,II\n" + "".join(f"{t:.6e},{v:.8E}\n" for t, v in zip(TIME, WAVE, strict=True)), "II", 250),
    "a typographic minus": ("t,II\n" + rows(TIME, WAVE).replace("-", "\u2212"), "II", 250),
    "a delimiter in a name": ('t,"II, ""raw"""\n' + rows(TIME, WAVE), 'II, "raw"', 250),
    "ISO times": ("time,II\n" + clocks("2026-01-31T12:59:59.{:03}"), "II", 250),
    "ISO times with a zone": ("time,II\n" + clocks("2026-01-31 12:59:59.{:03}+01:00"), "II", 250),
    "quoted times": ("time;II\n" + clocks('"31.01.2026 12:59:59.{:03}"', ";"), "II", 250),
    "date and time": ("date;time;II\n" + commas(clocks("31/01/2026;12:59:59.{:03}", ";")), "II", 250),
    "minutes and seconds": ("'Elapsed time','II'\n'mm:ss.mmm','mV'\n" + clocks("'0:05.{:03}'"), "II", 250),
    "times in brackets": (clocks("[14:10:00.{:03} 01/02/2026]", "\t"), "lead 1", 250),
    "seconds since 1970": (clocks("1700000000.{:03}"), "lead 1", 250),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_people_have_them(tmp_path, name):
    text, lead, rate = TABLES[name]
    series = read(tmp_path, text)
    assert series.values.shape == (1, 40)
    np.testing.assert_allclose(series.values[0], WAVE, atol=1e-5)
    assert series.header["leads"] == [lead]
    assert series.header["rate"] == rate


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_names_in_any_encoding(tmp_path, encoding):
    series = read(tmp_path, "t\tµV\n" + rows(TIME, WAVE, delimiter="\t"), encoding)
    assert series.header["leads"] == ["µV"]
    assert series.values.shape == (1, 40)


def test_midnight_is_no_step_back(tmp_path):
    times = [f"23:59:59.{50 * i:03}" for i in range(20)] + [f"00:00:00.{50 * i:03}" for i in range(20)]
    text = "time,II\n" + "".join(f"{t},{v:.6f}\n" for t, v in zip(times, WAVE, strict=True))
    assert read(tmp_path, text).header["rate"] == 20


def test_days(tmp_path):
    days = np.datetime64("2026-02-20") + np.arange(40)
    text = "date,level\n" + "".join(f"{day},{v:.6f}\n" for day, v in zip(days, WAVE, strict=True))
    assert read(tmp_path, text).header["rate"] == pytest.approx(1 / 86400)


@pytest.mark.parametrize(
    "form", ["{:,.4f}", '"{:,.4f}"', "{:.4f}", "{:_.4f}"], ids=["1,234.5", "quoted", "1234.5", "1.234,5"]
)
def test_thousands(tmp_path, form):
    values = 5000 + 4500 * WAVE
    cells = [form.format(v) for v in values]
    if "_" in form:
        cells = [commas(cell).replace("_", ".") for cell in cells]
    delimiter = "," if '"' in form else ";"
    text = f"n{delimiter}II\n" + "".join(f"{i}{delimiter}{cell}\n" for i, cell in enumerate(cells))
    np.testing.assert_allclose(read(tmp_path, text).values[0], values, rtol=1e-6)


@pytest.mark.parametrize("gap", ["", "NA", "-", "null", "x1", "1.2.3"])
def test_a_gap_is_named_by_its_line_and_column(tmp_path, gap):
    text = "t,II,V1\n0,1,5\n0.1,2,6\n0.2," + gap + ",7\n0.3,4,8\n"
    with pytest.raises(SignalError, match=f"line 4 has '{gap}' where a number was expected, in column 2"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"t,II\n0,1\n", "fewer than 3"),
        (b"t,II\n", "names but no numbers"),
        (b"<html>\n<b>1</b>\n", "names but no numbers"),
        (b"a\n" * 99 + b"1\n2\n", "60 lines and more before the first numbers"),
        (b"1,2\n1,2,3\n", "line 2 has 3 values; 2 were expected, as in line 1"),
        (b"time,II\n10:00:00,1\nsoon,2\n10:00:02,3\n", "line 3 has 'soon' where a time was expected"),
        (b"t,II\n0,1\n1,2\n2,3\nthe end\n", "line 5 has 1 values"),
        (b"\x00\x01\x02" * 50, "is not text"),
        (b"# only\n% comments\n", "is empty"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(SignalError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize(
    "names",
    [["II, raw", 'say "mV"'], ["tab\there", "µV 日本"], ["# 1", "b"], ["'a'", ";"], ["1", "2"], ["line\nbreak", "c"]],
)
def test_any_name_is_read_again(tmp_path, ending, names):
    values = np.stack([WAVE, WAVE**2]).astype(np.float32)
    for timed in (True, False):
        header = {"rate": 250.0, "leads": names, "named": True, "timed": timed}
        again = read(tmp_path, encode_series(Signal(values, "series", header), f"a{ending}"), name=f"a{ending}")
        np.testing.assert_array_equal(again.values, values)
        expected = [" ".join(name.split()) for name in names]
        assert [name.removeprefix("lead ") for name in again.header["leads"]] == expected
        assert again.header["rate"] == (250 if timed else None)


def test_every_digit_is_written(tmp_path):
    values = np.array([[1e-30, 16777215, -8388607.5, 0.1, 1e30, 2.5]], np.float32)
    data = encode_series(Signal(values, "series", {"rate": None}), "a.csv")
    assert b"\n0.1\n" in data
    np.testing.assert_array_equal(read(tmp_path, data).values, values)


def test_times_are_written_as_they_were(tmp_path):
    text = "Time (ms),II\n" + rows(1000 + TIME * 1000, WAVE)
    series = read(tmp_path, text)
    lines = encode_series(series, "a.csv").decode().splitlines()
    assert lines[0] == "Time (ms),II"
    assert [float(line.split(",")[0]) for line in lines[1:3]] == [1000, 1004]


def test_times_of_day_are_told(tmp_path, caplog):
    series = read(tmp_path, TABLES["ISO times"][0])
    assert "times of day are written as seconds from the start" in caplog.text
    assert encode_series(series, "a.csv").decode().splitlines()[2].startswith("0.004,")


@pytest.mark.parametrize(
    ("scale", "heading"), [(1e3, "timestamp"), (1e6, "time"), (1e9, "timestamp"), (1 / 3600, "time (h)")]
)
def test_the_unit_of_times_is_told_by_their_size_or_their_name(tmp_path, scale, heading):
    start = 1_714_564_800 if scale > 1 else 0
    lines = "".join(f"{start * scale + i * scale / 50:.9f},{v:.6f}\n" for i, v in enumerate(WAVE))
    series = read(tmp_path, f"{heading},II\n{lines}")
    assert (series.header["rate"], series.header["leads"]) == (50, ["II"])


def test_a_column_of_times_in_another_language(tmp_path):
    assert read(tmp_path, "Zeit;II\n" + commas(rows(TIME, WAVE, delimiter=";"))).header["rate"] == 250


def test_values_that_float32_does_not_hold_are_refused_or_told(tmp_path, caplog):
    with pytest.raises(SignalError, match="beyond 1e\\+30"):
        read(tmp_path, "".join(f"{1e300 * v:g}\n" for v in WAVE))
    assert not caplog.messages
    read(tmp_path, "".join(f"{1e7 + v:.6f}\n" for v in WAVE))
    assert ["is rounded" in text for text in caplog.messages] == [True]


def test_an_array_is_read_whatever_it_is_called(tmp_path):
    np.save(tmp_path / "a.npy", WAVE)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    np.testing.assert_allclose(read_series(tmp_path / "a.npz").values[0], WAVE, atol=1e-6)


def test_another_archive_is_refused_in_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(SignalError, match="holds nothing; one array"):
        read_series(tmp_path / "a.npz")
