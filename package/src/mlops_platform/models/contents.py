"""What a model's folder holds, judged by the content of its files and not by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import read_yaml
from mlops_platform.models import artifact, libraries, trust
from mlops_platform.models.team import Team

MODEL = "model.skops"
MLFLOW = "MLmodel"
# Besides the model. Nothing loads another file of the folder, so none has a place there.
TEXTS = {
    MLFLOW,
    "conda.yaml",
    "contract.yml",
    "model.json",
    "python_env.yaml",
    "reference.json",
    "requirements.txt",
}
# What MLflow does with the folder. Another format, file or loader could run code.
LOADED_BY_MLFLOW: dict[str, dict[str, str | None]] = {
    "sklearn": {"serialization_format": "skops", "pickled_model": MODEL, "code": None},
    "python_function": {"loader_module": "mlflow.sklearn", "model_path": MODEL},
}


def find_unsafe(folder: Path, team: Team) -> list[str]:
    """What could run code when somebody loads the model: each as its file, and what is wrong.

    That is a type or function in the model's file that is not trusted, a file that a saved model
    does not have or that is not text, and an MLmodel that lets MLflow load something else.
    """
    found = []
    for path in sorted(each for each in folder.rglob("*") if not each.is_dir()):
        name = path.relative_to(folder).as_posix()
        if name == MODEL:
            found += [f"{name}: holds {each}" for each in _untrusted(path, team)]
        elif name not in TEXTS:
            found.append(f"{name}: is not a file of a saved model")
        elif not _is_text(path):
            found.append(f"{name}: is not text")
        elif name == MLFLOW:
            found += [f"{name}: {each}" for each in _other_loading(path, team)]
    return found


def _untrusted(path: Path, team: Team) -> list[str]:
    try:
        names = artifact.types_in(path)
    except UsageError:
        return ["no model of skops"]
    try:
        libraries.require_own_format(path, trust.of_libraries(names, team))
    except UsageError as error:
        return [str(error)]
    return trust.find_untrusted(names, team)


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False


def _other_loading(path: Path, team: Team) -> Iterator[str]:
    try:
        flavors = read_yaml(path).get("flavors")
    except UsageError:
        flavors = None
    if not isinstance(flavors, dict) or set(flavors) != set(LOADED_BY_MLFLOW):
        yield f"`flavors` are not {' and '.join(sorted(LOADED_BY_MLFLOW))}"
        return
    for flavor, expected in LOADED_BY_MLFLOW.items():
        for key, value in expected.items():
            if flavors[flavor].get(key) != value:
                yield f"`{key}` of {flavor} is {flavors[flavor].get(key)}, not {value}"
    trusted = flavors["sklearn"].get("skops_trusted_types") or []
    yield from (f"trusts {name}" for name in trust.find_untrusted(trusted, team))
