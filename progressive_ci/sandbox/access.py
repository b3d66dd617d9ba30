"""Who may do what: roles and bindings in the store, and the reviews that ask about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Answer, Call, Target, verb
from progressive_ci.sandbox.resources import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from progressive_ci.sandbox.selectors import name_in
from progressive_ci.sandbox.store import Store

ADMIN = "admin"
"""May do everything; every other user needs bindings."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One right that somebody wants to use."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


def demand(store: Store, call: Call, place: Target) -> None:
    """Refuse a request that its user has no right to.

    Raises:
        status.Refusal: 403.
    """
    wanted = verb(call, place)
    name = place.name
    if not name and wanted in {"list", "watch", "deletecollection"}:
        name = name_in(call.query.get("fieldSelector", ""))
    resource = f"{place.kind.plural}/{place.subresource}" if place.subresource else place.kind.plural
    wish = Wish(wanted, place.kind.group, resource, place.namespace, name)
    if not allowed(store, call.user, wish):
        raise status.forbidden(
            call.user, wanted, (place.kind, place.subresource, place.namespace, place.name)
        )


def allowed(store: Store, user: str, wish: Wish) -> bool:
    """Whether any rule that is bound to the user grants the wish."""
    return user == ADMIN or any(_grants(rule, wish) for rule in _rules(store, user, wish.namespace))


def _rules(store: Store, user: str, namespace: str) -> Iterator[JsonObject]:
    bindings = [(binding, "") for binding in store.all(CLUSTER_ROLE_BINDING)]
    if namespace:
        bindings += [(binding, namespace) for binding in store.all(ROLE_BINDING, namespace)]
    for binding, scope in bindings:
        if any(_is(subject, user) for subject in binding.get("subjects") or ()):
            kind = ROLE if binding["roleRef"]["kind"] == "Role" else CLUSTER_ROLE
            role = store.get(kind, scope if kind is ROLE else "", binding["roleRef"]["name"])
            yield from (role or {}).get("rules") or ()


def _is(subject: JsonObject, user: str) -> bool:
    if subject.get("kind") == "ServiceAccount":
        return user == f"system:serviceaccount:{subject.get('namespace')}:{subject['name']}"
    return bool(subject["name"] == user)


def _grants(rule: JsonObject, wish: Wish) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _covers(rule.get("verbs"), wish.verb)
        and _covers(rule.get("apiGroups"), wish.group)
        and _covers_resource(rule.get("resources") or (), wish.resource)
        and (not names or wish.name in names)
    )


def _covers(granted: list[str] | None, wanted: str) -> bool:
    return "*" in (granted or ()) or wanted in (granted or ())


def _covers_resource(granted: Sequence[str], wanted: str) -> bool:
    _, _, subresource = wanted.partition("/")
    return "*" in granted or wanted in granted or bool(subresource and f"*/{subresource}" in granted)


def review(store: Store, call: Call) -> Answer:
    """SelfSubjectAccessReview: the question comes back with its answer."""
    body = call.body if isinstance(call.body, dict) else {}
    wanted = (body.get("spec") or {}).get("resourceAttributes") or {}
    resource = wanted.get("resource", "")
    if wanted.get("subresource"):
        resource += f"/{wanted['subresource']}"
    wish = Wish(
        wanted.get("verb", ""),
        wanted.get("group", ""),
        resource,
        wanted.get("namespace", ""),
        wanted.get("name", ""),
    )
    answer = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": body.get("spec") or {},
        "status": {"allowed": allowed(store, call.user, wish)},
    }
    return Answer(201, answer)


def rules_review(store: Store, call: Call) -> Answer:
    """SelfSubjectRulesReview: every rule that is bound to the user in one namespace."""
    body = call.body if isinstance(call.body, dict) else {}
    namespace = str((body.get("spec") or {}).get("namespace", ""))
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    rules = (
        [everything] if call.user == ADMIN else [dict(rule) for rule in _rules(store, call.user, namespace)]
    )
    answer = {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {},
        "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False},
    }
    return Answer(201, answer)


def role_documents(user: str, namespace: str, rules: list[JsonObject]) -> list[tuple[Kind, JsonObject]]:
    """A Role and its binding for one namespace, or for all of them when it is empty."""
    role, binding = (ROLE, ROLE_BINDING) if namespace else (CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
    metadata = {"name": user, **({"namespace": namespace} if namespace else {})}
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": role.name, "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    return [
        (role, {"apiVersion": role.api_version, "kind": role.name, "metadata": metadata, "rules": rules}),
        (
            binding,
            {
                "apiVersion": binding.api_version,
                "kind": binding.name,
                "metadata": dict(metadata),
                "subjects": [subject],
                "roleRef": reference,
            },
        ),
    ]
