"""What is known of a release before it begins: the plan, and what the cluster and the metrics say to it."""

from dataclasses import dataclass

from progressive_ci.model.check import Analysis, Check
from progressive_ci.model.document import Document, JsonObject, Source
from progressive_ci.model.plan import Analyze, Guard, Mode, Pause, Plan, SetWeight, Step
from progressive_ci.reports.text import duration

HOW = {
    Mode.ADOPT: "adopt: the new version's own pods are promoted; none is replaced at the end",
    Mode.ROLL: "roll: a second Deployment serves while the first one rolls to the new version",
    Mode.IN_PLACE: "in place: the Deployment's own strategy, watched, and undone when it fails",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query says today, and by which way it was asked."""

    check: str
    way: str
    answer: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan and what preflight found.

    Attributes:
        plan: from the documents.
        mode: chosen by preflight, or wished by the plan.
        worst_case: seconds.
        hard_end: seconds after which the run rolls back.
        size: pods that carry all traffic; 0 where unknown.
        stable: hash of the version that serves; empty where unknown.
        canary: hash of the new version; empty where unknown.
        unchanged: whether a run would write nothing.
        answers: of the queries; empty where nobody was asked.
        warnings: one sentence each.
        reasons: why a run would be refused.
        login: what proves to the API server who we are; empty where it was not asked.
    """

    plan: Plan
    mode: Mode
    worst_case: float
    hard_end: float
    size: int = 0
    stable: str = ""
    canary: str = ""
    unchanged: bool = False
    answers: tuple[Answer, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    login: str = ""


def images(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Container and image of the new version."""
    containers = (plan.workload.template.get("spec") or {}).get("containers") or ()
    return tuple((str(each.get("name", "")), str(each.get("image", ""))) for each in containers)


def step_text(step: Step) -> tuple[str, Source]:
    """One step in words, and its line."""
    match step:
        case SetWeight(weight, source):
            return f"{weight} of the traffic to the new version", source
        case Pause(None, source):
            return "wait for a person, at most --pause-timeout", source
        case Pause(seconds, source):
            return f"wait {duration(seconds or 0)}", source
        case Analyze(analysis, source):
            return f"measure {names(analysis)}; go on when all pass", source


def guard_text(guard: Guard) -> str:
    """A background analysis in words."""
    return f"from step {guard.starting_step + 1} on: {names(guard.analysis)}"


def names(analysis: Analysis) -> str:
    """The metrics of an analysis."""
    return ", ".join(check.name for check in analysis.checks)


def checks(plan: Plan) -> tuple[Check, ...]:
    """Every metric of the plan once, in the order of the steps, guards last."""
    analyses = [step.analysis for step in plan.steps if isinstance(step, Analyze)]
    found = [
        check for each in (*analyses, *(guard.analysis for guard in plan.guards)) for check in each.checks
    ]
    return tuple(dict.fromkeys(found))


def rule(check: Check) -> str:
    """When a measurement is good."""
    parts = (check.success and f"good when {check.success}", check.failure and f"bad when {check.failure}")
    often = "once" if check.interval is None else f"every {duration(check.interval)}"
    count = f", {check.count} times" if check.count else ""
    return "; ".join(part for part in (*parts, often + count) if part)


def facts(preview: Preview) -> JsonObject:
    """The preview for programs. Headers, passwords and the documents' own content are left out."""
    plan = preview.plan
    return {
        "namespace": plan.namespace,
        "workload": plan.workload.name,
        "dialect": plan.dialect,
        "mode": preview.mode.value,
        "images": dict(images(plan)),
        "router": plan.route.router if plan.route else None,
        "stableService": plan.route.stable_service if plan.route else "",
        "canaryService": plan.route.canary_service if plan.route else "",
        "worstCaseSeconds": preview.worst_case,
        "maxDurationSeconds": preview.hard_end,
        "login": preview.login,
        "pods": preview.size,
        "stable": preview.stable,
        "canary": preview.canary,
        "unchanged": preview.unchanged,
        "steps": [_step_facts(step) for step in plan.steps],
        "background": [
            {"fromStep": guard.starting_step + 1, "metrics": [check.name for check in guard.analysis.checks]}
            for guard in plan.guards
        ],
        "metrics": [_check_facts(check, preview.answers) for check in checks(plan)],
        "applied": [_document_facts(document) for document in plan.needed],
        "notApplied": [_document_facts(document) for document in plan.not_applied],
        "warnings": [*plan.warnings, *preview.warnings],
        "refused": list(preview.reasons),
    }


def _step_facts(step: Step) -> JsonObject:
    text, source = step_text(step)
    weight = {"weight": step.weight.percent} if isinstance(step, SetWeight) else {}
    seconds = {"seconds": step.seconds} if isinstance(step, Pause) else {}
    return {"does": text, **weight, **seconds, "source": str(source)}


def _check_facts(check: Check, answers: tuple[Answer, ...]) -> JsonObject:
    answer = next((row for row in answers if row.check == check.name), None)
    said = {"way": answer.way, "answer": answer.answer} if answer else {}
    return {
        "name": check.name,
        "rule": rule(check),
        "query": check.query.query.raw,
        **said,
        "source": str(check.source),
    }


def _document_facts(document: Document) -> JsonObject:
    return {"kind": document.kind, "name": document.name, "source": str(document.source)}
