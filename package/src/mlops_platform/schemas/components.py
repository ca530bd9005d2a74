"""Components: the steps of pipelines, with declared inputs and outputs."""

from __future__ import annotations

from dataclasses import replace

from mlops_platform.schemas.common import (
    ANY,
    DESCRIBED,
    DISTRIBUTION,
    ENVIRONMENT,
    INPUT_MODES,
    LITERAL_TYPES,
    OUTPUT_MODES,
    PATH_TYPES,
    PORT,
    QUEUE,
    RESOURCES,
    TAGS,
    TEXT,
    VARIABLES,
    VERSION,
)
from mlops_platform.schemas.validators import (
    ByType,
    Either,
    Field,
    Fields,
    Flag,
    ListOf,
    Named,
    OneOf,
    Text,
    ignored,
    integer,
    used,
)

COMPONENT_NAME = Text(
    r"[a-z_][a-z0-9_]{0,254}", "small letters, digits and _, at most 255, no digit first"
)
DECLARED: dict[str, Field] = {
    "type!": used(TEXT),
    "description": ignored(TEXT),
    "optional": used(Flag()),
    "default": used(ANY),
}
INPUT_TYPES = {
    **{kind: Fields({**DECLARED, "mode": ignored(INPUT_MODES)}) for kind in PATH_TYPES},
    **{
        kind: Fields({**DECLARED, "min": used(ANY), "max": used(ANY), "enum": used(ListOf(ANY, 1))})
        for kind in LITERAL_TYPES
    },
}
INPUTS = Named(ByType(INPUT_TYPES), PORT)
OUTPUT: dict[str, Field] = {
    "type!": used(TEXT),
    "description": ignored(TEXT),
    "mode": ignored(OUTPUT_MODES),
    "early_available": ignored(Flag()),
    "is_control": ignored(Flag()),
    "path": ignored(TEXT),
    "name": ignored(TEXT),
}
OUTPUT_TYPES = {kind: Fields(OUTPUT) for kind in (*PATH_TYPES, *LITERAL_TYPES)}
OUTPUTS = Named(ByType(OUTPUT_TYPES), PORT)
COMPONENT: dict[str, Field] = {
    **DESCRIBED,
    "type!": used(TEXT),
    "name!": ignored(COMPONENT_NAME),
    "version": ignored(replace(VERSION, allow_float=False)),
    "tags": ignored(TAGS),
    "display_name": ignored(TEXT),
    "is_deterministic": used(Flag()),
    "inputs": used(INPUTS),
    "outputs": used(OUTPUTS),
}
COMMAND: dict[str, Field] = {
    **COMPONENT,
    "type!": used(OneOf("command")),
    "command!": used(TEXT),
    "code": used(TEXT),
    "additional_includes": ListOf(TEXT),
    "environment!": ignored(ENVIRONMENT),
    "environment_variables": used(VARIABLES),
    "resources": ignored(RESOURCES),
    "distribution": ignored(DISTRIBUTION),
    "queue_settings": ignored(QUEUE),
}
TASK = ByType(
    {
        kind: Fields(
            {
                "type!": TEXT,
                "code": TEXT,
                "entry_script!": TEXT,
                "program_arguments": TEXT,
                "model": TEXT,
                "append_row_to": TEXT,
                "environment!": ENVIRONMENT,
            }
        )
        for kind in ("run_function", "function")
    }
    | {
        "model": Fields(
            {
                "type!": TEXT,
                "code": TEXT,
                "entry_script": TEXT,
                "program_arguments": TEXT,
                "model!": TEXT,
                "append_row_to": TEXT,
                "environment!": ENVIRONMENT,
            }
        )
    }
)
MINI_BATCHES: dict[str, Field] = {
    "input_data": TEXT,
    "mini_batch_size": Text(
        r"[0-9]+ ?([kKmMgG]?[bB])?", "a number of files in quotes, or a size such as 10kb"
    ),
    "partition_keys": ListOf(TEXT, 1),
    "mini_batch_error_threshold": integer(-1),
    "error_threshold": integer(-1),
    "max_concurrency_per_instance": integer(1),
    "logging_level": OneOf("info", "warning", "debug"),
    "retry_settings": Fields({"max_retries": integer(0), "timeout": integer(1, 259200)}),
}
PARALLEL: dict[str, Field] = {
    **COMPONENT,
    **MINI_BATCHES,
    "type!": OneOf("parallel"),
    "task!": TASK,
    "resources": RESOURCES,
}
SPARK_WORK: dict[str, Field] = {
    "code": TEXT,
    "additional_includes": ListOf(TEXT),
    "entry!": Fields({"file": TEXT, "class_name": TEXT}),
    "py_files": ListOf(TEXT),
    "jars": ListOf(TEXT),
    "files": ListOf(TEXT),
    "archives": ListOf(TEXT),
    "conf": Named(ANY),
    "args": TEXT,
    "environment": ENVIRONMENT,
}
SPARK: dict[str, Field] = {**COMPONENT, **SPARK_WORK, "type!": OneOf("spark")}


def _inline(table: dict[str, Field]) -> Fields:
    """A component inside a pipeline, which needs no name."""
    kept = {name: validator for name, validator in table.items() if name not in ("name!", "type!")}
    return Fields({**kept, "name": COMPONENT_NAME, "type": TEXT})


INLINE = Either(
    TEXT,
    ByType(
        {"command": _inline(COMMAND), "parallel": _inline(PARALLEL), "spark": _inline(SPARK)},
        "command",
    ),
)
