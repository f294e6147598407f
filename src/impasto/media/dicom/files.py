"""DICOM files: which of them are in a folder, what they hold, and whether they are of one series."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from impasto.errors import SignalError
from impasto.files import is_file, is_folder, one_line_is_enough, optional_package
from impasto.media.dicom.frames import frame_count
from impasto.media.dicom.pixels import PIXELS
from impasto.media.file_type import ending_of

log = logging.getLogger("impasto")

_INDEX = "DICOMDIR"  # the index file of a disc
_MOST_FILES = 10_000  # that are looked at in nested folders


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its first bytes or, if these do not tell, by its name.

    Raises:
        OSError: the file cannot be opened.
    """
    return ending_of(path, (".dcm",)) == ".dcm"


def is_stack(path: Path) -> bool:
    """Whether a DICOM file, or a folder of them, holds several images."""
    return _count_images(path) > 1


def is_picture(path: Path) -> bool:
    """Whether the path is a DICOM file, or a folder of them, with exactly one image."""
    return (is_folder(path) or (is_file(path) and is_dicom(path))) and _count_images(path) == 1


def has_pixels(path: Path) -> bool:
    """Whether a DICOM file holds an image, and not a waveform, a report or a plan."""
    return _count_images(path) > 0


def holds_slices(folder: Path) -> bool:
    """Whether there is a DICOM file in a folder or, if it has none, in the folders below it."""
    return next(_files_in(folder), None) is not None


def _count_images(path: Path) -> int:
    """How many images there are, counted up to the first file with which there are two or more."""
    optional_package("pydicom", path, "volumes")
    count = 0
    with one_line_is_enough():
        for file in _files_in(path) if path.is_dir() else [path]:
            if path.is_dir() and file.name == _INDEX:
                continue
            try:
                dataset = _read(file, specific_tags=["Rows", "NumberOfFrames"], stop_before_pixels=True)
            except (SignalError, OSError, EOFError, ValueError):
                continue
            count += frame_count(dataset) if "Rows" in dataset else 0
            if count > 1:
                break
    return count


def _files_in(folder: Path) -> Iterator[Path]:
    """The DICOM files of a folder; if it has none, as on discs, those of the folders below it."""
    direct = (file for file in sorted(folder.iterdir()) if _is_slice(file))
    first = next(direct, None)
    if first is not None:
        yield first
        yield from direct
        return
    below = itertools.islice(folder.rglob("*"), _MOST_FILES)
    yield from sorted(file for file in below if _is_slice(file))


def _is_slice(file: Path) -> bool:
    try:
        return not file.name.startswith((".", _INDEX)) and file.is_file() and is_dicom(file)
    except OSError:
        return False


def _read(file: Path, **options: Any) -> Any:
    """The dataset of a file, also of an old one without preamble.

    Raises:
        SignalError: it is not a DICOM file.
    """
    pydicom = optional_package("pydicom", file, "volumes")
    try:
        return pydicom.dcmread(file, **options)
    except pydicom.errors.InvalidDicomError:
        pass
    try:
        dataset = pydicom.dcmread(file, force=True, **options)
    except Exception:  # pydicom may raise anything for bytes that are not DICOM
        dataset = {}
    if not any(name in dataset for name in ("Rows", "SOPClassUID", "Modality")):
        raise SignalError(f"{file} is not a DICOM file") from None
    return dataset


def find_images(path: Path) -> list[tuple[Path, Any]]:
    """The files with the images of one series, each with its dataset.

    Raises:
        SignalError: there are no images, images of several series, or one without pixels.
    """
    if not path.exists():
        raise SignalError(f"{path}: no such file or folder")
    if path.name == _INDEX:
        raise SignalError(f"{path} is the index of a disc; give the folder with the slices of one series")
    found: list[tuple[Path, Any]] = []
    without: list[Path] = []
    for file in _files_in(path) if path.is_dir() else [path]:
        try:
            dataset = _read(file, defer_size="1 KB")
        except SignalError:
            if file == path:
                raise
            log.warning("%s: %s is not a DICOM file, and passed over", path, file.name)
            continue
        except Exception as error:  # damaged files raise whatever comes to them
            raise SignalError(f"{file} cannot be read as DICOM: {error}") from None
        if "Rows" not in dataset:
            without.append(file)
        elif not any(name in dataset for name in PIXELS):
            raise SignalError(f"{file} has no pixels; it is cut short, or they were taken out")
        else:
            found.append((file, dataset))
    if without and not found:
        raise SignalError(f"{without[0]} has no pixels; the slices of an image series were expected")
    if without:
        log.warning("%s: files without an image, such as reports, are passed over: %d", path, len(without))
    if not found:
        raise SignalError(f"{path} holds no DICOM files")
    series = Counter(str(dataset.get("SeriesInstanceUID")) for _, dataset in found)
    if len(series) > 1:
        names = {str(dataset.get("SeriesInstanceUID")): _name(file, dataset, path) for file, dataset in found}
        some = ", ".join(f"{names[uid]} ({count})" for uid, count in series.most_common(3)) + ", ..." * (len(series) > 3)
        raise SignalError(f"{path} holds {len(series)} DICOM series: {some}; a folder with the slices of one was expected")
    return found


def _name(file: Path, dataset: Any, path: Path) -> str:
    folder = "" if file.parent == path else f" in {file.parent.relative_to(path)}"
    return f"{dataset.get('SeriesDescription') or file.name}{folder}"
