"""Tables of numbers as people and devices write them: any delimiter, decimal sign, encoding, head and form of times."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from impasto.errors import SignalError

log = logging.getLogger("impasto")

_DELIMITERS = ("\t", ";", "|", ",", " ")
_MOST_HEAD_LINES = 60
_LOOKED_AT = 20  # rows from which the delimiter is told
_COMMENT = re.compile(r"[#%!]|//")
_NUMBER = re.compile(
    r"[+\-\u2212]?(\d[\d.,'\u00a0\u202f]*( \d{3})*([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_MISSING = re.compile(r"|-+|\?|n/?a|nan|null|none|missing|\.", re.IGNORECASE)
# a column of that name holds times: t, time, time (s), seconds, elapsed time [ms]
_TIME = re.compile(r"(elapsed[ _]?)?(t|times?(stamps?)?|seconds?|sec|s|ms|us|\u00b5s|\u03bcs)(?![a-z0-9])", re.IGNORECASE)
# a column of that name counts the rows
_COUNT = re.compile(r"(index|idx|sample([ _]?(number|no|index|#))?s?|row|n|no|nr|#|unnamed: 0|)\.?", re.IGNORECASE)
_UNITS = (
    (re.compile(r"\b(ms|msecs?|milliseconds?)\b|_ms\b", re.IGNORECASE), 1e3),
    (re.compile(r"\b([u\u00b5\u03bc]s|[u\u00b5\u03bc]secs?|microseconds?)\b|_us\b", re.IGNORECASE), 1e6),
    (re.compile(r"\b(ns|nanoseconds?)\b|_ns\b", re.IGNORECASE), 1e9),
    (re.compile(r"\b(mins?|minutes?)\b|_min\b", re.IGNORECASE), 1 / 60),
    (re.compile(r"\b(hours?|hrs?)\b", re.IGNORECASE), 1 / 3600),
)
_RATE = re.compile(
    r"\b(?:sampl\w*[ _-]*(?:rate|freq\w*)|sfreq|fs|frequency|rate)\b[^\d\n]{0,20}(\d+(?:[.,]\d+)?)\s*(k?)", re.IGNORECASE
)
# 12:30, 12:30:05.004, 2026-01-31T12:30:05,004+01:00, [12:30:05.004 31/01/2026], 0:05.004 (minutes and seconds)
_CLOCK = re.compile(r"(?:^|[T \['])(\d+):(\d\d)(?::(\d\d))?([.,]\d+)?(?:\s*([ap])m)?", re.IGNORECASE)
_DATE = re.compile(r"['\"\[]?(\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})(?=$|[T '\"\]])")


class _Form(NamedTuple):
    """How the rows of a table are written: their delimiter, and what stands before the numbers."""

    delimiter: str
    head: list[tuple[int, list[str]]]  # number of the line and its cells
    first: int  # the row of numbers that comes first


def read_table(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Columns (leads, samples) in float64 and the header of a table in a text file.

    The header has ``leads`` where the columns have names, ``rate`` in Hz where times or a line of the head tell it,
    ``timed``, and ``times``: the name, the units a second and the first of the column of times.

    Raises:
        SignalError: it is not text, has no numbers, or lacks one in some line.
    """
    text = _text(path)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not _COMMENT.match(line.lstrip())]
    while rows and not rows[-1][1].strip(" ,;|\t"):
        rows.pop()  # spreadsheets end with empty rows
    if not rows:
        raise SignalError(f"{path} is empty")
    form = _form_of(path, rows)
    header: dict[str, Any] = {}
    comments = [line for line in lines[: rows[form.first][0]] if _COMMENT.match(line.lstrip())]
    if told := _RATE.search("\n".join([*comments, *(" ".join(cells) for _, cells in form.head)])):
        header["rate"] = float(told[1].replace(",", ".")) * (1000 if told[2] else 1)
    body = rows[form.first :]
    clocks, body = _split_clocks(path, body, form.delimiter)
    values = _numbers(path, body, form.delimiter)
    before = _clocks_width(rows[form.first][1], form.delimiter)
    names, heading = _names(form, comments, len(values) + before)
    if clocks is not None:
        header |= {"rate": _rate_of_times(path, clocks), "timed": True}
        log.warning("%s: its times of day are written as seconds from the start", path)
        names = names[before:]
    elif len(values) > 1 and _counts_rows(values[0], names, heading):
        log.warning("%s: its first column counts the rows: it is left out", path)
        values, names = values[1:], names[1:]
    elif len(values) > 1 and (_TIME.match(heading) if names else _is_even(values[0])):
        units = next((scale for pattern, scale in _UNITS if pattern.search(heading)), 1.0)
        header |= {"rate": _rate_of_times(path, values[0] / units), "timed": True}
        header["times"] = (names[0] if names else "time", units, float(values[0, 0]))
        values, names = values[1:], names[1:]
    if names:
        header["leads"] = names
    return values, header


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif len(data) > 3 and data[1:200:2].count(0) > len(data[1:200:2]) / 2 > 0:
        encodings = ["utf-16-le"]
    elif b"\0" in data:
        encodings = []
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SignalError(f"{path} is not text; a CSV of numbers was expected")


