"""Get and list, as the API server answers them."""

import base64
import binascii
import json
from collections.abc import Callable

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import status
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.selectors import field_filter, label_filter
from progressive_ci.sandbox.store import Change, Store


def shown(place: Target, obj: JsonObject) -> JsonObject:
    """The object in the version that was asked for."""
    if obj.get("apiVersion") == place.api_version:
        return obj
    return {**obj, "apiVersion": place.api_version}


def demanded(store: Store, place: Target) -> JsonObject:
    """The stored object.

    Raises:
        status.Refusal: 404.
    """
    found = store.find(place.ref)
    if found is None:
        raise status.not_found(place.kind, place.name)
    return found


def get(store: Store, place: Target) -> Answer:
    """One object."""
    return Answer(200, shown(place, demanded(store, place)))


def list_(store: Store, call: Call, place: Target) -> Answer:
    """Every object that both selectors match, in pages when a limit is given."""
    wanted = _wanted(call, place)
    found = [obj for obj in store.all(place.kind, place.namespace) if wanted(obj)]
    metadata: JsonObject = {"resourceVersion": str(store.revision)}
    limit, start = _whole(call.query.get("limit") or "0"), _start(call.query.get("continue", ""))
    page = found[start : start + limit] if limit else found[start:]
    if start + len(page) < len(found):
        metadata["continue"] = _token(start + len(page), store.revision)
        metadata["remainingItemCount"] = len(found) - start - len(page)
    items = [_bare(place, obj) for obj in page]
    body = {
        "kind": f"{place.kind.name}List",
        "apiVersion": place.api_version,
        "metadata": metadata,
        "items": items,
    }
    return Answer(200, body)


def _bare(place: Target, obj: JsonObject) -> JsonObject:
    """Items of a list of built-in kinds don't repeat kind and version."""
    if place.resource.custom:
        return shown(place, obj)
    return {key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}}


def _wanted(call: Call, place: Target) -> Callable[[JsonObject], bool]:
    labels = label_filter(call.query.get("labelSelector", ""))
    fields = field_filter(place.kind, call.query.get("fieldSelector", ""))
    return lambda obj: labels(obj) and fields(obj)


def _token(start: int, revision: int) -> str:
    text = json.dumps({"v": "sandbox", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(text.encode()).decode()


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise status.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["start"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise status.bad_request("continue key is not valid") from None


class Watch:
    """A stream of changes of one collection, from a revision on."""

    def __init__(self, store: Store, call: Call, place: Target) -> None:
        self._store = store
        self._place = place
        self._wanted = _wanted(call, place)
        self.timeout = float(call.query.get("timeoutSeconds") or 0)
        version = call.query.get("resourceVersion", "")
        # Without a version, or with 0, a watch begins with everything there is.
        self._first = version in {"", "0"}
        self._revision = store.revision if self._first else int(version)

    def take(self) -> list[JsonObject]:
        """The events since the last call; an error event when the history no longer reaches back."""
        if self._revision < self._store.oldest:
            return [{"type": "ERROR", "object": status.expired(self._revision, self._store.oldest).body}]
        events: list[JsonObject] = []
        if self._first:
            self._first = False
            found = self._store.all(self._place.kind, self._place.namespace)
            events += [self._event("ADDED", obj) for obj in found if self._wanted(obj)]
        for change in self._store.since(self._revision):
            self._revision = change.revision
            events += self._seen(change)
        return events

    def _seen(self, change: Change) -> list[JsonObject]:
        place = self._place
        namespace = change.object["metadata"].get("namespace", "")
        if change.kind is not place.kind or (place.namespace and namespace != place.namespace):
            return []
        before = change.before is not None and self._wanted(change.before)
        now = change.type != "DELETED" and self._wanted(change.object)
        match before, now:
            case True, True:
                return [self._event("MODIFIED", change.object)]
            case True, False:
                return [self._event("DELETED", change.object)]
            case False, True:
                return [self._event("ADDED", change.object)]
            case _:
                return []

    def _event(self, type_: str, obj: JsonObject) -> JsonObject:
        return {"type": type_, "object": shown(self._place, obj)}
