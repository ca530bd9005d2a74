"""Loads the Jinja templates of the HTML pages."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape


def load(name: str) -> jinja2.Template:
    """Load a template from this folder; undefined variables are errors."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": _format_number, "markdown": _render_code}
    return environment.get_template(name)


def _format_number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _render_code(text: str) -> Markup:
    """Escape text and turn backticks into `<code>`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704
