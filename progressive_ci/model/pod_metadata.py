"""Labels and annotations that pods carry only as long as they are canary or stable."""

from progressive_ci.model.document import JsonObject

FIELDS = ("labels", "annotations")


def synced(metadata: JsonObject, injected: JsonObject, wanted: JsonObject) -> tuple[JsonObject, bool]:
    """Metadata with what is wanted, without what was injected before; anything else is somebody else's.

    Args:
        metadata: as it is.
        injected: labels and annotations that were put there earlier.
        wanted: labels and annotations that shall be there.

    Returns:
        The metadata, and whether anything differs.
    """
    result = dict(metadata)
    for field in FIELDS:
        before, after = injected.get(field) or {}, wanted.get(field) or {}
        found = metadata.get(field) or {}
        kept = {key: value for key, value in found.items() if key not in before or key in after}
        if kept | after != found:
            result[field] = kept | after
    return result, result != metadata
