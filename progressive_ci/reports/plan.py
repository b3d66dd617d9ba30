"""The plan as a reviewer reads it: what, how, in which steps, judged by what, and what stays untouched."""

from collections.abc import Iterable

from progressive_ci.model.document import Document
from progressive_ci.model.route import Route
from progressive_ci.reports.preview import HOW, Preview, checks, guard_text, images, rule, step_text
from progressive_ci.reports.text import at, duration, one_line, shorten

WIDTH = 60


def plan_text(preview: Preview) -> str:
    """The whole preview as lines for people."""
    parts = (
        _head(preview),
        _section("Steps", _steps(preview)),
        _section("Metrics", _metrics(preview)),
        _section("Created where absent", _documents(preview.plan.needed)),
        _section(
            "Not applied (--apply-rest applies these before the release)",
            _documents(preview.plan.not_applied),
        ),
        _section("Warnings", (one_line(text) for text in (*preview.plan.warnings, *preview.warnings))),
        _section("A run would be refused", (one_line(text) for text in preview.reasons)),
    )
    return "\n".join(part for part in parts if part)


def _head(preview: Preview) -> str:
    plan = preview.plan
    rows = [
        ("release", f"{plan.namespace}/{plan.workload.name}  ({plan.dialect}, {at(plan.source)})"),
        *(("image", f"{container} = {image}") for container, image in images(plan)),
        ("versions", _versions(preview)),
        ("how", HOW[preview.mode]),
        ("traffic", _traffic(plan.route)),
        (
            "duration",
            f"at most {duration(preview.worst_case)}; rolled back after {duration(preview.hard_end)}",
        ),
        ("login", preview.login),
    ]
    return "\n".join(f"{name:10}{one_line(text)}" for name, text in rows if text) + "\n"


def _traffic(route: Route | None) -> str:
    if route is None:
        return "as the Deployment's strategy moves it"
    if not route.stable_service:
        return f"by {route.router}"
    return f"by {route.router}, between Services {route.stable_service} and {route.canary_service}"


def _versions(preview: Preview) -> str:
    if preview.unchanged:
        return f"{preview.stable} is running already: a run would write nothing"
    if not preview.canary:
        return ""
    return f"{preview.stable or 'nothing'} -> {preview.canary}, {preview.size} pods"


def _steps(preview: Preview) -> Iterable[str]:
    for number, step in enumerate(preview.plan.steps, start=1):
        text, source = step_text(step)
        yield f"{number:3}. {text:{WIDTH}} {at(source)}".rstrip()
    for guard in preview.plan.guards:
        yield f"  in the background {guard_text(guard)}"
    yield "  then the new version takes everything, and the old one's pods go"


def _metrics(preview: Preview) -> Iterable[str]:
    answers = {answer.check: answer for answer in preview.answers}
    for check in checks(preview.plan):
        yield f"{check.name}: {rule(check)}"
        yield f"  asks    {shorten(one_line(check.query.query.raw), 160)}"
        if answer := answers.get(check.name):
            yield f"  way     {answer.way}"
            yield f"  answers {shorten(one_line(answer.answer), 160)}"


def _documents(documents: Iterable[Document]) -> Iterable[str]:
    for document in documents:
        yield f"{f'{document.kind} {document.name}':{WIDTH + 5}} {at(document.source)}"


def _section(title: str, lines: Iterable[str]) -> str:
    found = [f"  {line}" for line in lines]
    return "\n".join([title, *found, ""]) if found else ""
