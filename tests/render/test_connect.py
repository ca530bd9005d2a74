"""What the workflows name and do not make themselves stands in docs/connect.md, and no more."""

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.render.conftest import COMBINATIONS, name_of

# Names that a workflow takes from its platform, without anybody making them.
GITHUB = re.compile(r"\b(?:vars|secrets)\.(\w+)|\b(github\.token)\b")
LABEL = re.compile(r"label\.name == '([\w-]+)'")
ENVIRONMENT = re.compile(r"^ *environment: (\S+)(?: #.*)?$", re.M)
MACRO = re.compile(r"\$\(([\w.]+)\)")
CONNECTION = re.compile(r"^ *env: (dev|share|staging|prod|infra|infra-plan|infra-prod)$", re.M)
OURS = {"Pipeline.Workspace", "UV_CACHE_DIR", "Build.SourcesDirectory"}
OURS |= {"Agent.OS", "Agent.TempDirectory"}


def named(project: Project) -> set[str]:
    """What the workflows of a project name."""
    if project.has(".github"):
        texts = [file.read_text() for file in (project.path / ".github/workflows").glob("*.yml")]
        text = "\n".join(texts)
        found = {one or other for one, other in GITHUB.findall(text)}
        return found | set(LABEL.findall(text)) | set(ENVIRONMENT.findall(text))
    texts = [file.read_text() for file in (project.path / ".azuredevops").rglob("*.yml")]
    text = "\n".join(texts)
    found = set(MACRO.findall(text)) - OURS
    found |= {f"azure-{name}" for name in CONNECTION.findall(text)}
    return found | set(ENVIRONMENT.findall(text))


def listed(project: Project) -> set[str]:
    """The first column of the page's first table."""
    table = project.read("docs/connect.md").split("|---|---|---|\n")[1].split("\n\n")[0]
    first = [line.split("|")[1] for line in table.splitlines()]
    return {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)
def test_the_page_lists_what_the_workflows_name(
    rendered: Callable[..., Project], answers: dict[str, object]
) -> None:
    project = rendered(answers)
    assert listed(project) == named(project)
    commands = "\n".join(re.findall(r"```bash\n(.*?)```", project.read("docs/connect.md"), re.S))
    for name in named(project) - {"github.token", "System.AccessToken"}:
        kind = name.removeprefix("azure-")
        assert re.search(rf"\b{kind}\b|\$ENV", commands), f"no command makes {name}"


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)
def test_who_deploys_behind_an_online_endpoint_may_set_its_scale(
    rendered: Callable[..., Project], answers: dict[str, object]
) -> None:
    project = rendered(answers)
    if answers["cloud"] != "azureml":
        return
    roles = project.yaml("infra/roles.yml")
    scaling = {name for name, each in roles["sets"].items() if "autoscale" in str(each)}
    assert scaling == {"serve"}
    assert [job for job, sets in roles["ci"].items() if scaling & set(sets)] == [
        *("dev", "staging", "prod")
    ]


@pytest.mark.parametrize("cloud", ["azureml", "none"])
@pytest.mark.parametrize("ci", ["github", "azure-devops"])
def test_the_pages_commands_are_sound_shell(
    rendered: Callable[..., Project], ci: str, cloud: str
) -> None:
    """They need an account, so nobody runs them here; shellcheck reads them."""
    page = rendered({**COMBINATIONS[0], "ci": ci, "cloud": cloud}).read("docs/connect.md")
    blocks = re.findall(r"```bash\n(.*?)```", page, re.S)
    assert blocks
    # People set these themselves; the page says what each is.
    mine = "export REPOSITORY=r ORGANIZATION=o PROJECT=p FEED_URL=f APPROVERS=a\n"
    checked = ["shellcheck", "--shell", "bash", "--exclude", "SC2034", "-"]
    text = mine + "\n".join(blocks)
    done = subprocess.run(checked, input=text, capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("ci", ["github", "azure-devops"])
def test_a_name_that_is_not_listed_is_seen(
    rendered: Callable[..., Project], ci: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answers = {**COMBINATIONS[0], "ci": ci, "cloud": "azureml"}
    project = Project(tmp_path_factory.mktemp("connect"))
    file = ".github/workflows/ci.yml" if ci == "github" else ".azuredevops/ci.yml"
    source = rendered(answers)
    project.write(file, source.read(file) + ("# ${{ vars.NEW }} $(NEW)\n"))
    assert "NEW" in named(project) - listed(source)


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)
def test_paths_that_the_workflows_name_are_there(
    rendered: Callable[..., Project], answers: dict[str, object]
) -> None:
    project = rendered(answers)
    folder = ".github" if answers["ci"] == "github" else ".azuredevops"
    checked = 0
    for file in sorted((project.path / folder).rglob("*")):
        if file.is_file():
            for path in re.findall(r"\b((?:pipelines|docs|conf)/[\w./-]+\w)", file.read_text()):
                assert project.has(path), f"{file.name}: {path}"
                checked += 1
    assert checked >= 1
