"""Rewrites a stored answer that a release no longer offers: `answer.py QUESTION OLD NEW`.

Copier runs it before an update, in the project's folder, and reads the answers again afterwards.
If the project gave another answer, nothing is changed.
"""

import sys
from pathlib import Path

import yaml

ANSWERS = Path(".copier-answers.yml")


def main(arguments: list[str]) -> int:
    """Replace the line of the question, and nothing else."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    question, old, new = arguments
    lines = ANSWERS.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(f"{question}:") and str(yaml.safe_load(line)[question]) == old:
            lines[number] = f"{question}: {new}\n"
            print(f"{question}: {old} -> {new}")
    ANSWERS.write_text("".join(lines), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
