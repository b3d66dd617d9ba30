"""`--apply-rest`: the user's other documents, applied server-side before the canary."""

from collections.abc import Iterator

from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model.document import Document
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Access, Hands
from progressive_ci.release.release import Release


def rest_rights(plan: Plan, options: Options, hands: Hands) -> tuple[Access, ...]:
    """What applying every other document needs.

    Raises:
        SpecInvalid: one of them is for a place that the user has not allowed.
    """
    found = []
    for ref, _ in _located(plan, options, hands):
        kind, place = ref.kind, ref.namespace
        found += [Access("create", kind.group, kind.plural, place)]
        found += [Access("patch", kind.group, kind.plural, place, ref.name)]
    return tuple(dict.fromkeys(found))


def apply_rest(release: Release, plan: Plan) -> None:
    """Apply them in their order; a rollback leaves them as they are."""
    for ref, document in _located(plan, release.options, release.hands):
        release.hands.cluster.apply(ref, document.body)
        release.note(f"{ref} is applied (--apply-rest)")


def _located(plan: Plan, options: Options, hands: Hands) -> tuple[tuple[Ref, Document], ...]:
    """Which object each document describes; all are known before the first is applied."""
    found = tuple(
        (hands.cluster.locate(document.body, plan.namespace), document) for document in plan.not_applied
    )
    if complaints := tuple(_strayed(found, plan, options)):
        raise SpecInvalid(*complaints)
    return found


def _strayed(
    found: tuple[tuple[Ref, Document], ...], plan: Plan, options: Options
) -> Iterator[ProgressiveError]:
    """Documents come from whoever may open a pull request; the credential may reach further than they should."""
    for ref, document in found:
        if not ref.kind.namespaced:
            yield ProgressiveError(
                f"--apply-rest would write {ref.kind.name} {ref.name}, which belongs to no namespace",
                where=str(document.at("kind")),
                advice="apply it in a step of its own, and leave it out of this input",
            )
        elif ref.namespace not in (plan.namespace, *options.allowed_namespaces):
            yield ProgressiveError(
                f"--apply-rest would write {ref.kind.name} {ref.name} of namespace {ref.namespace}, "
                f"the release is in {plan.namespace}",
                where=str(document.at("metadata.namespace")),
                advice=f"allow it with --allow-namespace {ref.namespace}",
            )
