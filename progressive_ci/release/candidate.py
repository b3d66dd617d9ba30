"""The new version as the server would store it: what dry-runs tell before anything is written."""

from dataclasses import dataclass, replace

from progressive_ci.errors import (
    AlreadyExists,
    ApiError,
    Forbidden,
    NoAnswer,
    ProgressiveError,
    Refused,
    ServerError,
    TooManyRequests,
    Unprocessable,
)
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Original, Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode, Plan, Workload
from progressive_ci.model.write import Create, Patch, pointer
from progressive_ci.model.write import replace as replace_field
from progressive_ci.ports import Hands
from progressive_ci.release.canary_deployment import canary_name, canary_selector
from progressive_ci.release.leftover import is_leftover
from progressive_ci.release.ownership import look_up, valued
from progressive_ci.release.stable import Standing
from progressive_ci.release.workload import (
    HASH_LABEL,
    hash_of,
    labels_of,
    name_of,
    same_template,
    selector_text,
    set_name,
    uid_of,
    with_hash,
    without_hash,
)

_CARRIED = ("kubectl.kubernetes.io/restartedAt",)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The version to release.

    Attributes:
        written: the template with what is carried over, as it is sent.
        template: as the server would store it in NAME.
        fields: of NAME beside the template that would change.
        side: the canary.
        reused: an earlier ReplicaSet with the same template.
        mode: what is possible.
        note: why the mode is another than the plan's; empty where it is not.
    """

    written: JsonObject
    template: JsonObject
    fields: tuple[Original, ...]
    side: Side
    reused: JsonObject | None
    mode: Mode
    note: str = ""


def carried_over(plan: Plan, live: JsonObject, options: Options) -> JsonObject:
    """The plan's template with the annotations that other tools put on the running one.

    A release that is undone takes its own with it: the predecessor comes back as it ran.
    """
    template = plan.workload.template
    if plan.undoes:
        return template
    there = live["spec"]["template"]["metadata"].get("annotations") or {}
    kept = {key: there[key] for key in (*_CARRIED, *options.keep_annotations) if key in there}
    metadata = dict(template.get("metadata") or {})
    annotations = {**kept, **(metadata.get("annotations") or {})}
    if annotations:
        metadata["annotations"] = annotations
    return {**template, "metadata": metadata}


def examine(plan: Plan, options: Options, hands: Hands, standing: Standing) -> Candidate:
    """Ask the server what it would store, without storing it."""
    written, template = stored(plan, options, hands, standing.deployment)
    fields = tuple(
        wish
        for wish in wishes(plan.workload)
        if look_up(standing.deployment, wish.path) != _spelled(wish, standing)
    )
    if same_template(template, standing.deployment["spec"]["template"]):
        # No pod changes: whatever else does is one patch of NAME, and nothing stands beside it.
        side = replace(standing.side, name="", uid="")
        return Candidate(written, template, fields, side, None, Mode.IN_PLACE)
    reused = standing.with_template(template) if plan.mode is Mode.ADOPT else None
    revision = labels_of(reused)[HASH_LABEL] if reused else hash_of(template)
    side = _side(plan, standing, reused, revision)
    found = Candidate(written, template, fields, side, reused, plan.mode)
    if plan.mode is not Mode.ADOPT or reused is not None:
        return found
    return _adoptable(plan, hands, standing, found)


def stored(plan: Plan, options: Options, hands: Hands, live: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The template as it is sent, and as the server would store it in NAME."""
    ref = Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name)
    written = carried_over(plan, live, options)
    found = _dry_run(hands, Patch(ref, (replace_field(pointer("spec", "template"), written),)), ref)
    return written, without_hash(found["spec"]["template"])


def _side(plan: Plan, standing: Standing, reused: JsonObject | None, revision: str) -> Side:
    """The canary: a ReplicaSet of its own, or, in place, whatever pods the Deployment makes beside stable's."""
    selector = selector_text(standing.deployment["spec"]["selector"])
    if plan.mode is Mode.IN_PLACE:
        return Side(revision, "", selector=f"{selector},{HASH_LABEL}!={standing.side.hash}")
    name = name_of(reused) if reused else set_name(plan.workload.name, revision)
    uid = uid_of(reused) if reused else ""
    return Side(revision, name, uid, f"{selector},{HASH_LABEL}={revision}", reused=reused is not None)


