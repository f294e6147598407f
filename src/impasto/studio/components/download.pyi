"""A button that gives a file away under another name than it has on the disk."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.data_classes import FileData

class Download(gr.DownloadButton):
    """The button; its value is None, or the path of a file and the name it is given away under."""

    is_template = True  # to the page it is gradio's own button

    def postprocess(self, value: str | Path | tuple[Path, str] | None) -> FileData | None:
        """What the page is told."""
        if not isinstance(value, tuple):
            return super().postprocess(value)
        path, name = value
        return FileData(path=str(path), orig_name=name)
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
