"""A Deployment that rolls by its own strategy: given a template, watched until complete, given its own back."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Original
from progressive_ci.model.write import Patch, Write, pointer, test
from progressive_ci.release.canary_set import deployment_ref, unmark_history
from progressive_ci.release.deployment import foreign_template, resume, stable_template, superseded
from progressive_ci.release.drift import last_writer
from progressive_ci.release.ownership import changes, valued, wish
from progressive_ci.release.paths import REPLICAS, TEMPLATE
from progressive_ci.release.patience import Progress, until
from progressive_ci.release.readiness import diagnose, too_late
from progressive_ci.release.release import Release, existing
from progressive_ci.release.shortage import Shortage
from progressive_ci.release.stop import Stop, cancelled
from progressive_ci.release.workload import complete, renewed, replaced, replicas_of, same_template


def roll_to(release: Release, template: JsonObject) -> JsonObject:
    """Template, the other fields and the replicas in one patch, resting on the generation that was seen.

    Returns:
        The template as the server stored it with that patch: what is read later may be somebody else's.
    """
    ref = deployment_ref(release)

    def decide(seen: JsonObject) -> Write | None:
        if same_template(seen["spec"]["template"], template):
            return wish(ref, seen, _fields(release))
        if foreign_template(release, seen):
            raise superseded(release, seen)
        edits = changes(seen, [valued(TEMPLATE, template), *_fields(release)])
        generation = test(pointer("metadata", "generation"), seen["metadata"]["generation"])
        rest = (item for item in edits if item["op"] != "test" or not item["path"].startswith("/spec"))
        return Patch(ref, (generation, *rest))

    stored = release.write(ref, existing(decide)) or release.must_read(ref)
    rolling: JsonObject = stored["spec"]["template"]
    return rolling


def _fields(release: Release) -> list[Original]:
    wanted = release.record.wanted
    found = [valued(path, value) for path, value in wanted.fields]
    return [*found, valued(REPLICAS, wanted.replicas)] if wanted.replicas is not None else found


def rolled(release: Release, template: JsonObject, progress: Progress) -> bool:
    """Whether NAME is complete with a template; stops where waiting can't help, or nothing goes forward any more.

    A pod that a quota refuses is no reason to stop before that: the end of an old one may make room for it.
    """
    found = release.must_read(deployment_ref(release))
    if not same_template(found["spec"]["template"], template):
        raise superseded(release, found)
    if complete(found):
        return True
    if found["spec"].get("paused"):
        raise _paused(release, found)
    now = release.hands.clock.now()
    progress.goes(replaced(found), now=now)
    elapsed, allowed = now - progress.since, release.record.ready_seconds
    if elapsed >= allowed:
        raise too_late(release, replicas_of(found), renewed(found), allowed, owner=found)
    if stop := diagnose(release, None, elapsed=elapsed, allowed=allowed):
        raise stop
    return False


def _paused(release: Release, deployment: JsonObject) -> Stop:
    """The stop when somebody has paused what rolls: it would stand still until the time is over."""
    who = last_writer(deployment, "f:paused")
    return cancelled(
        f"{who} has paused {deployment_ref(release)} in the middle of its rollout",
        advice=f"`progressive-ci abort {release.record.name}` is the way to end a release; it goes back too",
    )


def back_to_stable(release: Release) -> None:
    """Wait until NAME is complete with the version that served before, pod by pod as its own strategy has it.

    Where it goes forward it gets the time for its next pod, even beyond the rollback's budget. What was back in an
    earlier try is no progress, so all of that has an end.
    """
    progress, shortage = Progress(release.hands.clock.now(), most=release.back), Shortage(release)
    until(
        release,
        lambda: _stable_again(release, progress, shortage),
        "the Deployment is complete with the old version",
        progress=progress,
    )
    release.trouble = ""


def _stable_again(release: Release, progress: Progress, shortage: Shortage) -> bool:
    """Whether it is; somebody else's version stays, even paused.

    Whoever pauses it on its way there wants the new version to stand still, not to stay.
    """
    found = release.must_read(deployment_ref(release))
    paused = bool(found["spec"].get("paused"))
    if foreign_template(release, found):
        return complete(found) or paused
    if paused:
        resume(release)
        return False
    if complete(found) and same_template(found["spec"]["template"], stable_template(release)):
        return True
    now = release.hands.clock.now()
    if progress.goes(replaced(found), now=now):
        if release.back >= 0:
            release.limit = max(release.limit, now + release.record.ready_seconds)
        release.back = progress.most
    shortage.look()
    return False


def let_be(release: Release) -> None:
    """Our marks off everything that stays, the last write to it, and off the ReplicaSets of NAME."""
    for entry in release.record.objects:
        if not entry.created:
            release.free(entry.ref)
    unmark_history(release)
