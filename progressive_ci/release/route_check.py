"""Whether the route that the spec names can be used."""

from collections.abc import Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Ref
from progressive_ci.model.plan import Mode, Plan
from progressive_ci.model.route import Route
from progressive_ci.ports import Hands
from progressive_ci.release.candidate import Candidate
from progressive_ci.release.workload import name_of
from progressive_ci.routers.table import router_of


def route_reasons(plan: Plan, chosen: Candidate, objects: Mapping[Ref, JsonObject]) -> list[ProgressiveError]:
    """Why the traffic can't be split as the spec asks."""
    if plan.route is None:
        return []
    if not plan.route.stable_service:
        return _without_router(plan, chosen)
    router = router_of(plan.route)
    given = {(document.kind, document.name) for document in plan.needed}
    if any(ref not in objects and (ref.kind.name, ref.name) in given for ref in router.objects(plan.route)):
        return []
    return [ProgressiveError(text) for text in router.complaints(plan.route, objects)]


def _without_router(plan: Plan, chosen: Candidate) -> list[ProgressiveError]:
    if chosen.mode is not Mode.ROLL:
        return []
    advice = "add trafficRouting to the spec, or release by the Deployment's own strategy"
    return [
        ProgressiveError(
            chosen.note, where=f"Deployment {plan.namespace}/{plan.workload.name}", advice=advice
        )
    ]


def survey(route: Route | None, hands: Hands) -> dict[Ref, JsonObject]:
    """The route's objects, and every other of the kinds that the router wants to look through."""
    if route is None or not route.stable_service:
        return {}
    router = router_of(route)
    found = {
        Ref(kind, route.namespace, name_of(item)): item
        for kind in router.SURVEYS
        for item in hands.cluster.list(kind, route.namespace)
    }
    for ref in router.objects(route):
        item = found.get(ref) or (None if ref.kind in router.SURVEYS else hands.cluster.get(ref))
        if item is not None:
            found[ref] = item
    return found
