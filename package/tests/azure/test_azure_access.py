"""Who may do what: the roles of infra/roles.yml over Microsoft's list of actions."""

import json
import re
import shutil

import pytest
import yaml
from mlops_platform.azure import access
from mlops_platform.core.errors import GateError, UsageError

from package.tests.azure.az_standin import Memory
from package.tests.azure.scenarios import PROJECT, Scenario

ROLES = access.load(PROJECT)
EVERY = {each.name: each for each in access.definitions(ROLES)}
# environment and role: what it may, and what it may not, in plain words or Azure's
TABLE = {
    "dev data_scientist": (
        "train, register, read data, call, read runs, jobs/cancel/action, codes/versions/write, "
        "write data",  # the code of a job goes there
        "deploy, certify, share, schedule, roll out, change the cluster, "
        "delete models, read keys, give roles, change the workspace",
    ),
    "staging data_scientist": ("read runs, read models", "train, deploy, read data, call, certify"),
    "prod data_scientist": (
        "read runs, read models, onlineEndpoints/read",
        "train, deploy, read data, write data, call, certify, register, schedule",
    ),
    "dev ml_engineer": (
        "train, register, deploy, roll out, schedule, call, read data, data/versions/write",
        "certify, share, read keys, change the cluster, give roles, delete models",
    ),
    "staging ml_engineer": ("train, deploy, schedule, roll out", "read data, certify, register"),
    "prod ml_engineer": (
        "deploy, roll out, roll back, call, read logs, onlineEndpoints/deployments/delete, "
        "Microsoft.Insights/autoscaleSettings/write",
        "certify, train, schedule, read data, share, register, batchEndpoints/jobs/write, "
        "read keys, onlineEndpoints/regenerateKeys/action, listKeys/action, write, "
        "datastores/listsecrets/action, metadata/secrets/read, environments/readSecrets/action",
    ),
    "dev model_validator": ("train, call, read runs", "deploy, certify, register, read data"),
    "staging model_validator": ("train, call", "deploy, certify, roll out"),
    "prod model_validator": (
        "certify, assets/stage/write, call, read runs, read models",
        "deploy, roll out, train, register, share, models/versions/write, read data, schedule, "
        "batchEndpoints/deployments/write, metadata/secrets/read",
    ),
    "dev data_engineer": ("read data, write data, train, data/write", "deploy, certify, register"),
    "prod data_engineer": (
        "write data, data/versions/write, datastores/write",
        "read data, delete data, train, deploy, certify, datastores/listsecrets/action, "
        "Microsoft.Storage/storageAccounts/listKeys/action, datasets/registered/preview/read",
    ),
    "dev data_reader": ("read data, read runs", "write data, train, deploy"),
    "prod data_reader": ("read data, train", "deploy, certify, delete data, read keys, register"),
    "ci dev": ("train, register, deploy, schedule", "share, certify, change the cluster"),
    "ci share": ("share, read data", "certify, train, deploy, register"),
    "ci staging": ("train, deploy, roll out", "share, certify, register"),
    "ci prod": (
        "deploy, roll out, share, Microsoft.Insights/autoscaleSettings/write",
        "certify, give roles, change the cluster, delete models, read keys, "
        "Microsoft.Storage/storageAccounts/listKeys/action",
    ),
}
ROWS = [
    (name, action.strip(), may)
    for name, (yes, no) in TABLE.items()
    for actions, may in ((yes, True), (no, False))
    for action in actions.split(",")
]


@pytest.mark.parametrize(("name", "what", "may"), ROWS)
def test_a_role_may_what_the_table_says_and_no_more(name, what, may):
    assert EVERY[name].allows(access.find_action(what)) is may


def test_the_table_is_long_and_of_every_role():
    assert len(ROWS) >= 60
    assert {name.split()[1] for name in TABLE if not name.startswith("ci")} == set(ROLES.people)
    assert {name.split()[1] for name in TABLE if name.startswith("ci")} == set(ROLES.ci)


