"""Time of `copier copy`, beside `import copier` alone, and beside cookiecutter on as many files.

"flat" is what Copier takes for as many files of one line each in one folder, without questions:
no template of that size can be quicker.

uv run python benchmarks/copier_copy.py [RUNS]
"""

import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

from measuring import Run, summary, timed, write

from tests.rendering import copy_template, render

TARGET = "copier copy takes at most three times the time of `import copier`"


def main(runs: int) -> None:
    """Measure in turns, so that a busy moment of the machine hits all alike."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        template = copy_template(scratch / "copier-mlops")
        project = render({"project_name": "Credit Risk"}, scratch / "reference")
        files = count(project)
        cookie = cookiecutter_sample(project, scratch / "cookie")
        flat = flat_template(files, scratch / "flat-template")
        found: dict[str, list[Run]] = {"import": [], "copier": [], "flat": [], "cookiecutter": []}
        for number in range(-1, runs):  # the first round fills caches and does not count
            answer = "project_name=Credit Risk"
            copied, baked = str(scratch / f"copy{number}"), str(scratch / f"out{number}")
            copy = ["copier", "copy", "--quiet", "--defaults"]
            round_of = {
                "import": [sys.executable, "-c", "import copier"],
                "copier": [*copy, "--data", answer, str(template), copied],
                "flat": [*copy, str(flat), str(scratch / f"flat{number}")],
                "cookiecutter": ["cookiecutter", "--no-input", "--output-dir", baked, str(cookie)],
            }
            for name, command in round_of.items():
                run = timed(command, scratch)
                if number >= 0:
                    found[name].append(run)
        assert {count(scratch / made) for made in ("copy0", "flat0", "out0")} == {files}
    medians = {name: summary(list_of)["median_seconds"] for name, list_of in found.items()}
    write(
        "copy",
        {
            "target": TARGET,
            "measured_ratio": round(medians["copier"] / medians["import"], 2),
            "ratio_of_flat": round(medians["flat"] / medians["import"], 2),
            "files": files,
            "versions": {
                name: importlib.metadata.version(name) for name in ("copier", "cookiecutter")
            },
            **{name: summary(list_of) for name, list_of in found.items()},
        },
    )


def cookiecutter_sample(project: Path, folder: Path) -> Path:
    """A cookiecutter template with the same files, whose names and texts ask it for nothing."""
    inner = folder / "{{cookiecutter.name}}"
    for file in project.rglob("*"):
        if file.is_file():
            target = inner / file.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes()
            if b"\0" not in content:
                for sign in (b"{{", b"{%", b"{#"):
                    content = content.replace(sign, b"( (")
            target.write_bytes(content)
    (folder / "cookiecutter.json").write_text(json.dumps({"name": "credit-risk"}))
    return folder


def flat_template(files: int, folder: Path) -> Path:
    """A Copier template of so many files, each with a line of its own."""
    folder.mkdir()
    (folder / "copier.yml").write_text("_exclude: [copier.yml]\n")
    for number in range(files):
        (folder / f"{number}.txt").write_text(f"{number}\n")
    return folder


def count(folder: Path) -> int:
    """How many files there are below a folder."""
    return sum(file.is_file() for file in folder.rglob("*"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
