"""Whether the journal of a release will have room for all that may happen to it: known before the first write."""

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.journal import Record
from progressive_ci.model.journal_size import LARGEST, worst_size
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Hands
from progressive_ci.release.findings import Findings
from progressive_ci.release.rights import analyses_of
from progressive_ci.release.snapshot import snapshot

_RELEASE = "r" * 64
"""No id is longer."""


def demand_room(plan: Plan, options: Options, hands: Hands, found: Findings) -> None:
    """The journal is rendered as long as it can become.

    Raises:
        Refused: that is too long; it would fail in the middle of the release, or of its rollback.
    """
    record = snapshot(plan, options, hands, found, epoch=0, release=_RELEASE)
    checks = [check.name for analysis in analyses_of(plan) for check in analysis.checks]
    size = worst_size(record, checks)
    if size > LARGEST:
        ref = Ref(kinds.CONFIG_MAP, plan.namespace, f"progressive-ci.{plan.workload.name}")
        told = f"the journal of this release could come to {size} bytes, more than {LARGEST}"
        raise Refused(ProgressiveError(told, where=str(ref), advice=_advice(record)))


def _advice(record: Record) -> str:
    if record.stable.template is not None:
        return f"give {record.name} a revisionHistoryLimit above 0: without one its template is kept in the journal"
    written = f"{len(record.objects)} objects would be written"
    return f"leave Services alone with --leave-service, or release less at once: {written}"
