"""`progressive-ci run`: a release from its documents to its outcome."""

import os
import uuid
from dataclasses import replace

from progressive_ci import __version__
from progressive_ci.adapters import job_status
from progressive_ci.adapters.http import Sender
from progressive_ci.cli.desk import Desk, conduct
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model.event import Noted, SecretSeen, Warned
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.plan import Plan
from progressive_ci.release import conductor
from progressive_ci.release.duration import hard_end
from progressive_ci.reports.preview import images
from progressive_ci.reports.text import duration

QUEUE = 1800.0
"""Seconds for which a run waits for its turn unless the user says otherwise."""


def main(settings: Settings) -> int:
    """Release, and exit by the outcome."""
    return conduct(settings, _release)


def _release(desk: Desk) -> Outcome:
    options = replace(desk.options, lock_wait=_lock_wait(desk.settings))
    if desk.settings.watch_job:
        _watch_job(desk)
    plan = desk.plan()
    desk.reporter.emit(Noted(_subject(plan, options)))
    hands = desk.hands(namespace=plan.namespace, name=plan.workload.name)
    return conductor.run(plan, options, hands, release=uuid.uuid4().hex[:12])


def _watch_job(desk: Desk) -> None:
    """Call the release off when the CI system says that its job is over."""
    try:
        question = job_status.question(os.environ)
    except ProgressiveError as error:
        raise SpecInvalid(error) from error
    if question.token:
        desk.reporter.emit(SecretSeen(question.token))
    job_status.watch(
        question,
        send=Sender().send,
        halt=desk.clock.halt,
        tell=lambda text: desk.reporter.emit(Warned(text)),
    )


def _subject(plan: Plan, options: Options) -> str:
    """The first line of the log: which tool releases what, and how long that may take."""
    new = ", ".join(f"{container} = {image}" for container, image in images(plan))
    limit = duration(hard_end(plan, options))
    return (
        f"progressive-ci {__version__} releases {plan.namespace}/{plan.workload.name}, {new}, within {limit}"
    )


def _lock_wait(settings: Settings) -> float:
    if settings.if_locked == IfLocked.REFUSE:
        if settings.lock_wait:
            advice = "leave one of them out: refuse gives up at once, queue waits"
            raise SpecInvalid(
                ProgressiveError(
                    "--if-locked refuse waits for nobody, but --lock-wait is given", advice=advice
                )
            )
        return 0.0
    return QUEUE if settings.lock_wait is None else settings.lock_wait
