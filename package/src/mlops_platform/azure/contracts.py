"""Checks that a deployed version works with the upstream data and with its consumers.

The file that upstream delivers must follow the data contract, each consumer must find the fields
that it reads, and a batch endpoint must score the whole file. The checked version is the one that
the next rollout would bring; without one, the version that serves.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure import rollout_state, smoke_test, submit
from mlops_platform.azure.az import UnknownStateError
from mlops_platform.azure.endpoint import Endpoint
from mlops_platform.azure.endpoints import load_endpoints
from mlops_platform.azure.rollout import require_deployment
from mlops_platform.azure.target import Target
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.data.contract import load_contract
from mlops_platform.serving import consumers
from mlops_platform.settings import load_consumers

UPSTREAM = Path("pipelines/upstream.yml")


def run(target: Target) -> None:
    """Run the checks, the fastest first.

    Raises:
        GateError: nothing is deployed, or a consumer does not find a field that it reads.
        UsageError: the file violates the contract, it cannot be scored, or the state in Azure
            cannot be read.
    """
    endpoints = load_endpoints(target)
    state = rollout_state.read_state(endpoints[0], Versions(target))
    checked = next(
        candidate for candidate in (rollout_state.find_next(state), state.serving) if candidate
    )
    number = checked.version.number
    deployed = [(endpoint, require_deployment(endpoint, number)) for endpoint in endpoints]
    for endpoint, colour in deployed:
        if endpoint.splits_traffic:
            _check_consumers(target, endpoint, colour, number)
    submit.run(target, UPSTREAM, {}, wait=True, again=False)
    for endpoint, colour in deployed:
        if not endpoint.splits_traffic:
            _check_scoring(target, endpoint, colour)
    if not target.az.dry_run:
        terminal.log(f"version {number} works with the upstream data and the consumers")


def _check_consumers(target: Target, endpoint: Endpoint, colour: str, number: str) -> None:
    contract = load_contract(target.conf / "data.yml", target.project.task)
    problems = []
    for name, consumer in load_consumers(target.conf).items():
        if target.az.dry_run:
            terminal.log(f"would send the request of {name} to {endpoint.name}, {colour}")
            continue
        try:
            answer = smoke_test.invoke(target, endpoint, colour, consumers.body(consumer, contract))
        except GateError as error:
            problems.append(f"{name}: {error}")
        else:
            problems += [f"{name}: {problem}" for problem in consumers.faults(consumer, answer)]
    if problems:
        raise GateError(
            f"version {number} breaks consumers ({target.conf / 'consumers.yml'}):\n"
            + "\n".join(problems)
            + "\nRestore the field, or agree with the consumer and change the file."
        )


def _check_scoring(target: Target, endpoint: Endpoint, colour: str) -> None:
    """Score the environment's data with one deployment.

    If Azure's response is lost, the request is sent again: scoring twice only costs time.
    """
    if target.az.dry_run:
        terminal.log(f"would score {target.data} with {endpoint.name}, {colour}")
        return
    options = ("--name", endpoint.name, "--deployment-name", colour, "--input", target.data)
    job = target.az.read("batch-endpoint", "invoke", *options, *target.az.workspace)
    name = job.get("name") if isinstance(job, dict) else None
    if not name:
        raise UnknownStateError(
            f"{endpoint.name} did not return the name of its job. Look at the endpoint in Azure."
        )
    submit.wait_for(target, str(name), submit.find_job(target, str(name)) or {})
