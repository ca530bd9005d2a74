"""The two commands of this repository; they need Python 3.11 or newer, git, and a package index.

python3 dev.py try [FOLDER]   renders a project and runs its whole lifecycle there
python3 dev.py test [...]     passes the tests; what follows goes to pytest
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
CACHE = ROOT / ".cache" / "uv"
MEMORY = Path("/dev/shm")  # noqa: S108  the tests make folders of their own in it
PLENTY = 8e9  # bytes; they need 3e9
NEXT = ("run mlops models", "run mlops runs", "run poe report")
LIFECYCLE = ("check", "pipeline", "promote", "batch", "monitor", "report")


def main(arguments: list[str]) -> int:
    """Run one of the two commands; returns its exit code."""
    command, *rest = arguments or [""]
    try:
        if command == "test":
            in_memory()
            # Three for two cores: one of them always waits for a process, a server or the index.
            spread = ["--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
            run([find_uv(), "run", "pytest", *spread, *rest], ROOT)
        elif command == "try" and len(rest) <= 1:
            lifecycle(Path(rest[0] if rest else tempfile.mkdtemp(prefix="try-")).resolve())
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


def lifecycle(folder: Path) -> None:
    """Render the template as it is here, with its defaults, and live in the project."""
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty. Name a new folder.", file=sys.stderr)
        sys.exit(2)
    uv = find_uv()
    typed = shlex.quote(uv) if CACHE in Path(uv).parents else "uv"
    answer = "project_name=Credit Risk"
    template = ["--defaults", "--quiet", "--vcs-ref", "HEAD", "--data", answer, str(ROOT)]
    run([uv, "run", "copier", "copy", *template, str(folder)], ROOT)
    run([uv, "sync", "--quiet", "--compile-bytecode"], folder)
    run(["git", "init", "--quiet", "--initial-branch", "main"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Start Credit Risk"], folder)
    for task in LIFECYCLE:
        run([uv, "run", "poe", "--quiet", task], folder)
    print("\nThe project is ready. Look around in it:\n")
    for command in (f"cd {shlex.quote(str(folder))}", *(f"{typed} {words}" for words in NEXT)):
        print(f"    {command}")


def in_memory() -> None:
    """Let scratch files be kept in memory, where Linux has plenty of it.

    Tests make and remove half a million files, and some disks take 0.8 ms for each after that.
    """
    writable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if writable and shutil.disk_usage(MEMORY).free > PLENTY:
        os.environ.setdefault("TMPDIR", str(MEMORY))


def find_uv() -> str:
    """Path of uv; where there is none, it is installed below .cache/."""
    found = shutil.which("uv")
    if found:
        return found
    commands = CACHE / ("Scripts" if os.name == "nt" else "bin")
    if not shutil.which("uv", path=str(commands)):
        run([sys.executable, "-m", "venv", str(CACHE)], ROOT)
        run([str(commands / "python"), "-m", "pip", "install", "--quiet", "uv"], ROOT)
    os.environ["PATH"] = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return str(commands / "uv")


def run(command: list[str], folder: Path) -> None:
    """Run a command and show it; what the caller's environment would change is left out."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}  # without byte code, imports are slow
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    for role in ("AUTHOR", "COMMITTER"):  # a machine may know no git identity
        environment.setdefault(f"GIT_{role}_NAME", "Try")
        environment.setdefault(f"GIT_{role}_EMAIL", "try@example.com")
    print(f"$ {' '.join(command)}", flush=True)
    subprocess.run(command, cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
