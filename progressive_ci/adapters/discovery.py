"""How the API server calls a kind: its own list of resources for one group and version."""

from collections.abc import Callable

from progressive_ci.errors import ProgressiveError, Refused
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind


def kind_of(document: JsonObject, read: Callable[[Kind], JsonObject | None]) -> Kind:
    """The kind of a document of any API that the server has.

    Args:
        document: with `apiVersion` and `kind`.
        read: lists the resources of a kind's group and version; None where the server does not have them.

    Raises:
        Refused: the server does not know it.
    """
    version, name = str(document["apiVersion"]), str(document["kind"])
    if known := next((kind for kind in kinds.ALL if (kind.api_version, kind.name) == (version, name)), None):
        return known
    group, _, short = version.rpartition("/")
    served = read(Kind(group, short, name, ""))
    for item in (served or {}).get("resources") or ():
        if item.get("kind") == name and "/" not in item["name"]:
            return Kind(group, short, name, str(item["name"]), namespaced=bool(item["namespaced"]))
    raise _unknown(document)


def _unknown(document: JsonObject) -> Refused:
    return Refused(
        ProgressiveError(
            f"the API server has no {document['apiVersion']} {document['kind']}",
            where=f"{document['kind']} {document['metadata']['name']}",
            advice="install its CustomResourceDefinition first, or leave the document out",
        )
    )
