"""What a finished release has replaced, kept in the journal for whoever takes it back. Pure."""

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.journal import Finished, Record
from progressive_ci.model.kinds import Ref
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Plan


def last_finished(record: Record | None) -> Finished | None:
    """The last promoted release that a record tells of: its own, or, where that changed no version, the one before."""
    if record is None:
        return None
    if record.result is not Result.PROMOTED or changed_no_pods(record):
        return record.last
    return promoted(record)


def promoted(record: Record) -> Finished | None:
    """What a record says of its own release, where that was promoted and can be taken back."""
    if record.result is not Result.PROMOTED or changed_no_pods(record):
        return None
    return None if record.undoes or not record.stable.hash else _finished(record)


def demand_last(plan: Plan, before: Record | None) -> None:
    """What is to be undone is still the last finished release; another may have ended while its turn was waited for.

    Raises:
        Refused: it isn't.
    """
    if not plan.undoes or (before is not None and before.undoes == plan.undoes):
        return
    last = last_finished(before)
    if last is None or last.release != plan.undoes:
        told = f"release {plan.undoes} is not the last finished one any more"
        namespace, name = plan.namespace, plan.workload.name
        advice = f"see what is deployed now: `progressive-ci status {name} --namespace {namespace}`"
        raise Refused(ProgressiveError(told, where=f"workload {namespace}/{name}", advice=advice))


def promoted_by(record: Record | None, revision: str) -> str:
    """Which release has promoted a version, and when; it has left no name on its fields."""
    endings = [item for item in (record.endings if record else ()) if item.result is Result.PROMOTED]
    if not endings or endings[-1].revision != revision:
        return ""
    return f"release {endings[-1].release} at {endings[-1].at}"


def changed_no_pods(record: Record) -> bool:
    """Whether a release changed settings alone."""
    return record.stable.hash == record.canary.hash and bool(record.stable.hash)


def _finished(record: Record) -> Finished | None:
    """None where nobody vouches for the values before (`release.trust`): then the record has none."""
    entry = record.owned(Ref(kinds.DEPLOYMENT, record.namespace, record.name))
    if entry is None or not entry.originals:
        return None
    wrote = {path for path, _ in record.wanted.fields}
    before = tuple(item for item in entry.originals if item.path in wrote)
    return Finished(
        release=record.release,
        mode=record.mode,
        stable=record.stable,
        canary=record.canary,
        route=record.route,
        before=before,
        drain_seconds=record.drain_seconds,
        abort_drain_seconds=record.abort_drain_seconds,
    )
