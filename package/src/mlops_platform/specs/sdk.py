"""Validates each file with Microsoft's package azure-ai-ml, as `az ml` will; no other module does.

The package is pinned in the group `azure`: its functions for schedules and batch deployments of
models are in a module that is not public.
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
from mlops_platform.schemas.nodes import Node, Problem
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
    "azureDataLakeGen1": "load_datastore",
    "kubernetesCompute": "load_compute",
    "vmCompute": "load_compute",
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
MAX_LENGTH = 300


def is_installed() -> bool:
    """Whether the package can be imported."""
    try:
        return importlib.util.find_spec("azure.ai.ml") is not None
    except ModuleNotFoundError:
        return False


def require_installed(root: Path) -> None:
    """Check that the package is installed if the project requires it.

    Raises:
        UsageError: `azure` is one of the default groups, but is not installed.
    """
    path = root / "pyproject.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    groups = content.get("tool", {}).get("uv", {}).get("default-groups", [])
    if "azure" in groups and not is_installed():
        raise UsageError(
            "azure-ai-ml cannot be imported, and pyproject.toml, field `tool.uv.default-groups`, "
            "requires it. Run `uv sync`."
        )


def validate(specs: Iterable[Spec]) -> Iterator[Problem]:
    """Find the errors and warnings of the package, without its logs and a connection."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            functions = importlib.import_module("azure.ai.ml.entities._load_functions")
            for spec in specs:
                if spec.kind.name in LOADERS:
                    yield from _validate_spec(spec, getattr(functions, LOADERS[spec.kind.name]))
    finally:
        logging.disable(level)


def _validate_spec(spec: Spec, load: Any) -> Iterator[Problem]:
    try:
        entity = load(str(spec.path))
        # For monitors it raises an empty NotImplementedError, also if they are valid. For
        # deployments it returns None, or raises.
        validate = getattr(entity, "_validate", None)
        result = validate() if validate and spec.kind.name != "monitorSchedule" else None
    except NotImplementedError as error:  # of a monitor: the cause is the exception before it
        yield from _convert_error(spec, error.__context__ or error)
        return
    except Exception as error:  # any exception of its libraries
        yield from _convert_error(spec, error)
        return
    if result is not None:
        for field, message in result.error_messages.items():
            yield _fault(spec, field, message)
        for diagnostic in result._warnings:  # the package itself only logs them
            yield _fault(spec, diagnostic.yaml_path, diagnostic.message)


def _convert_error(spec: Spec, error: BaseException) -> Iterator[Problem]:
    text = str(error) or type(error).__name__
    reference = REFERENCE.search(text)
    for field, message in _parse_messages(text, getattr(error, "messages", None)):
        yield _fault(spec, field, message, reference[0] if reference else "")


def _parse_messages(text: str, messages: Any = None) -> Iterator[tuple[str, str]]:
    """Parse field and reason from one of the formats of the package."""
    if isinstance(messages, dict):
        yield from _flatten(messages)
        return
    start = text.find("{\n")
    if start < 0:
        yield "", text
        return
    content, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    for entry in content.get("errors", []):
        path = "" if entry["path"] in ("*", None) else entry["path"]
        inner = list(_parse_messages(entry["message"]))
        yield from ((".".join(filter(None, (path, field))), message) for field, message in inner)
    if "errors" not in content:
        yield from _flatten(content)


def _flatten(content: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for name, child in content.items():
            path = field if name == "_schema" else ".".join(filter(None, (field, str(name))))
            yield from _flatten(child, path)
    elif isinstance(content, list) and any(isinstance(item, dict) for item in content):
        # One item for each alternative; those about another `type` do not apply.
        candidates = [item for item in content if not (isinstance(item, dict) and "type" in item)]
        leaves = [message for item in candidates or content for _, message in _flatten(item)]
        yield field, " Or: ".join(dict.fromkeys(leaves))
    elif isinstance(content, list):
        yield field, " ".join(map(str, content))
    else:
        yield field, str(content)


def _fault(spec: Spec, field: str, message: str, reference: str = "") -> Problem:
    node: Node = spec.tree
    for name in filter(None, field.split(".")):
        child = node.get(name)
        if child is None:
            # It reports `value` below an invalid name.
            field = node.field if name == "value" else field
            break
        node = child
    text = " ".join(message.split()).rstrip(".")
    text = text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]} ..."
    suffix = f", {reference}" if reference else ""
    return Problem(
        spec.path,
        node.line,
        field or _find_quoted_field(spec, message),
        f"azure-ai-ml rejects it: {text}; see its reference{suffix}",
    )


def _find_quoted_field(spec: Spec, message: str) -> str:
    """Find the field whose value the reason quotes."""
    for node in spec.tree.walk():
        value = node.value if isinstance(node.value, str) else ""
        if len(value) > 2 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", message):
            return node.field
    return "(whole file)"
