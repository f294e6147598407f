"""The first columns of tables: times in any unit, dates and times of day, or row numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from impasto.errors import SignalError

# a column with such a name holds times: t, time, time (s), seconds, elapsed time [ms]
_TIME = re.compile(
    r"(elapsed[ _]?)?(t|times?(stamps?)?|seconds?|sec|s|ms|us|\u00b5s|\u03bcs|zeit|temps|tiempo|tempo)(?![a-z0-9])",
    re.IGNORECASE,
)
# (least value, units a second) of times since 1970 in an unknown unit: nanoseconds, microseconds, milliseconds
_SINCE_1970 = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
# a column with such a name counts the rows
_COUNT = re.compile(r"(index|idx|sample([ _]?(number|no|index|#))?s?|row|n|no|nr|#|unnamed: 0|)\.?", re.IGNORECASE)
_UNITS = (
    (re.compile(r"\b(ms|msecs?|milliseconds?)\b|_ms\b", re.IGNORECASE), 1e3),
    (re.compile(r"\b([u\u00b5\u03bc]s|[u\u00b5\u03bc]secs?|microseconds?)\b|_us\b", re.IGNORECASE), 1e6),
    (re.compile(r"\b(ns|nanoseconds?)\b|_ns\b", re.IGNORECASE), 1e9),
    (re.compile(r"\b(mins?|minutes?)\b|_min\b", re.IGNORECASE), 1 / 60),
    (re.compile(r"\b(h|hours?|hrs?)\b", re.IGNORECASE), 1 / 3600),
)
# 12:30, 12:30:05.004, 2026-01-31T12:30:05,004+01:00, [12:30:05.004 31/01/2026], 0:05.004 (minutes and seconds)
_CLOCK = re.compile(r"(?:^|[T \['])(\d+):(\d\d)(?::(\d\d))?([.,]\d+)?(?:\s*([ap])m)?", re.IGNORECASE)
_DATE = re.compile(r"['\"\[]?(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})(?=$|[T '\"\]])")


def is_clock(cell: str) -> bool:
    """Whether a cell holds a date or a time of day."""
    return cell[:1] in "['0123456789" and bool(_CLOCK.search(cell) or _DATE.match(cell))


def clocks_width(cells: Sequence[str]) -> int:
    """How many cells at the start of a row hold dates or times of day."""
    return next((i for i, cell in enumerate(cells) if not is_clock(cell)), len(cells))


def split_clocks(
    path: Path, rows: Sequence[tuple[int, str]], delimiter: str, width: int
) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Reads the dates and times of day in the first ``width`` cells of each row (number of its line, line).

    Returns:
        The times in seconds, and the rows without these cells.

    Raises:
        SignalError: a row has no time.
    """
    times = np.empty(len(rows))
    rest: list[tuple[int, str]] = []
    mark = None if delimiter == " " else delimiter
    for i, (number, line) in enumerate(rows):
        parts = line.strip(" ").split(mark, width)
        found = _CLOCK.search(" ".join(parts[:width]))
        if found:
            times[i] = _seconds(found)
        elif date := _DATE.match(parts[0].strip()):
            times[i] = _day(path, number, date[1]) * 86400.0
        else:
            raise SignalError(f"{path}: line {number} has {parts[0]!r} where a time was expected")
        rest.append((number, parts[width] if len(parts) > width else ""))
    # a time of day that falls by more than 12 hours is on the next day
    return times + 86400 * np.cumsum(np.diff(times, prepend=times[:1]) < -43200), rest


def _seconds(clock: re.Match[str]) -> float:
    hours, minutes, seconds, fraction, half = clock.groups()
    if seconds is None and fraction:  # minutes and seconds
        hours, minutes, seconds = "0", hours, minutes
    hour = int(hours) % 12 + 12 * (half.lower() == "p") if half else int(hours)
    return 3600.0 * hour + 60.0 * int(minutes) + int(seconds or 0) + float((fraction or ".0").replace(",", "."))


def _day(path: Path, number: int, date: str) -> int:
    parts = re.split(r"[-/.]", date)
    year, month, day = parts if len(parts[0]) == 4 else reversed(parts)
    if int(month) > 12:  # as Americans write it
        month, day = day, month
    try:
        return int(np.datetime64(f"{year}-{int(month):02}-{int(day):02}").astype(int))
    except ValueError:
        raise SignalError(f"{path}: line {number} has {date!r} where a date was expected") from None


def counts_rows(column: np.ndarray, names: Sequence[str], heading: str) -> bool:
    """Whether a first column counts the rows, by its values and what is written above it."""
    if len(column) < 3 or (np.diff(column) != 1).any() or column[0] not in (0, 1):
        return False
    return bool(_COUNT.fullmatch(heading)) if names else True


def units_of_times(column: np.ndarray, named: bool, heading: str) -> float | None:
    """How many units of a first column are a second; None if it does not hold times. Without a name even steps are times."""
    if not (_TIME.match(heading) if named else _is_even(column)):
        return None
    told = next((scale for pattern, scale in _UNITS if pattern.search(heading)), None)
    return told or next((scale for least, scale in _SINCE_1970 if column[0] >= least), 1.0)


def _is_even(times: np.ndarray) -> bool:
    steps = np.diff(times)
    return len(steps) > 1 and bool(steps.min() > 0) and bool(np.ptp(steps) < 0.05 * steps.mean())


def rate_of_times(path: Path, times: np.ndarray) -> float:
    """The rate in Hz of samples at these times in seconds.

    Raises:
        SignalError: the times are fewer than 3, or do not grow in even steps.
    """
    if not np.isfinite(times).all() or len(times) < 3:
        raise SignalError(f"{path}: the times are not numbers, or fewer than 3")
    steps = np.diff(times)
    if steps.min() <= 0 or np.ptp(steps) > 0.5 * steps.mean():
        raise SignalError(
            f"{path}: the times do not grow in even steps ({steps.min():g} to {steps.max():g}); resample first"
        )
    rate = (len(times) - 1) / (times[-1] - times[0])
    # times have few digits, and most rates are whole numbers
    return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate and round(rate) else float(rate)