def _cells(line: str, delimiter: str) -> list[str]:
    if '"' in line:
        cells = next(csv.reader([line.strip(" ")], delimiter=delimiter, skipinitialspace=True), [])
        return [cell.strip() for cell in cells if cell.strip() or delimiter != " "]
    cells = line.split() if delimiter == " " else line.strip(" ").split(delimiter)
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == "'" else cell for cell in map(str.strip, cells)]


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell.strip()))


def _is_clock(cell: str) -> bool:
    return cell[:1] in "['0123456789" and bool(_CLOCK.search(cell) or _DATE.match(cell))


def _is_row(cells: Sequence[str]) -> bool:
    """Whether it is a row of numbers, perhaps with times before them or gaps."""
    while cells and _is_clock(cells[0]):
        cells = cells[1:]
    return any(_is_number(cell) for cell in cells) and all(_is_number(c) or _MISSING.fullmatch(c) for c in cells)


def _form_of(path: Path, rows: Sequence[tuple[int, str]]) -> _Form:
    last = [line for _, line in rows[-_LOOKED_AT:]]
    # that by which most of the last rows are rows of numbers, and with it the most cells
    delimiter = max(
        _DELIMITERS,
        key=lambda mark: (
            sum(_is_row(_cells(line, mark)) for line in last),
            mark != "," or not any(";" in line for line in last),
            min(2, sorted(len(_cells(line, mark)) for line in last)[len(last) // 2]),
            -_DELIMITERS.index(mark),
        ),
    )
    split = [_cells(line, delimiter) for line in last]
    if all(len(cells) == 1 for cells in split):
        delimiter = ","
    elif delimiter == "," and all(len(cells) == 2 for cells in split) and any(cells[0] == "-0" for cells in split):
        delimiter = ";"  # nobody writes -0 but before a decimal comma: it is one column
    head: list[tuple[int, list[str]]] = []
    for first, (number, line) in enumerate(rows[:_MOST_HEAD_LINES]):
        cells = _cells(line, delimiter)
        if not _is_heading(cells):
            return _Form(delimiter, head, first)
        head.append((number, cells))
    if len(rows) <= _MOST_HEAD_LINES:
        raise SignalError(f"{path} has names but no numbers")
    raise SignalError(f"{path} has {_MOST_HEAD_LINES} lines and more before the first numbers")


def _is_heading(cells: Sequence[str]) -> bool:
    """Whether it is a line of names, units or facts: its first word, and where that is missing another, has letters."""
    first = next((cell for cell in cells if cell), "")
    return not _is_number(first) and not _is_clock(first) and bool(re.search(r"[^\W\d_]|#", first)) and not _is_row(cells)


def _clocks_width(line: str, delimiter: str) -> int:
    """The cells with dates and times of day at the start of a row."""
    width = 0
    for cell in _cells(line, delimiter):
        if not _is_clock(cell):
            break
        width += 1
    return width


def _split_clocks(
    path: Path, rows: Sequence[tuple[int, str]], delimiter: str
) -> tuple[np.ndarray | None, Sequence[tuple[int, str]]]:
    """Seconds of the dates and times of day before the numbers, or None, and the rows without them."""
    width = _clocks_width(rows[0][1], delimiter)
    if width == 0:
        return None, rows
    times, rest = np.empty(len(rows)), []
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
    # a day later it is midnight again
    return times + 86400 * np.cumsum(np.diff(times, prepend=times[:1]) < -43200), rest


def _seconds(clock: re.Match[str]) -> float:
    hours, minutes, seconds, fraction, half = clock.groups()
    fraction = float("0" + fraction.replace(",", ".")) if fraction else 0.0
    if seconds is None and fraction:  # minutes and seconds
        hours, minutes, seconds = "0", hours, minutes
    hour = int(hours) % 12 + 12 * (half.lower() == "p") if half else int(hours)
    return 3600.0 * hour + 60.0 * int(minutes) + int(seconds or 0) + fraction


def _day(path: Path, number: int, date: str) -> int:
    parts = re.split(r"[-/.]", date)
    year, month, day = parts if len(parts[0]) == 4 else reversed(parts)
    try:
        return int(np.datetime64(f"{year}-{int(month):02}-{int(day):02}").astype(int))
    except ValueError:
        raise SignalError(f"{path}: line {number} has {date!r} where a date was expected") from None


def _numbers(path: Path, rows: Sequence[tuple[int, str]], delimiter: str) -> np.ndarray:
    """Columns of numbers (columns, rows)."""
    lines = [line.strip(" ") for _, line in rows]
    mark = None if delimiter == " " else delimiter
    if mark and all(line.endswith(mark) for line in lines):
        lines = [line[: -len(mark)] for line in lines]  # an empty column behind the last
    text = "\n".join(lines)
    if delimiter != ",":
        text = _with_points(text)
    try:
        if any(character in text for character in "\"'\u2212"):
            raise ValueError
        # the reader of C is fast, and as strict as the slow one below
        return np.loadtxt(io.StringIO(text), delimiter=mark, ndmin=2, comments=None).T
    except ValueError:
        pass
    split: list[list[Any]] = [_cells(line, delimiter) for line in text.split("\n")]
    with_commas = [cell for cells in split for cell in cells if "," in cell]  # in quotes
    decimal = "," if any(not _THOUSANDS.fullmatch(cell) for cell in with_commas) else "."
    for (number, _), cells in zip(rows, split, strict=True):
        if len(cells) != len(split[0]):
            raise SignalError(
                f"{path}: line {number} has {len(cells)} values; {len(split[0])} were expected, as in line {rows[0][0]}"
            )
        for column, cell in enumerate(cells):
            plain = re.sub(r"[ \u00a0\u202f']", "", cell).replace("\u2212", "-")
            if "," in plain:
                plain = plain.replace("." if decimal == "," else ",", "")
            try:
                cells[column] = float(plain.replace(",", "."))
            except ValueError:
                raise SignalError(
                    f"{path}: line {number} has {cell!r} where a number was expected, in column {column + 1}"
                ) from None
    return np.array(split, np.float64).T


def _with_points(text: str) -> str:
    """Numbers with a decimal point, of a text whose commas do not part columns."""
    if "," not in text:
        return text
    if re.search(r"\d,\d{3}(,\d{3})*\.", text):  # 1,234.5
        return text.replace(",", "")
    if not re.search(r"\.(?!\d{3}(?!\d))", text):  # 1.234,5
        text = text.replace(".", "")
    return text.replace(",", ".")


def _names(form: _Form, comments: Sequence[str], width: int) -> tuple[list[str], str]:
    """The names of so many columns, if there are any, and all that is written above the first."""
    fitting = [cells[:-1] if len(cells) == width + 1 and not cells[-1] else cells for _, cells in form.head[-2:]]
    fitting = [cells for cells in fitting if len(cells) == width and (width > 1 or len(form.head) <= 2)]
    if fitting:
        return fitting[0], " ".join(cells[0] for cells in fitting)
    if comments and not form.head:  # as numpy writes them
        cells = _cells(comments[-1].lstrip("#%! /"), form.delimiter)
        if len(cells) == width > 1:
            return cells, cells[0]
    return [], ""


def _counts_rows(column: np.ndarray, names: Sequence[str], heading: str) -> bool:
    if len(column) < 3 or (np.diff(column) != 1).any() or column[0] not in (0, 1):
        return False
    return bool(_COUNT.fullmatch(heading)) if names else True


def encode_table(values: np.ndarray, header: Mapping[str, Any], delimiter: str) -> bytes:
    """A row for each time and a column for each lead (leads, samples); names and times where ``header`` has them.

    The digits are as few as give the same float32 again.
    """
    columns = [lead.astype(np.float32).astype("U").tolist() for lead in values]
    names = [" ".join(str(name).split()) for name in header.get("leads", [])]
    if header.get("rate") and header.get("timed"):
        name, units, start = header.get("times", ("time", 1.0, 0.0))
        times = start + np.arange(values.shape[1]) / header["rate"] * units
        columns.insert(0, [f"{time:.{15 if start else 10}g}" for time in times])
        names.insert(0, name)
    lines = io.StringIO()
    if header.get("named") and len(names) == len(columns):
        if _is_row(names) or _COMMENT.match(names[0]):  # they would be taken for numbers, or a comment
            names = [f"lead {name}" for name in names]
        csv.writer(lines, delimiter=delimiter, lineterminator="\n").writerow(names)
    lines.writelines(f"{delimiter.join(row)}\n" for row in zip(*columns, strict=True))
    return lines.getvalue().encode()


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
    return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate and round(rate) else float(rate)