def _spelled(wish: Original, standing: Standing) -> Original:
    """A wish in the server's spelling where only the spelling differs (a strategy with its defaults filled in)."""
    now = look_up(standing.deployment, wish.path)
    return now if now.present and _covers(now.value, wish.value) else wish


def _covers(stored: object, written: object) -> bool:
    if isinstance(stored, dict) and isinstance(written, dict):
        return all(key in stored and _covers(stored[key], value) for key, value in written.items())
    return stored == written


def wishes(workload: Workload) -> tuple[Original, ...]:
    """The fields of NAME beside template and replicas that the document asks for."""
    spec = {
        "minReadySeconds": workload.min_ready_seconds,
        "progressDeadlineSeconds": workload.progress_deadline_seconds,
        "revisionHistoryLimit": workload.revision_history_limit,
        "strategy": workload.strategy,
    }
    found = [valued(pointer("spec", name), value) for name, value in spec.items() if value is not None]
    found += [valued(pointer("metadata", "labels", key), value) for key, value in workload.labels]
    found += [valued(pointer("metadata", "annotations", key), value) for key, value in workload.annotations]
    return tuple(found)


def _dry_run(hands: Hands, write: Patch | Create, ref: Ref) -> JsonObject:
    try:
        return hands.cluster.send(write, dry_run=True)
    except (Unprocessable, Forbidden) as error:
        advice = error.advice or "correct the template; nothing was written"
        raise Refused(
            ProgressiveError(
                f"the API server would refuse the new version: {error.what}", where=str(ref), advice=advice
            )
        ) from error


def _adoptable(plan: Plan, hands: Hands, standing: Standing, found: Candidate) -> Candidate:
    """Whether a ReplicaSet of ours would hold the very template that the Deployment holds."""
    ref = Ref(kinds.REPLICA_SET, str(standing.deployment["metadata"]["namespace"]), found.side.name)
    spec = standing.deployment["spec"]
    if not spec["selector"].get("matchLabels"):
        return _rolling(plan, hands, standing, found, "its selector has no matchLabels")
    body = {
        "apiVersion": ref.kind.api_version,
        "kind": ref.kind.name,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": {
            "replicas": 0,
            "selector": {
                **spec["selector"],
                "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH_LABEL: found.side.hash},
            },
            "template": with_hash(found.written, found.side.hash),
        },
    }
    try:
        made = hands.cluster.send(Create(ref, body), dry_run=True)
    except AlreadyExists:
        made = hands.cluster.get(ref) or {}
        if is_leftover(made, plan.workload.name) and same_template(made["spec"]["template"], found.template):
            return found
        raise Refused(
            ProgressiveError(
                "a ReplicaSet with the canary's name exists and belongs to nobody",
                where=str(ref),
                advice=f"an earlier release left it: kubectl -n {ref.namespace} delete replicaset {ref.name}",
            )
        ) from None
    except (NoAnswer, ServerError, TooManyRequests):
        raise  # no answer says nothing about what the server would store
    except ApiError as error:
        return _rolling(plan, hands, standing, found, f"a ReplicaSet of our own is refused: {error.what}")
    if same_template(made["spec"]["template"], found.template):
        return found
    note = (
        "a webhook or policy changes Deployments and ReplicaSets differently, so the Deployment can't adopt"
    )
    return _rolling(plan, hands, standing, found, note)


def _rolling(plan: Plan, hands: Hands, standing: Standing, found: Candidate, note: str) -> Candidate:
    """The fallback: a Deployment of its own for the canary."""
    name = canary_name(plan.workload.name)
    selector = selector_text(canary_selector(standing.deployment))
    ref = Ref(kinds.DEPLOYMENT, plan.namespace, name)
    standing_there = hands.cluster.get(ref)
    if standing_there is not None and not is_leftover(standing_there, plan.workload.name):
        raise Refused(
            ProgressiveError(
                f"the canary's Deployment would have the name of one that exists ({note})",
                where=str(ref),
                advice="rename that one, or delete it if it is a leftover",
            )
        )
    return replace(found, mode=Mode.ROLL, note=note, side=Side(found.side.hash, name, selector=selector))
