"""A stand-in for `az` with its extension `ml`: strict about arguments, with a small state.

The flags are those of the extension's own source (Azure/azure-cli-extensions, azext_mlv2, `_params`
and `custom`), and so are the traps: creating an online endpoint or deployment that exists fails, a
`show` of nothing ends with 3, an answer of `invoke` is a JSON string in JSON, shares of 0 vanish.

It lives in one folder, AZ_STANDIN: `state.json`; `calls.jsonl`, what was called; `history.jsonl`,
the state after each change; `faults.json`, {call: fault}, with calls counted from 1. It needs
PyYAML and nothing else, so that it can be copied and put on any PATH as `az`.
"""

# ruff: noqa: D102  methods are named after the commands

import json
import os
import re
import signal
import sys
from pathlib import Path

import yaml

WORKSPACE = {"--resource-group", "--workspace-name"}
REGISTRY = {"--registry-name"}
NAMED = {"--name"}
VERSIONED = {"--name", "--version"}
MADE = {"--file", "--set", "--name"}
BEHIND = {"--endpoint-name"}
SWITCHES = {"--force-string", "--yes", "--no-wait", "--only-show-errors"}
# command -> flags that must be given, flags that may be
COMMANDS = {
    "workspace show": ({"--resource-group", "--name"}, set()),
    "compute show": (WORKSPACE | NAMED, set()),
    "compute create": (WORKSPACE, MADE | {"--no-wait"}),
    "data show": (VERSIONED | WORKSPACE, set()),
    "data create": (WORKSPACE, MADE | {"--version"}),
    "environment show": (VERSIONED, WORKSPACE | REGISTRY),
    "environment create": (set(), MADE | {"--version"} | WORKSPACE | REGISTRY),
    "model show": (VERSIONED, WORKSPACE | REGISTRY),
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
    "batch-deployment list": (WORKSPACE | BEHIND, set()),
    "batch-deployment create": (WORKSPACE | {"--file"}, MADE | BEHIND | {"--no-wait"}),
    "batch-deployment delete": (WORKSPACE | BEHIND | NAMED, {"--yes", "--no-wait"}),
}
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
    "computes": {},
    "data": {},
    "environments": {},
    "models": {},
    "jobs": {},
    "online": {},
    "batch": {},
    # What deployments answer, by the version of their model; `{version}` is filled in.
    "answers": {},
    "answer": {"model": "credit-risk", "version": "{version}", "predictions": []},
}


