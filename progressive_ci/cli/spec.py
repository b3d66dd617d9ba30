"""From the user's files and options to plans; no cluster is asked."""

from datetime import UTC, datetime

from progressive_ci.cli import documents
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ConditionError, ProgressiveError, SpecInvalid
from progressive_ci.judging.condition import complaint, evaluate_time
from progressive_ci.metrics.promql import check as query_complaint
from progressive_ci.metrics.promql import fill
from progressive_ci.model.document import Document
from progressive_ci.model.plan import Plan
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read, subjects
from progressive_ci.specs.reading import Checkers

_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def plan(settings: Settings, *, workspace: str) -> Plan:
    """The plan of the one workload that the options choose.

    Raises:
        SpecInvalid: with everything that is wrong.
    """
    return _plan(given(settings, workspace=workspace), settings, settings.name)


def plans(settings: Settings, *, workspace: str) -> tuple[Plan, ...]:
    """The plan of every workload in the documents.

    Raises:
        SpecInvalid: with everything that is wrong in any of them.
    """
    found = given(settings, workspace=workspace)
    named = [settings.name] if settings.name else [document.name for _, document in subjects(found)]
    done: list[Plan] = []
    complaints: list[ProgressiveError] = []
    for name in named or [""]:
        try:
            done.append(_plan(found, settings, name))
        except SpecInvalid as error:
            complaints.extend(error.complaints)
    if complaints:
        raise SpecInvalid(*complaints)
    return tuple(done)


def given(settings: Settings, *, workspace: str) -> tuple[Document, ...]:
    """All documents of the input."""
    return parse(documents.read(settings.file, workspace=workspace))


def _plan(found: tuple[Document, ...], settings: Settings, name: str) -> Plan:
    return read(
        found,
        name=name or None,
        namespace=settings.namespace or None,
        images=settings.image,
        analysis=settings.analysis or None,
        checkers=CHECKERS,
        allowed=settings.allow_namespace,
    )


def _window_complaint(text: str) -> str | None:
    """What is wrong with start or end of a range query; any moment shows it."""
    try:
        evaluate_time(text, _ANY_MOMENT)
    except ConditionError as error:
        return error.what
    return None


CHECKERS = Checkers(complaint, query_complaint, _window_complaint, fill)
"""What is asked of conditions, queries and times in a spec."""
