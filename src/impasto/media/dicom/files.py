"""DICOM files: which there are in a folder, what they hold, and whether they belong together."""

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

_INDEX = "DICOMDIR"  # of a disc
_MOST_FILES = 10_000  # looked at in folders of folders


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its first bytes or, where these do not tell, its name.

    Raises:
        OSError: it cannot be opened.
    """
    return ending_of(path, (".dcm",)) == ".dcm"


def is_stack(path: Path) -> bool:
    """Whether a DICOM file, or a folder with such, holds several images; one is a picture."""
    return _count_images(path) > 1


def is_picture(path: Path) -> bool:
    """Whether it is a DICOM file, or a folder with such, of one image; not so a waveform, a report or a plan."""
    return (is_folder(path) or (is_file(path) and is_dicom(path))) and _count_images(path) == 1


def has_pixels(path: Path) -> bool:
    """Whether a DICOM file holds an image; not so a waveform, a report or a plan."""
    return _count_images(path) > 0


def holds_slices(folder: Path) -> bool:
    """Whether there is a DICOM file in a folder or, where it has none, in those in it."""
    return next(_files_in(folder), None) is not None


def _count_images(path: Path) -> int:
    """How many images there are, as far as one, two or more."""
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
    """The DICOM files of a folder; where it has none, as on discs, those of the folders in it."""
    direct = (file for file in sorted(folder.iterdir()) if _is_slice(file))
    first = next(direct, None)
    if first is not None:
        yield first
        yield from direct
        return
    below = itertools.islice((file for file in folder.rglob("*")), _MOST_FILES)
    yield from sorted(file for file in below if _is_slice(file))


def _is_slice(file: Path) -> bool:
    try:
        return not file.name.startswith((".", _INDEX)) and file.is_file() and is_dicom(file)
    except OSError:
        return False


def _read(file: Path, **options: Any) -> Any:
    """The dataset of a file, also of one from before there was a preamble.

    Raises:
        SignalError: it is none.
    """
    pydicom = optional_package("pydicom", file, "volumes")
    try:
        return pydicom.dcmread(file, **options)
    except pydicom.errors.InvalidDicomError:
        pass
    try:
        dataset = pydicom.dcmread(file, force=True, **options)
    except Exception:  # what is no DICOM raises whatever its bytes lead to
        dataset = {}
    if not any(name in dataset for name in ("Rows", "SOPClassUID", "Modality")):
        raise SignalError(f"{file} is not a DICOM file") from None
    return dataset


def find_images(path: Path) -> list[tuple[Path, Any]]:
    """The files of one series with images, and what is in them.

    Raises:
        SignalError: there are none, those of several series, or one whose pixels are missing.
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
        told = ", ".join(f"{names[uid]} ({count})" for uid, count in series.most_common(3)) + ", ..." * (len(series) > 3)
        raise SignalError(f"{path} holds {len(series)} DICOM series: {told}; a folder with the slices of one was expected")
    return found


def _name(file: Path, dataset: Any, path: Path) -> str:
    folder = "" if file.parent == path else f" in {file.parent.relative_to(path)}"
    return f"{dataset.get('SeriesDescription') or file.name}{folder}"
