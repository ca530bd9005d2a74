"""Jobs, and the jobs inside pipelines."""

from __future__ import annotations

from mlops_platform.specs.schemas.common import (
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
    TEXT,
    VARIABLES,
)
from mlops_platform.specs.schemas.components import (
    COMPONENT,
    INLINE,
    MINI_BATCHES,
    SPARK_WORK,
    TASK,
)
from mlops_platform.specs.validators import (
    ByType,
    Either,
    Fields,
    Flag,
    ListOf,
    Named,
    Number,
    OneOf,
    Text,
    Validator,
    integer,
)

COMPUTE = Text(r"azureml:\S+|serverless", "azureml:NAME or serverless")
# Microsoft's limit for one job is 30 days on a cluster.
SECONDS = integer(1, 2592000)
LIMITS = Fields({"timeout": SECONDS})
INSIDE: dict[str, Validator] = {
    "type": TEXT,
    "name": TEXT,
    "display_name": TEXT,
    "description": TEXT,
    "tags": Named(TEXT),
    "comment": TEXT,
    "properties": Named(ANY),
    "inputs": INPUTS,
    "outputs": OUTPUTS,
    "compute": TEXT,
    "identity": IDENTITY,
    "resources": RESOURCES,
    "environment_variables": VARIABLES,
}
OUTSIDE: dict[str, Validator] = {
    **DESCRIBED,
    "name": NAME,
    "display_name": TEXT,
    "experiment_name": Text(
        r"[A-Za-z0-9][\w-]{0,254}", "letters, digits, _ and -, a letter or digit first"
    ),
    "compute": TEXT,
    "identity": IDENTITY,
    "inputs": INPUTS,
    "outputs": OUTPUTS,
    "services": Named(ANY),
    "notification_settings": Fields(
        {
            "email_on": ListOf(OneOf("jobcompleted", "jobfailed", "jobcancelled"), 1),
            "emails": ListOf(Text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"), 1),
        }
    ),
}
RUN: dict[str, Validator] = {
    "command!": TEXT,
    "code": TEXT,
    "environment!": ENVIRONMENT,
    "environment_variables": VARIABLES,
    "resources": RESOURCES,
    "distribution": DISTRIBUTION,
    "queue_settings": QUEUE,
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
POLICY: dict[str, Validator] = {
    "type!": TEXT,
    "evaluation_interval": integer(1),
    "delay_evaluation": integer(0),
}
SWEEP_WORK: dict[str, Validator] = {
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
IN_PIPELINE = ByType(
    {
        "command": Fields(
            {
                **INSIDE,
                **{name.rstrip("!"): validator for name, validator in RUN.items()},
                "component": INLINE,
                "limits": LIMITS,
                "services": Named(ANY),
            }
        ),
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
    }
)
JOBS = Named(IN_PIPELINE, PORT)
PIPELINE = {
    **OUTSIDE,
    "type!": OneOf("pipeline"),
    "component": TEXT,
    "settings": SETTINGS,
    "jobs": JOBS,
}
PIPELINE_COMPONENT = {**COMPONENT, "type!": OneOf("pipeline"), "jobs!": JOBS}
