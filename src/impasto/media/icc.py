"""ICC colour profiles: from the profile of a picture to sRGB, and back."""

from __future__ import annotations

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

# of a profile: when it was made. With the time of this process no picture would be the same file as the one before
_MADE, _ANY_TIME = slice(24, 36), struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


def _srgb_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_MADE] = _ANY_TIME
    return bytes(profile)


SRGB_PROFILE = _srgb_profile()

Samples = NDArray[np.uint8] | NDArray[np.uint16]
"""Red, green and blue of a picture over the full range of their type, (height, width, 3)."""


def is_of_rgb(profile: bytes | None) -> bool:
    """Whether ``profile`` is a colour profile of pictures in red, green and blue."""
    return profile is not None and profile[16:20] == b"RGB " and profile[36:40] == b"acsp"


def convert(samples: Samples, source: bytes, target: bytes) -> NDArray[np.uint16]:
    """The same colours in the profile ``target``, (height, width, 3) with 16 bits a channel.

    Raises:
        ValueError: one of the profiles is damaged.
    """
    deep = samples if samples.dtype == np.uint16 else samples.astype(np.uint16) * np.uint16(257)
    spaces: Any = {"colorspace": "rgb", "outcolorspace": "rgb"}
    try:
        return imagecodecs.cms_transform(np.ascontiguousarray(deep), source, target, outdtype=np.uint16, **spaces)
    except imagecodecs.CmsError as error:
        raise ValueError(f"the colour profile cannot be applied: {error}") from None


def pillow_to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A grey, CMYK or Lab picture in sRGB; a profile that is damaged or does not fit is ignored."""
    if profile:
        try:
            source, target = (ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (profile, SRGB_PROFILE))
            converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
    return picture.convert("RGB")
