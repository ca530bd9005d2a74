"""`python -m hooks`: one command for all tools, and none of them runs by itself."""

import subprocess
import sys

import pytest
import yaml
from mlops_platform.template.ownership import owner_of

from hooks.__main__ import COMMANDS, main
from hooks.projects import Template
from hooks.release.history import releases
from tests.rendering import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hooks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: python -m hooks {name} " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["fleet"], ["release", "check"]])
def test_wrong_use_has_exit_code_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage: python -m hooks" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_loads_no_command() -> None:
    program = "import sys; from hooks import __main__ as m; m.parser().format_help(); "
    program += "print([name for name in sys.modules if name.startswith(('hooks.', 'copier'))])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['hooks.__main__']"


def test_only_migrations_change_the_import_path() -> None:
    """Copier runs them with its own Python, which has no package of ours."""
    for path in (ROOT / "hooks").rglob("*.py"):
        if path.parent.name != "migrations":
            assert "sys.path" not in path.read_text(encoding="utf-8"), path


def test_copier_runs_only_migrations() -> None:
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert "_tasks" not in settings
    commands = [str(entry["command"]) for entry in settings.pop("_migrations", [])]
    assert all("/hooks/migrations/" in command for command in commands)
    assert "hooks/" not in str(settings)


def test_file_owners_are_those_of_the_release() -> None:
    commits = {release.version: release.commit for release in releases()}
    template = Template(str(ROOT), ROOT, ())
    before, current = template.owner_rules(commits["0.7.0"]), template.owner_rules("HEAD")
    assert before is not None
    assert current is not None
    assert owner_of("src/churn/mlops/errors.py", before) == "managed"
    assert owner_of("src/churn/mlops/errors.py", current) is None
    assert template.owner_rules(commits["0.1.0"]) is None, "it had no list yet"
