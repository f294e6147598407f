"""A notice: what is wrong, told beside what is wrong, so that nothing else on the page has to go for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from impasto.studio.components.component import component

NOTHING: dict[str, Any] = {"text": "", "fields": {}, "roles": {}}
"""What it shows while nothing is wrong; every value has these keys."""


def notice_place() -> gr.HTML:
    """The component; its value is what :func:`notice` gives."""
    return component("notice", NOTHING)


def notice(
    text: str = "", fields: Mapping[str, str] | None = None, roles: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What is wrong: in a sentence, and also beside each field by its setting, and beside each signal input by its role."""
    return {"text": text, "fields": dict(fields or {}), "roles": dict(roles or {})}
