"""Does a deployed version fit its neighbours?

The file that upstream delivers must follow the data contract, each consumer must find what it
reads, and a batch endpoint must score the file to its end. Asked is the version that a rollout
would bring, or, where there is none, the one that serves.
"""

from __future__ import annotations

from pathlib import Path

from mlops_platform.azure import smoke, submit, turns
from mlops_platform.azure.az import Unknown
from mlops_platform.azure.endpoints import Endpoint, of
from mlops_platform.azure.place import Place
from mlops_platform.azure.rollout import require
from mlops_platform.azure.versions import Versions
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError
from mlops_platform.data.contract import load_contract
from mlops_platform.serving import consumers
from mlops_platform.settings import load_consumers

UPSTREAM = Path("pipelines/upstream.yml")


def run(place: Place) -> None:
    """Ask each neighbour; the quickest first.

    Raises:
        GateError: nothing is deployed, or a consumer does not find what it reads.
        UsageError: the file breaks the contract, it cannot be scored, or Azure cannot tell.
    """
    endpoints = of(place)
    view = turns.look(endpoints[0], Versions(place))
    asked = next(side for side in (turns.coming(view), view.settled) if side)
    number = asked.version.number
    deployed = [(endpoint, require(endpoint, number)) for endpoint in endpoints]
    for endpoint, colour in deployed:
        if endpoint.splits:
            _ask(place, endpoint, colour, number)
    submit.run(place, UPSTREAM, {}, wait=True, again=False)
    for endpoint, colour in deployed:
        if not endpoint.splits:
            _score(place, endpoint, colour)
    if not place.az.dry_run:
        terminal.say(f"version {number} fits what is before and after it")


def _ask(place: Place, endpoint: Endpoint, colour: str, number: str) -> None:
    contract = load_contract(place.conf / "data.yml", place.project.task)
    broken = []
    for name, consumer in load_consumers(place.conf).items():
        if place.az.dry_run:
            terminal.say(f"would ask {endpoint.name}, {colour}, what {name} asks")
            continue
        try:
            answer = smoke.ask(place, endpoint, colour, consumers.body(consumer, contract))
        except GateError as error:
            broken.append(f"{name}: {error}")
        else:
            broken += [f"{name}: {fault}" for fault in consumers.faults(consumer, answer)]
    if broken:
        raise GateError(
            f"version {number} breaks who calls it ({place.conf / 'consumers.yml'}):\n"
            + "\n".join(broken)
            + "\nGive the field back, or agree with the consumer and change the file."
        )


def _score(place: Place, endpoint: Endpoint, colour: str) -> None:
    """Score the environment's data with one deployment.

    Where Azure's answer is lost it is sent again: to score twice takes time and harms nothing.
    """
    if place.az.dry_run:
        terminal.say(f"would score {place.data} with {endpoint.name}, {colour}")
        return
    where = ("--name", endpoint.name, "--deployment-name", colour, "--input", place.data)
    said = place.az.read("batch-endpoint", "invoke", *where, *place.az.workspace)
    name = said.get("name") if isinstance(said, dict) else None
    if not name:
        raise Unknown(f"{endpoint.name} did not name the job that scores. Look at it in Azure.")
    submit.finish(place, str(name), submit.show(place, str(name)) or {})
