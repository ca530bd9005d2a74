"""Jinja, as both pages use it."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape


def load(name: str) -> jinja2.Template:
    """A template of this folder; a name that is not given to it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"figure": _figure, "prose": _prose}
    return environment.get_template(name)


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _prose(text: str) -> Markup:
    """Escaped text; what stands between backticks becomes code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704
