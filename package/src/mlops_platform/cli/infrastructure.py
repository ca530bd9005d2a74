"""Commands for Azure's infrastructure, and for who may do what there."""

# ruff: noqa: PLC0415

from __future__ import annotations

from typing import Annotated

import typer

from mlops_platform.cli.app import CONF, Conf, Json, print_json
from mlops_platform.cli.azure import DryRun, Env, VersionOrRole, azure
from mlops_platform.core import terminal


@azure.command()
def infra_check(conf: Conf = CONF) -> None:
    """Test infra/ without an account."""
    from mlops_platform.azure import infra

    infra.check(conf)


@azure.command()
def infra_plan(env: Env = "dev", conf: Conf = CONF) -> None:
    """Show what infra/ would change."""
    from mlops_platform.azure import infra, target

    infra.plan(target.load(conf, env, dry_run=True))


@azure.command()
def infra_apply(env: Env = "dev", conf: Conf = CONF) -> None:
    """Make an environment as infra/ describes it.

    Production only in CI.
    """
    from mlops_platform.azure import infra, target

    infra.apply(target.load(conf, env, dry_run=False))


@azure.command()
def access(
    role: Annotated[str, typer.Argument(help="A role of conf/team.yml, such as `validator`.")],
    action: Annotated[
        str, typer.Argument(help="`deploy`, or a name such as workspaces/jobs/write.")
    ],
    conf: Conf = CONF,
    as_json: Json = False,
) -> None:
    """Say whether a role may do something.

    In each environment, from infra/roles.yml.
    """
    from mlops_platform.azure import access
    from mlops_platform.settings import load_team

    roles, team = access.load(conf.resolve().parent), load_team(conf)
    who, what = access.find_role(role, roles), access.find_action(action)
    found = access.answer(roles, who, what)
    if as_json:
        print_json({"role": who, "action": what, "may": found})
        return
    terminal.out.print(f"{who}: {what}", markup=False)
    timed = who == "data_reader" and team.just_in_time
    for environment, sets in found.items():
        said = f"yes, by {' and '.join(sets)}" if sets else "no"
        said += ", for the hours asked for" * (timed and environment == "prod" and bool(sets))
        terminal.out.print(f"  {environment}: {said}", markup=False)
    if team.definitions != "own":
        message = f"that is what the roles {team.definitions} ... of the platform team are to allow"
        terminal.out.print(message, markup=False)


@azure.command()
def certify(
    version: VersionOrRole,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back.")] = False,
    env: Env = "prod",
    dry_run: DryRun = False,
    conf: Conf = CONF,
) -> None:
    """Certify a version for production.

    The model validator does; who deploys cannot.
    """
    from mlops_platform.azure import certification, target

    certification.run(target.load(conf, env, dry_run=dry_run), version, withdraw=withdraw)
