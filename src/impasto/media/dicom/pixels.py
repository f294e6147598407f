"""The pixels of DICOM files: unpacked, converted to RGB or to the units of their modality."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.files import first_line
from impasto.media.dicom.frames import Frame, frame_count, number

Array = NDArray[Any]

log = logging.getLogger("impasto")

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""The elements that can hold the pixels."""

# transfer syntaxes that pydicom alone does not unpack
_DECODERS: dict[str, Callable[[bytes], Array]] = {
    "1.2.840.10008.1.2.4.51": imagecodecs.jpeg_decode,
    "1.2.840.10008.1.2.4.57": imagecodecs.jpegsof3_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.jpegsof3_decode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.91": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.110": imagecodecs.jpegxl_decode,
    "1.2.840.10008.1.2.4.112": imagecodecs.jpegxl_decode,
    "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_decode,
    "1.2.840.10008.1.2.4.202": imagecodecs.htj2k_decode,
    "1.2.840.10008.1.2.4.203": imagecodecs.htj2k_decode,
}


def decode_pixels(file: Path, dataset: Any, told: str | Path) -> Array:
    """The images of a file with their stored values, (n, rows, columns), or (n, rows, columns, 3) as RGB.

    Raises:
        SignalError: the pixels are missing, cut short, damaged, or compressed in a way that cannot be read here.
    """
    _complete(dataset, told)
    try:
        pixels = _unpacked(dataset)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            pixels = _from_palette(pixels, dataset)
    except (RuntimeError, ImportError, NotImplementedError) as error:
        syntax = _syntax(dataset)
        if syntax is not None and syntax.is_transfer_syntax and syntax.is_compressed:
            raise SignalError(
                f"{file} is compressed as {syntax.name}, which cannot be unpacked here ({first_line(error)}); save it "
                "uncompressed first, e.g. with dcmdjpeg or gdcmconv --raw"
            ) from None
        raise SignalError(f"{file}: the pixels cannot be read: {first_line(error)}") from None
    except Exception as error:  # decoders of damaged pixels raise whatever comes to them
        raise SignalError(f"{file} is cut short or damaged: {first_line(error)}") from None
    colour = pixels.ndim > 2 and number(dataset, "SamplesPerPixel", 1) > 1
    pixels = pixels if pixels.ndim == 3 + (colour or dataset.PhotometricInterpretation == "PALETTE COLOR") else pixels[None]
    if pixels.dtype.byteorder == ">":
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    return pixels[..., :3] if colour else pixels


def _syntax(dataset: Any) -> Any:
    return getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")


def _complete(dataset: Any, told: str | Path) -> None:
    """Fill in missing elements that say how pixels are stored, by the values that they nearly always have."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if _syntax(dataset) is None:
        implicit, little = dataset.original_encoding
        dataset.file_meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
        explicit = ExplicitVRBigEndian if little is False else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    floats = "PixelData" not in dataset
    samples = int(number(dataset, "SamplesPerPixel", 1))
    bits = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(next((n for n in PIXELS if n in dataset), ""), 16)
    allocated = int(number(dataset, "BitsAllocated", bits))
    stored = int(number(dataset, "BitsStored", allocated))
    usual: dict[str, Any] = {"SamplesPerPixel": samples, "BitsAllocated": allocated}
    usual["PhotometricInterpretation"] = "RGB" if samples > 1 else "MONOCHROME2"
    if not floats:
        usual |= {"BitsStored": stored, "HighBit": stored - 1, "PixelRepresentation": 0}
    if samples > 1:
        usual["PlanarConfiguration"] = 0
    for name, value in usual.items():
        given = dataset.get(name)
        if given is None or given == "":
            setattr(dataset, name, value)
            log.warning("%s: %s is missing; %s is taken", told, name, value)
    dataset.NumberOfFrames = frame_count(dataset)


def _unpacked(dataset: Any) -> Array:
    try:
        return dataset.pixel_array
    except Exception:
        decode = _DECODERS.get(str(_syntax(dataset)))
        if decode is None:
            raise
        with suppress(Exception):  # then pydicom's error is the one to report
            return _decoded(dataset, decode)
        raise


def _decoded(dataset: Any, decode: Callable[[bytes], Array]) -> Array:
    from pydicom.encaps import generate_frames
    from pydicom.pixels.processing import convert_color_space

    frames = generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames)
    pixels = np.stack([decode(data) for data in frames])
    if dataset.PixelRepresentation and pixels.dtype.kind == "u":
        # the sign is the highest of the bits that are used
        unused = 8 * pixels.itemsize - dataset.BitsStored
        pixels = (pixels << unused).view(f"i{pixels.itemsize}") >> unused
    if dataset.PhotometricInterpretation == "YBR_FULL" and decode is not imagecodecs.jpeg_decode:
        return convert_color_space(pixels, "YBR_FULL", "RGB")
    return pixels


def _from_palette(pixels: Array, dataset: Any) -> Array:
    from pydicom.pixels.processing import apply_color_lut

    colours = apply_color_lut(pixels, dataset)[..., :3]
    if colours.dtype == np.uint16 and (not (colours & 255).any() or not (colours % 257).any()):
        return (colours >> 8).astype(np.uint8)  # they were 8 bits widened to 16
    return colours


def on_scale(frame: Frame, pixels: Array, *, inverted: bool = False) -> Array:
    """One image in the units of its modality (of CT: Hounsfield units); colours stay as they are.

    Args:
        frame: the image.
        pixels: its stored values, (rows, columns) or (rows, columns, 3).
        inverted: whether a negative (MONOCHROME1) is inverted, so that more is lighter.
    """
    from pydicom.pixels.processing import apply_modality_lut

    dataset = frame.dataset
    if pixels.ndim == 3:
        return pixels
    negative = inverted and dataset.PhotometricInterpretation == "MONOCHROME1"
    if dataset.get("ModalityLUTSequence"):
        pixels = apply_modality_lut(pixels, dataset)
        return pixels.max() - pixels + pixels.min() if negative else pixels
    if negative:
        if pixels.dtype.kind == "f":
            pixels = pixels.max() - pixels + pixels.min()
        else:
            pixels = ~pixels if dataset.PixelRepresentation else _darkest(dataset, pixels) - pixels
    if frame.slope == 1 and frame.intercept == 0:
        return pixels
    exact = np.float64 if pixels.itemsize > 2 else np.float32
    return pixels.astype(exact) * exact(frame.slope) + exact(frame.intercept)


def _darkest(dataset: Any, pixels: Array) -> Any:
    """The largest value that the bits of unsigned pixels can have."""
    return max(pixels.max(), pixels.dtype.type(2 ** min(int(dataset.BitsStored), 8 * pixels.itemsize) - 1))
