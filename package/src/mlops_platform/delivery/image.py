"""The folder from which an image of the endpoint is built: one version of the model, and its code.

The image needs no cloud and no registry: packages are those of uv.lock, and the model is inside.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import atomic_folder
from mlops_platform.core.paths import project_root
from mlops_platform.delivery import requirements
from mlops_platform.serving import store

GROUPS = ("team",)
FOLDER = Path("outputs") / "image"


def write(conf: Path, version: str) -> tuple[Path, str]:
    """Write the folder, whole or not at all; returns it and the image's name and tag.

    Raises:
        UsageError: no Dockerfile, no such version, or packages that cannot be exported.
    """
    root = project_root(conf)
    dockerfile = root / "src" / "Dockerfile"
    if not dockerfile.is_file():
        raise UsageError(f"{dockerfile}: does not exist. Projects with an online endpoint have it.")
    model = store.fetch(conf, version)
    target = root / FOLDER
    no_cache = shutil.ignore_patterns("__pycache__")
    with atomic_folder(target) as scratch:
        requirements.export(root, scratch, GROUPS)
        shutil.copyfile(dockerfile, scratch / "Dockerfile")
        for name in ("conf", "src"):
            shutil.copytree(root / name, scratch / name, ignore=no_cache)
        shutil.copytree(model.folder, scratch / "model" / model.name / model.version)
    return target, f"{model.name}:{model.version}"
