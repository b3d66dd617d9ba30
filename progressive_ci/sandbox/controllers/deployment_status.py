"""What a Deployment reports of itself: counts, conditions, progress and its deadline."""

from datetime import datetime

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox.controllers import sizes

PROGRESSING, AVAILABLE = "Progressing", "Available"
FAILURE = "ReplicaFailure"
COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def counts(deployment: JsonObject, new: JsonObject | None, sets: list[JsonObject]) -> JsonObject:
    """The status without a judgement on the progress."""
    available = sum(sizes.counted(each, "availableReplicas") for each in sets)
    numbers = {
        "replicas": sum(sizes.counted(each) for each in sets),
        "updatedReplicas": sizes.counted(new),
        "readyReplicas": sum(sizes.counted(each, "readyReplicas") for each in sets),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sizes.total(sets) - available),
        "collisionCount": sizes.counted(deployment, "collisionCount"),
    }
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **{key: number for key, number in numbers.items() if number},
        "terminatingReplicas": sum(sizes.counted(each, "terminatingReplicas") for each in sets),
        "conditions": list((deployment.get("status") or {}).get("conditions") or ()),
    }


def judge_availability(deployment: JsonObject, status: JsonObject, now: str) -> None:
    """Set the Available condition, in place."""
    enough = status.get("availableReplicas", 0) >= sizes.wished(deployment) - sizes.unavailable(deployment)
    if enough:
        told = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    put(status, AVAILABLE, told, now)


def judge_progress(deployment: JsonObject, new: JsonObject | None, status: JsonObject, now: datetime) -> None:
    """Set the Progressing condition of a rollout, in place."""
    current = condition(status, PROGRESSING)
    done = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if done and current and current["reason"] == COMPLETE:
        return
    subject = (
        f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if complete(deployment, status):
        put(status, PROGRESSING, ("True", COMPLETE, f"{subject} has successfully progressed."), stamp)
    elif _moves(deployment.get("status") or {}, status):
        put(
            status,
            PROGRESSING,
            ("True", "ReplicaSetUpdated", f"{subject} is progressing."),
            stamp,
            touch=True,
        )
    elif overdue(deployment, current, now):
        put(status, PROGRESSING, ("False", TIMED_OUT, f"{subject} has timed out progressing."), stamp)


def pass_on_failure(new: JsonObject | None, sets: list[JsonObject], status: JsonObject) -> None:
    """Take over that pods could not be created, in place: from the new ReplicaSet, or else from any."""
    found = [condition(each.get("status") or {}, FAILURE) for each in (new, *sets) if each is not None]
    kept = [each for each in status["conditions"] if each["type"] != FAILURE]
    status["conditions"] = [*kept, *[each for each in found if each is not None][:1]]


def complete(deployment: JsonObject, status: JsonObject) -> bool:
    """Whether every pod is new and available."""
    fields = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(field, 0) == sizes.wished(deployment) for field in fields)


def _moves(before: JsonObject, now: JsonObject) -> bool:
    def old_ones(status: JsonObject) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old_ones(now) < old_ones(before) or any(now.get(key, 0) > before.get(key, 0) for key in more)


def overdue(deployment: JsonObject, current: JsonObject | None, now: datetime) -> bool:
    """Whether nothing has moved for longer than the deadline."""
    if current is None or current["reason"] == COMPLETE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    since = datetime.fromisoformat(current["lastUpdateTime"])
    return (now - since).total_seconds() > float(deployment["spec"]["progressDeadlineSeconds"])


def note_pause(deployment: JsonObject, now: str) -> JsonObject | None:
    """The conditions after a pause or its end; None when they say so already."""
    status = {"conditions": list((deployment.get("status") or {}).get("conditions") or ())}
    current = condition(status, PROGRESSING)
    if current and current["reason"] == TIMED_OUT:
        return None
    noted = bool(current and current["reason"] == PAUSED)
    paused = bool(deployment["spec"].get("paused"))
    if paused == noted:
        return None
    told = (
        ("Unknown", PAUSED, "Deployment is paused")
        if paused
        else ("Unknown", RESUMED, "Deployment is resumed")
    )
    put(status, PROGRESSING, told, now)
    return status


def condition(status: JsonObject, type_: str) -> JsonObject | None:
    """A condition of a status, or None."""
    for each in status.get("conditions") or ():
        if each["type"] == type_:
            found: JsonObject = each
            return found
    return None


def put(status: JsonObject, type_: str, told: tuple[str, str, str], now: str, *, touch: bool = False) -> None:
    """Set a condition: its status, reason and message; one that says the same stays unless it is touched."""
    word, reason, message = told
    known = condition(status, type_)
    if known and (known["status"], known["reason"]) == (word, reason) and not touch:
        return
    fresh = {
        "type": type_,
        "status": word,
        "lastUpdateTime": now,
        "lastTransitionTime": known["lastTransitionTime"] if known and known["status"] == word else now,
        "reason": reason,
        "message": message,
    }
    status["conditions"] = [each for each in status["conditions"] if each["type"] != type_] + [fresh]
