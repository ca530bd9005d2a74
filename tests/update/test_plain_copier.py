"""The tests patch Copier to be fast (tests/quick_copier.py); here it runs as its users have it."""

import subprocess
from pathlib import Path

from tests.conftest import Project
from tests.rendering import commit_all
from tests.update.releases import DEFAULTS, Template, git


def copier(folder: Path, *words: str) -> str:
    """Run the command line in a process of its own; its output."""
    done = subprocess.run(
        ["copier", *words, "--defaults"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(folder: Path) -> dict[str, bytes]:
    """All files that git would know, with their bytes."""
    listed = git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    paths = [folder / name for name in listed.split("\0") if name]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.exists()
    }


def test_the_plain_copier_gives_the_same(template: Template, tmp_path: Path) -> None:
    old, new = template.past[-1].tag, template.current
    fast = template.start(old, DEFAULTS, tmp_path / "fast")
    plain = Project(tmp_path / "plain")
    answers = [word for name, value in DEFAULTS.items() for word in ("--data", f"{name}={value}")]
    copier(tmp_path, "copy", "--vcs-ref", old, *answers, str(template.path), str(plain.path))
    commit_all(plain.path, "Start")
    assert files(plain.path) == files(fast.path)

    template.update(fast, new, unsafe=True)
    copier(plain.path, "update", "--trust", "--vcs-ref", new)
    assert len(files(plain.path)) > 80
    assert files(plain.path) == files(fast.path)

    commit_all(plain.path, "Update")
    copier(plain.path, "update", "--vcs-ref", "v99.0.1")  # without trust
    assert "<!-- Change 1 -->" in plain.read("docs/gates.md")
