"""Components: the steps that pipelines are made of, with declared inputs and outputs."""

from __future__ import annotations

from mlops_platform.specs.shapes import (
    ByType,
    Either,
    Fields,
    Flag,
    ListOf,
    Named,
    OneOf,
    Shape,
    Text,
    whole,
)
from mlops_platform.specs.tables.common import (
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

COMPONENT_NAME = Text(
    r"[a-z_][a-z0-9_]{0,254}", "small letters, digits and _, at most 255, no digit first"
)
DECLARED: dict[str, Shape] = {
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
OUTPUT: dict[str, Shape] = {
    "type!": TEXT,
    "description": TEXT,
    "mode": OUTPUT_MODES,
    "early_available": Flag(),
    "is_control": Flag(),
    "path": TEXT,
    "name": TEXT,
}
OUTPUTS = Named(ByType({kind: Fields(OUTPUT) for kind in (*PATH_TYPES, *LITERAL_TYPES)}), PORT)
COMPONENT: dict[str, Shape] = {
    **DESCRIBED,
    "type!": TEXT,
    "name!": COMPONENT_NAME,
    "version": VERSION,
    "display_name": TEXT,
    "is_deterministic": Flag(),
    "inputs": INPUTS,
    "outputs": OUTPUTS,
}
COMMAND: dict[str, Shape] = {
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
MINI_BATCHES: dict[str, Shape] = {
    "input_data": TEXT,
    "mini_batch_size": Text(
        r"[0-9]+ ?([kKmMgG]?[bB])?", "a number of files in quotes, or a size such as 10kb"
    ),
    "partition_keys": ListOf(TEXT, 1),
    "mini_batch_error_threshold": whole(-1),
    "error_threshold": whole(-1),
    "max_concurrency_per_instance": whole(1),
    "logging_level": OneOf("info", "warning", "debug"),
    "retry_settings": Fields({"max_retries": whole(0), "timeout": whole(1, 259200)}),
}
PARALLEL: dict[str, Shape] = {
    **COMPONENT,
    **MINI_BATCHES,
    "type!": OneOf("parallel"),
    "task!": TASK,
    "resources": RESOURCES,
}
SPARK_WORK: dict[str, Shape] = {
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
SPARK: dict[str, Shape] = {**COMPONENT, **SPARK_WORK, "type!": OneOf("spark")}


def _inline(table: dict[str, Shape]) -> Fields:
    """A component inside a pipeline, which needs no name."""
    kept = {name: shape for name, shape in table.items() if name not in ("name!", "type!")}
    return Fields({**kept, "name": COMPONENT_NAME, "type": TEXT})


INLINE = Either(
    TEXT,
    ByType(
        {"command": _inline(COMMAND), "parallel": _inline(PARALLEL), "spark": _inline(SPARK)},
        "command",
    ),
)
