"""Licences are what packages say: known, or said to be unknown; denied ones are refused."""

import importlib.metadata
from pathlib import Path

import pytest
import yaml
from mlops_platform import settings
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery import licences
from mlops_platform.settings import Licences

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this "
    "software, to deal in it. This notice shall be included in all copies of the Software.\n"
)
BSD = "Redistributions of source code must retain the above copyright notice.\n"
NAMES = "The names of its contributors may not be used to endorse\nor promote products.\n"
THREE = BSD + NAMES.replace("may not be used", "may be used")
APACHE = "Apache License\n   Version 2.0, January 2004\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Adds packages to an environment that has no others."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(
        importlib.metadata,
        "distributions",
        lambda: importlib.metadata.MetadataPathFinder.find_distributions(
            importlib.metadata.DistributionFinder.Context(path=[str(site)])
        ),
    )

    def add(name: str, *headers: str, text: str = "", needs: tuple[str, ...] = ()) -> None:
        folder = site / f"{name}-1.0.dist-info"
        folder.mkdir()
        required = [f"Requires-Dist: {line}" for line in needs]
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *headers, *required]
        (folder / "METADATA").write_text("\n".join(lines) + "\n")
        (folder / "LICENSE").write_text(text)
        (folder / "RECORD").write_text(f"{folder.name}/LICENSE,,\n{folder.name}/METADATA,,\n")

    return add


def look(root: Path, *, everything: bool = True, **fields: object) -> licences.Found:
    (root / "pyproject.toml").touch()
    return licences.look(root, Licences.model_validate(fields), everything=everything)


OSI = "Classifier: License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("headers", "text", "licence"),
    [
        (["License-Expression: mit or apache-2.0"], "", "MIT OR Apache-2.0"),
        (["License: BSD-3-Clause"], "", "BSD-3-Clause"),
        (["License: Apache 2.0", f"{OSI}Apache Software License"], "", "Apache-2.0"),
        ([f"{OSI}MIT License"], "", "MIT"),
        ([f"{OSI}GNU General Public License v3 (GPLv3)"], "", "GPL-3.0-only"),
        ([f"{OSI}Apache Software License"], APACHE, "Apache-2.0"),
        ([f"{OSI}BSD License"], THREE, "BSD-3-Clause"),
        ([f"{OSI}BSD License"], BSD, "BSD-2-Clause"),
        ([], MIT, "MIT"),
        # What is not clear is not guessed.
        ([f"{OSI}Apache Software License"], "", None),
        ([f"{OSI}BSD License"], MIT, None),
        ([f"{OSI}BSD License", f"{OSI}Apache Software License"], APACHE, None),
        ([f"{OSI}MIT License", f"{OSI}BSD License"], "", None),
        (["License: BSD"], "", None),
        (["License: see the file"], MIT + APACHE, None),
        ([], APACHE + "This file is under the GNU General Public License", None),
        ([], MIT + " " * 4 + "x" * licences.LONGEST, None),
        (["License: UNKNOWN"], "", None),
    ],
)
def test_a_licence_is_known_or_said_to_be_unknown(tmp_path, installed, headers, text, licence):
    installed("one", *headers, text=text)
    (package,) = look(tmp_path).packages
    assert package.licence == licence
    assert [each.name for each in look(tmp_path).unknown] == ["one"] * (licence is None)


def test_an_unknown_licence_shows_what_the_package_says(tmp_path, installed):
    installed("one", "License: BSD", f"{OSI}BSD License")
    assert look(tmp_path).unknown[0].said == "BSD; BSD License"
    assert look(tmp_path, known={"ONE": "BSD-3-Clause"}).packages[0].licence == "BSD-3-Clause"


