"""`progressive-ci abort NAME`: a running release is asked to go back, by somebody and for a reason."""

from dataclasses import replace

from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.rollback import workload
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model.outcome import Outcome
from progressive_ci.release import abort


def main(settings: Settings) -> int:
    """Ask, wait for the end, and exit by it."""
    return conduct(settings, _abort)


def _abort(desk: Desk) -> Outcome:
    settings = desk.settings
    namespace, name = workload(settings)
    by = settings.by or desk.job.user
    complaints = []
    if not by:
        complaints.append(ProgressiveError("nobody is named who aborts", advice="say it with --by"))
    if not settings.reason:
        advice = "say why, as in --reason 'the queue grows'"
        complaints.append(ProgressiveError("abort needs --reason", advice=advice))
    if complaints:
        raise SpecInvalid(*complaints)
    options = replace(desk.options, lock_wait=settings.wait)
    hands = desk.hands(namespace=namespace, name=name)
    return abort.abort(namespace, name, options, hands, by=by, only=settings.release)
