"""The journal read: what a record in the cluster means for this run."""

from collections.abc import Callable, Mapping

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model.codec import decode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import FORMAT, Record, State
from progressive_ci.ports import Hands
from progressive_ci.release.trust import complaint

Migration = Callable[[JsonObject], JsonObject]

MIGRATIONS: Mapping[int, Migration] = {}
"""How a record of each older format becomes one of the next; no format has been left behind yet."""


class Newer(Refused):
    """A later version of the tool has written the journal: only that one knows what it means."""


def read_record(hands: Hands, *, namespace: str, name: str) -> Record | None:
    """The record of the last release of a workload, None where there is none.

    Raises:
        Refused: it can't be understood; nothing is touched then.
    """
    body = hands.journal.read()
    return None if body is None else _understood(body, namespace, name)


def _understood(body: JsonObject, namespace: str, name: str) -> Record:
    where = f"ConfigMap {namespace}/progressive-ci.{name}"
    forget = f"progressive-ci forget {name} --namespace {namespace}"
    number = body.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise Newer(
            ProgressiveError(
                f"the journal has format {number}, this version understands up to {FORMAT}",
                where=where,
                advice="use the version of this tool that wrote it, or a newer one",
            )
        )
    try:
        record = decode(Record, _migrated(body, number))
    except (ValueError, TypeError) as error:
        advice = f"see what the last release left, then remove the journal: `{forget}`"
        raise Refused(
            ProgressiveError(f"the journal can't be read: {error}", where=where, advice=advice)
        ) from error
    if (record.namespace, record.name) != (namespace, name):
        advice = f"somebody has copied it; remove it: `{forget}`"
        found = f"{record.namespace}/{record.name}"
        raise Refused(ProgressiveError(f"the journal belongs to {found}", where=where, advice=advice))
    if wrong := complaint(record):
        advice = f"somebody has edited it; see what the last release left, then remove it: `{forget}`"
        raise Refused(ProgressiveError(f"the journal can't be trusted: {wrong}", where=where, advice=advice))
    return record


def _migrated(body: JsonObject, number: object) -> JsonObject:
    """The record in today's format.

    Raises:
        ValueError: it has no format that ever was.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"format: {number!r} is none")
    for older in range(number, FORMAT):
        body = MIGRATIONS[older](body)
    return body


def unfinished(record: Record | None) -> bool:
    """Whether a release was begun and nobody has brought it to an end."""
    return record is not None and record.state is not State.ENDED


def waits_for_a_person(record: Record | None) -> bool:
    """Whether a release was left standing on purpose: it is no orphan, and nobody but a person goes on."""
    return record is not None and record.state is State.HELD
