"""Follows the outputs of pipelines into a folder per run, which came with 2.0.0: `runs.py`.

Copier runs it after the update that crosses 2.0.0, in the project's folder. The tests that a
project started with are changed so that they find the last run; other files that name the folder
of a pipeline are listed. A second run changes nothing.
"""

import re
from pathlib import Path

from move import git  # type: ignore[import-not-found]  # the script beside this one

IMPORT = "from mlops_platform.pipelines.outputs import newest\n"
PLACE = re.compile(r"^(?:from|import) mlops_platform\b", re.MULTILINE)
# Lines of tests/conftest.py and tests/test_monitor.py of the releases before.
STEP = 'return self.root / "outputs" / "train" / name\n'
STEP_OF_LAST = 'return newest(self.root / "outputs" / "train") / name\n'
DRIFT = '    path = workspace.root / "outputs" / "monitor" / "drift" / "evidence" / "drift.json"\n'
DRIFT_OF_LAST = (
    '    path = newest(workspace.root / "outputs" / "monitor") / "drift" / "evidence"'
    ' / "drift.json"\n'
)
BEFORE_RUN = re.compile(  # it is known after the run
    re.escape(f"{DRIFT}    path.unlink(missing_ok=True)\n")
    + r'(    with .*\n        workspace\.pipeline\("monitor", .*\n)'
)
PARTS = {  # of tests/test_lifecycle.py
    '    for part in ("train.csv", "validation.csv"):\n': (
        '    for part in ("train.parquet", "validation.parquet"):\n'
    ),
    "        rows = pd.read_csv(data / part)\n": "        rows = pd.read_parquet(data / part)\n",
    "        rows.to_csv(data / part, index=False)\n": (
        "        rows.to_parquet(data / part, index=False)\n"
    ),
}
OLD_PATH = re.compile(
    r"""outputs["']?\s*[/,]\s*["']?(?:batch|monitor|train)["']?\s*[/,](?!\s*["']?(?:run-|latest))"""
)
ADVICE = (
    "the outputs of a run are in outputs/<pipeline>/run-<number>/ now. Find the last one with "
    "mlops_platform.pipelines.outputs.newest(). The parts of `prepare` are Parquet: train.parquet."
)
MAY_NAME_IT = {".cfg", ".ipynb", ".ps1", ".py", ".sh", ".toml", ".yaml", ".yml"}


def rewrite(text: str) -> str:
    """A file of tests that finds the last run, and the parts of its rows."""
    if all(line in text for line in PARTS):
        for old, new in PARTS.items():
            text = text.replace(old, new)
    changed = BEFORE_RUN.sub(rf"\1{DRIFT}", text.replace(STEP, STEP_OF_LAST))
    changed = changed.replace(DRIFT, DRIFT_OF_LAST)
    place = PLACE.search(changed)
    if changed == text or place is None:
        return text
    return f"{changed[: place.start()]}{IMPORT}{changed[place.start() :]}"


def main() -> None:
    """Rewrite the tests, and print what was done and what is left."""
    for name in git("ls-files", "-z").decode(errors="surrogateescape").split("\0"):
        path = Path(name)
        if path.suffix not in MAY_NAME_IT or not path.is_file():
            continue
        content = path.read_bytes()
        text = content.decode(errors="surrogateescape").replace("\r\n", "\n")
        changed = rewrite(text)
        if changed != text:
            end = "\r\n" if b"\r\n" in content else "\n"
            path.write_bytes(changed.replace("\n", end).encode(errors="surrogateescape"))
            print(f"{name}: finds the last run of a pipeline now")
        for number, line in enumerate(changed.splitlines(), 1):
            if OLD_PATH.search(line):
                print(f"{name}:{number}: {ADVICE}")


if __name__ == "__main__":
    main()
