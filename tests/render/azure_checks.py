"""What Microsoft's schema has against a pipeline, once its templates are filled in.

The schema knows no template expressions, so the pipeline is expanded first, as the service does it.
The service reads every scalar as text, and so does the schema.
"""

import functools
import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema
from mlops_platform.delivery.audit.expand import Expansion


@functools.cache
def _validator() -> jsonschema.Draft7Validator:
    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "azure-pipelines.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema)


def schema_faults(path: Path) -> list[str]:
    """Where the schema is against a pipeline."""
    content = _as_text(Expansion(path, path.parent).content)
    return [
        jsonschema.exceptions.best_match([error]).json_path
        for error in _validator().iter_errors(content)
    ]


def _as_text(node: Any) -> Any:
    """Scalars as text; an entry of variables that came from a template is split into its parts."""
    if isinstance(node, dict):
        # Of a task's inputs the schema alone wants true and false as they are.
        return {
            key: dict(value) if key == "inputs" else _as_text(value) for key, value in node.items()
        }
    if isinstance(node, list):
        return [part for item in node for part in _parts(_as_text(item))]
    return str(node).lower() if isinstance(node, bool) else str(node)


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict) and item and all(key.isupper() for key in item):
        return [{"name": name, "value": value} for name, value in item.items()]
    return [item]
