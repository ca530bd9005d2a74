"""Signs a model's folder and verifies it, with the command line of OpenSSF model signing.

It runs in an environment of its own, as it brings 35 packages that no project needs to train. It
works offline: no transparency log, no account, only a pair of keys (EC, PEM).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from mlops_platform.core import programs
from mlops_platform.core.errors import GateError, UsageError

PRIVATE_KEY = "MLOPS_SIGNING_KEY"  # the variable with the path of the private key
MADE = "docs/azure.md shows how a pair of keys is made"
TESTED = "2026-11-20T00:00:00Z"  # newer packages than these were not tried
TOOL = (
    *("uv", "tool", "run", "--quiet", "--exclude-newer", TESTED),
    *("--with", "pyopenssl==26.4.0"),  # 1.1.1 imports it, and does not require it
    *("--from", "model-signing==1.1.1", "model_signing"),
)
# By default, files such as `.git/x` in a model's folder would be neither signed nor noticed.
ALL_FILES = "--no-ignore-git-paths"
REFUSED = "Verification failed with error: "


def read_public_key(path: Path) -> str:
    """The text of a public key's file, without line ends, which differ between checkouts.

    Raises:
        UsageError: there is no such file, or it is not a public key in PEM.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"conf/project.yml, field `signing_key`: {path} cannot be read. {MADE}; commit the "
            "public one there."
        ) from None
    if "PRIVATE KEY" in text:
        raise UsageError(
            f"{path} holds a private key. Remove it, and use another pair from now on: {MADE}."
        )
    if "-----BEGIN PUBLIC KEY-----" not in text:
        raise UsageError(f"{path} is no public key in PEM. {MADE}.")
    return "".join(text.split())


def fingerprint(public_key: Path) -> str:
    """The first 12 characters of the SHA-256 of a public key: they name its signatures."""
    return hashlib.sha256(read_public_key(public_key).encode()).hexdigest()[:12]


def sign(folder: Path) -> str:
    """Sign all files of a folder with the private key that `MLOPS_SIGNING_KEY` names.

    Returns:
        The signature: a Sigstore bundle in JSON.

    Raises:
        UsageError: there is no such key, or it cannot sign.
    """
    name = os.environ.get(PRIVATE_KEY, "")
    if not name or not Path(name).is_file():
        state = "names no file" if name else "is not set"
        raise UsageError(
            f"{PRIVATE_KEY} {state}: conf/project.yml names a `signing_key`, so a version is "
            f"signed before it is shared. Set it to the path of the private key; {MADE}."
        )
    with tempfile.TemporaryDirectory() as scratch:
        signature = Path(scratch) / "model.sig"
        code, said = _run("sign", folder, signature, "--private_key", name)
        if code != 0 or not signature.is_file():
            raise UsageError(
                f"the key of {PRIVATE_KEY} cannot sign: {said.replace(name, PRIVATE_KEY)}\n"
                f"It must be an EC key in PEM without a password: {MADE}. The tool itself comes "
                "from the package index."
            )
        return signature.read_text(encoding="utf-8")


def verify(number: str, folder: Path, signature: str, public_key: Path, next_step: str) -> None:
    """Check that a version's folder holds the files that were signed, and no others.

    Raises:
        GateError: a file was changed, added or removed, or another key signed; with the next step.
        UsageError: the tool could not be run, or the public key is none.
    """
    read_public_key(public_key)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.sig"
        path.write_text(signature, encoding="utf-8", newline="\n")
        code, said = _run("verify", folder, path, "--public_key", str(public_key))
    if code == 0:
        return
    if REFUSED not in said:
        raise UsageError(
            f"the signature of version {number} cannot be verified: {said}\nThe tool comes from "
            "the package index; try again when it can be reached."
        )
    reason = said.partition(REFUSED)[2]
    raise GateError(
        f"version {number}: its signature does not fit its model and {public_key}: {reason}. "
        f"{next_step}"
    )


def _run(verb: str, folder: Path, signature: Path, *key: str) -> tuple[int, str]:
    command = [*TOOL, verb, "key", *key, ALL_FILES, "--signature", str(signature), str(folder)]
    process = programs.run(command, Path.cwd())
    return process.returncode, f"{process.stdout}{process.stderr}".strip()
