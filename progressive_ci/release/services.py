"""Which pods a Service selects: pinned by `pod-template-hash` during a release, its own selector before and after."""

from collections.abc import Callable

from progressive_ci.model.journal import Stage
from progressive_ci.model.kinds import ENDPOINT_SLICE, SERVICE, Ref
from progressive_ci.model.write import pointer
from progressive_ci.release.ownership import valued, wish
from progressive_ci.release.release import Release, existing
from progressive_ci.release.workload import HASH_LABEL, ready_pods

PIN = pointer("spec", "selector", HASH_LABEL)


def service_ref(release: Release, name: str) -> Ref:
    """Address of a Service of the release."""
    return Ref(SERVICE, release.record.namespace, name)


def pin(release: Release, name: str, revision: str) -> None:
    """Let a Service select one version only."""
    ref = service_ref(release, name)
    release.write(ref, existing(lambda seen: wish(ref, seen, [valued(PIN, revision)])))


def unpin(release: Release, name: str) -> None:
    """Give a Service its own selector back, and take our mark off."""
    ref = service_ref(release, name)
    entry = release.record.owned(ref)
    goes = entry is not None and entry.created and release.record.stage is Stage.ROLLING_BACK
    if entry is not None and not goes:
        release.free(ref, entry.originals)


def pinned_revision(release: Release, name: str) -> str:
    """Which version a Service selects by a fresh read; empty where it is not pinned or gone."""
    found = release.read(service_ref(release, name)) or {}
    return str((found.get("spec", {}).get("selector") or {}).get(HASH_LABEL, ""))


def selects_canary(release: Release, name: str) -> bool:
    """Whether a Service, as last seen, selects the new version already."""
    seen = release.known(service_ref(release, name)) or {}
    return (seen.get("spec", {}).get("selector") or {}).get(HASH_LABEL) == release.record.canary.hash


def serving(release: Release, names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """UIDs of the ready pods behind each Service, by a fresh read; nothing is read where there is no Service."""
    if not names:
        return {}
    labels = f"kubernetes.io/service-name in ({','.join(names)})"
    slices = release.hands.cluster.list(ENDPOINT_SLICE, release.record.namespace, labels=labels)
    return {name: ready_pods(slices, name) for name in names}


def await_endpoints(
    release: Release, names: tuple[str, ...], pods: Callable[[], frozenset[str]], *, least: int
) -> bool:
    """Whether each Service has endpoints, at least `least`, and none outside `pods`."""
    wanted = pods()
    found = serving(release, names)
    return all(len(ready) >= least and ready <= wanted for ready in found.values())
