"""Signatures of shared versions, where conf/project.yml names a `signing_key`.

A signature travels as a model asset of its own in the registry, with the version's number: a
version's files cannot change once they are shared. Its name has the key's fingerprint, so that
after a change of the key a version can be signed again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from mlops_platform.azure.target import Target, command_hint
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import signing

FILE = "model.sig"


class Signatures:
    """The signatures that one key made for the project's versions."""

    def __init__(self, target: Target, key: str) -> None:
        self.target = target
        self.key = Path(key)
        self.name = f"{target.name}-signature-{signing.fingerprint(self.key)}"
        self.place = f"registry {target.cloud.registry}"

    def make(self, number: str, folder: Path) -> str:
        """Return a version's signature: the one in the registry, else a new one.

        Raises:
            GateError: it does not fit the model, or the public key.
            UsageError: there is no private key that can sign.
        """
        existing = self._find(number)
        signature = signing.sign(folder) if existing is None else existing
        signing.verify(
            number,
            folder,
            signature,
            self.key,
            f"Sign with the private key of this public one: {signing.PRIVATE_KEY}."
            if existing is None
            else f"Find out who put {self.name} into the {self.place}, and train again.",
        )
        return signature

    def put(self, number: str, signature: str) -> None:
        """Put a version's signature into the registry, unless it is there."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / FILE
            path.write_text(signature, encoding="utf-8", newline="\n")
            self.target.az.ensure(
                f"signature of version {number} in the {self.place}",
                lambda: self._is_there(number),
                *("model", "create", *self._options(number), "--type", "custom_model"),
                *("--path", str(path), *self.target.az.registry),
            )

    def require(self, number: str, folder: Path) -> None:
        """Check that a version in the registry is signed, and that its model is what was signed.

        Raises:
            GateError: it is not signed, or the signature is of another key or other files.
        """
        signature = self._find(number)
        if signature is None:
            raise GateError(
                f"version {number} in the {self.place} is not signed with the key of {self.key}. "
                f"Share it again, with {signing.PRIVATE_KEY}: "
                f"{command_hint(f'share {number}', 'dev')}."
            )
        next_step = f"Find out who changed it in the {self.place}, and train again."
        signing.verify(number, folder, signature, self.key, next_step)

    def _find(self, number: str) -> str | None:
        if not self._is_there(number):
            return None
        with tempfile.TemporaryDirectory() as scratch:
            self.target.az.download(
                *("model", "download", *self._options(number), "--download-path", scratch),
                *self.target.az.registry,
            )
            files = [path for path in Path(scratch).rglob(FILE) if path.is_file()]
            if len(files) != 1:
                raise UsageError(
                    f"{self.name} {number} in the {self.place} has {len(files)} files {FILE}, "
                    "expected one. Look at it in Azure."
                )
            return files[0].read_text(encoding="utf-8", errors="replace")

    def _is_there(self, number: str) -> bool:
        found = self.target.az.read(
            "model", "show", *self._options(number), *self.target.az.registry
        )
        return found is not None

    def _options(self, number: str) -> tuple[str, ...]:
        return ("--name", self.name, "--version", number)


def load(target: Target) -> Signatures | None:
    """The signatures of the project's key; None if it has none."""
    key = target.project.signing_key
    return None if key is None else Signatures(target, key)


def checker(target: Target, number: str) -> Callable[[Path], None] | None:
    """What checks a model's folder in the environments that use the registry; None without key."""
    signatures = load(target) if target.environment != "dev" else None
    return None if signatures is None else lambda folder: signatures.require(number, folder)
