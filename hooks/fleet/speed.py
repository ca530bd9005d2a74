"""Makes Copier faster when one process updates many projects: it does repeated work only once.

None of this changes the result. Together, an update takes less than half of the time.
"""

import tempfile
from typing import Any

import jinja2
import plumbum

# Copier makes and removes about ten repositories in each update. None must survive a power cut.
GIT_SETTINGS = {"core.fsync": "none", "core.compression": "0"}


def prepare() -> None:
    """Apply all of it to this process; call it once."""
    for key, value in GIT_SETTINGS.items():
        set_git_config(key, value)
    _cache_clones()
    _cache_compiled_templates()


def set_git_config(key: str, value: str) -> None:
    """Add a setting for the git commands that Copier runs, and only for those."""
    number = int(plumbum.local.env.get("GIT_CONFIG_COUNT", "0"))
    plumbum.local.env.update(
        {
            "GIT_CONFIG_COUNT": str(number + 1),
            f"GIT_CONFIG_KEY_{number}": key,
            f"GIT_CONFIG_VALUE_{number}": value,
        }
    )


def _cache_clones() -> None:
    """Check out each commit of a template once per process, not five times per project.

    Copier only reads the checkout. The function is private: if a later Copier does not have it,
    nothing is changed, and updates are slower.
    """
    from copier import _template as copier_template  # noqa: PLC0415  takes a second; only workers need it

    clone = getattr(copier_template, "clone", None)
    if clone is None:
        return
    clones: dict[tuple[str, str], str] = {}

    def cached_clone(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        if (url, ref) not in clones:
            clones[url, ref] = clone(url, ref, tempfile.mkdtemp())
        return clones[url, ref]

    vars(copier_template)["clone"] = cached_clone


def _cache_compiled_templates() -> None:
    """Compile each text of a template once per process.

    Copier compiles every part of every path for each file that it renders. The lexer represents
    all settings that change how a text is read; the file name is only in error messages.
    """
    compile_ = jinja2.Environment.compile
    compiled: dict[tuple[Any, ...], Any] = {}

    def cached_compile(  # noqa: PLR0917  Jinja's own signature
        self: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        if raw or defer_init or not isinstance(source, str):
            return compile_(self, source, name, filename, raw, defer_init)  # type: ignore[call-overload]
        key = (self.lexer, *sorted(self.extensions), source, name)
        if key not in compiled:
            compiled[key] = compile_(self, source, name, filename)
        return compiled[key]

    jinja2.Environment.compile = cached_compile  # type: ignore[method-assign]
