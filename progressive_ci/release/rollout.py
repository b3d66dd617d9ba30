"""A Deployment that rolls by its own strategy: given a template, watched until complete, given its own back."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Original
from progressive_ci.model.write import Patch, Write, pointer, test
from progressive_ci.release.canary_set import deployment_ref, unmark_history
from progressive_ci.release.deployment import foreign_template, resume, stable_template, superseded
from progressive_ci.release.drift import last_writer
from progressive_ci.release.ownership import changes, valued, wish
from progressive_ci.release.paths import REPLICAS, TEMPLATE
from progressive_ci.release.readiness import diagnose
from progressive_ci.release.release import Release, existing
from progressive_ci.release.stop import Stop, cancelled
from progressive_ci.release.workload import complete, same_template


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


def rolled(release: Release, template: JsonObject, *, began: float) -> bool:
    """Whether NAME is complete with a template; stops where waiting can't help."""
    found = release.must_read(deployment_ref(release))
    if not same_template(found["spec"]["template"], template):
        raise superseded(release, found)
    if complete(found):
        return True
    if found["spec"].get("paused"):
        raise _paused(release, found)
    elapsed = release.hands.clock.now() - began
    if stop := diagnose(release, None, elapsed=elapsed, allowed=release.record.ready_seconds):
        raise stop
    return False


def _paused(release: Release, deployment: JsonObject) -> Stop:
    """The stop when somebody has paused what rolls: it would stand still until the time is over."""
    who = last_writer(deployment, "f:paused")
    return cancelled(
        f"{who} has paused {deployment_ref(release)} in the middle of its rollout",
        advice=f"`progressive-ci abort {release.record.name}` is the way to end a release; it goes back too",
    )


def stable_again(release: Release) -> bool:
    """Whether NAME is complete with the version that served before; somebody else's stays, even paused.

    Whoever pauses it on its way there wants the new version to stand still, not to stay.
    """
    found = release.must_read(deployment_ref(release))
    paused = bool(found["spec"].get("paused"))
    if foreign_template(release, found):
        return complete(found) or paused
    if paused:
        resume(release)
        return False
    return complete(found) and same_template(found["spec"]["template"], stable_template(release))


def let_be(release: Release) -> None:
    """Our marks off everything that stays, the last write to it, and off the ReplicaSets of NAME."""
    for entry in release.record.objects:
        if not entry.created:
            release.free(entry.ref)
    unmark_history(release)
