"""The user's Deployment during a release: paused, given the new version, given back its own."""

from progressive_ci.errors import NotFound
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Original
from progressive_ci.model.kinds import REPLICA_SET, Ref
from progressive_ci.model.plan import Mode
from progressive_ci.model.write import Patch, Write, pointer, replace, test
from progressive_ci.release.canary_set import deployment_ref
from progressive_ci.release.drift import last_writer
from progressive_ci.release.ownership import absent, changes, valued, wish
from progressive_ci.release.paths import PAUSED, REPLICAS, STRATEGY, TEMPLATE
from progressive_ci.release.release import Release, existing
from progressive_ci.release.stop import Stop, cancelled
from progressive_ci.release.workload import hash_of, replicas_of, same_template, without_hash

RECREATE = {"type": "Recreate"}
"""While a paused Deployment has this strategy, its controller never rescales two ReplicaSets in proportion."""


def pause(release: Release) -> None:
    """Pause NAME: from here on nobody's template change starts a pod; one that has started already goes on."""
    ref = deployment_ref(release)

    def decide(seen: JsonObject) -> Write | None:
        if foreign_template(release, seen):
            raise superseded(release, seen)
        return wish(ref, seen, [valued(PAUSED, value=True)])

    release.write(ref, existing(decide))


def resume(release: Release) -> None:
    """Let NAME's controller go on before the rest is done; our mark stays."""
    ref = deployment_ref(release)
    release.write(ref, existing(lambda seen: wish(ref, seen, [absent(PAUSED)])))


def template_of(release: Release, name: str, kept: JsonObject | None) -> JsonObject:
    """The pod template of a version, from its ReplicaSet, or, where that is gone, from what is kept of it.

    The journal has a copy only where no history is kept; the run that began a release remembers.
    """
    ref = Ref(REPLICA_SET, release.record.namespace, name)
    found = release.known(ref)
    template = found["spec"]["template"] if found else kept
    if template is None:
        raise NotFound(
            f"{ref} is gone, and nothing holds a copy of its template",
            where=str(ref),
            advice="somebody has deleted it; apply the version that you want by hand",
        )
    return without_hash(template)


def stable_template(release: Release) -> JsonObject:
    """The template of the version that served before; where somebody has deleted it, as preflight saw it."""
    side, serving = release.stable, release.serving
    return template_of(release, side.name, serving["spec"]["template"] if serving else side.template)


def canary_template(release: Release) -> JsonObject:
    """The template of the version being released."""
    return template_of(release, release.record.canary.name, None)


def foreign_template(release: Release, deployment: JsonObject) -> bool:
    """Whether NAME holds a template that is neither side's."""
    held = deployment["spec"]["template"]
    return not (
        hash_of(held) == release.record.held
        or same_template(held, stable_template(release))
        or _is_canary(release, held)
    )


def holds_another(release: Release, deployment: JsonObject) -> bool:
    """Whether NAME holds another template than the new version's: somebody has put it in since."""
    return not _is_canary(release, deployment["spec"]["template"])


def demand_ours(release: Release, deployment: JsonObject) -> None:
    """Stop where NAME, which holds the new version in place, holds another by now: what is judged is not ours."""
    if holds_another(release, deployment):
        raise superseded(release, deployment)


def _is_canary(release: Release, held: JsonObject) -> bool:
    side = release.record.canary
    if hash_of(held) == side.hash:
        return True
    found = release.known(Ref(REPLICA_SET, release.record.namespace, side.name)) if side.name else None
    return found is not None and same_template(held, found["spec"]["template"])


def superseded(release: Release, deployment: JsonObject) -> Stop:
    """The stop when somebody else has released another version meanwhile."""
    manager = last_writer(deployment, "f:template")
    return cancelled(
        f"superseded: {manager} has changed spec.template of Deployment {release.record.name} meanwhile",
        advice="that version rolls out now; let only one pipeline release a workload",
    )


def put_template(release: Release) -> None:
    """Template, the other fields and a temporary Recreate, in one patch that tests the generation it rests on."""
    ref = deployment_ref(release)
    template = canary_template(release)
    wishes = [
        valued(TEMPLATE, template),
        *(valued(path, value) for path, value in release.record.wanted.fields if path != STRATEGY),
        valued(STRATEGY, RECREATE),
        valued(PAUSED, value=True),
    ]

    def decide(seen: JsonObject) -> Write | None:
        if same_template(seen["spec"]["template"], template) and seen["spec"]["strategy"] == RECREATE:
            return None
        if foreign_template(release, seen):
            raise superseded(release, seen)
        generation = test(pointer("metadata", "generation"), seen["metadata"]["generation"])
        return Patch(ref, (generation, *_untested(changes(seen, wishes))))

    release.write(ref, existing(decide))


def _untested(operations: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
    """The generation that is tested already stands for every field of the spec."""
    return tuple(item for item in operations if item["op"] != "test" or not item["path"].startswith("/spec"))


def put_replicas(release: Release) -> bool:
    """The size that the spec asks for, where no autoscaler writes it; false where somebody has resumed NAME."""
    ref, wanted = deployment_ref(release), release.record.wanted.replicas
    if wanted is None:
        return True
    stored = release.write(ref, existing(lambda seen: _sized(ref, seen, wanted)))
    return stored is None or replicas_of(stored) == wanted


def _sized(ref: Ref, seen: JsonObject, wanted: int) -> Patch | None:
    if replicas_of(seen) == wanted or not seen["spec"].get("paused"):
        return None
    return Patch(ref, (test(PAUSED, value=True), replace(REPLICAS, wanted)))


def put_strategy(release: Release) -> None:
    """The strategy that NAME is to have, instead of the temporary one."""
    ref = deployment_ref(release)
    fields = dict(release.record.wanted.fields)
    strategy = fields.get(STRATEGY) or _original(release, STRATEGY).value
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(STRATEGY, strategy)])))


def _original(release: Release, path: str) -> Original:
    entry = release.record.owned(deployment_ref(release))
    return (
        next((item for item in entry.originals if item.path == path), absent(path)) if entry else absent(path)
    )


def put_back(release: Release) -> None:
    """Everything that the release has changed but its own pause: the old template, strategy and the other fields.

    A template that is neither side's belongs to somebody else and stays, and so does his pause; where NAME has to
    roll back, it must not be paused by anybody.
    """
    ref = deployment_ref(release)
    entry = release.record.owned(ref)
    originals = entry.originals if entry else ()

    def decide(seen: JsonObject) -> Write | None:
        theirs = foreign_template(release, seen)
        rolls = release.record.mode is not Mode.ADOPT and not theirs
        wishes = [item for item in originals if item.path != PAUSED or rolls]
        if hash_of(seen["spec"]["template"]) != release.record.held and not theirs:
            wishes.append(valued(TEMPLATE, _as_stored(seen, stable_template(release))))
        return wish(ref, seen, wishes)

    release.write(ref, existing(decide))


def _as_stored(seen: JsonObject, template: JsonObject) -> JsonObject:
    """The same template in the Deployment's own spelling, so that equal ones make no write."""
    held: JsonObject = seen["spec"]["template"]
    return held if same_template(held, template) else template


def unpause(release: Release) -> None:
    """The last write to NAME: its controller goes on, our mark is off."""
    ref = deployment_ref(release)
    release.free(ref, [_original(release, PAUSED)])
