"""The version of the images follows what they hold: the lock, and an ejected platform package."""

from pathlib import Path

import pytest
from mlops_platform.azure.environments import lock_version
from mlops_platform.core.errors import UsageError
from mlops_platform.delivery.platform_wheel import EJECTED


def test_the_version_follows_the_lock_and_the_ejected_code(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        lock_version(tmp_path)
    (tmp_path / "uv.lock").write_text("one")
    versions = [lock_version(tmp_path)]
    assert len(versions[0]) == 12
    (tmp_path / "uv.lock").write_text("two")
    versions.append(lock_version(tmp_path))
    module = tmp_path / EJECTED / "src" / "module.py"
    module.parent.mkdir(parents=True)
    for text in ("x = 1\n", "x = 2\n"):
        module.write_text(text)
        versions.append(lock_version(tmp_path))
    assert len(set(versions)) == 4
    assert lock_version(tmp_path) == versions[-1]
