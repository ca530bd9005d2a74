"""Licences of the installed packages, as SPDX writes them, from what each package says of itself.

Never guessed: first the package's `License-Expression`; then its older `License`, if that is an
SPDX expression or a name of exactly one licence; then its classifier, if that names exactly one;
then the text of its licence files, where it has the sentences of exactly one licence and no
classifier says otherwise. Else it is unknown, until a person writes what they looked up into
conf/reuse.yml.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlops_platform.core.errors import UsageError
from mlops_platform.settings.reuse import Licences, normalize

GROUPS = ("team",)  # of pyproject.toml: what the team's code imports
# Names that say which licence it is; a name such as "BSD License" does not.
NAMES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "gpl3": "GPL-3.0-only",
    "http://www.apache.org/licenses/license-2.0": "Apache-2.0",
    "isc license": "ISC",
    "mit license": "MIT",
    "new bsd license": "BSD-3-Clause",
    "the mit license": "MIT",
}
OSI = "License :: OSI Approved :: "
CLASSIFIERS = {
    f"{OSI}GNU Affero General Public License v3": "AGPL-3.0-only",
    f"{OSI}GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    f"{OSI}GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    f"{OSI}GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    f"{OSI}GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    f"{OSI}GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    f"{OSI}ISC License (ISCL)": "ISC",
    f"{OSI}MIT License": "MIT",
    f"{OSI}Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    f"{OSI}The Unlicense (Unlicense)": "Unlicense",
}
FAMILIES = {  # what a classifier leaves open, and its licence file may decide
    f"{OSI}Apache Software License": {"Apache-2.0"},
    f"{OSI}BSD License": {"BSD-2-Clause", "BSD-3-Clause"},
}
GRANT = "permission is hereby granted, free of charge"
REDISTRIBUTION = "redistributions of source code must retain"
ENDORSEMENT = "may be used to endorse or promote products"
TEXTS: dict[str, Callable[[str], bool]] = {
    "Apache-2.0": lambda text: "apache license version 2.0, january 2004" in text,
    "BSD-2-Clause": lambda text: REDISTRIBUTION in text and ENDORSEMENT not in text,
    "BSD-3-Clause": lambda text: REDISTRIBUTION in text and ENDORSEMENT in text,
    "MIT": lambda text: GRANT in text and "copies of the software" in text,
    "another": lambda text: any(
        name in text for name in ("gnu ", "mozilla public", "python software foundation license")
    ),
}
LONGEST = 20_000  # letters of a licence file; a longer one holds the licences of other packages


@dataclass(frozen=True)
class Package:
    """An installed package; `licence` is None if unknown, `said` is what the package says then."""

    name: str
    version: str
    licence: str | None
    said: str = ""


@dataclass(frozen=True)
class Found:
    """All packages, those that are refused, and the names of those that are not installed here."""

    packages: list[Package]
    refused: list[Package]
    absent: list[str]

    @property
    def unknown(self) -> list[Package]:
        """Packages of which nothing can be said."""
        return [package for package in self.packages if package.licence is None]


def look(root: Path, settings: Licences, *, everything: bool) -> Found:
    """Look at the packages that the project delivers, or at all that are installed.

    Raises:
        UsageError: pyproject.toml cannot be read.
    """
    known = {str(canonicalize_name(name)): text for name, text in settings.known.items()}
    installed = {
        str(canonicalize_name(name)): each
        for each in importlib.metadata.distributions()
        if (name := each.metadata["Name"])
    }
    own, needed = _needed(root, installed)
    names = set(installed) - {own} if everything else needed & set(installed)
    packages = [_read(installed[name], known.get(name)) for name in sorted(names)]
    refused = [each for each in packages if each.licence and is_denied(each.licence, settings.deny)]
    return Found(packages, refused, sorted(needed - set(installed)))


def by_licence(packages: Iterable[Package]) -> dict[str, list[str]]:
    """The names of packages by their licence, where that is known."""
    found: dict[str, list[str]] = {}
    for package in packages:
        if package.licence is not None:
            found.setdefault(package.licence, []).append(package.name)
    return dict(sorted(found.items()))


def is_denied(expression: str, deny: Iterable[str]) -> bool:
    """Whether no allowed choice is left: one denied part of an AND, all choices of an OR.

    A licence with an exception, such as `GPL-2.0-only WITH Classpath-exception-2.0`, is denied by
    a pattern with WITH only: the exception is there to allow use.
    """
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    return _any_of(words, list(deny))


def _any_of(words: list[str], deny: list[str]) -> bool:
    denied = _all_of(words, deny)
    while words and words[0] == "OR":
        words.pop(0)
        denied = _all_of(words, deny) and denied
    return denied


def _all_of(words: list[str], deny: list[str]) -> bool:
    denied = _one(words, deny)
    while words and words[0] == "AND":
        words.pop(0)
        denied = _one(words, deny) or denied
    return denied


def _one(words: list[str], deny: list[str]) -> bool:
    word = words.pop(0)
    if word == "(":
        denied = _any_of(words, deny)
        words.pop(0)
        return denied
    exception = ""
    if words and words[0] == "WITH":
        exception = f" WITH {words[1]}"
        del words[:2]
    return any(
        fnmatchcase(word + exception, pattern) and (" WITH " in pattern) == bool(exception)
        for pattern in deny
    )


def _needed(
    root: Path, installed: Mapping[str, importlib.metadata.Distribution]
) -> tuple[str, set[str]]:
    """The project's own name, and what it needs, with what that needs, where it is installed."""
    content = _pyproject(root)
    project, groups = content.get("project", {}), content.get("dependency-groups", {})
    lines = [*project.get("dependencies", [])]
    lines += [line for name in GROUPS for line in groups.get(name, []) if isinstance(line, str)]
    queue = [Requirement(line) for line in lines]
    seen: set[tuple[str, str]] = set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        extras = ["", *requirement.extras]
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        for extra in extras:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            if name in installed:
                queue += _requirements(installed[name], extra)
    return canonicalize_name(str(project.get("name", ""))), {name for name, _ in seen}


