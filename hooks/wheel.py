"""Builds the platform package's wheel into the template: `uv run python -m hooks wheel`.

The wheel has the same bytes on every machine. `uv_build` gives the same files whatever the
machine's clock and umask; here the archive is written again without compression, so that git stores
only the differences between two versions.
"""

import argparse
import io
import shutil
import subprocess
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mlops_platform.core.files import atomic_file

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "package"
VENDOR = ROOT / "template" / "[% if vendored %]vendor[% endif %]"
ADVICE = "Run `uv run python -m hooks wheel`."
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip file


def version() -> str:
    """The version of the package in this repository."""
    content = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    return str(content["project"]["version"])


def name() -> str:
    """The wheel's file name."""
    return f"mlops_platform-{version()}-py3-none-any.whl"


def build() -> bytes:
    """Build the wheel from `package/` on disk.

    Raises:
        subprocess.CalledProcessError: uv cannot build it; uv has printed the reason.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "package", Path(scratch) / "out"
        ignored = shutil.ignore_patterns("__pycache__", "tests")
        shutil.copytree(PACKAGE, source, ignore=ignored)  # a build writes into its source folder
        command = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(out), str(source)]
        subprocess.run(command, cwd=ROOT, check=True)
        return stored((out / name()).read_bytes())


def stored(wheel: bytes) -> bytes:
    """The same files in the same order, without compression, times and file modes."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(wheel)) as before,
        zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as after,
    ):
        for entry in before.infolist():
            plain = zipfile.ZipInfo(entry.filename, EPOCH)
            plain.create_system = 3  # Unix, whatever the machine
            plain.external_attr = 0o100644 << 16
            after.writestr(plain, before.read(entry))
    return written.getvalue()


def problem() -> str:
    """What is wrong with the wheel in the template; empty if `package/` gives its bytes."""
    present = sorted(path.name for path in VENDOR.glob("*.whl"))
    if present != [name()]:
        return f"{VENDOR.relative_to(ROOT).as_posix()}: holds {present}, not {name()}. {ADVICE}"
    if (VENDOR / name()).read_bytes() != build():
        return f"{name()}: is not what package/ gives. {ADVICE}"
    return ""


def write() -> Path:
    """Replace the wheel in the template; returns its path."""
    wheel = build()
    path = VENDOR / name()
    with atomic_file(path) as scratch:
        scratch.write_bytes(wheel)
    for other in set(VENDOR.glob("*.whl")) - {path}:
        other.unlink()
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and write."""
    argparse.ArgumentParser(
        "python -m hooks wheel", description=(__doc__ or "").splitlines()[0]
    ).parse_args(arguments)
    print(f"wrote {write().relative_to(ROOT).as_posix()}")
    return 0
