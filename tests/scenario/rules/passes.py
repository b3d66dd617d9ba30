"""Rule 5: no step without the passes of those before it, and no promotion without all of them.

Nobody who takes a release over may promote what its run had not begun to promote: a promotion begins with its
own entry, and only what is complete without one ends without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model.journal import Record, Stage, State
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Mode

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle

_FORWARD = (Stage.PROMOTING, Stage.COMMITTED)


def after(oracle: Oracle, before: Record | None, now: Record) -> None:
    """What a new entry may say, resting on the one before."""
    if before is None or before.release != now.release:
        # A signal may come while the first entry is on its way: then the way back writes it.
        if now.passed or now.stage not in (Stage.PREPARING, Stage.ROLLING_BACK):
            oracle.say("5", f"release {now.release} begins {now.stage.value} with {len(now.passed)} passes")
        return
    missing = set(range(1, now.step)) - _passed(now)
    if missing:
        oracle.say("5", f"step {now.step} began without the passes of {sorted(missing)}")
    if not _passed(before) <= _passed(now):
        oracle.say("5", "the journal has forgotten a pass")
    if before.stage is not now.stage:
        _demand_way(oracle, before, now)


def _demand_way(oracle: Oracle, before: Record, now: Record) -> None:
    """From stage to stage: forwards by all passes, and never forwards again from the way back."""
    way = f"from {before.stage.value} to {now.stage.value}"
    match now.stage:
        case Stage.PROMOTING:
            allowed = before.stage in (Stage.PREPARING, Stage.STEPPING) and has_passed(now)
        case Stage.COMMITTED:
            allowed = before.stage is Stage.PROMOTING or ends_without_promotion(before)
        case Stage.DONE:
            allowed = now.state is State.ENDED and (now.result is Result.PROMOTED) == (
                before.stage is Stage.COMMITTED
            )
        case Stage.ROLLING_BACK:
            allowed = before.stage is not Stage.COMMITTED
        case _:
            # Who takes a release over whose objects don't vouch for its journal believes nothing of it.
            allowed = before.stage is Stage.PREPARING or (
                now.stage is Stage.PREPARING and now.epoch > before.epoch
            )
    if not allowed:
        oracle.say("5", f"{way} with {len(_passed(now))} of {now.steps} steps passed, {now.weight} %")


def has_passed(record: Record) -> bool:
    """Whether every step is recorded as passed, or a person has given a reason to go without; 100 % is announced."""
    full = record.mode is Mode.IN_PLACE or record.weight == 100
    return full and (bool(record.why) or _passed(record) == set(range(1, record.steps + 1)))


def ends_without_promotion(record: Record) -> bool:
    """A first version, settings that change no pod, and a rollout in place whose steps have passed."""
    if not record.stable.hash or record.stable.hash == record.canary.hash:
        return True
    return record.mode is Mode.IN_PLACE and _passed(record) == set(range(1, record.steps + 1))


def _passed(record: Record) -> set[int]:
    return {each.step for each in record.passed}
