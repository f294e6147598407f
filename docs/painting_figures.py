"""Make the pictures of README.md and docs/painting.md: `coffee` and `chelsea` of scikit-image, painted as the demo does.

python docs/painting_figures.py
"""

from pathlib import Path
from typing import Any

from PIL import Image
from skimage.data import chelsea, coffee

from impasto import TransferSettings, transfer_style
from impasto.flow_painting import flow_painting

HERE = Path(__file__).parent / "images"
SIZE = 600
STYLE = flow_painting(SIZE)


def save(name: str, picture: Image.Image) -> None:
    """A JPEG of the docs."""
    picture.save(HERE / f"{name}.jpg", quality=88)


def painted(content: Any, **settings: Any) -> Image.Image:
    """The content in the style of the demo."""
    painting = transfer_style(content, STYLE, TransferSettings(**settings))
    print(settings, f"J {painting.best.cost:.4g}, {painting.history[-1].seconds:.0f} s", flush=True)
    return painting.image


if __name__ == "__main__":
    save("coffee", Image.fromarray(coffee()).resize((SIZE, SIZE * 2 // 3), Image.Resampling.LANCZOS))
    save("flow-painting", STYLE.resize((SIZE, SIZE * 3 // 4), Image.Resampling.LANCZOS))
    save("coffee-painted", painted(coffee(), size=SIZE))
    for beta in (5, 20, 100):
        save(f"cat-{beta}", painted(chelsea(), size=256, iterations=80, beta=beta))
    save("cat-random", painted(chelsea(), size=256, iterations=80, init="random"))
