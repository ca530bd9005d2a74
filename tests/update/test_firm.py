"""docs/firm.md: its commands make a fork, a project and a fleet page, in their order."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.rendering import ROOT
from tests.update.fleets import hooks_environment
from tests.update.releases import git

PAGE = (ROOT / "docs" / "firm.md").read_text(encoding="utf-8")


def test_a_firm_gets_from_a_fork_to_a_fleet(tmp_path: Path) -> None:
    git(ROOT, "clone", "--quiet", "--bare", "--no-tags", str(ROOT), str(tmp_path / "upstream.git"))
    ours = tmp_path / "ours.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(ours))
    script = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
    for word, address in (("UPSTREAM", tmp_path / "upstream.git"), ("YOURS", ours)):
        assert word in script
        script = script.replace(word, address.as_uri())
    # The packages are those of this environment: the same lock.
    script = script.replace("uv sync --quiet", "true")
    script = script.replace("uv run python", f"'{sys.executable}'")
    script = script.replace("uvx copier", f"'{sys.executable}' -m copier")
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env=hooks_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    project, fork = tmp_path / "credit-risk", tmp_path / "ml-template"
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == ours.as_uri()
    assert answers["platform_team"] == "@contoso/ml-platform"
    assert "@contoso/ml-platform" in (project / ".github" / "CODEOWNERS").read_text()
    tags = git(ours, "tag", "--list").split()
    assert "v2.0.0" in tags
    page = (fork / "fleet.html").read_text(encoding="utf-8")
    assert "credit-risk" in page
    assert "Credit Risk" in git(project, "log", "--format=%s")
