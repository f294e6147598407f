"""Reads and writes series: EKGs and whatever else is sampled at even steps of time, in one lead or several."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.files import existing_file, first_line, optional_package
from impasto.media.file_type import ending_of
from impasto.media.series import CONVERTIBLE
from impasto.media.series.tables import encode_table, read_table
from impasto.media.signal import Signal, Values

log = logging.getLogger("impasto")

# of the rate: slower waves are longer than the widest filter of a network sees
_CUTOFF = 1 / 250
_SETTLED = 750  # samples after which the filter no longer feels a border
_LARGEST = 1e30  # larger values would overflow float32 when they are squared
_FINEST = 1e-3  # of the range of a lead; if float32 rounds it more coarsely there is a warning
_VALUE_NAMES = ("values", "val", "data", "signal", "signals", "ecg", "x")
_RATE_NAMES = ("rate", "fs", "Fs", "sampling_rate", "sfreq", "freq")


def read_series(path: str | Path, rate: float | None = None) -> Signal:
    """Sampled leads from a CSV, NPY, NPZ or MATLAB file, a DICOM waveform or a WFDB record.

    A CSV has a row for each time and a column for each lead, and may have names in its first line and a column of times. An
    array has its leads along its shorter axis; an NPZ may hold a ``rate`` beside it.

    Args:
        path: the file; of a WFDB record the ``.hea``.
        rate: samples a second, if the file does not tell.

    Returns:
        values (leads, samples) in the file's unit; the header has ``rate`` in Hz or None, the names of the ``leads``,
        whether the file had names and times, ``named`` and ``timed``, if it tells them the ``units`` of the leads, and, if a
        table had a column of times, ``times``: its name, its units a second and its first value.

    Raises:
        SignalError: the file is missing, damaged, empty or ragged, has text or NaN where a number was expected, or a lead
            is constant.
    """
    path = existing_file(path, "a series")
    readers = {".npy": _read_array, ".npz": _read_archive, ".mat": _read_matlab, ".dcm": _read_dicom, ".hea": _read_wfdb}
    readers |= dict.fromkeys(CONVERTIBLE, _refuse)
    values, header = readers.get(ending_of(path, tuple(readers)), read_table)(path)
    if values.ndim != 2 or values.shape[1] < 2:
        raise SignalError(
            f"{path} has {values.size} samples in an array of shape {values.shape}; leads of samples were expected"
        )
    if len(header.get("leads", ())) != len(values):
        header.pop("leads", None)
    names = [str(name) for name in header.get("leads") or (f"lead {i + 1}" for i in range(len(values)))]
    for name, lead in zip(names, values, strict=True):
        if np.abs(lead[np.isfinite(lead)]).max(initial=0) > _LARGEST:
            raise SignalError(f"{path}: {name} has values beyond {_LARGEST:.2g}, more than can be painted; scale it first")
        wrong = np.flatnonzero(~np.isfinite(lead))
        if len(wrong):
            raise SignalError(f"{path}: {name} has {len(wrong)} NaN or infinite samples, the first at {wrong[0]}")
        if np.ptp(lead) == 0:
            raise SignalError(f"{path}: {name} is constant ({lead[0]:g}), so there is nothing to paint or to learn from")
        if np.spacing(np.float32(np.abs(lead).max())) > _FINEST * np.ptp(lead):
            log.warning(
                "%s: %s is rounded: its values are far larger than their differences, so subtract the mean", path, name
            )
    found = float(header.get("rate") or rate or 0)
    known = {name: header[name] for name in ("times", "units") if name in header}
    known |= {"leads": names, "named": "leads" in header, "timed": bool(header.get("timed"))}
    header = {"rate": found if 0 < found < np.inf else None, **known}
    return Signal(np.ascontiguousarray(values, np.float32), "series", header)


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
            arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    except Exception as error:  # of a damaged file numpy raises whatever comes to it
        raise SignalError(f"{path} cannot be read as arrays: {first_line(error)}") from None
    return _from_arrays(path, arrays)


def _from_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, dict[str, Any]]:
    """The only array of samples, (leads, samples), and a header with the ``rate`` and ``leads`` beside it."""
    leads = {name: array for name, array in arrays.items() if array.size > 1 and array.dtype.kind in "iuf"}
    named = [name for name in _VALUE_NAMES if name in leads]
    if len(leads) > 1 and named:
        log.warning("%s: its array %s is read, of %s", path, named[0], ", ".join(leads))
        leads = {named[0]: leads[named[0]]}
    if len(leads) != 1:
        raise SignalError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; one array of samples was expected, or one of the name values"
        )
    header: dict[str, Any] = {}
    for name in _RATE_NAMES:
        if name in arrays and arrays[name].size == 1 and arrays[name].dtype.kind in "iuf":
            header["rate"] = float(arrays[name].item())
    if "leads" in arrays:
        header["leads"] = [str(name) for name in arrays["leads"].ravel()]
    return _leads_first(path, next(iter(leads.values()))), header


def _read_matlab(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    from scipy.io import loadmat

    try:
        arrays = loadmat(str(path))
    except NotImplementedError:
        raise SignalError(f"{path} is a MATLAB file of version 7.3; save it with -v7, or as a CSV") from None
    except Exception as error:  # of a damaged file scipy raises whatever comes to it
        raise SignalError(f"{path} cannot be read as a MATLAB file: {first_line(error)}") from None
    return _from_arrays(path, {name: np.squeeze(a) for name, a in arrays.items() if isinstance(a, np.ndarray)})


def _read_dicom(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    pydicom = optional_package("pydicom", path, "medical")
    try:
        dataset = pydicom.dcmread(path)
        groups = dataset.get("WaveformSequence")
        if not groups:
            raise SignalError(f"{path} is a DICOM file without a waveform")
        if len(groups) > 1:
            log.warning("%s: it holds %d waveforms: the first is read", path, len(groups))
        for channel in groups[0].ChannelDefinitionSequence:
            for element in list(channel):
                if element.is_empty:  # pydicom would fail on it, but not if it is missing
                    del channel[element.tag]
        channels = groups[0].ChannelDefinitionSequence
        leads = [_lead_name(channel, i) for i, channel in enumerate(channels, 1)]
        rate, units = float(groups[0].get("SamplingFrequency") or 0), [_unit_of(channel) for channel in channels]
        return dataset.waveform_array(0).T, {"rate": rate, "leads": leads, "units": units, "timed": True}
    except SignalError:
        raise
    except Exception as error:  # of a damaged file pydicom raises whatever comes to it
        raise SignalError(f"{path} cannot be read as a DICOM waveform: {first_line(error)}") from None


def _lead_name(channel: Any, number: int) -> str:
    source = channel.get("ChannelSourceSequence") or [{}]
    return str(source[0].get("CodeMeaning") or channel.get("ChannelLabel") or f"lead {number}")


def _unit_of(channel: Any) -> str:
    unit = channel.get("ChannelSensitivityUnitsSequence") or [{}]
    return str(unit[0].get("CodeValue") or "").replace("uV", "µV")


def _read_wfdb(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    wfdb = optional_package("wfdb", path, "wfdb")
    try:
        record = wfdb.rdrecord(str(path.with_suffix("")))
    except FileNotFoundError as error:
        lost = Path(str(error.filename)).name
        raise SignalError(f"{path} cannot be read as a WFDB record: its file {lost} is not beside it") from None
    except Exception as error:  # wfdb has no error of its own
        raise SignalError(f"{path} cannot be read as a WFDB record: {first_line(error)}") from None
    if record.p_signal is None:
        raise SignalError(f"{path} is a WFDB record without samples")
    return record.p_signal.T, {
        "rate": float(record.fs),
        "leads": list(record.sig_name),
        "units": list(record.units or ()),
        "timed": True,
    }


def _refuse(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    raise SignalError(f"{path}: {path.suffix.lower()} is not read; convert it to a WFDB record (.hea) or a CSV first")


def resample_series(values: np.ndarray, ratio: Fraction) -> Values:
    """Values (leads, samples) at ``ratio`` times their rate, by a polyphase filter with linear phase."""
    from scipy.signal import resample_poly

    if ratio == 1:
        return values.astype(np.float32)
    return resample_poly(values, ratio.numerator, ratio.denominator, axis=-1, padtype="line").astype(np.float32)


def without_drift(values: np.ndarray) -> np.ndarray:
    """Values (leads, samples) in float64 with mean 0, without frequencies below 1/250 of their rate (0.5 Hz at 125 Hz)."""
    from scipy.signal import butter, sosfiltfilt

    fast = values.astype(np.float64)
    if fast.shape[1] > 1:
        sections = butter(2, 2 * _CUTOFF, "highpass", output="sos")
        fast = sosfiltfilt(sections, fast, axis=-1, padlen=min(_SETTLED, fast.shape[1] - 1))
    return fast - fast.mean(-1, keepdims=True)


def describe_series(series: Signal) -> str:
    """Its length and leads, e.g. "10 s at 1000 Hz, 12 leads"."""
    leads, samples = series.values.shape
    rate = series.header.get("rate")
    length = f"{samples / rate:.4g} s at {rate:g} Hz" if rate else f"{samples} samples"
    return f"{length}, {leads} lead{'s' * (leads > 1)}"


def sample_series(series: Signal) -> Signal:
    """The first samples, with all of the header."""
    return series.with_values(series.values[:, :4])


def encode_series(series: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a .csv, .tsv, .npy or .npz file of the series.

    A table has names and times if the content's file had them. An NPZ has ``values``, ``rate``, ``leads`` and, as JSON,
    ``impasto``: the record of how it was made (``about``), for which the others have no place.
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
        return encode_table(series.values, series.header, "\t" if suffix == ".tsv" else ",")
    return buffer.getvalue()
