"""How the API server calls a kind: its own list of resources for one group and version."""

from collections.abc import Callable

from progressive_ci.errors import NotFound, ProgressiveError, Refused, ServerError
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind


def kind_of(document: JsonObject, read: Callable[[str], JsonObject]) -> Kind:
    """The kind of a document of any API that the server has.

    Args:
        document: with `apiVersion` and `kind`.
        read: answers a GET of a path.

    Raises:
        Refused: the server does not know it.
    """
    version, name = str(document["apiVersion"]), str(document["kind"])
    if known := next((kind for kind in kinds.ALL if (kind.api_version, kind.name) == (version, name)), None):
        return known
    group, _, short = version.rpartition("/")
    try:
        served = read(Kind(group, short, name, "").prefix)
    except (NotFound, ServerError) as error:
        raise _unknown(document) from error
    for item in served.get("resources") or ():
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