def _requirements(package: importlib.metadata.Distribution, extra: str) -> Iterator[Requirement]:
    for line in package.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            requirement.marker = None  # it holds, with the extra that asks for it
            yield requirement


def _pyproject(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}). Run the command in the project's folder."
        ) from None


def _read(package: importlib.metadata.Distribution, known: str | None) -> Package:
    name, version = package.metadata["Name"], package.version
    licence = known or _stated(package) or _classified(package)
    return Package(name, version, licence, "" if licence else _said(package))


def _stated(package: importlib.metadata.Distribution) -> str | None:
    """What `License-Expression` or `License` says, if that is exactly one licence."""
    for field in ("License-Expression", "License"):
        text = _first(package, field)
        if text.casefold() in NAMES:
            return NAMES[text.casefold()]
        if text and len(text) < 200 and "\n" not in text:
            try:
                return normalize(text)
            except ValueError:
                continue
    return None


def _classified(package: importlib.metadata.Distribution) -> str | None:
    """What the one classifier names, or the licence files where it leaves that open."""
    found = {each for each in package.metadata.get_all("Classifier") or [] if each.startswith(OSI)}
    if len(found) > 1:  # both, or a choice
        return None
    classifier = next(iter(found), "")
    if classifier in CLASSIFIERS:
        return CLASSIFIERS[classifier]
    written = _written(package)
    return written if not classifier or written in FAMILIES.get(classifier, set()) else None


def _written(package: importlib.metadata.Distribution) -> str | None:
    """The licence whose sentences the licence files have, if it is exactly one."""
    found: set[str] = set()
    for file in package.files or []:
        if ".dist-info/" not in file.as_posix() or not file.name.upper().startswith(
            ("LICENSE", "LICENCE", "COPYING")
        ):
            continue
        try:
            text = " ".join(file.read_text(encoding="utf-8").casefold().split())
        except (OSError, UnicodeDecodeError):
            return None  # it may say anything
        if len(text) > LONGEST:
            return None
        found |= {name for name, has in TEXTS.items() if has(text)}
    return found.pop() if len(found) == 1 and found != {"another"} else None


def _said(package: importlib.metadata.Distribution) -> str:
    first = _first(package, "License").split("\n")[0][:60]
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in package.metadata.get_all("Classifier") or []
        if each.startswith("License :: ")
    ]
    said = [first] if first not in ("", "UNKNOWN") else []
    return "; ".join(dict.fromkeys([*said, *classifiers]))


def _first(package: importlib.metadata.Distribution, field: str) -> str:
    return next((text.strip() for text in package.metadata.get_all(field) or []), "")
