"""conf/ethics.yml: wrong settings are refused with file, field, and the allowed values."""

from datetime import date

import pytest
import yaml
from mlops_platform.core.errors import UsageError
from mlops_platform.core.files import hash_path
from mlops_platform.ethics import checks, config, limits
from mlops_platform.ethics.catalogue import ITEMS

from package.tests.models import conf_of


def change(workspace, check_id, **fields):
    """Replace fields of a check; None takes one away."""
    path = workspace.conf / "ethics.yml"
    content = yaml.safe_load(path.read_text())
    for principle in content["principles"].values():
        for check in principle["checks"]:
            if check["id"] == check_id:
                check.update(fields)
                for name in [name for name, value in check.items() if value is None]:
                    del check[name]
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def refused(workspace):
    with pytest.raises(UsageError) as error:
        checks.load_settings(workspace.conf)
    assert "ethics.yml" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("package", ["credit_risk", "energy_demand"])
def test_the_default_page_is_sound(package):
    _, read = checks.load_settings(conf_of(package))
    assert list(read.principles) == [
        "fairness",
        "reliability and safety",
        "privacy and security",
        "inclusiveness",
        "transparency",
        "accountability",
    ]
    for principle in read.principles.values():
        assert principle.checks
        for check in principle.checks:
            assert check.asks.endswith("?")
            assert {item[0] for item in check.maps_to} & set("ABCDE")
            assert any(item.startswith("MEASURE") for item in check.maps_to)
            assert any(item.startswith("Annex IV") for item in check.maps_to)


def test_an_unknown_measure_lists_the_known_ones(workspace):
    change(workspace, "proxies", measure="proxy_acu")
    message = refused(workspace)
    assert "check `proxies`, field `measure`" in message
    assert "'proxy_acu'" in message
    assert "proxy_auc" in message


def test_a_measure_of_the_other_task_is_unknown():
    known = limits.bounds("regression")
    assert "error_rate_difference" not in known
    assert "prediction_bias" in known


def test_the_wrong_bound_is_refused(workspace):
    change(workspace, "proxies", max=None, min=0.5)
    assert "the measure `proxy_auc` needs a `max`" in refused(workspace)


def test_two_bounds_are_refused(workspace):
    change(workspace, "proxies", min=0.5)
    assert "exactly one of `min` and `max`" in refused(workspace)


def test_a_misspelt_field_is_refused(workspace):
    change(workspace, "proxies", maxx=0.5)
    message = refused(workspace)
    assert "`principles.fairness.checks.proxies.maxx`" in message
    assert "misspelt" in message


def test_an_unknown_kind_is_refused(workspace):
    change(workspace, "proxies", kind="opinion")
    assert "'metric', 'test', 'document', 'manual'" in refused(workspace)


def test_an_unknown_item_of_a_checklist_is_refused(workspace):
    change(workspace, "proxies", maps_to=["D.9"])
    assert "'D.9' is not an item of deon" in refused(workspace)
    assert {"E.4", "MEASURE 2.13", "Annex IV 2(g)", "Annex IV 9"} <= ITEMS
    assert not {"E.5", "MEASURE 2.14", "Annex IV 2(i)", "Annex IV 10"} & ITEMS


def test_the_same_id_twice_is_refused(workspace):
    change(workspace, "proxies", id="noise")
    assert "the id 'noise' is used 2 times" in refused(workspace)


@pytest.mark.parametrize(
    ("waiver", "message"),
    [
        ({"check": "nose"}, "'nose', which is not a check"),
        ({"reason": "later"}, "waivers.0.reason"),
        ({"expires": "soon"}, "waivers.0.expires"),
        ({"owner": None}, "waivers.0.owner"),
    ],
)
def test_a_waiver_needs_a_check_a_reason_an_owner_and_a_day(workspace, waiver, message):
    path = workspace.conf / "ethics.yml"
    content = yaml.safe_load(path.read_text())
    sound = {"check": "noise", "reason": "a new sensor comes", "owner": "Ada"}
    given = {**sound, "expires": date(2030, 1, 1), **waiver}
    content["waivers"] = [{name: value for name, value in given.items() if value is not None}]
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    assert message in refused(workspace)


def test_a_regulated_project_gets_two_signatures(workspace):
    workspace.change("project.yml", regulated=True)
    _, read = checks.load_settings(workspace.conf)
    added = read.principles["regulated"].checks
    assert [check.role for check in added] == ["risk officer", "product owner"]


def test_settings_that_are_not_inputs_need_no_new_run(workspace):
    before = hash_path(workspace.conf)
    for name in (config.FILE, "signatures.yml"):
        with (workspace.conf / name).open("a") as file:
            file.write("# more\n")
    assert hash_path(workspace.conf) == before
    with (workspace.conf / "gates.yml").open("a") as file:
        file.write("# more\n")
    assert hash_path(workspace.conf) != before
