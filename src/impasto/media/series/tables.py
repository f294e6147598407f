"""Tables of numbers as people and devices write them: any delimiter, decimal mark, encoding, header and format of times."""

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
from impasto.media.series.times import clocks_width, counts_rows, is_clock, rate_of_times, split_clocks, units_of_times

log = logging.getLogger("impasto")

_DELIMITERS = ("\t", ";", "|", ",", " ")
_MOST_HEAD_LINES = 60
_LOOKED_AT = 20  # rows from which the delimiter is guessed
_COMMENT = re.compile(r"[#%!]|//")
_NUMBER = re.compile(
    r"[+\-\u2212]?(\d[\d.,'\u00a0\u202f]*( \d{3})*([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_MISSING = re.compile(r"|-+|\?|n/?a|nan|null|none|missing|\.", re.IGNORECASE)
_RATE = re.compile(r"\b(?:sampl\w*[ _-]*(?:rate|freq\w*)|sfreq|fs)\b[^\d\n]{0,20}(\d+(?:[.,]\d+)?)\s*(k?)", re.IGNORECASE)


class _Form(NamedTuple):
    """How the rows of a table are written: their delimiter, and what stands before the numbers."""

    delimiter: str
    head: list[tuple[int, list[str]]]  # the number of each line and its cells
    first: int  # index of the first row of numbers


def read_table(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Columns (leads, samples) in float64 and the header of a table in a text file.

    The header has ``leads`` if the columns have names, ``rate`` in Hz if times or a line before the numbers tell it, and, if
    there is a column of times, ``timed`` and ``times``: its name, its units a second and its first value.

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
    before, clocks = clocks_width(_cells(body[0][1], form.delimiter)), None
    if before:
        clocks, body = split_clocks(path, body, form.delimiter, before)
    values = _numbers(path, body, form.delimiter, before)
    names, heading = _names(form, comments, len(values) + before)
    several = len(values) > 1
    if clocks is not None:
        header |= {"rate": rate_of_times(path, clocks), "timed": True}
        log.warning("%s: its times of day are written as seconds from the start", path)
        names = names[before:]
    elif several and counts_rows(values[0], names, heading):
        log.warning("%s: its first column counts the rows: it is left out", path)
        values, names = values[1:], names[1:]
    elif several and (units := units_of_times(values[0], bool(names), heading)):
        header |= {"rate": rate_of_times(path, values[0] / units), "timed": True}
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


def _is_row(cells: Sequence[str]) -> bool:
    """Whether it is a row of numbers, perhaps with times before them or gaps."""
    while cells and is_clock(cells[0]):
        cells = cells[1:]
    return any(_is_number(cell) for cell in cells) and all(_is_number(c) or _MISSING.fullmatch(c) for c in cells)


def _form_of(path: Path, rows: Sequence[tuple[int, str]]) -> _Form:
    last = [line for _, line in rows[-_LOOKED_AT:]]
    # the one that makes rows of numbers of most of the last rows, and then the one that makes the most cells
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
        delimiter = ";"  # nobody writes -0 except before a decimal comma: it is one column
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
    """Whether it is a line of names, units or facts: its first cell that is not empty has letters."""
    first = next((cell for cell in cells if cell), "")
    return not _is_number(first) and not is_clock(first) and bool(re.search(r"[^\W\d_]|#", first)) and not _is_row(cells)


def _numbers(path: Path, rows: Sequence[tuple[int, str]], delimiter: str, before: int) -> np.ndarray:
    """The numbers (columns, rows) of a table whose first ``before`` columns were cut off before."""
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
        # NumPy's reader is fast, and as strict as the slow one below
        return np.loadtxt(io.StringIO(text), delimiter=mark, ndmin=2, comments=None).T
    except ValueError:
        pass
    split: list[list[Any]] = [_cells(line, delimiter) for line in text.split("\n")]
    with_commas = [cell for cells in split for cell in cells if "," in cell]  # they were in quotes
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
                    f"{path}: line {number} has {cell!r} where a number was expected, in column {before + column + 1}"
                ) from None
    return np.array(split, np.float64).T


def _with_points(text: str) -> str:
    """The text with decimal points, if its commas do not delimit columns."""
    if "," not in text:
        return text
    if "." in text and re.search(r"\d,\d{3}(,\d{3})*\.", text):  # 1,234.5
        return text.replace(",", "")
    if "." in text and not re.search(r"\.(?!\d{3}(?!\d))", text):  # 1.234,5
        text = text.replace(".", "")
    return text.replace(",", ".")


def _names(form: _Form, comments: Sequence[str], width: int) -> tuple[list[str], str]:
    """The names of ``width`` columns, or an empty list; and all that is written above the first."""
    fitting = [cells[:-1] if len(cells) == width + 1 and not cells[-1] else cells for _, cells in form.head[-2:]]
    # above a single column every line fits, but lines that state a fact are not names
    facts = width == 1 and (len(form.head) > 2 or any(re.search("[:=]", cells[0]) for cells in fitting))
    fitting = [cells for cells in fitting if len(cells) == width and not facts]
    if fitting:
        return fitting[0], " ".join(cells[0] for cells in fitting)
    if comments and not form.head:  # numpy.savetxt writes names as a comment
        cells = _cells(comments[-1].lstrip("#%! /"), form.delimiter)
        if len(cells) == width > 1:
            return cells, cells[0]
    return [], ""


def encode_table(values: np.ndarray, header: Mapping[str, Any], delimiter: str) -> bytes:
    """The text of a table of values (leads, samples): a row for each time, and names and times if ``header`` has them.

    Numbers have as few digits as give the same float32 again.
    """
    columns = [[str(value) for value in lead.astype(np.float32)] for lead in values]
    names = [" ".join(str(name).split()) for name in header.get("leads", [])]
    if header.get("rate") and header.get("timed"):
        name, units, start = header.get("times", ("time", 1.0, 0.0))
        times = start + np.arange(values.shape[1]) / header["rate"] * units
        columns.insert(0, [f"{time:.{15 if start else 10}g}" for time in times])
        names.insert(0, name)
    lines = io.StringIO()
    if header.get("named") and len(names) == len(columns):
        if _is_row(names):  # they would be read as numbers
            names = [f"lead {name}" for name in names]
        odd = any(_COMMENT.match(name) or "'" in name for name in names)
        quoting = csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL
        csv.writer(lines, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerow(names)
    lines.writelines(f"{delimiter.join(row)}\n" for row in zip(*columns, strict=True))
    return lines.getvalue().encode()
