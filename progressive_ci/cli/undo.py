"""`progressive-ci undo NAME --reason TEXT`: a finished release returned to its predecessor."""

import uuid

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.rollback import demand_reason, workload
from progressive_ci.cli.settings import Settings
from progressive_ci.model.outcome import Outcome
from progressive_ci.release import undo


def main(settings: Settings) -> int:
    """Undo, and exit by the outcome."""
    return conduct(settings, _undo)


def _undo(desk: Desk) -> Outcome:
    namespace, name = workload(desk.settings)
    demand_reason(desk.settings)
    hands = desk.hands(namespace=namespace, name=name)
    return undo.undo(namespace, name, desk.options, hands, release=uuid.uuid4().hex[:12])
