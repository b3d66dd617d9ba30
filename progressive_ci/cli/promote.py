"""`progressive-ci promote NAME --reason TEXT`: a held release promoted by a person's word."""

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.rollback import demand_reason, workload
from progressive_ci.cli.settings import Settings
from progressive_ci.model.outcome import Outcome
from progressive_ci.release import by_hand


def main(settings: Settings) -> int:
    """Promote, and exit by the outcome."""
    return conduct(settings, _promote)


def _promote(desk: Desk) -> Outcome:
    namespace, name = workload(desk.settings)
    demand_reason(desk.settings)
    return by_hand.promote_held(namespace, name, desk.options, desk.hands(namespace=namespace, name=name))
