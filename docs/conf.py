"""Sphinx builds these pages: ``make docs``."""

from typing import Any

from sphinx.application import Sphinx

import deblurlab

project = "deblurlab"
author = "the deblurlab developers"
version = release = deblurlab.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = "deblurlab"

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_use_ivar = True
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """Leave out what says nothing: the fields of named tuples, which their docstrings describe already."""

    def left_out(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
        return True if name == "__new__" or type(thing).__name__ == "_tuplegetter" else None

    app.connect("autodoc-skip-member", left_out)
