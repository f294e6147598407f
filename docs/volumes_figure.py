"""Make the figure of docs/volumes-and-movies.md: the T1 template that nilearn ships, in the style of impasto's own painting.

python docs/volumes_figure.py
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from impasto import Signal, TransferSettings, transfer_style
from impasto.flow_painting import flow_painting
from impasto.media.volume.files import read_volume, resample_volume

HERE = Path(__file__).parent
SIDE = 64


def brain() -> Signal:
    """The head without the air below it: SIDE^3 voxels of about 2.9 mm."""
    spec = find_spec("nilearn")
    assert spec is not None and spec.origin is not None, "pip install nilearn"
    name = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    head = read_volume(str(Path(spec.origin).parent / "datasets" / "data" / name))
    side = min(head.shape)
    starts = [(n - side) // 2 for n in head.shape]
    cut = tuple(slice(start, start + side) for start in starts)
    return resample_volume(head.with_values(head.values[(slice(None), *cut)]), (SIDE,) * 3)


def middle(volume: Signal) -> list[np.ndarray]:
    """The sagittal, coronal and axial section through the middle, upright."""
    values = volume.values[0]
    return [np.flipud(np.take(values, SIDE // 2, axis).T) for axis in range(3)]


if __name__ == "__main__":
    content = brain()
    painting = transfer_style(content, flow_painting(384), TransferSettings())
    result = painting.signal
    print("seconds", painting.history[-1].seconds)
    print("correlation", np.corrcoef(content.values.ravel(), result.values.ravel())[0, 1])
    rows = np.concatenate([np.concatenate(middle(volume), axis=1) for volume in (content, result)], axis=0)
    Image.fromarray((255 * rows.clip(0, 1)).round().astype(np.uint8)).resize(
        (4 * rows.shape[1], 4 * rows.shape[0]), Image.Resampling.BICUBIC
    ).save(HERE / "volume-brain.png")
