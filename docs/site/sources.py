"""The pages of source code: where that of a public name is, and the way back from there to the reference.

Sphinx takes a module for the place of every name in it, and does not know that ``impasto.wrap`` and
``impasto.networks.wrap.Wrapped`` are two places for names of one module.
"""

import re
from typing import Any

from sphinx.application import Sphinx

import impasto


def module_of(app: Sphinx, module: str, name: str) -> str:
    """The module in which a documented name is defined."""
    return getattr(impasto, name.partition(".")[0]).__module__ if module == "impasto" else module


def lead_back(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """In the page of a module, let the links of its names lead to where these are told."""
    if not page.startswith("_modules/impasto/"):
        return
    module = page.removeprefix("_modules/").replace("/", ".")

    def place(match: re.Match[str]) -> str:
        name = match["name"]
        return f'#{"impasto" if name.partition(".")[0] in impasto.__all__ else module}.{name}"'

    context["body"] = re.sub(r'(?<=\.html)#impasto\.([a-z_]+\.)*(?P<name>[\w.]+)"', place, context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Come after sphinx.ext.viewcode, whose pages these are."""
    app.connect("viewcode-follow-imported", module_of)
    app.connect("html-page-context", lead_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