def test_what_is_rendered_is_sound():
    assert access.require_sound(PROJECT) == len(EVERY) == 19


def test_actions_are_microsofts():
    """Names that are often invented are none; both kinds of actions are there."""
    known = access.known_actions(data=False)
    assert len([name for name in known if name.startswith(access.ML)]) == 279
    invented = """
      jobs/submit/action endpoints/online/write onlineEndpoints/invoke/action
      models/register/action pipelines/run/action schedules/trigger/action dataAssets/read
    """
    for name in invented.split():
        with pytest.raises(UsageError, match="Azure has no such action"):
            access.find_action(name)
    assert not access.known_actions(data=True) & known


def test_words_mean_actions_that_exist():
    assert [word for word in access.WORDS if not access.find_action(word)] == []


@pytest.mark.parametrize(
    ("pattern", "action", "covers"),
    [
        ("a/*/read", "a/b/read", True),
        ("a/*/read", "a/b/c/read", True),  # `*` goes over `/`
        ("A/*/READ", "a/b/read", True),
        ("a/*", "ab/read", False),
        ("a/*/read", "a/b/write", False),
        ("a.b/read", "axb/read", False),  # a dot is a dot
    ],
)
def test_wildcards_are_azures(pattern, action, covers):
    assert access.matches(pattern, action) is covers


def planted(tmp_path, change):
    """A project whose roles a fault changed."""
    (tmp_path / "infra").mkdir()
    content = yaml.safe_load((PROJECT / access.ROLES).read_text())
    change(content)
    (tmp_path / access.ROLES).write_text(yaml.safe_dump(content))
    return tmp_path


