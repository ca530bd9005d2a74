"""A stand-in for `az` with its extension `ml`: strict about arguments, with a small state.

The flags are those of the extension's own source (Azure/azure-cli-extensions, azext_mlv2, `_params`
and `custom`) and, for `az monitor autoscale` and `az storage account management-policy`, of
Azure/azure-cli, command_modules/monitor and command_modules/storage. So are
the traps: creating an online endpoint or deployment that exists fails, a `show` of nothing ends
with 3, an answer of `invoke` is a JSON string in JSON, shares of 0 vanish, `autoscale create`
forgets the rules that there were, and so does `management-policy create`, `autoscale rule create`
adds one each time, `job list` gives 50 jobs without `--max-results` and no archived ones, and each
`batch-endpoint invoke` is a new job.

All of it is one `Memory`; as a program it lives in the file that AZ_STANDIN names. It needs PyYAML
and nothing else, so that it can be copied and put on any PATH as `az`.
"""

# ruff: noqa: D102  methods are named after the commands

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

GROUP = {"--resource-group"}
WORKSPACE = GROUP | {"--workspace-name"}
REGISTRY = {"--registry-name"}
NAMED = {"--name"}
VERSIONED = {"--name", "--version"}
MADE = {"--file", "--set", "--name"}
ACCOUNT = GROUP | {"--account-name"}
BEHIND = {"--endpoint-name"}
SWITCHES = {"--force-string", "--yes", "--no-wait", "--only-show-errors", "--include-archived"}
# command -> flags that must be given, flags that may be
COMMANDS = {
    "autoscale show": (GROUP | NAMED, set()),
    "autoscale create": (GROUP | NAMED | {"--resource", "--count"}, {"--min-count", "--max-count"}),
    "autoscale delete": (GROUP | NAMED, set()),
    "autoscale rule create": (
        GROUP | {"--autoscale-name", "--condition", "--scale"},
        {"--cooldown"},
    ),
    "account management-policy show": (ACCOUNT, set()),
    "account management-policy create": (ACCOUNT | {"--policy"}, set()),
    "datastore show": (WORKSPACE | NAMED, set()),
    "schedule show": (WORKSPACE | NAMED, set()),
    "schedule create": (WORKSPACE, MADE | {"--no-wait"}),
    "schedule disable": (WORKSPACE | NAMED, {"--no-wait"}),
    "list": (GROUP, set()),  # az functionapp list
    "config appsettings delete": (GROUP | NAMED | {"--setting-names"}, set()),
    "deployment source config-zip": (GROUP | NAMED | {"--src"}, set()),
    "workspace show": ({"--resource-group", "--name"}, set()),
    "workspace update": ({"--resource-group", "--name"}, {"--system-datastores-auth-mode"}),
    "registry list": (GROUP, set()),
    "registry create": (GROUP | {"--file"}, {"--name"}),
    "show": (set(), set()),  # az account show
    "compute show": (WORKSPACE | NAMED, set()),
    "compute create": (WORKSPACE, MADE | {"--no-wait"}),
    "data show": (VERSIONED | WORKSPACE, set()),
    "data create": (WORKSPACE, MADE | {"--version"}),
    "environment show": (VERSIONED, WORKSPACE | REGISTRY),
    "environment create": (set(), MADE | {"--version"} | WORKSPACE | REGISTRY),
    "model show": (VERSIONED, WORKSPACE | REGISTRY),
    "model download": (VERSIONED, WORKSPACE | REGISTRY | {"--download-path"}),
    "model create": (VERSIONED | REGISTRY | {"--path", "--type"}, set()),
    "model list": (set(), WORKSPACE | REGISTRY | {"--name", "--max-results"}),
    "model update": (
        {"--resource-group"} | VERSIONED,
        WORKSPACE | REGISTRY | {"--set", "--force-string"},
    ),
    "model share": (
        VERSIONED | REGISTRY | {"--share-with-name", "--share-with-version"},
        WORKSPACE,
    ),
    "job show": (WORKSPACE | NAMED, set()),
    "job list": (WORKSPACE, {"--parent-job-name", "--max-results", "--include-archived"}),
    "job download": (WORKSPACE | NAMED, {"--output-name", "--download-path"}),
    "job create": (WORKSPACE | {"--file"}, {"--name", "--set", "--no-wait"}),
    "online-endpoint show": (WORKSPACE | NAMED, set()),
    "online-endpoint create": (WORKSPACE, MADE | {"--no-wait", "--auth-mode"}),
    "online-endpoint update": (
        WORKSPACE,
        MADE | {"--traffic", "--mirror-traffic", "--force-string", "--no-wait"},
    ),
    "online-endpoint invoke": (WORKSPACE | NAMED, {"--deployment-name", "--request-file"}),
    "online-deployment list": (WORKSPACE | BEHIND, set()),
    "online-deployment create": (WORKSPACE | {"--file"}, MADE | BEHIND | {"--no-wait"}),
    "online-deployment delete": (WORKSPACE | BEHIND | NAMED, {"--yes", "--no-wait"}),
    "batch-endpoint show": (WORKSPACE | NAMED, set()),
    "batch-endpoint create": (WORKSPACE, MADE | {"--no-wait"}),
    "batch-endpoint update": (WORKSPACE, MADE | {"--defaults", "--force-string", "--no-wait"}),
    "batch-endpoint invoke": (
        WORKSPACE | NAMED,
        {"--deployment-name", "--input", "--input-type", "--output-path"},
    ),
    "batch-deployment list": (WORKSPACE | BEHIND, set()),
    "batch-deployment create": (WORKSPACE | {"--file"}, MADE | BEHIND | {"--no-wait"}),
    "batch-deployment delete": (WORKSPACE | BEHIND | NAMED, {"--yes", "--no-wait"}),
}
CONDITION = re.compile(r"(\w+) (==|!=|>|>=|<|<=) (\d+) (avg|min|max|total|count) (\d+)m")
OPERATORS = {">": "GreaterThan", ">=": "GreaterThanOrEqual", "<": "LessThan"}
FAULTS = {
    "throttle": "(TooManyRequests) Too many requests. Please retry after 5 seconds.",
    "conflict": "Conflict of operation, another operation on same entity is already running in "
    "workspace w.",
    "timeout": "HTTPSConnectionPool: Read timed out. (read timeout=300)",
    "auth": "(AuthorizationFailed) The client does not have authorization to perform action.",
    "invalid": "(ValidationError) The request is invalid: instance_type is not supported.",
}
EMPTY = {
    "workspaces": [],
    "registries": {},
    # workspace -> how it reaches its storage
    "keyless": {},
    "computes": {},
    "data": {},
    "environments": {},
    "models": {},
    "jobs": {},
    # job -> the folder of what its steps left, as `outputs/train` of a project
    "left": {},
    # version -> the folder of its model, in the workspace of dev and in the registry
    "files": {},
    # signatures in the registry: the asset's name -> version -> its content
    "signatures": {},
    "tracking": "sqlite:///mlflow.db",
    "online": {},
    "batch": {},
    "autoscale": {},
    "storage": "/subscriptions/s/resourceGroups/rg-storage/providers/Microsoft.Storage"
    "/storageAccounts/stcreditrisk",
    "policies": {},
    "datastores": {"workspaceblobstore": {"container_name": "azureml-blobstore-1"}},
    "schedules": {},
    "functions": {},
    # The time at which jobs are made; the machine's own clock where it is None.
    "now": "2026-05-08T12:00:00+00:00",
    # How jobs end, by the beginning of their names; those that are not named complete.
    "ends": {},
    # What deployments answer, by the version of their model; `{version}` is filled in.
    "answers": {},
    "answer": {"model": "credit-risk", "version": "{version}", "predictions": []},
}


