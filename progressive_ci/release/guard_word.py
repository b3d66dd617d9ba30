"""A guard's first word: that it watches, and which version of this tool it is. It stands beside the journal.

A pod that runs proves little: its guard may be refused, or not reach the API server. This word takes the login, the
way and the first rights of a take-over; the other rights are asked for before it is given.
"""

import json
from dataclasses import dataclass

from progressive_ci import __version__
from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.fence import RELEASE
from progressive_ci.model.journal import Record
from progressive_ci.model.json_text import parsed
from progressive_ci.model.kinds import Ref
from progressive_ci.model.write import Merge
from progressive_ci.ports import Access, Cluster
from progressive_ci.release.guard_job import job_ref
from progressive_ci.release.workload import labels_of, uid_of

KEY = "guard.json"


@dataclass(frozen=True, slots=True)
class Word:
    """What a guard has said of itself.

    Attributes:
        job: uid of its Job.
        version: of this tool.
    """

    job: str
    version: str


def give(cluster: Cluster, record: Record) -> bool:
    """Say that this process watches over a release; False where it does so without a Job, so that nobody waits for it.

    Raises:
        ApiError: it can't be said now.
        Refused: it could not bring the release to safety.
    """
    job = cluster.get(job_ref(record))
    if job is None or labels_of(job).get(RELEASE) != record.release:
        return False
    _demand_rights(cluster, record)
    ref = journal_ref(record)
    found = cluster.get(ref)
    if found is None:
        return False
    if given(found, uid_of(job)) == Word(uid_of(job), __version__):
        return True  # its pod has been started again
    text = json.dumps({"job": uid_of(job), "version": __version__}, separators=(",", ":"))
    known = {"resourceVersion": found["metadata"]["resourceVersion"]}
    cluster.send(Merge(ref, {"metadata": known, "data": {KEY: text}}))
    return True


def given(journal: JsonObject, job: str) -> Word | None:
    """What the guard of this Job has said; anything else that stands there says nothing."""
    text = (journal.get("data") or {}).get(KEY)
    try:
        found = parsed(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("job") != job or not isinstance(found.get("version"), str):
        return None
    return Word(job, " ".join(found["version"].split())[:40])


def journal_ref(record: Record) -> Ref:
    """Where it stands."""
    return Ref(kinds.CONFIG_MAP, record.namespace, f"progressive-ci.{record.name}")


def _demand_rights(cluster: Cluster, record: Record) -> None:
    """On the Lease and on every object that the journal names."""
    lease = Ref(kinds.LEASE, record.namespace, f"progressive-ci.{record.name}")
    refs = (lease, journal_ref(record), *(entry.ref for entry in record.objects))
    wanted = (
        Access(verb, ref.kind.group, ref.kind.plural, ref.namespace, ref.name)
        for ref in dict.fromkeys(refs)
        for verb in ("get", "patch")
    )
    missing = [access for access in wanted if not cluster.allowed(access)]
    if missing:
        told = ", ".join(f"{access.verb} {access.resource} {access.name}" for access in missing)
        advice = "apply what `progressive-ci rbac --guard IMAGE` prints for the documents of this release"
        raise Refused(ProgressiveError(f"the guard may not {told}", advice=advice))
