"""`progressive-ci run`: a release from its documents to its outcome."""

import uuid

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.settings import Settings
from progressive_ci.model.outcome import Outcome
from progressive_ci.release import conductor


def main(settings: Settings) -> int:
    """Release, and exit by the outcome."""
    return conduct(settings, _release)


def _release(desk: Desk) -> Outcome:
    options = desk.options
    plan = desk.plan()
    hands = desk.hands(namespace=plan.namespace, name=plan.workload.name)
    return conductor.run(plan, options, hands, release=uuid.uuid4().hex[:12])
