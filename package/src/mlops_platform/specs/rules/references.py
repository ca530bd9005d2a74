"""References to Azure are addresses that it knows.

House rules: each names one tested version for ever, and no placeholder is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_platform.schemas.nodes import Node, Problem
from mlops_platform.schemas.validators import nearest
from mlops_platform.specs.project import Spec

ASSET = re.compile(r"azureml:(?!/)(?P<name>[^:@/]*)(:(?P<version>[^:@]*))?(@(?P<label>.*))?")
NAMED = re.compile(r"azureml:[\w.-]+")
REGISTRY = re.compile(r"azureml://registries/[^/]+/[a-z]+/[^/]+(/(versions|labels)/[^/]+)?")
DATASTORE = re.compile(r"azureml://datastores/(?P<name>[\w-]+|\$\{\{.+?\}\})(/paths/.*)?")
LONG = re.compile(r"azureml://((subscriptions|locations)/\S+|jobs/[^/]+/outputs/[^/]+(/paths/.*)?)")
# Azure ML puts these into the path of an output: concept-expressions of its reference.
IN_OUTPUTS = {"default_datastore", "name", "output_name"}
OUTPUT = re.compile(r"(^|\.)outputs\.")
# Azure ML's own environments: their newest version, if none is named.
CURATED = "AzureML-"
# References without a version: compute, datastores, jobs.
UNVERSIONED = {"compute", "default_compute", "default_datastore", "datastore", "job", "create_job"}
UNVERSIONED |= {"target", "job_definition", "endpoint_deployment_id"}
# Of a pipeline: a datastore, a cluster, or what Azure ML ignores.
SETTING = re.compile(r"(^|\.)settings\.\w+$")
# A literal; only `path` marks data.
LITERAL = re.compile(r"(^|\.)inputs\.\w+$")
PROSE = {"description", "display_name", "command", "comment", "condition", "program_arguments"}
PLACEHOLDER = re.compile(
    r"<[A-Za-z][\w .-]*>|\b(TODO|FIXME|TBD|CHANGE[-_ ]?ME|REPLACE[-_ ]?ME|PLACEHOLDER)\b"
    r"|\b(YOUR|MY)_[A-Z_]+\b|\byour[-_ ]\w+|0{8}-0{4}-0{4}-0{4}-0{12}|\bx{4,}\b",
)
GUID = re.compile(r"/subscriptions/[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-")


def check(spec: Spec) -> Iterator[Problem]:
    """Find references without a version, placeholders, and images without a tag."""
    if spec.kind.name == "conda":
        return
    for node in spec.tree.walk():
        if not isinstance(node.value, str) or node.field == "$schema":
            continue
        last = node.field.rpartition(".")[2]
        if last not in PROSE and (found := PLACEHOLDER.search(node.value)):
            message = f"{found[0]!r} is a placeholder; write the real value"
            yield node.problem(message, house=True)
        if GUID.search(node.value):
            yield node.problem(
                "names a subscription; write azureml:NAME:VERSION, `az` knows the subscription",
                house=True,
            )
        if node.value.startswith("azureml:") and not LITERAL.search(node.field):
            yield from _reference(node, last)
        if last == "image":
            yield from _image(node)
    yield from _dockerfile(spec)


def _reference(node: Node, last: str) -> Iterator[Problem]:
    text = node.value
    if text.endswith("@latest") or "/labels/latest" in text:
        fixed = text.replace("/labels/latest", "/versions/VERSION").replace("@latest", ":VERSION")
        message = f"{text!r} can change at any time; write {fixed}, the tested version"
        yield node.problem(message, house=True)
    elif text.startswith("azureml://"):
        yield from _address(node)
    elif last not in UNVERSIONED and not SETTING.search(node.field):
        match = ASSET.fullmatch(text)
        if not match or not match["name"]:
            yield node.problem(f"{text!r} has no name; write azureml:NAME:VERSION")
        elif not match["version"] and not match["label"]:
            curated = last == "environment" and match["name"].startswith(CURATED)
            message = f"{text!r} has no version; write azureml:{match['name']}:VERSION"
            yield node.problem(message, house=curated)
    elif last != "endpoint_deployment_id" and not NAMED.fullmatch(text):
        yield node.problem(f"{text!r} is not a name; write azureml:NAME")


def _address(node: Node) -> Iterator[Problem]:
    text, store = node.value, DATASTORE.fullmatch(node.value)
    registry = REGISTRY.fullmatch(text)
    if registry and not registry[1]:
        message = f"{text!r} is the newest version of each day; write {text}/versions/VERSION"
        yield node.problem(message, house=True)
    elif store:
        known = IN_OUTPUTS if OUTPUT.search(node.field) else set()
        for name in re.findall(r"\$\{\{\s*(\w+)\s*\}\}", text):
            if name not in known:
                use = nearest(name, known) if known else "the datastore's name and a path"
                yield node.problem(f"'${{{{{name}}}}}' is not known here; write {use}")
    elif not registry and not LONG.fullmatch(text):
        yield node.problem(
            f"{text!r} is not an address of Azure ML; write azureml://datastores/NAME/paths/PATH "
            "or azureml://registries/NAME/KIND/NAME/versions/VERSION"
        )


def _image(node: Node) -> Iterator[Problem]:
    if problem := _image_problem(node.value):
        yield node.problem(problem, house=True)


def _image_problem(image: str) -> str:
    """The problem of an image's name; empty if it always names the same image."""
    name = image.rpartition("/")[2]
    tag = name.partition(":")[2]
    if "@sha256:" in image or "${{" in image or "$" in image:
        return ""
    if not tag or tag == "latest":
        return f"{image!r} can change at any time; write a dated tag or a digest"
    return ""


def _dockerfile(spec: Spec) -> Iterator[Problem]:
    """Check the base images in the Dockerfile of an environment."""
    if not spec.is_a("environment") or not spec.tree.text("build", "path"):
        return
    name = spec.tree.text("build", "dockerfile_path") or "Dockerfile"
    path = spec.path.parent / spec.tree.text("build", "path") / name
    if not path.is_file():
        return
    stages = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r"FROM\s+(?:--\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?", line, re.I)
        if not match:
            continue
        if (
            match[1] not in stages
            and match[1] != "scratch"
            and (message := _image_problem(match[1]))
        ):
            yield Problem(path, number, "FROM", message, house=True)
        if match[2]:
            stages.add(match[2])
