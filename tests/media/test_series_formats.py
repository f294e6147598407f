"""Every series in every format: what its sample can be, the whole can, and it reads back with the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.media.read_write import find_medium, read_signal, write_signal
from impasto.media.registry import medium_of

ABOUT = {"content": 'a "quoted", name.csv', "settings": {"iterations": 3}}
VALUES = np.random.default_rng(0).normal(size=(3, 60)).astype(np.float32)


def table(path: Path, delimiter: str, names: list[str] | None, rate: float | None) -> None:
    rows = [delimiter.join(names)] if names else []
    for i, row in enumerate(VALUES.T.tolist()):
        cells = ([f"{i / rate:.6f}"] if rate else []) + [f"{value!r}" for value in row]
        rows.append(delimiter.join(cells))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def waveform(path: Path) -> None:
    from pydicom.data import get_testdata_file

    path.write_bytes(Path(str(get_testdata_file("waveform_ecg.dcm"))).read_bytes())


CONTENTS: dict[str, Any] = {
    "plain.csv": lambda p: table(p, ",", None, None),
    "named.csv": lambda p: table(p, ",", ["I", '"II, left"', "µV"], None),
    "timed.tsv": lambda p: table(p, "\t", ["time", "I", "II", "III"], 250),
    "untitled times.csv": lambda p: table(p, ";", None, 125),
    "array.npy": lambda p: np.save(p, VALUES),
    "columns.npy": lambda p: np.save(p, VALUES.T.astype(np.float64)),
    "whole.npy": lambda p: np.save(p, (1000 * VALUES).astype(np.int32)),
    "archive.npz": lambda p: np.savez(p, ecg=VALUES, fs=360),
    "ecg.dcm": waveform,
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", medium_of("series").writable)
@pytest.mark.parametrize("name", CONTENTS)
def test_every_series_in_every_format(tmp_path: Path, name: str, ending: str, caplog: pytest.LogCaptureFixture):
    path, out = tmp_path / name, tmp_path / f"out{ending}"
    CONTENTS[name](path)
    assert find_medium(path, out).name == "series"
    series = read_signal(path)
    caplog.clear()
    medium_of("series").encode(medium_of("series").sample(series), out, ABOUT)
    of_sample = list(caplog.messages)
    caplog.clear()
    write_signal(series, out, ABOUT)
    assert caplog.messages == of_sample
    again = read_signal(out)
    np.testing.assert_allclose(again.values, series.values, rtol=1e-6)
    if series.header["rate"] and (ending == ".npz" or series.header["timed"]) and ending != ".npy":
        assert again.header["rate"] == pytest.approx(series.header["rate"])
    if series.header["named"] and ending in (".csv", ".tsv", ".npz"):
        assert again.header["leads"] == series.header["leads"]
