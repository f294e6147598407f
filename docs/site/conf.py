"""The documentation site: `make site` writes it to build/site.

The pages are the Markdown files of the repository, readable on a forge too: the source folder is the repository itself,
so their links lead to the same places here and there. Only the reference of the names is made from docstrings. Nothing that
the site shows is fetched from anywhere: no fonts, no scripts, and its search is a file beside it.
The class's notebooks are run when the site is built.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
sys.path.insert(0, str(HERE))

project, version, release = "impasto", PROJECT["version"], PROJECT["version"]
copyright = "the impasto developers, under the MIT licence"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "docstrings",
    "mathml",
    "sources",
]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/class/*"]
include_patterns += ["CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "src/**/README.md"]
exclude_patterns = [".*", "build", "dist", "tests"]
suppress_warnings = ["config.cache"]

# Markdown as forges read it: anchors of headings, and formulas in fences
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]
myst_enable_extensions = ["dollarmath"]
highlight_language = "console"

# the class's notebooks are kept without outputs, and run here; one that ends with an error is an error of the site
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

# every name that is spoken of must be one, but for those of other packages
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!impasto).*")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"Source": "Source", "Style": "Style"}
maximum_signature_line_length = 90
add_module_names = False
napoleon_numpy_docstring = False
default_role = "code"

html_theme = "furo"
html_title = "impasto"
html_math_renderer = "mathml"
html_extra_path = ["index.html"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