@pytest.mark.parametrize(
    ("expression", "denied"),
    [
        ("GPL-3.0-only", True),
        ("LGPL-3.0-only", False),
        ("MIT AND GPL-2.0-or-later", True),
        ("MIT OR GPL-2.0-or-later", False),
        ("AGPL-3.0-only OR GPL-2.0-or-later", True),
        ("(MIT OR GPL-2.0-only) AND AGPL-3.0-only", True),
        ("(MIT OR GPL-2.0-only) AND (Apache-2.0 OR GPL-3.0-only)", False),
        ("MIT AND (GPL-2.0-only OR AGPL-3.0-only)", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MIT OR Apache-2.0 AND GPL-2.0-only", False),
    ],
)
def test_a_choice_suffices_and_a_part_does_not(expression, denied):
    assert licences.is_denied(expression, ["AGPL-*", "GPL-*"]) is denied


def test_an_exception_is_denied_by_its_name():
    deny = ["GPL-* WITH Classpath-*"]
    assert licences.is_denied("GPL-2.0-only WITH Classpath-exception-2.0", deny)
    assert not licences.is_denied("GPL-2.0-only", deny)


def test_what_is_delivered_is_looked_at_and_tools_only_when_asked(tmp_path, installed):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "Own_Model"\n'
        "dependencies = ['a[fast]', 'never; python_version < \"3\"']\n"
        '[dependency-groups]\ndev = ["tool"]\nteam = ["b", {include-group = "dev"}, "gone"]\n'
    )
    mit = "License-Expression: MIT"
    installed("own_model", mit)
    needs = ("under-a", 'speed; extra == "fast"', 'slow; extra == "slow"', "a")
    installed("a", mit, needs=needs)
    for name in ("under_a", "speed", "slow", "b", "never"):
        installed(name, mit)
    installed("tool", "License-Expression: GPL-3.0-only")
    found = look(tmp_path, everything=False, deny=["GPL-*"])
    assert {each.name for each in found.packages} == {"a", "under_a", "speed", "b"}
    assert (found.refused, found.absent) == ([], ["gone"])
    everything = look(tmp_path, deny=["GPL-*"])
    assert [each.name for each in everything.refused] == ["tool"]
    assert "own_model" not in {each.name for each in everything.packages}


def test_the_command_refuses_with_names(trained, mlops, installed):
    (trained.root / "pyproject.toml").write_text(
        '[project]\nname = "credit-risk"\ndependencies = ["bad", "odd"]\n'
    )
    installed("bad", "License-Expression: AGPL-3.0-only")
    installed("odd", "License: mine")
    code, printed, said = mlops(trained, "licences")
    assert code == 1
    assert "bad 1.0: AGPL-3.0-only is denied by conf/reuse.yml" in said
    assert printed.splitlines() == ["AGPL-3.0-only: bad", "unknown: odd 1.0; it says 'mine'"]
    trained.change("reuse.yml", licences={"deny": [], "known": {"odd": "MIT"}})
    code, printed, said = mlops(trained, "licences")
    assert (code, printed.splitlines()) == (0, ["AGPL-3.0-only: bad", "MIT: odd"])
    assert "nothing is denied" in said
    (trained.conf / "reuse.yml").unlink()
    assert mlops(trained, "licences", "--json")[0] == 0


def test_a_project_without_pyproject_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"pyproject\.toml: cannot be read"):
        licences.look(tmp_path, Licences(), everything=True)


LOOKED = {"kind": "open source", "what": "a library", "used": True, "why": "fits", "licence": "mit"}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"licence": None}, "what is used needs its `licence`"),
        ({"licence": "BSD"}, "is no SPDX expression"),
        ({"kind": "papers"}, "field `looked_at.0.kind`"),
        ({"what": ""}, "field `looked_at.0.what`"),
    ],
)
def test_what_was_looked_at_is_checked(tmp_path, entry, says):
    (tmp_path / "reuse.yml").write_text(yaml.safe_dump({"looked_at": [LOOKED | entry]}))
    with pytest.raises(UsageError, match=r"reuse\.yml") as refused:
        settings.load_reuse(tmp_path)
    assert says in str(refused.value)


def test_a_licence_is_written_as_spdx_writes_it(tmp_path):
    content = {"looked_at": [LOOKED, LOOKED | {"licence": "internal"}]}
    (tmp_path / "reuse.yml").write_text(yaml.safe_dump(content))
    found = settings.load_reuse(tmp_path)
    assert found and [each.licence for each in found.looked_at] == ["MIT", "internal"]
