"""Builds the platform package's wheel, the same bytes on every machine.

`uv_build` gives the same files whatever the machine's clock and umask; here the archive is written
again without compression, so that git keeps only what differs between two versions.
"""

import io
import shutil
import subprocess
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "package"
VENDOR = ROOT / "template" / "[% if vendored %]vendor[% endif %]"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day that a zip file can hold


def version() -> str:
    """The version of the package in this repository."""
    content = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    return str(content["project"]["version"])


def name() -> str:
    """The wheel's file name."""
    return f"mlops_platform-{version()}-py3-none-any.whl"


def build() -> bytes:
    """Build the wheel from `package/` as it is on disk.

    Raises:
        subprocess.CalledProcessError: uv cannot build it; uv has said why.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "package", Path(scratch) / "out"
        ignored = shutil.ignore_patterns("__pycache__", "tests")
        shutil.copytree(PACKAGE, source, ignore=ignored)  # a build writes beside its source
        command = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(out), str(source)]
        subprocess.run(command, cwd=ROOT, check=True)
        return stored((out / name()).read_bytes())


def stored(wheel: bytes) -> bytes:
    """The same files in the same order, without compression, times and the machine's modes."""
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


def write() -> Path:
    """Put the wheel into the template, in place of the one before; returns its path."""
    wheel = build()
    for old in VENDOR.glob("*.whl"):
        old.unlink()
    path = VENDOR / name()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wheel)
    return path


if __name__ == "__main__":
    print(f"wrote {write().relative_to(ROOT)}")
