"""Events: what controllers tell people about an object."""

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import EVENT, Kind
from progressive_ci.sandbox.store import Store


def record(store: Store, kind: Kind, obj: JsonObject, told: tuple[str, str, str]) -> None:
    """Note an event of an object: its type, reason and message."""
    type_, reason, message = told
    metadata = obj["metadata"]
    store.insert(
        EVENT,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{store.suffix()}{store.suffix()}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": type_,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": store.timestamp(),
            "lastTimestamp": store.timestamp(),
        },
    )
