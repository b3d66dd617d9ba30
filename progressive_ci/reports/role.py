"""Rights as the Role that gives exactly them."""

from collections.abc import Iterable
from itertools import groupby

import yaml

from progressive_ci.model.document import JsonObject
from progressive_ci.ports import Access

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


def roles(accesses: Iterable[Access], *, name: str) -> str:
    """A Role for each namespace, and a ClusterRole for what lies in none, as YAML documents.

    Args:
        accesses: rights, in any order.
        name: of the workload, part of the roles' names.
    """
    rows = sorted(set(accesses), key=lambda row: row.namespace)
    return _yaml(
        _role(namespace, tuple(group), f"progressive-ci-{name}")
        for namespace, group in groupby(rows, key=lambda row: row.namespace)
    )


def account(accesses: Iterable[Access], *, name: str, namespace: str) -> str:
    """A ServiceAccount, and a Role with its binding in each namespace of its rights, as YAML documents.

    Args:
        accesses: rights, in any order, none of them outside namespaces.
        name: of every document.
        namespace: of the ServiceAccount.
    """
    user = {"name": name, "namespace": namespace}
    documents: list[JsonObject] = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": user}]
    rows = sorted(set(accesses), key=lambda row: row.namespace)
    for place, group in groupby(rows, key=lambda row: row.namespace):
        documents += [_role(place, tuple(group), name), _binding(place, name, user)]
    return _yaml(documents)


def _binding(namespace: str, name: str, user: JsonObject) -> JsonObject:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", **user}],
    }


def _yaml(documents: Iterable[JsonObject]) -> str:
    return "---\n".join(
        yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=110)
        for document in documents
    )


def _role(namespace: str, accesses: tuple[Access, ...], name: str) -> JsonObject:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": rules(accesses),
    }


def rules(accesses: Iterable[Access]) -> list[JsonObject]:
    """The fewest rules that say it: verbs of one name together, then equal verbs of many names."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for row in accesses:
        resource = f"{row.resource}/{row.subresource}" if row.subresource else row.resource
        verbs.setdefault((row.group, resource, row.name), set()).add(row.verb)
    names: dict[tuple[str, str, tuple[str, ...], bool], list[str]] = {}
    for (group, resource, name), given in sorted(verbs.items()):
        anyhow = verbs.get((group, resource, ""), set()) if name else set()
        needed = tuple(sorted(given - anyhow, key=VERBS.index))
        if needed:
            names.setdefault((group, resource, needed, bool(name)), []).append(name)
    return [
        {"apiGroups": [group], "resources": [resource]}
        | ({"resourceNames": found} if named else {})
        | {"verbs": list(needed)}
        for (group, resource, needed, named), found in names.items()
    ]
