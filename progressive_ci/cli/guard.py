"""`progressive-ci guard NAME`: what the guard's Job runs in the cluster, until the release has come to its end."""

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.rollback import workload
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import Interrupted
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.release.guard import Watch


def main(settings: Settings) -> int:
    """Watch, and exit by the outcome; other than with 0 the Job starts it again."""
    return conduct(settings, _watch)


def _watch(desk: Desk) -> Outcome:
    namespace, name = workload(desk.settings)
    watch = Watch(
        namespace, name, desk.options, desk.hands(namespace=namespace, name=name), desk.without_lease()
    )
    try:
        return watch.keep()
    except Interrupted as error:
        return Outcome(Result.CANCELLED, f"{error.what}: the guard stops here, and its Job starts it again")
