"""The hooks need nothing but the project's own lock."""

from collections.abc import Callable
from typing import Any

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS


def test_hooks_need_no_other_host(rendered: Callable[..., Project]) -> None:
    config: dict[str, Any] = rendered(COMBINATIONS[0]).yaml(".pre-commit-config.yaml")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] in {"system", "pygrep", "fail"}
        assert "additional_dependencies" not in hook
