"""Renders the examples anew: `uv run python examples/render.py`."""

import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.rendering import render  # noqa: E402


def main() -> None:
    """Replace each example by a fresh render of the working tree."""
    answers = yaml.safe_load((ROOT / "examples" / "answers.yml").read_text(encoding="utf-8"))
    for name, given in answers.items():
        folder = ROOT / "examples" / name
        shutil.rmtree(folder, ignore_errors=True)
        render(given, folder)
        (folder / ".copier-answers.yml").unlink()
        print(f"rendered examples/{name}")


if __name__ == "__main__":
    main()
