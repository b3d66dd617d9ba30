"""`--apply-rest`: the user's other documents, applied server-side before the canary."""

from progressive_ci.model.plan import Plan
from progressive_ci.ports import Access, Hands
from progressive_ci.release.release import Release


def rest_rights(plan: Plan, hands: Hands) -> tuple[Access, ...]:
    """What applying every other document needs."""
    found = []
    for document in plan.not_applied:
        ref = hands.cluster.locate(document.body, plan.namespace)
        kind, place = ref.kind, ref.namespace
        found += [Access("create", kind.group, kind.plural, place)]
        found += [Access("patch", kind.group, kind.plural, place, ref.name)]
    return tuple(dict.fromkeys(found))


def apply_rest(release: Release, plan: Plan) -> None:
    """Apply them in their order; a rollback leaves them as they are."""
    for document in plan.not_applied:
        ref = release.hands.cluster.locate(document.body, plan.namespace)
        release.hands.cluster.apply(ref, document.body)
        release.note(f"{ref} is applied (--apply-rest)")
