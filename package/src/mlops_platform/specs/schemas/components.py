"""Components: the steps of pipelines, with declared inputs and outputs."""

from __future__ import annotations

from mlops_platform.specs.schemas.common import (
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
    TEXT,
    VARIABLES,
    VERSION,
)
from mlops_platform.specs.validators import (
    ByType,
    Either,
    Fields,
    Flag,
    ListOf,
    Named,
    OneOf,
    Text,
    Validator,
    integer,
)

COMPONENT_NAME = Text(
    r"[a-z_][a-z0-9_]{0,254}", "small letters, digits and _, at most 255, no digit first"
)
DECLARED: dict[str, Validator] = {
    "type!": TEXT,
    "description": TEXT,
    "optional": Flag(),
    "default": ANY,
}
INPUTS = Named(
    ByType(
        {
            **{kind: Fields({**DECLARED, "mode": INPUT_MODES}) for kind in PATH_TYPES},
            **{
                kind: Fields({**DECLARED, "min": ANY, "max": ANY, "enum": ListOf(ANY, 1)})
                for kind in LITERAL_TYPES
            },
        }
    ),
    PORT,
)
OUTPUT: dict[str, Validator] = {
    "type!": TEXT,
    "description": TEXT,
    "mode": OUTPUT_MODES,
    "early_available": Flag(),
    "is_control": Flag(),
    "path": TEXT,
    "name": TEXT,
}
OUTPUTS = Named(ByType({kind: Fields(OUTPUT) for kind in (*PATH_TYPES, *LITERAL_TYPES)}), PORT)
COMPONENT: dict[str, Validator] = {
    **DESCRIBED,
    "type!": TEXT,
    "name!": COMPONENT_NAME,
    "version": VERSION,
    "display_name": TEXT,
    "is_deterministic": Flag(),
    "inputs": INPUTS,
    "outputs": OUTPUTS,
}
COMMAND: dict[str, Validator] = {
    **COMPONENT,
    "type!": OneOf("command"),
    "command!": TEXT,
    "code": TEXT,
    "additional_includes": ListOf(TEXT),
    "environment!": ENVIRONMENT,
    "environment_variables": VARIABLES,
    "resources": RESOURCES,
    "distribution": DISTRIBUTION,
    "queue_settings": QUEUE,
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
MINI_BATCHES: dict[str, Validator] = {
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
PARALLEL: dict[str, Validator] = {
    **COMPONENT,
    **MINI_BATCHES,
    "type!": OneOf("parallel"),
    "task!": TASK,
    "resources": RESOURCES,
}
SPARK_WORK: dict[str, Validator] = {
    "code": TEXT,
    "entry!": Fields({"file": TEXT, "class_name": TEXT}),
    "py_files": ListOf(TEXT),
    "jars": ListOf(TEXT),
    "files": ListOf(TEXT),
    "archives": ListOf(TEXT),
    "conf": Named(ANY),
    "args": TEXT,
    "environment": ENVIRONMENT,
}
SPARK: dict[str, Validator] = {**COMPONENT, **SPARK_WORK, "type!": OneOf("spark")}


def _inline(table: dict[str, Validator]) -> Fields:
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
