"""A held release promoted by a person's word: no more checks, but readiness and capacity as always."""

from dataclasses import replace
from functools import partial

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model.event import Noted, Opened
from progressive_ci.model.journal import Record
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.ports import Hands
from progressive_ci.release import steps
from progressive_ci.release.attempt import attempt
from progressive_ci.release.nothing_to_do import nothing, unaccounted
from progressive_ci.release.promotion import promote
from progressive_ci.release.recalls import heard
from progressive_ci.release.records import read_record, unfinished, waits_for_a_person
from progressive_ci.release.release import Release
from progressive_ci.release.resume import stand_again
from progressive_ci.release.take_up import take_up
from progressive_ci.release.vigil import Vigil


def promote_held(namespace: str, name: str, options: Options, hands: Hands) -> Outcome:
    """Complete the promotion of a held release.

    Raises:
        Refused: there is an unfinished release, and it is not held.
    """
    record = read_record(hands, namespace=namespace, name=name)
    if record is None:
        return unaccounted(hands, namespace, name)
    if not unfinished(record):
        return nothing(record, name)
    _demand_held(record)
    hands.reporter.emit(Opened(record.release, namespace, name))
    release, meanwhile = take_up(
        hands, options, record, held=True, meant=partial(_is_still_held, record.release)
    )
    if release is None:
        hands.lease.release()
        _demand_end(record, meanwhile)
        return nothing(meanwhile, name)
    # A failure now is the second one: the release goes back instead of waiting again.
    release.options = replace(options, on_failure="rollback")
    hands.reporter.emit(Noted(f"release {record.release} is promoted by hand: {options.reason}"))
    with heard(hands, record.release):
        return attempt(release, partial(_forward, release, options.reason))


def _is_still_held(release: str, record: Record) -> bool:
    """The word of a person counts for the release that he has seen, and as it stood."""
    return record.release == release and waits_for_a_person(record)


def _demand_end(held: Record, now: Record | None) -> None:
    if now is not None and unfinished(now):
        told = f"release {held.release} is not held any more: release {now.release} is {now.state.value} now"
        advice = f"see where it stands: `progressive-ci status {now.name} --namespace {now.namespace}`"
        raise Refused(ProgressiveError(told, where=f"{now.namespace}/{now.name}", advice=advice))


def _demand_held(record: Record) -> None:
    if not waits_for_a_person(record):
        place = f"{record.name} --namespace {record.namespace}"
        told = f"release {record.release} is not held, but {record.state.value}"
        advice = f"if its run is dead, `progressive-ci recover {place}` finishes it"
        raise Refused(ProgressiveError(told, where=f"{record.namespace}/{record.name}", advice=advice))


def _forward(release: Release, reason: str) -> Outcome:
    release.enter(result=None, reason="", why=reason)
    vigil = Vigil(release, deadline=float("inf"), keep_up=partial(steps.keep_up, release))
    stand_again(vigil)
    steps.complete(vigil)
    return promote(release)
