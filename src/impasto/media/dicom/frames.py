"""The images of a DICOM file, one or many, and where each of them lies in space, as far as the file tells."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

log = logging.getLogger("impasto")

# pixel spacings at the detector, of projections, where that in the patient is not known
_OTHER_SPACINGS = ("ImagerPixelSpacing", "NominalScannedPixelSpacing")


@dataclass(frozen=True)
class Frame:
    """One image of a series.

    Attributes:
        file: that holds it.
        dataset: of the whole file.
        index: of the image in the file.
        slope, intercept: stored value * slope + intercept is in the units of the modality.
        position: of its first pixel in mm, in LPS+ (towards the left, the back and the top of the patient).
        orientation: unit vectors (2, 3) along its rows and down its columns.
        spacing: mm between rows, and between columns.
        step: mm to the next slice, if the file tells it.
        number: its place in the order of the series.
    """

    file: Path
    dataset: Any
    index: int
    slope: float = 1.0
    intercept: float = 0.0
    position: Vector | None = None
    orientation: Vector | None = None
    spacing: tuple[float, float] | None = None
    step: float | None = None
    number: float | None = None

    def __str__(self) -> str:
        return f"image {self.index + 1}" if frame_count(self.dataset) > 1 else self.file.name


def frame_count(dataset: Any, told: str | Path = "") -> int:
    """How many images a file says it has, 1 if it does not say; ``told`` as in :func:`numbers`."""
    return max(1, int(number(dataset, "NumberOfFrames", 1, told)))


def numbers(dataset: Any, name: str, count: int = 1, told: str | Path = "") -> list[float] | None:
    """The first ``count`` numbers of an element; None if it is missing, empty, too short or not numbers.

    If ``told`` names the file for messages, an element that is not numbers gives a warning.
    """
    try:
        value = dataset.get(name)
        values = [] if value is None or value == "" else np.atleast_1d(np.array(value, dtype=object)).tolist()
        found = [float(one) for one in values[:count]]
    except (ValueError, TypeError, ArithmeticError, NotImplementedError):
        found = [float("nan")]
    if len(found) == count and np.isfinite(found).all():
        return found
    if found and told:
        log.warning("%s: %s is damaged and not heeded", told, name)
    return None


def number(dataset: Any, name: str, default: float, told: str | Path = "") -> float:
    """The first number of an element, or the default; see :func:`numbers`."""
    found = numbers(dataset, name, 1, told)
    return default if found is None else found[0]


def frames_of(file: Path, dataset: Any, told: str | Path) -> list[Frame]:
    """The images of a file in the order in which they are stored; ``told`` names the file in messages."""
    count = frame_count(dataset, told)
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    each = _items(dataset, "PerFrameFunctionalGroupsSequence")
    frames: list[Frame] = []
    for i in range(count):
        groups = [*each[i : i + 1], *shared]

        def found(sequence: str, name: str, length: int, groups: list[Any] = groups) -> list[float] | None:
            places = [item for group in groups for item in _items(group, sequence)[:1]] + [dataset]
            return next((v for item in places if (v := numbers(item, name, length, told)) is not None), None)

        slope, intercept = (
            found("PixelValueTransformationSequence", f"Rescale{name}", 1) for name in ("Slope", "Intercept")
        )
        if slope == [0.0]:
            log.warning("%s: RescaleSlope is 0, which would leave nothing to be seen; 1 is taken", told)
            slope = None
        if slope is None and dataset.get("Modality") == "RTDOSE":
            slope = numbers(dataset, "DoseGridScaling", 1, told)
        orientation = found("PlaneOrientationSequence", "ImageOrientationPatient", 6) or _detector(dataset, "Orientation", 6)
        measures = "PixelMeasuresSequence"
        spacing = found(measures, "PixelSpacing", 2)
        spacing = spacing or next((v for name in _OTHER_SPACINGS if (v := numbers(dataset, name, 2, told))), None)
        step = found(measures, "SpacingBetweenSlices", 1) or found(measures, "SliceThickness", 1)
        order = (
            numbers(dataset, "InstanceNumber") if count == 1 else found("FrameContentSequence", "InStackPositionNumber", 1)
        )
        frames.append(
            Frame(
                file, dataset, i,
                slope=slope[0] if slope else 1.0,
                intercept=intercept[0] if intercept else 0.0,
                position=_position(dataset, groups, i, count, told),
                orientation=_unit(orientation),
                spacing=(spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
                step=abs(step[0]) if step and step[0] else None,
                number=order[0] if order else None,
            )
        )  # fmt: skip
    if count > 1 and any(frame.number is None for frame in frames):
        frames = [replace(frame, number=float(frame.index)) for frame in frames]
    return frames


def _position(dataset: Any, groups: list[Any], index: int, count: int, told: str | Path) -> Vector | None:
    for group in groups:
        for item in _items(group, "PlanePositionSequence")[:1]:
            position = numbers(item, "ImagePositionPatient", 3, told)
            if position is not None:
                return np.array(position)
    first = numbers(dataset, "ImagePositionPatient", 3, told) or _detector(dataset, "Position", 3)
    if count == 1 or first is None:
        return None if first is None else np.array(first)
    across = _unit(numbers(dataset, "ImageOrientationPatient", 6) or _detector(dataset, "Orientation", 6))
    offsets = numbers(dataset, "GridFrameOffsetVector", count) or _even(dataset, count)
    if across is None or offsets is None:
        return None
    return np.array(first) + np.cross(*across) * (offsets[index] - offsets[0])


def _even(dataset: Any, count: int) -> list[float] | None:
    """Offsets in mm of evenly spaced slices, as files of nuclear medicine have them; None for others."""
    step = numbers(dataset, "SpacingBetweenSlices") if dataset.get("Modality") in ("NM", "PT") else None
    return step and [step[0] * i for i in range(count)]


def _detector(dataset: Any, name: str, count: int) -> list[float] | None:
    items = _items(dataset, "DetectorInformationSequence")
    return next((v for item in items if (v := numbers(item, f"Image{name}Patient", count))), None)


def _unit(orientation: list[float] | None) -> Vector | None:
    """The two vectors of an orientation, (2, 3), scaled to length 1; None if they are not two orthogonal vectors."""
    if orientation is None:
        return None
    vectors = np.array(orientation).reshape(2, 3)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths if lengths.min() > 0.5 and abs(vectors[0] @ vectors[1]) < 0.1 else None


def _items(dataset: Any, sequence: str) -> list[Any]:
    """The items of a sequence; an empty list if it is missing or no sequence."""
    found = dataset.get(sequence)
    return [item for item in found if hasattr(item, "get")] if isinstance(found, Sequence) else []
