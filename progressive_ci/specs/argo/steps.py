"""Owns the steps of a canary Rollout."""

from progressive_ci.model.durations import pause_seconds
from progressive_ci.model.plan import Analyze, Pause, SetWeight, Step
from progressive_ci.model.weight import Weight
from progressive_ci.specs.argo import analysis
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.complaints import NOT_BUILT
from progressive_ci.specs.part import Part
from progressive_ci.specs.reading import Reading

_KINDS = ("setWeight", "pause", "analysis")


def steps(setting: Setting, canary: Part, max_weight: int) -> tuple[Step, ...]:
    """The steps in order; those that were complained about are left out."""
    built = (_step(setting, part, max_weight) for part in canary.parts("steps"))
    return tuple(step for step in built if step is not None)


def _step(setting: Setting, step: Part, max_weight: int) -> Step | None:
    reading = setting.reading
    kinds = [kind for kind in _KINDS if step.has(kind)]
    if len(kinds) != 1:
        what = f"a step does one thing, this one names {' and '.join(kinds) or 'none'}"
        reading.fault(
            step, "", what, advice="write one of setWeight: 20, pause: {duration: 10m}, analysis: {...}"
        )
        return None
    match kinds[0]:
        case "setWeight":
            return _set_weight(reading, step, max_weight)
        case "pause":
            return _pause(reading, step)
        case _:
            reference = step.part("analysis")
            found = analysis.analysis(setting, reference, name=f"step {_number(step)}", endless=False)
            return Analyze(found, step.source) if found is not None else None


def _number(step: Part) -> int:
    """Counted from 1, as people and the log do."""
    return int(step.path.rpartition("[")[2].rstrip("]")) + 1


def _set_weight(reading: Reading, step: Part, max_weight: int) -> SetWeight | None:
    parts = step.whole("setWeight") or 0
    if not 0 <= parts <= max_weight:
        what = f"setWeight {parts} is not between 0 and {max_weight}"
        reading.fault(step, "setWeight", what, advice=f"weights are out of {max_weight}")
        return None
    percent, rest = divmod(parts * 100, max_weight)
    if rest:
        what = f"{NOT_BUILT}: setWeight {parts} of {max_weight}, which is no whole percent"
        reading.fault(step, "setWeight", what, advice=f"use a multiple of {max(max_weight // 100, 1)}")
        return None
    return SetWeight(Weight(percent), step.source)


def _pause(reading: Reading, step: Part) -> Pause | None:
    pause = step.part("pause")
    if not pause.has("duration"):
        return Pause(None, step.source)
    duration = pause.value["duration"]
    seconds = pause_seconds(duration)
    if seconds < 0:
        what = f"{duration!r} is no duration of 0 seconds or more"
        reading.fault(pause, "duration", what, advice="write 30, 30s, 10m or 1h30m")
        return None
    return Pause(float(seconds), step.source)
