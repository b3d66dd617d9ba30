"""An unfinished release is taken up: the lease, the journal as it is then, and every object fenced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from progressive_ci.errors import Interrupted, LeaseLost, Locked
from progressive_ci.model.journal import Record, State
from progressive_ci.model.options import Options
from progressive_ci.ports import Hands
from progressive_ci.release.fencing import take_over
from progressive_ci.release.records import read_record, unfinished, waits_for_a_person
from progressive_ci.release.release import Release

_LATE_ENTRIES = 3
"""Times that a take-over begins anew because the former holder's last entry landed in between."""


def take_up(
    hands: Hands,
    options: Options,
    left: Record,
    *,
    held: bool = False,
    meant: Callable[[Record], bool] = lambda _: True,
) -> tuple[Release | None, Record | None]:
    """Take the lease, and with it the release as the journal tells it then, every object fenced.

    Args:
        hands: the world.
        options: the user's choices.
        left: the record that was found.
        held: whether a release that waits for a person may be taken up.
        meant: whether a release is the one that was asked for; there may be another by the time the lease is ours.

    Returns:
        None for the release where another run has brought it to its end meanwhile, or it is none that was meant;
        the record as it is then.
    """
    try:
        tenure = hands.lease.acquire(left.release, wait=options.lock_wait)
    except Interrupted as error:
        command = f"progressive-ci recover {left.name} --namespace {left.namespace}"
        advice = f"release {left.release} still stands unfinished: `{command}`, or the next run, finishes it"
        raise Interrupted(error.what, where=error.where, advice=advice) from error
    with not_kept(hands):
        for _ in range(_LATE_ENTRIES):
            before = read_record(hands, namespace=left.namespace, name=left.name)
            try:
                return _taken(hands, options, before, tenure.epoch, held=held, meant=meant)
            except LeaseLost:
                if not _came_late(hands, before):
                    raise
        raise Locked(f"the former holder of release {left.release} still writes its journal")


def _came_late(hands: Hands, before: Record | None) -> bool:
    """Whether an entry of the former holder landed on ours, which has the lease, and not one of the next."""
    if before is None or hands.lease.valid_for() == 0:
        return False
    now = read_record(hands, namespace=before.namespace, name=before.name)
    return now is None or now.epoch <= before.epoch


def _taken(
    hands: Hands,
    options: Options,
    record: Record | None,
    least: int,
    *,
    held: bool,
    meant: Callable[[Record], bool],
) -> tuple[Release | None, Record | None]:
    """The release as the journal tells it now that the lease is ours; its epoch is `least` or higher."""
    if record is None or not unfinished(record) or (waits_for_a_person(record) and not held):
        return None, record
    if not meant(record):
        return None, record
    # Whoever deletes the Lease restarts its count; the marks on the objects must still go up.
    epoch = max(least, record.epoch + 1)
    release = Release(hands, options, replace(record, state=State.RUNNING), epoch)
    take_over(release)
    return release, record


@contextmanager
def not_kept(hands: Hands) -> Iterator[None]:
    """Whoever can't go on gives the lease up, so that the next command need not wait until it runs out."""
    try:
        yield
    except BaseException:
        hands.lease.release()
        raise
