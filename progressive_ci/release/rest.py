"""`--apply-rest`: the user's other documents, applied server-side before the canary."""

from collections.abc import Iterator

from progressive_ci.errors import NotFound, ProgressiveError, SpecInvalid
from progressive_ci.model.document import Document
from progressive_ci.model.kinds import NAMESPACE, Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Access, Hands
from progressive_ci.release.release import Release
from progressive_ci.release.stop import Stop, unavailable


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
        try:
            release.hands.cluster.apply(ref, document.body)
        except NotFound as error:
            raise _nowhere(ref, document) from error
        release.note(f"{ref} is applied (--apply-rest)")


def _nowhere(ref: Ref, document: Document) -> Stop:
    """What is applied need not exist, but its namespace has to."""
    told = f"--apply-rest can't write {ref}: there is no namespace {ref.namespace}"
    advice = f"create it before this step: kubectl create namespace {ref.namespace}"
    return unavailable(told, advice=advice, source=document.at("metadata.namespace"))


def _located(plan: Plan, options: Options, hands: Hands) -> tuple[tuple[Ref, Document], ...]:
    """Which object each document describes; all are known before the first is applied."""
    found = tuple(
        (hands.cluster.locate(document.body, plan.namespace), document) for document in plan.not_applied
    )
    if complaints := tuple(_strayed(found, plan, options)):
        raise SpecInvalid(*complaints)
    return found


def _of_its_own(ref: Ref) -> str:
    """What to do with a document that is no release's to apply."""
    if ref.kind == NAMESPACE:
        return f"create it before this step (kubectl create namespace {ref.name}), and leave it out of this input"
    return "apply it in a step of its own, and leave it out of this input"


def _strayed(
    found: tuple[tuple[Ref, Document], ...], plan: Plan, options: Options
) -> Iterator[ProgressiveError]:
    """Documents come from whoever may open a pull request; the credential may reach further than they should."""
    for ref, document in found:
        if not ref.kind.namespaced:
            yield ProgressiveError(
                f"--apply-rest would write {ref.kind.name} {ref.name}, which belongs to no namespace",
                where=str(document.at("kind")),
                advice=_of_its_own(ref),
            )
        elif ref.namespace not in (plan.namespace, *options.allowed_namespaces):
            yield ProgressiveError(
                f"--apply-rest would write {ref.kind.name} {ref.name} of namespace {ref.namespace}, "
                f"the release is in {plan.namespace}",
                where=str(document.at("metadata.namespace")),
                advice=f"allow it with --allow-namespace {ref.namespace}",
            )