class Refused(Exception):  # noqa: N818
    """What the command line or Azure says no to: an exit code and a message."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def parse(words: list[str]) -> tuple[str, dict]:
    """The command and its flags; what the real one would not know is refused."""
    if words[:1] != ["ml"] or " ".join(words[1:3]) not in COMMANDS:
        raise Refused(f"'{' '.join(words[:3])}' is misspelled or not recognized by the system.", 2)
    command = " ".join(words[1:3])
    required, optional = COMMANDS[command]
    known = required | optional | {"--only-show-errors", "--output"}
    flags: dict = {}
    rest = words[3:]
    while rest:
        flag = rest.pop(0)
        if flag not in known:
            raise Refused(f"unrecognized arguments: {flag}", 2)
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        if flag in SWITCHES:
            wrong = bool(values)
        else:
            wrong = not values if flag == "--set" else len(values) != 1
        if wrong:
            raise Refused(f"argument {flag}: wrong number of values: {values}", 2)
        flags[flag] = True if flag in SWITCHES else values if flag == "--set" else values[0]
    if missing := required - set(flags):
        raise Refused(f"the following arguments are required: {', '.join(sorted(missing))}", 2)
    return command, flags


class Azure:
    """The state, and what each command does to it."""

    def __init__(self, state: dict) -> None:
        self.state = state

    def run(self, command: str, flags: dict) -> object:
        """Do one command; returns what it prints."""
        group, verb = command.split()
        workspace = flags.get("--workspace-name") or flags.get("--name")
        if "--registry-name" in flags and flags["--registry-name"] not in self.state["registries"]:
            raise Refused("(RegistryNotFound) There is no such registry.", 3)
        if "--registry-name" not in flags and workspace not in self.state["workspaces"]:
            raise Refused("(ResourceNotFound) The workspace was not found.", 3)
        kind, _, what = group.partition("-")
        if what:
            return getattr(self, f"{what}_{verb}")(kind, flags)
        if group == "workspace":
            return {"name": workspace}
        if group == "model":
            return getattr(self, f"model_{verb}")(flags)
        store = {"compute": "computes", "data": "data", "environment": "environments"}
        things = self.state[store.get(group, "jobs")]
        key = ":".join(flags[flag] for flag in ("--name", "--version") if flag in flags)
        if verb == "show":
            return self.found(things, key)
        if group in ("environment", "job") and key in things:
            raise Refused(f"(UserError) {group} {key} exists already and cannot be changed.")
        made = self.spec(flags)
        if group == "job":
            studio = {"Studio": {"endpoint": f"https://ml.azure.com/runs/{key}"}}
            made = {"name": key, "status": "Running", "services": studio, "spec": made}
        things[key] = made
        return made

    def found(self, things: dict, key: str) -> dict:
        """One thing; a job that is looked at is done the next time."""
        if key not in things:
            raise Refused(f"(ResourceNotFound) {key} was not found.", 3)
        found = dict(things[key])
        if found.get("status") == "Running":
            things[key]["status"] = self.state.get("ends", "Completed")
        return found

    def spec(self, flags: dict) -> dict:
        """The YAML file with `--set` and the flags over it."""
        path = Path(flags["--file"])
        if not path.is_file():
            raise Refused(f"No such file or directory: {path}")
        made = yaml.safe_load(path.read_text(encoding="utf-8"))
        for pair in flags.get("--set", []):
            put(made, pair)
        for flag in ("--name", "--version", "--endpoint-name"):
            if flag in flags:
                made[flag[2:].replace("-", "_")] = flags[flag]
        build = made.get("build")
        if build and not (path.parent / build["path"] / "requirements.txt").is_file():
            raise Refused(f"the build context of {path} has no requirements.txt")
        return made

    def models(self, flags: dict) -> dict:
        """Versions by their number, of the registry or the workspace."""
        if "--registry-name" in flags:
            return self.state["registries"][flags["--registry-name"]]
        return self.state["models"]

    def model_show(self, flags: dict) -> dict:
        return self.found(self.models(flags), flags["--version"])

    def model_list(self, flags: dict) -> list:
        return list(self.models(flags).values())

    def model_update(self, flags: dict) -> dict:
        model = self.models(flags).get(flags["--version"])
        if model is None:
            raise Refused("(ResourceNotFound) The model was not found.", 3)
        for pair in flags.get("--set", []):
            put(model, pair, strings="--force-string" in flags)
        return model

    def model_share(self, flags: dict) -> dict:
        shared = self.models(flags)
        number = flags["--share-with-version"]
        if number in shared:
            raise Refused("A model with this name and version already exists in registry")
        if flags["--version"] not in self.state["models"]:
            raise Refused("(ResourceNotFound) The model was not found.", 3)
        shared[number] = {"name": flags["--share-with-name"], "version": number, "tags": {}}
        return shared[number]

    def endpoint(self, kind: str, flags: dict) -> dict:
        name = flags.get("--endpoint-name") or flags.get("--name")
        if name not in self.state[kind]:
            raise Refused(f"(ResourceNotFound) The {kind} endpoint {name} was not found.", 3)
        return self.state[kind][name]

    def endpoint_show(self, kind: str, flags: dict) -> dict:
        shown = dict(self.endpoint(kind, flags))
        del shown["deployments"]
        return shown

    def endpoint_create(self, kind: str, flags: dict) -> dict:
        made = self.spec(flags)
        if kind == "online" and made["name"] in self.state[kind]:
            raise Refused("(UserError) An endpoint with this name already exists.")
        made |= {"provisioning_state": "Succeeded", "deployments": {}}
        made |= {"traffic": {}, "mirror_traffic": {}} if kind == "online" else {"defaults": {}}
        self.state[kind].setdefault(made["name"], made)
        return made

    def endpoint_update(self, kind: str, flags: dict) -> dict:
        endpoint = self.endpoint(kind, flags)
        standing = endpoint["deployments"]
        if "--file" in flags:
            raise Refused("this stand-in does not update from a file: it would lose the traffic")
        if kind == "batch":
            name = flags["--defaults"].removeprefix("deployment_name=")
            if name not in standing:
                raise Refused(f"(UserError) there is no deployment {name}")
            endpoint["defaults"] = {"deployment_name": name}
            return endpoint
        traffic = shares(flags["--traffic"]) if "--traffic" in flags else endpoint["traffic"]
        mirror = endpoint["mirror_traffic"]
        if "--mirror-traffic" in flags:
            mirror = shares(flags["--mirror-traffic"])
        for name in (*traffic, *mirror):
            if standing.get(name, {}).get("provisioning_state") != "Succeeded":
                raise Refused(f"(UserError) deployment {name} cannot take traffic")
        if sum(traffic.values()) not in (0, 100):
            raise Refused("(UserError) Traffic values need to sum to 100.")
        if len(mirror) > 1 or sum(mirror.values()) > 50 or set(mirror) & set(traffic):
            raise Refused("(UserError) Mirror traffic: one deployment, 50 %, no live traffic.")
        endpoint |= {"traffic": traffic, "mirror_traffic": mirror}
        return endpoint

    def endpoint_invoke(self, kind: str, flags: dict) -> str:
        request = Path(flags["--request-file"])
        if not request.is_file() or not json.loads(request.read_text())["rows"]:
            raise Refused("no request")
        deployment = self.endpoint(kind, flags)["deployments"].get(flags["--deployment-name"])
        if deployment is None:
            raise Refused("(UserError) there is no such deployment")
        version = re.split(r"[:/]", deployment["model"])[-1]
        answer = self.state["answers"].get(version, self.state["answer"])
        if answer == "error":
            raise Refused("(424) Failed Dependency: the model raised an error")
        return json.dumps(answer).replace("{version}", version)

    def deployment_list(self, kind: str, flags: dict) -> list:
        keys = ("name", "provisioning_state", "model")
        standing = self.endpoint(kind, flags)["deployments"]
        return [{key: found.get(key) for key in keys} for found in standing.values()]

    def deployment_create(self, kind: str, flags: dict) -> dict:
        standing = self.endpoint(kind, flags)["deployments"]
        made = self.spec(flags)
        if kind == "online" and made["name"] in standing:
            raise Refused("(UserError) A deployment with this name already exists.")
        package = made["environment"].removeprefix("azureml:")
        if package not in self.state["environments"]:
            raise Refused(f"(UserError) there is no environment {package}")
        registry = re.match(r"azureml://registries/([^/]+)/", made["model"])
        models = self.state["registries"][registry[1]] if registry else self.state["models"]
        if re.split(r"[:/]", made["model"])[-1] not in models:
            raise Refused(f"(UserError) there is no model {made['model']}")
        standing[made["name"]] = made | {"provisioning_state": "Succeeded"}
        return made

    def deployment_delete(self, kind: str, flags: dict) -> None:
        endpoint = self.endpoint(kind, flags)
        name = flags["--name"]
        taken = (endpoint.get("defaults") or {}).get("deployment_name") == name
        if taken or name in endpoint.get("traffic", {}):
            raise Refused(f"(UserError) deployment {name} has traffic and cannot be deleted.")
        if name not in endpoint["deployments"]:
            raise Refused("(ResourceNotFound) there is no such deployment", 3)
        del endpoint["deployments"][name]


def put(content: dict, pair: str, *, strings: bool = True) -> None:
    """Set what `KEY.KEY=VALUE` says."""
    path, equals, value = pair.partition("=")
    if not equals:
        raise Refused("usage error: --set KEY=VALUE [KEY=VALUE ...]")
    *layers, last = path.split(".")
    for layer in layers:
        content = content.setdefault(layer, {})
        if not isinstance(content, dict):
            raise Refused(f"Cannot use '--set' on properties defined by reference strings: {path}")
    content[last] = value if strings else yaml.safe_load(value)


def shares(text: str) -> dict[str, int]:
    """`blue=90 green=10` as numbers, those of 0 left out, as the SDK does."""
    pairs = [pair.split("=") for pair in text.split(" ")]
    if any(len(pair) != 2 or not pair[1].isnumeric() for pair in pairs):
        raise Refused("Do not add a delimiter between traffic variables")
    return {name: int(share) for name, share in pairs if int(share)}


def main(words: list[str], folder: Path, kill) -> tuple[int, str, str]:
    """One call: exit code, output, error. `kill` ends the caller."""
    calls = folder / "calls.jsonl"
    number = len(calls.read_text().splitlines()) + 1 if calls.exists() else 1
    with calls.open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    path = folder / "faults.json"
    fault = json.loads(path.read_text()).get(str(number)) if path.exists() else None
    before = json.dumps(EMPTY | json.loads((folder / "state.json").read_text(encoding="utf-8")))
    state = json.loads(before)
    if fault == "kill before":
        kill()
    try:
        if fault in FAULTS and fault != "timeout":
            raise Refused(FAULTS[fault])
        command, flags = parse(words)
        said = json.dumps(Azure(state).run(command, flags))
    except Refused as refused:
        if fault == "kill after":
            kill()
        return refused.code, "", f"ERROR: {refused}"
    after = json.dumps(state)
    if before != after:
        (folder / "state.json").write_text(after, encoding="utf-8")
    if before != after and not command.endswith(" show"):
        with (folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"call": number, "words": words, "state": state}) + "\n")
    if fault == "kill after":
        kill()
    if fault == "timeout":
        return 1, "", f"ERROR: {FAULTS['timeout']}"
    return 0, "no JSON" if fault == "garbage" else said, ""


def end_the_caller() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)


if __name__ == "__main__":
    code, out, err = main(sys.argv[1:], Path(os.environ["AZ_STANDIN"]), end_the_caller)
    print(out)
    print(err, file=sys.stderr)
    sys.exit(code)
