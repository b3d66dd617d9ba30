"""`progressive-ci post`: what an action's post step does, in a new container and without the workspace."""

from dataclasses import replace
from functools import partial

from progressive_ci.cli import papers
from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import Locked
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.release import rescue


def main(settings: Settings) -> int:
    """Finish what this job's own run left; touches no other release."""
    # It only reads the state, so that it can be repeated where it was killed itself.
    return conduct(replace(settings, state=""), partial(_finish, settings.state))


def _finish(state: str, desk: Desk) -> Outcome:
    left = papers.left_state(state) if state else {}
    release = desk.job.release or left.get("release", "")
    workload = desk.job.workload or left.get("workload", "")
    if not release or "/" not in workload:
        return Outcome(Result.NOTHING_TO_DO, "this job began no release")
    namespace, name = workload.split("/", 1)
    hands = desk.hands(namespace=namespace, name=name)
    try:
        done = rescue.rollback(namespace, name, desk.options, hands, only=release, held=False)
    except Locked as error:
        return Outcome(Result.NOTHING_TO_DO, f"somebody is at work on it: {error}", release=release)
    # It tidies up what its job has left, and nobody has asked it for the old version.
    return replace(done, result=Result.PROMOTED) if done.result is Result.TOO_LATE else done
