"""Makes the pictures of this repository from a real run: `uv run python docs/pictures.py`.

A project is rendered and lives in a scratch folder: trained, promoted, its data drifts; some others
begin. The terminal is drawn from what the commands printed. Needs Debian's Chromium.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import copier
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import dev  # noqa: E402
from hooks.release.history import tagged_clone  # noqa: E402
from tests.rendering import commit_all  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
TYPED = ("uv run poe pipeline", "uv run poe promote", "uv run poe monitor", "uv run mlops models")
PAGES = {"report": (1200, 1150), "dashboard": (1200, 900), "fleet": (1200, 1100)}
OTHERS = (  # with the number of releases behind
    ({"project_name": "Energy Demand", "task": "regression", "serving": "batch"}, 0),
    ({"project_name": "Churn", "serving": "online", "ci": "azure-devops"}, 1),
    ({"project_name": "Fraud", "regulated": True}, 0),
    ({"project_name": "Prices", "task": "regression", "cloud": "none"}, 2),
)
WIDTH = 108  # columns of the terminal
DRIFT = """
from pathlib import Path
from credit_risk import sample
Path("new").mkdir()
sample.make(1000, seed=7, drift=1).drop(columns="outcome").to_csv("new/rows.csv", index=False)
"""


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        tags = [release.tag for release in tagged_clone(template)]
        project = start(template, tags[-1], {"project_name": "Credit Risk"})
        run("uv sync --quiet --compile-bytecode", project)
        terminal([(command, run(command, project)) for command in TYPED])
        run("uv run poe batch", project)
        run(f"uv run python -c {shlex.quote(DRIFT)}", project)
        run("uv run poe monitor --current new", project, expect=1)
        run("uv run poe ethics", project)
        run("uv run poe report", project)
        run("uv run poe dashboard", project)
        run("uv run poe maturity", project)
        commit_all(project, "Measure")
        others = [start(template, tags[-1 - behind], answers) for answers, behind in OTHERS]
        fleet([project, *others])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for name, (width, height) in PAGES.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto((project / "outputs" / f"{name}.html").as_uri())
                page.screenshot(path=DOCS / f"{name}.png")
            browser.close()


def start(template: Path, tag: str, answers: dict[str, Any]) -> Path:
    """A new project, beside the template."""
    project = template.parent / answers["project_name"].lower().replace(" ", "-")
    copier.run_copy(
        str(template), project, data=answers, defaults=True, vcs_ref=tag, quiet=True, unsafe=False
    )
    commit_all(project, "Start")
    return project


def fleet(projects: list[Path]) -> None:
    """The page of all projects: the first lived, and the others begin."""
    page = projects[0] / "outputs" / "fleet.html"
    words = ["overview", *map(str, projects), "--html", str(page)]
    subprocess.run([sys.executable, "-m", "hooks", "fleet", *words], cwd=DOCS.parent, check=True)


def run(command: str, project: Path, *, expect: int = 0) -> str:
    """Run a command in the project; returns what it printed."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["COLUMNS"] = str(WIDTH)
    words = [dev.find_uv() if word == "uv" else word for word in shlex.split(command)]
    done = subprocess.run(
        words,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != expect:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout.replace(f"{project}{os.sep}", "")


def terminal(lines: list[tuple[str, str]]) -> None:
    """Draw what was typed and printed."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        for command, printed in lines:
            console.print(Text("$ ", "green"), Text(command, "bold"), sep="")
            console.print(Text(printed.rstrip()), soft_wrap=False)
            console.print()
        console.save_svg(str(DOCS / "terminal.svg"), title="credit-risk")


if __name__ == "__main__":
    main()