class AzError(Exception):
    """A command that `az` or Azure refuses: an exit code and a message."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def parse(words: list[str]) -> tuple[str, dict]:
    """The command and its flags; what the real one would not know is refused."""
    flagless = list(itertools.takewhile(lambda word: not word.startswith("--"), words))
    group, command = " ".join(flagless[:1]), " ".join(flagless[1:])
    groups = {"autoscale": "monitor", "account": "storage", "show": "account"}
    groups |= dict.fromkeys(("list", "config", "deployment"), "functionapp")
    if command not in COMMANDS or group != groups.get(command.split(" ")[0], "ml"):
        raise AzError(f"'{' '.join(flagless)}' is misspelled or not recognized by the system.", 2)
    required, optional = COMMANDS[command]
    known = required | optional | {"--only-show-errors", "--output"}
    flags: dict = {}
    rest = words[len(flagless) :]
    while rest:
        flag = rest.pop(0)
        if flag not in known:
            raise AzError(f"unrecognized arguments: {flag}", 2)
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        many = {"--set": max(1, len(values)), "--scale": 2}
        if len(values) != many.get(flag, 0 if flag in SWITCHES else 1):
            raise AzError(f"argument {flag}: wrong number of values: {values}", 2)
        flags[flag] = True if flag in SWITCHES else values if flag in many else values[0]
    if missing := required - set(flags):
        raise AzError(f"the following arguments are required: {', '.join(sorted(missing))}", 2)
    return command, flags


FUNCTION = {
    "list": "function list",
    "config appsettings delete": "function clean",
    "deployment source config-zip": "function deploy",
}


class Azure:
    """The state, and what each command does to it."""

    def __init__(self, state: dict) -> None:
        self.state = state

    def run(self, command: str, flags: dict) -> object:
        """Do one command; returns what it prints."""
        command = command.replace("account management-policy", "policy")
        command = FUNCTION.get(command, {"show": "account show"}.get(command, command))
        group, verb = command.replace("rule create", "rule").split()
        if group in ("account", "autoscale", "function", "policy", "registry"):
            return getattr(self, f"{group}_{verb}")(flags)
        workspace = flags.get("--workspace-name") or flags.get("--name")
        if "--registry-name" in flags and flags["--registry-name"] not in self.state["registries"]:
            raise AzError("(RegistryNotFound) There is no such registry.", 3)
        if "--registry-name" not in flags and workspace not in self.state["workspaces"]:
            raise AzError("(ResourceNotFound) The workspace was not found.", 3)
        kind, _, what = group.partition("-")
        if what:
            return getattr(self, f"{what}_{verb}")(kind, flags)
        if group == "workspace":
            return self.workspace(verb, workspace, flags)
        if group == "model" or verb in ("list", "download"):
            return getattr(self, f"{group}_{verb}")(flags)
        store = {"data": "data"}
        things = self.state[store.get(group, f"{group}s")]
        parts = ("--workspace-name",) * (group == "compute") + ("--name", "--version")
        key = ":".join(flags[flag] for flag in parts if flag in flags)
        if verb == "show":
            return self.found(things, key)
        if group in ("environment", "job") and key in things:
            raise AzError(f"(UserError) {group} {key} exists already and cannot be changed.")
        off = {"is_enabled": False}
        made = self.found(things, key) | off if verb == "disable" else self.spec(flags)
        if group == "schedule":
            self.require_schedule(made)
        if group == "job":
            made = self.begin(key, made)
        things[key] = made
        return made

    def workspace(self, verb: str, name: str, flags: dict) -> dict:
        """A workspace, as it is then."""
        if verb == "update":
            self.state["keyless"][name] = flags["--system-datastores-auth-mode"]
        return {
            "name": name,
            "mlflow_tracking_uri": self.state["tracking"],
            "storage_account": self.state["storage"],
            "system_datastores_auth_mode": self.state["keyless"].get(name, "accesskey"),
        }

    def account_show(self, flags: dict) -> dict:
        return {"id": "00000000-0000-0000-0000-000000000001"}

    def registry_list(self, flags: dict) -> list:
        return [{"name": name} for name in self.state["registries"]]

    def registry_create(self, flags: dict) -> dict:
        made = self.spec(flags)
        self.state["registries"].setdefault(made["name"], {})
        return made

    def begin(self, name: str, spec: dict) -> dict:
        """A job that runs."""
        made = {
            "name": name,
            "status": "Running",
            "services": {"Studio": {"endpoint": f"https://ml.azure.com/runs/{name}"}},
            "creation_context": {"created_at": self.state["now"] or datetime.now(UTC).isoformat()},
            "spec": spec,
        }
        self.state["jobs"][name] = made
        return made

    def job_list(self, flags: dict) -> list:
        """The latest jobs first, or the steps of one."""
        if "--parent-job-name" in flags:
            return self.steps(flags["--parent-job-name"])
        known = ("type", "tags", "inputs")
        found = [
            {key: value for key, value in job.items() if key != "spec"}
            | {key: job["spec"].get(key) for key in known}
            for job in reversed(self.state["jobs"].values())
            if "--include-archived" in flags or not job.get("archived")
        ]
        return found[: int(flags.get("--max-results", 50))]

    def steps(self, parent: str) -> list:
        """The steps of a job that left something."""
        if parent not in self.state["left"]:
            raise AzError(f"(ResourceNotFound) {parent} was not found.", 3)
        steps = sorted(path.name for path in Path(self.state["left"][parent]).iterdir())
        return [{"name": f"{parent}.{step}", "display_name": step} for step in steps]

    def job_download(self, flags: dict) -> None:
        """Files, and no word; as the real one, it also ends well where there is no such output."""
        parent, _, step = flags["--name"].rpartition(".")
        output = Path(self.state["left"][parent]) / step / flags["--output-name"]
        target = Path(flags["--download-path"]) / "named-outputs" / output.name
        if output.is_dir():
            shutil.copytree(output, target, dirs_exist_ok=True)

    def found(self, things: dict, key: str) -> dict:
        """One thing; a job that is looked at is done the next time."""
        if key not in things:
            raise AzError(f"(ResourceNotFound) {key} was not found.", 3)
        found = dict(things[key])
        if found.get("status") == "Running":
            ends = self.state["ends"].items()
            things[key]["status"] = next((e for n, e in ends if key.startswith(n)), "Completed")
        return found

    def spec(self, flags: dict) -> dict:
        """The YAML file with `--set` and the flags over it."""
        path = Path(flags["--file"])
        if not path.is_file():
            raise AzError(f"No such file or directory: {path}")
        made = yaml.safe_load(path.read_text(encoding="utf-8"))
        for pair in flags.get("--set", []):
            put(made, pair)
        for flag in ("--name", "--version", "--endpoint-name"):
            if flag in flags:
                made[flag[2:].replace("-", "_")] = flags[flag]
        if "enable_node_public_ip" in made:  # the SDK makes a boolean of what `--set` gives
            made["enable_node_public_ip"] = str(made["enable_node_public_ip"]).lower() == "true"
        build = made.get("build")
        if build and not (path.parent / build["path"] / "requirements.txt").is_file():
            raise AzError(f"the build context of {path} has no requirements.txt")
        return made

    def require_schedule(self, made: dict) -> None:
        """Data and deployments that a schedule names must be there."""
        for reference in re.findall(r"azureml:[\w-]+:[\w-]+", json.dumps(made)):
            _, name, version = reference.split(":")
            deployed = self.state["online"].get(name, {}).get("deployments", {})
            if f"{name}:{version}" not in self.state["data"] and version not in deployed:
                raise AzError(f"(UserError) {reference} does not exist.")

    def function_list(self, flags: dict) -> list:
        return [{"name": name} for name in self.state["functions"]]

    def function_clean(self, flags: dict) -> list:
        self.state["functions"][flags["--name"]].pop(flags["--setting-names"], None)
        return []

    def function_deploy(self, flags: dict) -> dict:
        app = self.state["functions"][flags["--name"]]
        app["package"] = hashlib.sha256(Path(flags["--src"]).read_bytes()).hexdigest()
        return {"complete": True}

    def policy_key(self, flags: dict) -> str:
        """The account, by its group and name."""
        key = f"{flags['--resource-group']}/{flags['--account-name']}"
        _, group, account = re.split(r".*/resourceGroups/|/providers/.*/", self.state["storage"])
        if key != f"{group}/{account}":
            raise AzError(f"(ResourceNotFound) There is no storage account {key}.", 3)
        return key

    def policy_show(self, flags: dict) -> dict:
        return self.found(self.state["policies"], self.policy_key(flags))

    def policy_create(self, flags: dict) -> dict:
        """The new policy in place of the old one; shown with nulls, as the real one does."""
        rules = json.loads(flags["--policy"])["rules"]
        for rule in rules:
            if rule["type"] != "Lifecycle" or None in rule["definition"].values():
                raise AzError(f"(InvalidRequest) The rule {rule['name']} is invalid.")
        shown = [rule | {"definition": {"snapshot": None} | rule["definition"]} for rule in rules]
        made = {"name": "default", "policy": {"rules": shown}}
        self.state["policies"][self.policy_key(flags)] = made
        return made

    def autoscale_show(self, flags: dict) -> dict:
        return self.found(self.state["autoscale"], flags["--name"])

    def autoscale_create(self, flags: dict) -> dict:
        target = flags["--resource"]
        online = self.state["online"]
        if target not in {
            found["id"]
            for endpoint in online.values()
            for found in endpoint["deployments"].values()
        }:
            raise AzError(f"(ResourceNotFound) There is no {target}.", 3)
        counts = {"default": "--count", "minimum": "--min-count", "maximum": "--max-count"}
        capacity = {
            key: str(int(flags.get(flag, flags["--count"]))) for key, flag in counts.items()
        }
        made = {"name": flags["--name"], "enabled": True, "targetResourceUri": target}
        made["profiles"] = [{"name": "default", "capacity": capacity, "rules": []}]
        self.state["autoscale"][flags["--name"]] = made
        return made

    def autoscale_rule(self, flags: dict) -> dict:
        setting = self.state["autoscale"].get(flags["--autoscale-name"])
        if setting is None:
            raise AzError("(ResourceNotFound) The autoscale setting was not found.", 3)
        asked = CONDITION.fullmatch(flags["--condition"])
        direction = {"in": "Decrease", "out": "Increase"}.get(flags["--scale"][0])
        if asked is None or direction is None:
            raise AzError(
                "usage error: --condition METRIC OPERATOR THRESHOLD AGGREGATION PERIOD", 2
            )
        trigger = {
            "metricName": asked[1],
            "operator": OPERATORS[asked[2]],
            "threshold": float(asked[3]),
            "timeAggregation": {"avg": "Average"}[asked[4]],
            "timeWindow": f"PT{asked[5]}M",
        }
        action = {"direction": direction, "value": flags["--scale"][1], "cooldown": "PT5M"}
        rule = {"metricTrigger": trigger, "scaleAction": action}
        setting["profiles"][0]["rules"].append(rule)
        return rule

    def autoscale_delete(self, flags: dict) -> None:
        self.state["autoscale"].pop(flags["--name"], None)

    def models(self, flags: dict) -> dict:
        """Versions by their number, of the registry or the workspace, or signatures there."""
        if "-signature-" in flags.get("--name", ""):
            return self.state["signatures"].setdefault(flags["--name"], {})
        if "--registry-name" in flags:
            return self.state["registries"][flags["--registry-name"]]
        return self.state["models"]

    def model_show(self, flags: dict) -> dict:
        return self.found(self.models(flags), flags["--version"])

    def model_download(self, flags: dict) -> None:
        """The files, in a folder with the model's name, and no word."""
        shown = self.model_show(flags)
        folder = Path(flags["--download-path"]) / flags["--name"]
        source = self.state["files"].get(flags["--version"])
        if source and "text" not in shown:
            shutil.copytree(source, folder / Path(source).name, dirs_exist_ok=True)
            return
        folder.mkdir(parents=True)
        name = shown["path"] if "text" in shown else "model.json"
        (folder / name).write_text(shown.get("text", "{}\n"), encoding="utf-8")

    def model_create(self, flags: dict) -> dict:
        models, number, path = self.models(flags), flags["--version"], Path(flags["--path"])
        if number in models:
            raise AzError("A model with this name and version already exists in registry")
        models[number] = {"name": flags["--name"], "version": number, "path": path.name}
        models[number]["text"] = path.read_text(encoding="utf-8")
        return models[number]

    def model_list(self, flags: dict) -> list:
        return list(self.models(flags).values())

    def model_update(self, flags: dict) -> dict:
        model = self.models(flags).get(flags["--version"])
        if model is None:
            raise AzError("(ResourceNotFound) The model was not found.", 3)
        for pair in flags.get("--set", []):
            put(model, pair, strings="--force-string" in flags)
        return model

    def model_share(self, flags: dict) -> dict:
        shared = self.models(flags)
        number = flags["--share-with-version"]
        if number in shared:
            raise AzError("A model with this name and version already exists in registry")
        if flags["--version"] not in self.state["models"]:
            raise AzError("(ResourceNotFound) The model was not found.", 3)
        shared[number] = {"name": flags["--share-with-name"], "version": number, "tags": {}}
        return shared[number]

    def endpoint(self, kind: str, flags: dict) -> dict:
        name = flags.get("--endpoint-name") or flags.get("--name")
        if name not in self.state[kind]:
            raise AzError(f"(ResourceNotFound) The {kind} endpoint {name} was not found.", 3)
        return self.state[kind][name]

    def endpoint_show(self, kind: str, flags: dict) -> dict:
        shown = dict(self.endpoint(kind, flags))
        del shown["deployments"]
        return shown

    def endpoint_create(self, kind: str, flags: dict) -> dict:
        made = self.spec(flags)
        if kind == "online" and made["name"] in self.state[kind]:
            raise AzError("(UserError) An endpoint with this name already exists.")
        made |= {"provisioning_state": "Succeeded", "deployments": {}}
        made |= {"traffic": {}, "mirror_traffic": {}} if kind == "online" else {"defaults": {}}
        self.state[kind].setdefault(made["name"], made)
        return made

    def endpoint_update(self, kind: str, flags: dict) -> dict:
        endpoint = self.endpoint(kind, flags)
        standing = endpoint["deployments"]
        if "--file" in flags:
            raise AzError("this stand-in does not update from a file: it would lose the traffic")
        for pair in flags.get("--set", []):
            put(endpoint, pair)
        if kind == "batch":
            name = flags["--defaults"].removeprefix("deployment_name=")
            if name not in standing:
                raise AzError(f"(UserError) there is no deployment {name}")
            endpoint["defaults"] = {"deployment_name": name}
            return endpoint
        traffic = shares(flags["--traffic"]) if "--traffic" in flags else endpoint["traffic"]
        mirror = endpoint["mirror_traffic"]
        if "--mirror-traffic" in flags:
            mirror = shares(flags["--mirror-traffic"])
        for name in (*traffic, *mirror):
            if standing.get(name, {}).get("provisioning_state") != "Succeeded":
                raise AzError(f"(UserError) deployment {name} cannot take traffic")
        if sum(traffic.values()) not in (0, 100):
            raise AzError("(UserError) Traffic values need to sum to 100.")
        if len(mirror) > 1 or sum(mirror.values()) > 50 or set(mirror) & set(traffic):
            raise AzError("(UserError) Mirror traffic: one deployment, 50 %, no live traffic.")
        endpoint |= {"traffic": traffic, "mirror_traffic": mirror}
        return endpoint

    def endpoint_invoke(self, kind: str, flags: dict) -> object:
        deployment = self.endpoint(kind, flags)["deployments"].get(flags["--deployment-name"])
        if deployment is None:
            raise AzError("(UserError) there is no such deployment")
        if kind == "batch":
            if flags["--input"].removeprefix("azureml:") not in self.state["data"]:
                raise AzError("Value passed to --input is not a supported data.")
            name = f"batchjob-{len(self.state['jobs'])}"
            spec = {"type": "pipeline", "inputs": flags, "model": deployment["model"]}
            self.begin(name, spec)
            return {"id": f"/jobs/{name}", "name": name, "type": None, "status": None}
        request = Path(flags["--request-file"])
        if not request.is_file() or not json.loads(request.read_text())["rows"]:
            raise AzError("no request")
        version = re.split(r"[:/]", deployment["model"])[-1]
        answer = self.state["answers"].get(version, self.state["answer"])
        if answer == "error":
            raise AzError("(424) Failed Dependency: the model raised an error")
        return json.dumps(answer).replace("{version}", version)

    def deployment_list(self, kind: str, flags: dict) -> list:
        keys = ("name", "provisioning_state", "model", "id")
        standing = self.endpoint(kind, flags)["deployments"]
        return [{key: found.get(key) for key in keys} for found in standing.values()]

    def deployment_create(self, kind: str, flags: dict) -> dict:
        standing = self.endpoint(kind, flags)["deployments"]
        made = self.spec(flags)
        if kind == "online" and made["name"] in standing:
            raise AzError("(UserError) A deployment with this name already exists.")
        package = made["environment"].removeprefix("azureml:")
        if package not in self.state["environments"]:
            raise AzError(f"(UserError) there is no environment {package}")
        registry = re.match(r"azureml://registries/([^/]+)/", made["model"])
        models = self.state["registries"][registry[1]] if registry else self.state["models"]
        if re.split(r"[:/]", made["model"])[-1] not in models:
            raise AzError(f"(UserError) there is no model {made['model']}")
        path = f"/onlineEndpoints/{made['endpoint_name']}/deployments/{made['name']}"
        standing[made["name"]] = made | {"provisioning_state": "Succeeded", "id": path}
        return made

    def deployment_delete(self, kind: str, flags: dict) -> None:
        endpoint = self.endpoint(kind, flags)
        name = flags["--name"]
        taken = (endpoint.get("defaults") or {}).get("deployment_name") == name
        if taken or name in endpoint.get("traffic", {}):
            raise AzError(f"(UserError) deployment {name} has traffic and cannot be deleted.")
        if name not in endpoint["deployments"]:
            raise AzError("(ResourceNotFound) there is no such deployment", 3)
        del endpoint["deployments"][name]


