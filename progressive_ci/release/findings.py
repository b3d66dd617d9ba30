"""What preflight found: everything that the first write rests on."""

from collections.abc import Mapping
from dataclasses import dataclass

from progressive_ci.model.document import Document, JsonObject
from progressive_ci.model.journal import Record, Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode
from progressive_ci.model.route import Route


@dataclass(frozen=True, slots=True)
class Findings:
    """The cluster before a release.

    Attributes:
        deployment: NAME as it is; None where this is the first release.
        mode: chosen by what the cluster stores.
        unchanged: whether nothing that the release would write differs.
        origin: who wrote the running template and when, for an unchanged release.
        template: the new pod template as it is sent.
        stable: the version that serves.
        canary: the version to release.
        serving: the ReplicaSet of the version that serves; None where this is the first release.
        reused: a ReplicaSet of an earlier release that has the new template already.
        size: pods that 100 % needs.
        surge: as a number of pods.
        unavailable: as a number of pods.
        scalers: autoscalers that write the replicas of NAME.
        services: Services to pin, every one that matches the stable pods.
        route: completed with what only the cluster knows.
        objects: the route's objects, and others of their kinds that the router looks through.
        missing: documents of the spec whose objects don't exist yet.
        warnings: one sentence each.
        before: the journal's record of an earlier release.
    """

    deployment: JsonObject | None
    mode: Mode
    unchanged: bool
    origin: str
    template: JsonObject
    stable: Side
    canary: Side
    serving: JsonObject | None
    reused: JsonObject | None
    size: int
    surge: int
    unavailable: int
    scalers: tuple[JsonObject, ...]
    services: tuple[JsonObject, ...]
    route: Route | None
    objects: Mapping[Ref, JsonObject]
    missing: tuple[Document, ...]
    warnings: tuple[str, ...]
    before: Record | None
