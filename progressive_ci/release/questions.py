"""What every query of a plan answers now, asked once before anything is written."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model.check import Analysis, Check, HashOf, LateArg, SecretKey
from progressive_ci.model.event import SecretSeen
from progressive_ci.model.journal import Side
from progressive_ci.model.kinds import SECRET, Ref
from progressive_ci.model.plan import Plan
from progressive_ci.model.sample import Errored, Sample
from progressive_ci.ports import Hands, Pending
from progressive_ci.release.findings import Findings
from progressive_ci.release.rights import analyses_of
from progressive_ci.release.texts import texts_of

_TRIES = 3
_GAP = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check's query says today."""

    check: Check
    sample: Sample


def unanswered(plan: Plan, hands: Hands, found: Findings) -> list[ProgressiveError]:
    """A reason for each query that has no usable answer after a few tries. No data is an answer."""
    answers = ask_all(plan, hands, stable=found.stable, canary=found.canary)
    for _ in range(_TRIES - 1):
        if not any(isinstance(item.sample, Errored) for item in answers):
            return []
        _wait(hands, _GAP)
        answers = ask_all(plan, hands, stable=found.stable, canary=found.canary)
    return [
        ProgressiveError(
            f"metric {item.check.name} has no answer: {item.sample.reason}",
            where=str(item.check.source),
            advice="correct the query or the address (`progressive-ci plan` shows by which way it is asked)",
        )
        for item in answers
        if isinstance(item.sample, Errored)
    ]


def ask_all(plan: Plan, hands: Hands, *, stable: Side, canary: Side) -> tuple[Answer, ...]:
    """Ask every check's query once, all at the same time."""
    asked: list[tuple[Check, Pending]] = []
    seen: set[str] = set()
    for analysis in analyses_of(plan):
        late = late_values(analysis, hands, namespace=plan.namespace, stable=stable, canary=canary)
        for check in analysis.checks:
            if (key := f"{check.query}") not in seen:
                seen.add(key)
                asked.append((check, hands.metrics.ask(check.query, late)))
    limit = hands.clock.now() + max((check.query.timeout for check, _ in asked), default=0.0) + 1.0
    while not all(pending.done() for _, pending in asked) and hands.clock.now() < limit:
        hands.clock.wait(limit)
    return tuple(Answer(check, _result(pending)) for check, pending in asked)


def _result(pending: Pending) -> Sample:
    if pending.done():
        return pending.result()
    pending.cancel()
    return Errored("no answer in time")


def _wait(hands: Hands, seconds: float) -> None:
    until = hands.clock.now() + seconds
    while hands.clock.now() < until:
        hands.clock.wait(until)


def late_values(
    analysis: Analysis, hands: Hands, *, namespace: str, stable: Side, canary: Side
) -> Mapping[str, str]:
    """What `{{args.NAME}}` stands for where only the cluster knows it. Secrets are masked from here on."""
    found: Iterable[tuple[str, LateArg]] = [pair for text in texts_of(analysis) for pair in text.late]
    return {
        name: _value(arg, hands, namespace, {"stable": stable.hash, "latest": canary.hash})
        for name, arg in dict(found).items()
    }


def _value(arg: LateArg, hands: Hands, namespace: str, hashes: Mapping[str, str]) -> str:
    match arg:
        case HashOf(side):
            return hashes[side]
        case SecretKey(name, key):
            return _secret(hands, Ref(SECRET, namespace, name), key)
        case _:
            assert_never(arg)


def _secret(hands: Hands, ref: Ref, key: str) -> str:
    found = hands.cluster.get(ref) or {}
    encoded = (found.get("data") or {}).get(key)
    if encoded is None:
        raise Refused(
            ProgressiveError(
                f"it has no key {key}",
                where=str(ref),
                advice="an argument of the analysis reads it: create it, or correct the reference",
            )
        )
    value = base64.b64decode(encoded).decode(errors="replace")
    hands.reporter.emit(SecretSeen(value))
    return value
