"""The look that all figures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FONT_SIZE = 9  # points


def plain_look(figure: Figure) -> Figure:
    """The figure, with small letters and no frame above and to the right of its curves.

    Set here figure by figure, since Matplotlib's rcParams would change the whole process.
    """
    from matplotlib.text import Text

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(which="both", labelsize=_FONT_SIZE)
    for text in figure.findobj(Text):
        text.set_fontsize(_FONT_SIZE)  # pyright: ignore[reportAttributeAccessIssue]
    return figure


def grid_of(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, NDArray[Any]]:
    """A figure of (width, height) = ``size`` in inches, and its axes as an array (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def show_picture(axes: Axes, picture: NDArray[Any], title: str, aspect: float = 1) -> None:
    """Draw a picture (height, width, 1 or 3) with values in 0..1, without a frame."""
    grey = picture.shape[-1] == 1
    axes.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1, aspect=aspect, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_frame_on(False)