FAULTS = {
    "an invented action": (
        lambda roles: roles["sets"]["run"]["ml"].append("workspaces/jobs/submit/action"),
        "`sets.run`: Azure has no action Microsoft.MachineLearningServices/workspaces/jobs/submit",
    ),
    "an invented right to data": (
        lambda roles: roles["sets"]["read_data"]["blobs"].append("list"),
        "`sets.read_data, data`: Azure has no action",
    ),
    "keys by a wildcard": (
        lambda roles: roles["never"].remove("workspaces/listNotebookKeys/read"),
        "gets keys by Microsoft.MachineLearningServices/workspaces/listNotebookKeys/read",
    ),
    "secrets by a wildcard": (
        lambda roles: roles["never"].remove("workspaces/metadata/secrets/*"),
        "gets keys by Microsoft.MachineLearningServices/workspaces/metadata/secrets/read",
    ),
    "the engineer certifies": (
        lambda roles: roles["people"]["ml_engineer"]["prod"].append("certify"),
        "prod ml_engineer certifies and deploys",
    ),
    "CI certifies": (lambda roles: roles["ci"]["share"].append("certify"), "ci share certifies"),
    "the validator deploys": (
        lambda roles: roles["people"]["model_validator"]["prod"].append("serve"),
        "prod model_validator certifies and deploys",
    ),
    "all of the workspace": (
        lambda roles: roles["sets"]["run"]["ml"].append("workspaces/*"),
        "has Microsoft.MachineLearningServices/workspaces/computes/write",
    ),
    "rights to give rights": (
        lambda roles: roles["sets"]["serve"]["other"].append("Microsoft.Authorization/*"),
        "gives itself rights",
    ),
    "the engineer reads production": (
        lambda roles: roles["people"]["ml_engineer"]["prod"].append("read_data"),
        "prod ml_engineer reads production's data",
    ),
    "the scientist runs code in production": (
        lambda roles: roles["people"]["data_scientist"]["prod"].append("run"),
        "prod data_scientist reads production's data, itself or by a job",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_with_its_file(tmp_path, fault):
    change, says = FAULTS[fault]
    root = planted(tmp_path, change)
    with pytest.raises(GateError) as caught:
        access.require_sound(root)
    assert says in str(caught.value)
    assert all(
        line.startswith(f"{root / access.ROLES}: ") for line in str(caught.value).split("\n")
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda roles: roles["ci"]["dev"].append("fly"), "field `ci.dev`: there is no set fly"),
        (lambda roles: roles["people"]["data_reader"].pop("prod"), "data_reader`: prod is missing"),
        (lambda roles: roles["sets"]["run"].update(mls=["x"]), "field `sets.run.mls`: unknown"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, change, says):
    with pytest.raises(UsageError, match=r"infra/roles\.yml") as caught:
        access.load(planted(tmp_path, change))
    assert says in str(caught.value)


@pytest.fixture
def project(tmp_path):
    """A project with conf/ and infra/ of its own."""
    for folder in ("conf", "infra"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def ask(mlops, capsys, root, *words) -> str:
    """What `access` prints."""
    assert mlops(Scenario(root, Memory({})), "access", *words) == "done", str(mlops.error)
    return capsys.readouterr().out


def test_without_a_team_nothing_is_answered(mlops, capsys, project):
    (project / "conf" / "team.yml").unlink()
    mlops(Scenario(project, Memory({})), "access", "validator", "deploy")
    assert "team.yml: does not exist" in str(mlops.error)
    assert capsys.readouterr().out == ""


def test_may_the_validator_deploy(mlops, capsys, project):
    assert ask(mlops, capsys, project, "validator", "deploy").splitlines() == [
        f"model_validator: {access.DEPLOY}",
        "  dev: no",
        "  staging: no",
        "  prod: no",
    ]
    said = ask(mlops, capsys, project, "model validator", "certify")
    assert "  prod: yes, by certify" in said


def test_who_reads_production_does_so_for_hours(mlops, capsys, project):
    words = ("data reader", "read data")
    assert "prod: yes, by read_data, for the hours asked for" in ask(mlops, capsys, project, *words)
    team = project / "conf" / "team.yml"
    team.write_text(team.read_text().replace("just_in_time: true", "just_in_time: false"))
    assert "prod: yes, by read_data\n" in ask(mlops, capsys, project, *words)


def test_the_answer_for_machines(mlops, capsys, project):
    said = ask(mlops, capsys, project, "ml_engineer", "workspaces/jobs/write", "--json")
    assert json.loads(said) == {
        "role": "ml_engineer",
        "action": f"{access.ML}workspaces/jobs/write",
        "may": {"dev": ["run"], "staging": ["run"], "prod": []},
    }


def test_a_central_role_is_told(mlops, capsys, project):
    team = project / "conf" / "team.yml"
    team.write_text(team.read_text().replace("definitions: own", "definitions: Contoso ML"))
    assert "roles Contoso ML ... of the platform team" in ask(
        mlops, capsys, project, "validator", "deploy"
    )


def test_questions_that_have_no_answer():
    with pytest.raises(UsageError, match="'engineer' is no role; choose one of"):
        access.find_role("engineer", ROLES)
    with pytest.raises(UsageError, match=r"Perhaps .*workspaces/jobs/write"):
        access.find_action("jobs/writes")


RIGHTS = re.compile(
    r"\| (?P<action>[a-z ]+) \| (?P<dev>\w+) \| (?P<staging>\w+) \| (?P<prod>\w+) \|"
)
TOLD = {
    path.stem: [found.groupdict() for found in RIGHTS.finditer(path.read_text(encoding="utf-8"))]
    for path in sorted((PROJECT / "docs" / "roles").glob("*.md"))
}


@pytest.mark.parametrize("name", [name for name, rows in TOLD.items() if rows])
def test_the_page_of_a_role_says_what_the_roles_give(name):
    roles = access.load(PROJECT)
    role = access.find_role(name.replace("-", " "), roles)
    for row in TOLD[name]:
        held = access.answer(roles, role, access.find_action(row["action"]))
        for environment in ("dev", "staging", "prod"):
            assert row[environment] == ("yes" if held[environment] else "no"), (row, environment)


def test_each_role_of_azure_but_the_reader_of_data_has_a_page():
    assert {name.replace("-", "_") for name, rows in TOLD.items() if rows} == {
        *access.load(PROJECT).people,
    } - {"data_reader"}