def put(content: dict, pair: str, *, strings: bool = True) -> None:
    """Set what `KEY.KEY=VALUE` says."""
    path, equals, value = pair.partition("=")
    if not equals:
        raise AzError("usage error: --set KEY=VALUE [KEY=VALUE ...]")
    *layers, last = path.split(".")
    for layer in layers:
        content = content.setdefault(layer, {})
        if not isinstance(content, dict):
            raise AzError(f"Cannot use '--set' on properties defined by reference strings: {path}")
    content[last] = value if strings else yaml.safe_load(value)


def shares(text: str) -> dict[str, int]:
    """`blue=90 green=10` as numbers, those of 0 left out, as the SDK does."""
    pairs = [pair.split("=") for pair in text.split(" ")]
    if any(len(pair) != 2 or not pair[1].isnumeric() for pair in pairs):
        raise AzError("Do not add a delimiter between traffic variables")
    return {name: int(share) for name, share in pairs if int(share)}


class Memory:
    """Azure's state as text, what was called, the state after each change, and which call fails."""

    def __init__(self, state: dict) -> None:
        self.text = json.dumps(EMPTY | state)
        self.calls: list[list[str]] = []
        self.history: list[str] = []
        self.faults: dict[str, str] = {}  # call, counted from 1 -> fault

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Memory":
        memory = cls({})
        vars(memory).update(json.loads(path.read_text(encoding="utf-8")))
        return memory


