"""Microsoft's own package reads each file, as `az ml` will. The only module that knows it.

Pinned in the group `azure`: the functions that load schedules and batch deployments of models lie
in a module of theirs that is not public.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.specs.nodes import Fault, Node
from mlops_platform.specs.project import Spec

LOADERS = {
    "pipelineJob": "load_job",
    "commandJob": "load_job",
    "sweepJob": "load_job",
    "sparkJob": "load_job",
    "autoMLJob": "load_job",
    "pipelineComponent": "load_component",
    "commandComponent": "load_component",
    "parallelComponent": "load_component",
    "sparkComponent": "load_component",
    "autoMLComponent": "load_component",
    "environment": "load_environment",
    "data": "load_data",
    "model": "load_model",
    "amlCompute": "load_compute",
    "computeInstance": "load_compute",
    "azureBlob": "load_datastore",
    "azureFile": "load_datastore",
    "azureDataLakeGen2": "load_datastore",
    "managedOnlineEndpoint": "load_online_endpoint",
    "kubernetesOnlineEndpoint": "load_online_endpoint",
    "managedOnlineDeployment": "load_online_deployment",
    "kubernetesOnlineDeployment": "load_online_deployment",
    "batchEndpoint": "load_batch_endpoint",
    "batchDeployment": "load_batch_deployment",
    "modelBatchDeployment": "load_model_batch_deployment",
    "pipelineComponentBatchDeployment": "load_pipeline_component_batch_deployment",
    "schedule": "load_schedule",
    "monitorSchedule": "load_schedule",
    "workspace": "load_workspace",
    "registry": "load_registry",
    "featureSet": "load_feature_set",
    "featureStore": "load_feature_store",
    "featureStoreEntity": "load_feature_store_entity",
}
REFERENCE = re.compile(r"https://aka\.ms/\S+?(?=[.\s\\]|$)")
LONGEST = 300


def is_there() -> bool:
    """Whether the package can be imported."""
    try:
        return importlib.util.find_spec("azure.ai.ml") is not None
    except ModuleNotFoundError:
        return False


def must_be_there(root: Path) -> None:
    """Say so where the project wants the package and does not have it.

    Raises:
        UsageError: `azure` is one of the default groups, and was not installed.
    """
    path = root / "pyproject.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    groups = content.get("tool", {}).get("uv", {}).get("default-groups", [])
    if "azure" in groups and not is_there():
        raise UsageError(
            "azure-ai-ml cannot be imported, and pyproject.toml, field `tool.uv.default-groups`, "
            "wants it. Run `uv sync`."
        )


def faults(specs: Iterable[Spec]) -> Iterator[Fault]:
    """What the package refuses or warns of, in silence but for that, and without a connection."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            functions = importlib.import_module("azure.ai.ml.entities._load_functions")
            for spec in specs:
                if spec.kind.name in LOADERS:
                    yield from _of(spec, getattr(functions, LOADERS[spec.kind.name]))
    finally:
        logging.disable(level)


def _of(spec: Spec, load: Any) -> Iterator[Fault]:
    try:
        entity = load(str(spec.path))
        # Of monitors it raises an empty NotImplementedError, also when they are right. What
        # deployments return is None: theirs raises.
        validate = getattr(entity, "_validate", None)
        result = validate() if validate and spec.kind.name != "monitorSchedule" else None
    except NotImplementedError as error:  # of a monitor: the reason is what was raised before
        yield from _told(spec, error.__context__ or error)
        return
    except Exception as error:  # it raises whatever its libraries raise
        yield from _told(spec, error)
        return
    if result is not None:
        for field, says in result.error_messages.items():
            yield _fault(spec, field, says)
        for diagnostic in result._warnings:  # the package itself only logs them
            yield _fault(spec, diagnostic.yaml_path, diagnostic.message)


def _told(spec: Spec, error: BaseException) -> Iterator[Fault]:
    text = str(error) or type(error).__name__
    reference = REFERENCE.search(text)
    for field, says in _messages(text, getattr(error, "messages", None)):
        yield _fault(spec, field, says, reference[0] if reference else "")


def _messages(text: str, messages: Any = None) -> Iterator[tuple[str, str]]:
    """Field and reason, from one of the ways in which the package says it."""
    if isinstance(messages, dict):
        yield from _flat(messages)
        return
    start = text.find("{\n")
    if start < 0:
        yield "", text
        return
    content, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    for found in content.get("errors", []):
        path = "" if found["path"] in ("*", None) else found["path"]
        inner = list(_messages(found["message"]))
        yield from ((".".join(filter(None, (path, field))), says) for field, says in inner)
    if "errors" not in content:
        yield from _flat(content)


def _flat(content: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for name, below in content.items():
            here = field if name == "_schema" else ".".join(filter(None, (field, str(name))))
            yield from _flat(below, here)
    elif isinstance(content, list) and any(isinstance(item, dict) for item in content):
        # One item for each thing that could stand here; those of another `type` are not meant.
        meant = [item for item in content if not (isinstance(item, dict) and "type" in item)]
        leaves = [says for item in meant or content for _, says in _flat(item)]
        yield field, " Or: ".join(dict.fromkeys(leaves))
    elif isinstance(content, list):
        yield field, " ".join(map(str, content))
    else:
        yield field, str(content)


def _fault(spec: Spec, field: str, says: str, reference: str = "") -> Fault:
    node: Node = spec.tree
    for name in filter(None, field.split(".")):
        below = node.get(name)
        if below is None:
            # It says `value` below a name that it found wrong.
            field = node.field if name == "value" else field
            break
        node = below
    short = " ".join(says.split()).rstrip(".")
    short = short if len(short) <= LONGEST else f"{short[:LONGEST]} ..."
    where = f", {reference}" if reference else ""
    return Fault(
        spec.path,
        node.line,
        field or _named(spec, says),
        f"azure-ai-ml refuses it: {short}; write what its reference asks for{where}",
    )


def _named(spec: Spec, says: str) -> str:
    """The field whose value the reason quotes."""
    for node in spec.tree.walk():
        value = node.value if isinstance(node.value, str) else ""
        if len(value) > 2 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", says):
            return node.field
    return "(whole file)"
