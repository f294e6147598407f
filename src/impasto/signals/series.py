"""Series: EKGs and all that is sampled at even steps of time, one lead or several."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.signals.files import existing_file, first_line, optional_package
from impasto.signals.signal import Signal, Values

READABLE = (".csv", ".tsv", ".txt", ".npy", ".npz", ".dcm", ".hea")
WRITABLE = (".csv", ".tsv", ".npy", ".npz")

_DELIMITERS = (",", ";", "\t", " ")
_MOST_HEADER_LINES = 2  # names, and sometimes units
# a column of that name holds times: t, time, time (s), seconds, elapsed time [ms]
_TIME = re.compile(r"(elapsed[ _])?(t|times?|seconds?|s|ms)(?![a-z0-9])", re.IGNORECASE)
_MILLISECONDS = re.compile(r"\b(ms|milliseconds?)\b|_ms\b", re.IGNORECASE)
# of the rate: what is slower is longer than the widest filter of a network can tell
_CUTOFF = 1 / 250
_SETTLED = 750  # samples after which the filter has forgotten a border
_RATE_NAMES = ("rate", "fs", "sampling_rate", "sfreq")


def read_series(path: str | Path, rate: float | None = None) -> Signal:
    """Sampled leads from a CSV, NPY, NPZ, DICOM waveform or WFDB record.

    A CSV has a row for each time and a column for each lead; names in the first line and a column of times are taken where
    they are. An array has its leads along its shorter axis; an NPZ may hold a ``rate`` beside it.

    Args:
        path: the file; of a WFDB record the ``.hea``.
        rate: samples a second, where the file does not tell.

    Returns:
        values (leads, samples) in the file's unit; the header has ``rate`` in Hz or None, ``leads`` (names), and ``named``
        and ``timed``: whether the file had names and times.

    Raises:
        SignalError: the file is missing, damaged, empty or ragged, or has text or NaN where a number was expected.
    """
    path = existing_file(path, "a series")
    suffix = path.suffix.lower()
    readers = {".npy": _read_array, ".npz": _read_archive, ".dcm": _read_dicom, ".hea": _read_wfdb}
    values, header = readers.get(suffix, _read_table)(path)
    if values.ndim != 2 or values.shape[1] < 2:
        raise SignalError(
            f"{path} has {values.size} samples in an array of shape {values.shape}; leads of samples were expected"
        )
    names = [str(name) for name in header.get("leads") or (f"lead {i + 1}" for i in range(len(values)))]
    for name, lead in zip(names, values, strict=True):
        wrong = np.flatnonzero(~np.isfinite(lead))
        if len(wrong):
            raise SignalError(f"{path}: {name} has {len(wrong)} NaN or infinite samples, the first at {wrong[0]}")
        if np.ptp(lead) == 0:
            raise SignalError(f"{path}: {name} is constant ({lead[0]:g}), so there is nothing to paint or to learn from")
    found = header.get("rate") or rate
    header = {"rate": found and float(found), "leads": names, "named": "leads" in header, "timed": bool(header.get("timed"))}
    return Signal(np.ascontiguousarray(values, np.float32), "series", header)


def _read_table(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SignalError(f"{path} is not text; a CSV of numbers was expected") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise SignalError(f"{path} is empty")
    delimiter = max(_DELIMITERS, key=lambda mark: (lines[-1][1].strip().count(mark), -_DELIMITERS.index(mark)))
    if delimiter == "," and ";" in lines[-1][1]:
        delimiter = ";"
    rows = [(number, _cells(line, delimiter)) for number, line in lines]
    headings: list[list[str]] = []
    while len(headings) < min(_MOST_HEADER_LINES, len(rows)) and _is_text(rows[len(headings)][1]):
        headings.append(rows[len(headings)][1])
    rows = rows[len(headings) :]
    if not rows:
        raise SignalError(f"{path} has names but no numbers")
    values = _numbers(path, rows)
    header: dict[str, Any] = {}
    if headings and len(headings[0]) == len(values):
        header["leads"] = headings[0]
    heading = " ".join(column[0] for column in headings)
    if len(values) > 1 and (_TIME.match(heading) if headings else _is_even(values[0])):
        rate = _rate_of_times(path, values[0]) * (1000 if _MILLISECONDS.search(heading) else 1)
        header |= {"rate": rate, "timed": True}
        values = values[1:]
        if "leads" in header:
            header["leads"] = header["leads"][1:]
    return values, header


def _cells(line: str, delimiter: str) -> list[str]:
    cells = line.split() if delimiter == " " else line.strip().split(delimiter)
    cells = [cell.strip().strip("'\"") for cell in cells]
    return [cell.replace(",", ".") for cell in cells] if delimiter == ";" else cells


def _is_text(cells: Sequence[str]) -> bool:
    try:
        [float(cell) for cell in cells]
    except ValueError:
        return all(re.search(r"[A-Za-z]", cell) or not cell for cell in cells)
    return False


def _numbers(path: Path, rows: Sequence[tuple[int, Sequence[str]]]) -> np.ndarray:
    width = len(rows[0][1])
    for number, cells in rows:
        if len(cells) != width:
            raise SignalError(
                f"{path}: line {number} has {len(cells)} values; {width} were expected, as in line {rows[0][0]}"
            )
    try:
        return np.array([cells for _, cells in rows], dtype=np.float64).T
    except ValueError:
        for number, cells in rows:
            for cell in cells:
                try:
                    float(cell)
                except ValueError:
                    raise SignalError(f"{path}: line {number} has {cell!r} where a number was expected") from None
        raise


def _is_even(times: np.ndarray) -> bool:
    steps = np.diff(times)
    return len(steps) > 1 and bool(steps.min() > 0) and bool(np.ptp(steps) < 0.05 * steps.mean())


def _rate_of_times(path: Path, times: np.ndarray) -> float:
    if not np.isfinite(times).all() or len(times) < 3:
        raise SignalError(f"{path}: the times are not numbers, or fewer than 3")
    steps = np.diff(times)
    if steps.min() <= 0 or np.ptp(steps) > 0.5 * steps.mean():
        raise SignalError(
            f"{path}: the times do not grow in even steps ({steps.min():g} to {steps.max():g}); resample first"
        )
    rate = (len(times) - 1) / (times[-1] - times[0])
    # times are written with few digits; a rate is most often a whole number
    return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else float(rate)


def _leads_first(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or array.size == 0:
        raise SignalError(
            f"{path} holds {array.dtype} of shape {array.shape}; numbers (samples,) or (leads, samples) were expected"
        )
    array = np.atleast_2d(array).astype(np.float64)
    return array.T if array.shape[0] > array.shape[1] else array


def _read_array(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:  # of a damaged file numpy raises whatever comes to it
        raise SignalError(f"{path} cannot be read as an array: {first_line(error)}") from None
    return _leads_first(path, array), {}


def _read_archive(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # of a damaged file numpy raises whatever comes to it
        raise SignalError(f"{path} cannot be read as arrays: {first_line(error)}") from None
    leads = {name: array for name, array in arrays.items() if array.ndim and array.dtype.kind in "iuf"}
    if len(leads) != 1:
        raise SignalError(f"{path} holds {', '.join(arrays) or 'nothing'}; one array of samples was expected")
    header: dict[str, Any] = {}
    for name in _RATE_NAMES:
        if name in arrays and arrays[name].ndim == 0 and arrays[name].dtype.kind in "iuf":
            header["rate"] = float(arrays[name])
    if "leads" in arrays:
        header["leads"] = [str(name) for name in arrays["leads"]]
    return _leads_first(path, next(iter(leads.values()))), header


def _read_dicom(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    pydicom = optional_package("pydicom", path, "medical")
    try:
        dataset = pydicom.dcmread(path)
        if "WaveformSequence" not in dataset:
            raise SignalError(f"{path} is a DICOM file without a waveform")
        group = dataset.WaveformSequence[0]
        leads = [channel.ChannelSourceSequence[0].CodeMeaning for channel in group.ChannelDefinitionSequence]
        return dataset.waveform_array(0).T, {"rate": float(group.SamplingFrequency), "leads": leads, "timed": True}
    except (pydicom.errors.InvalidDicomError, AttributeError, EOFError, IndexError, KeyError, OSError, ValueError) as error:
        raise SignalError(f"{path} cannot be read as a DICOM waveform: {first_line(error)}") from None


def _read_wfdb(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    wfdb = optional_package("wfdb", path, "wfdb")
    try:
        record = wfdb.rdrecord(str(path.with_suffix("")))
    except Exception as error:  # wfdb has no error of its own
        raise SignalError(f"{path} cannot be read as a WFDB record: {first_line(error)}") from None
    return record.p_signal.T, {"rate": float(record.fs), "leads": list(record.sig_name), "timed": True}


def resample_series(values: np.ndarray, ratio: Fraction) -> Values:
    """Values (leads, samples) at ``ratio`` times their rate, by a linear-phase low-pass filter (polyphase)."""
    from scipy.signal import resample_poly

    if ratio == 1:
        return values.astype(np.float32)
    return resample_poly(values, ratio.numerator, ratio.denominator, axis=-1, padtype="line").astype(np.float32)


def without_drift(values: np.ndarray) -> np.ndarray:
    """Values (leads, samples) in float64 around 0, without what is slower than 1/250 of their rate (0.5 Hz at 125 Hz)."""
    from scipy.signal import butter, sosfiltfilt

    fast = values.astype(np.float64)
    if fast.shape[1] > 1:
        sections = butter(2, 2 * _CUTOFF, "highpass", output="sos")
        fast = sosfiltfilt(sections, fast, axis=-1, padlen=min(_SETTLED, fast.shape[1] - 1))
    return fast - fast.mean(-1, keepdims=True)


def describe_series(series: Signal) -> str:
    """Its length and leads, e.g. "10 s, 12 leads, 1000 Hz"."""
    leads, samples = series.values.shape
    rate = series.header.get("rate")
    length = f"{samples / rate:.4g} s at {rate:g} Hz" if rate else f"{samples} samples"
    return f"{length}, {leads} lead{'s' * (leads > 1)}"


def sample_series(series: Signal) -> Signal:
    """The first samples, with all that the file holds beside them."""
    return series.with_values(series.values[:, :4])


def encode_series(series: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a file of the series as .csv, .tsv, .npy or .npz.

    A table has names and times where the content's file had them; an NPZ has ``values``, ``rate``, ``leads`` and, as JSON,
    ``impasto``: how it was made (``about``), which the others have no place for.

    Raises:
        SignalError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    rate, leads = series.header.get("rate"), series.header.get("leads", [])
    buffer = io.BytesIO()
    if suffix == ".npy":
        np.save(buffer, series.values)
    elif suffix == ".npz":
        known = {} if rate is None else {"rate": rate}
        np.savez(buffer, values=series.values, leads=leads, impasto=json.dumps(about), **known)
    else:
        delimiter = "\t" if suffix == ".tsv" else ","
        columns, names, forms = [*series.values.astype(np.float64)], list(leads), ["%.6g"] * len(series.values)
        if rate and series.header.get("timed"):
            columns, names, forms = [np.arange(series.shape[0]) / rate, *columns], ["time", *names], ["%.10g", *forms]
        if series.header.get("named"):
            buffer.write((delimiter.join(name.replace(delimiter, " ") for name in names) + "\n").encode())
        np.savetxt(buffer, np.stack(columns, axis=1), fmt=forms, delimiter=delimiter)
    return buffer.getvalue()
