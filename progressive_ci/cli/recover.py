"""`progressive-ci recover [NAME]`: what dead runs left is finished, of one workload or of a whole namespace."""

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.rollback import again_later, namespace_of
from progressive_ci.cli.settings import Settings
from progressive_ci.model.outcome import Outcome
from progressive_ci.ports import Hands
from progressive_ci.release import rescue, roundup


def main(settings: Settings) -> int:
    """Recover, and exit by the worst outcome."""
    return conduct(settings, _recover)


def _recover(desk: Desk) -> Outcome:
    namespace, name = namespace_of(desk.settings), desk.settings.name
    if name:
        hands = desk.hands(namespace=namespace, name=name)
        return again_later(lambda: rescue.recover(namespace, name, desk.options, hands))

    def reach(workload: str) -> Hands:
        return desk.hands(namespace=namespace, name=workload)

    def every() -> Outcome:
        found = roundup.workloads(namespace, reach(""))
        return roundup.recover_all(namespace, found, desk.options, reach)

    return again_later(every)
