"""What a release asks of the API server: a simulated cluster on virtual time, and the tool's own adapters."""

from collections import Counter
from collections.abc import Iterable, Mapping

from progressive_ci.model.event import Began
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.call import target, verb
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.status import Refusal
from tests.scenario import given
from tests.scenario.documents import rollout
from tests.scenario.scene import Run

FOUR_STEPS = """
- setWeight: 5
- pause: {duration: 10s}
- setWeight: 20
- pause: {duration: 10s}
- setWeight: 50
- pause: {duration: 10s}
- setWeight: 100
"""
A_LONG_PAUSE = """
- setWeight: 50
- pause: {duration: 10m}
- setWeight: 100
"""
_MINUTES = 10


def measure() -> Mapping[str, object]:
    """A good release in four weights, counted by verb and kind; lease and journal are in it."""
    requests = _released(FOUR_STEPS).requests
    named = Counter(_named(one) for one in requests)
    return {
        "total": len(requests),
        "reads": sum(not one.writes for one in requests),
        "writes": sum(one.writes for one in requests),
        "by_verb_and_kind": dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))),
        "lists_without_selector": dict(sorted(Counter(_unselective(requests)).items())),
    }


def measure_pause() -> Mapping[str, object]:
    """The same while a release pauses at a weight."""
    run = _released(A_LONG_PAUSE)
    began, ended = (_began(run, number) for number in (2, 3))
    requests = [one for one in run.requests if began < one.number <= ended]
    named = Counter(_named(one) for one in requests)
    return {
        "requests_per_minute": len(requests) / _MINUTES,
        "by_verb_and_kind": {name: number / _MINUTES for name, number in named.most_common()},
    }


def _released(steps: str) -> Run:
    run = given.app(router="gateway").released(rollout("gateway", steps=steps))
    if run.outcome is None or run.outcome.result is not Result.PROMOTED:
        raise RuntimeError(f"the release to be counted was not promoted: {run.outcome}")
    return run


def _began(run: Run, step: int) -> int:
    """How many requests had been sent when a step began."""
    return next(
        told.sent
        for told in run.told
        if isinstance(told.event, Began) and told.event.phase.startswith(f"step {step}/")
    )


def _named(exchange: Exchange) -> str:
    """`patch services`, `dry-run create replicasets`."""
    try:
        place = target(exchange.call.path)
    except Refusal:
        return f"{exchange.call.method.lower()} {exchange.call.path}"
    prefix = "dry-run " if exchange.call.dry else ""
    return f"{prefix}{verb(exchange.call, place)} {place.kind.plural}"


def _unselective(requests: Iterable[Exchange]) -> Iterable[str]:
    """Kinds of which everything in the namespace was listed."""
    for one in requests:
        name = _named(one)
        if name.startswith("list ") and not one.call.query.get("labelSelector"):
            yield name.removeprefix("list ")