def main(words: list[str], memory: Memory, kill) -> tuple[int, str, str]:
    """One call: exit code, output, error. `kill` ends the caller."""
    if words == ["extension", "show", "--name", "ml", "--output", "json"]:
        return 0, '{"version": "2.44.1"}', ""
    memory.calls.append(words)
    fault = memory.faults.get(str(len(memory.calls)))
    state = json.loads(memory.text)
    try:
        if fault in FAULTS and fault != "timeout":
            raise AzError(FAULTS[fault])
        command, flags = parse(words)
        said = json.dumps(Azure(state).run(command, flags))
    except AzError as refused:
        if fault == "kill after":
            kill()
        return refused.code, "", f"ERROR: {refused}"
    after = json.dumps(state)
    if memory.text != after:
        memory.text = after
        if not command.endswith(" show"):
            memory.history.append(after)
    if fault == "kill after":
        kill()
    if fault == "timeout":
        return 1, "", f"ERROR: {FAULTS['timeout']}"
    return 0, "no JSON" if fault == "garbage" else said, ""


def program(words: list[str], path: Path) -> int:
    """One call as a process."""
    memory = Memory.load(path)

    def end_the_caller() -> None:
        memory.save(path)
        os.kill(os.getppid(), signal.SIGKILL)
        sys.exit(1)

    code, out, err = main(words, memory, end_the_caller)
    memory.save(path)
    print(out)
    print(err, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(program(sys.argv[1:], Path(os.environ["AZ_STANDIN"])))
