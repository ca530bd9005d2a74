"""Jobs, and the jobs inside pipelines."""

from __future__ import annotations

from mlops_platform.schemas.common import (
    ANY,
    DESCRIBED,
    DISTRIBUTION,
    ENVIRONMENT,
    IDENTITY,
    INPUTS,
    NAME,
    OUTPUTS,
    PORT,
    QUEUE,
    RESOURCES,
    TAGS,
    TEXT,
    VARIABLES,
)
from mlops_platform.schemas.components import (
    COMPONENT,
    INLINE,
    MINI_BATCHES,
    SPARK_WORK,
    TASK,
)
from mlops_platform.schemas.validators import (
    ByType,
    Either,
    Field,
    Fields,
    Flag,
    ListOf,
    Named,
    Number,
    OneOf,
    Text,
    ignored,
    integer,
    used,
)

COMPUTE = Text(r"azureml:\S+|serverless", "azureml:NAME or serverless")
# Microsoft's limit for one job is 30 days on a cluster.
SECONDS = integer(1, 2592000)
LIMITS = Fields({"timeout": SECONDS})
INSIDE: dict[str, Field] = {
    "type": used(TEXT),
    "name": ignored(TEXT),
    "display_name": ignored(TEXT),
    "description": ignored(TEXT),
    "tags": ignored(Named(TEXT)),
    "comment": ignored(TEXT),
    "properties": ignored(Named(ANY)),
    "inputs": used(INPUTS),
    "outputs": used(OUTPUTS),
    "compute": ignored(TEXT),
    "identity": ignored(IDENTITY),
    "resources": ignored(RESOURCES),
    "environment_variables": used(VARIABLES),
}
EXPERIMENT = Text(r"[A-Za-z0-9][\w-]{0,254}", "letters, digits, _ and -, a letter or digit first")
MAILS = Fields(
    {
        "email_on": ListOf(OneOf("jobcompleted", "jobfailed", "jobcancelled"), 1),
        "emails": ListOf(Text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"), 1),
    }
)
OUTSIDE: dict[str, Field] = {
    **DESCRIBED,
    "name": ignored(NAME),
    "tags": ignored(TAGS),
    "display_name": ignored(TEXT),
    "experiment_name": ignored(EXPERIMENT),
    "compute": ignored(TEXT),
    "identity": ignored(IDENTITY),
    "inputs": used(INPUTS),
    "outputs": used(OUTPUTS),
    "services": ignored(Named(ANY)),
    "notification_settings": ignored(MAILS),
}
RUN: dict[str, Field] = {
    "command!": used(TEXT),
    "code": used(TEXT),
    "environment!": ignored(ENVIRONMENT),
    "environment_variables": used(VARIABLES),
    "resources": ignored(RESOURCES),
    "distribution": ignored(DISTRIBUTION),
    "queue_settings": ignored(QUEUE),
}
COMMAND = {**OUTSIDE, **RUN, "type": OneOf("command"), "limits": LIMITS}

VALUE = Number()
RANGE = Fields({"type!": TEXT, "min_value!": VALUE, "max_value!": VALUE})
STEPS = Fields({"type!": TEXT, "min_value!": VALUE, "max_value!": VALUE, "q!": VALUE})
BELL = Fields({"type!": TEXT, "mu!": VALUE, "sigma!": Number(0)})
BELL_STEPS = Fields({"type!": TEXT, "mu!": VALUE, "sigma!": Number(0), "q!": VALUE})
SEARCH = Named(
    ByType(
        {
            "choice": Fields({"type!": TEXT, "values!": ListOf(ANY, 1)}),
            "randint": Fields({"type!": TEXT, "upper!": integer(1)}),
            "uniform": RANGE,
            "loguniform": RANGE,
            "quniform": STEPS,
            "qloguniform": STEPS,
            "normal": BELL,
            "lognormal": BELL,
            "qnormal": BELL_STEPS,
            "qlognormal": BELL_STEPS,
        }
    ),
    PORT,
)
POLICY: dict[str, Field] = {
    "type!": TEXT,
    "evaluation_interval": integer(1),
    "delay_evaluation": integer(0),
}
SWEEP_WORK: dict[str, Field] = {
    "sampling_algorithm": Either(
        OneOf("random", "grid", "bayesian"),
        ByType(
            {
                "random": Fields(
                    {
                        "type!": TEXT,
                        "seed": integer(0),
                        "rule": OneOf("random", "sobol"),
                        "logbase": ANY,
                    }
                ),
                "grid": Fields({"type!": TEXT}),
                "bayesian": Fields({"type!": TEXT}),
            }
        ),
    ),
    "search_space!": SEARCH,
    "objective!": Fields({"goal!": OneOf("minimize", "maximize"), "primary_metric!": TEXT}),
    "early_termination": ByType(
        {
            "bandit": Fields({**POLICY, "slack_factor": Number(0), "slack_amount": Number(0)}),
            "median_stopping": Fields(POLICY),
            "truncation_selection": Fields({**POLICY, "truncation_percentage!": integer(1, 99)}),
        }
    ),
    "limits!": Fields(
        {
            "max_total_trials!": integer(1, 1000),
            "max_concurrent_trials": integer(1, 1000),
            "timeout": SECONDS,
            "trial_timeout": SECONDS,
        }
    ),
    "queue_settings": QUEUE,
    "resources": RESOURCES,
}
SWEEP = {**OUTSIDE, **SWEEP_WORK, "type!": OneOf("sweep"), "trial!": Fields(RUN)}
SPARK = {**OUTSIDE, **SPARK_WORK, "type!": OneOf("spark"), "resources": ANY}

WITH_COMPONENT = {**INSIDE, "component!": INLINE}
COMMAND_IN_PIPELINE = Fields(
    {
        **INSIDE,
        **{name.rstrip("!"): field for name, field in RUN.items()},
        "component": used(INLINE),
        "limits": ignored(LIMITS),
        "services": ignored(Named(ANY)),
    }
)
IN_PIPELINE = ByType(
    {
        "command": COMMAND_IN_PIPELINE,
        "sweep": Fields({**INSIDE, **SWEEP_WORK, "trial!": INLINE}),
        "parallel": Fields({**INSIDE, **MINI_BATCHES, "component": INLINE, "task": TASK}),
        "spark": Fields(
            {
                **INSIDE,
                **{name.rstrip("!"): validator for name, validator in SPARK_WORK.items()},
                "component": INLINE,
                "resources": ANY,
            }
        ),
        "pipeline": Fields({**WITH_COMPONENT, "component!": TEXT}),
        # Rare types, which only azure-ai-ml checks.
        "automl": ANY,
        "import": ANY,
        "data_transfer": ANY,
        "do_while": ANY,
        "parallel_for": ANY,
        "if_else": ANY,
    },
    "command",
)
SETTINGS = Fields(
    {
        "default_compute": COMPUTE,
        "default_datastore": TEXT,
        "continue_on_step_failure": Flag(),
        "force_rerun": Flag(),
    },
    lenient=True,
)
JOBS = Named(IN_PIPELINE, PORT)
PIPELINE: dict[str, Field] = {
    **OUTSIDE,
    "type!": used(OneOf("pipeline")),
    "component": TEXT,
    "settings": ignored(SETTINGS),
    "jobs": used(JOBS),
}
PIPELINE_COMPONENT = {**COMPONENT, "type!": OneOf("pipeline"), "jobs!": JOBS}
