"""Records what releases ask of a real API server, and its answers, for `test_api_replay`.

Run it by hand on a cluster of the end-to-end tests (tests/e2e/README.md) when requests have changed:

    PROGRESSIVE_CI_E2E_ATTACH=... python -m tests.contract.api_cases.record
"""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind
from tests.e2e import given, when
from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.exchange import Answer, Call
from tests.e2e.cluster.proxy import RecordingProxy

RECORDED = Path(__file__).parent / "recorded"
KINDS: tuple[Kind, ...] = (
    kinds.DEPLOYMENT,
    kinds.REPLICA_SET,
    kinds.POD,
    kinds.SERVICE,
    kinds.ENDPOINT_SLICE,
    kinds.HTTP_ROUTE,
    kinds.VIRTUAL_SERVICE,
    kinds.INGRESS,
)

_CONFLICT = 409

SCENARIOS: Mapping[str, tuple[str, str, int]] = {
    "good-gateway": ("gateway", given.NEW, 0),
    "bad-gateway": ("gateway", given.BAD, 10),
    "good-istio": ("istio", given.NEW, 0),
    "good-nginx": ("nginx", given.NEW, 0),
}
"""Router, image and exit code."""


def main() -> None:
    """Record every scenario."""
    cluster = Cluster.start_or_attach()
    try:
        for name in SCENARIOS:
            _record(cluster, name)
    finally:
        cluster.stop()


def _record(cluster: Cluster, name: str) -> None:
    router, image, code = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as folder:
        namespace = cluster.namespace("recorded")
        shop = given.open_shop(cluster, namespace, Path(folder) / "spec", router, image=given.OLD, replicas=3)
        shop.releases(image, steps=given.QUICK, judged=code != 0)
        before = {kind.name: _listed(cluster, kind, namespace) for kind in KINDS}
        users = when.users(shop) if router in {"gateway", "istio"} else contextlib.nullcontext()
        with users, RecordingProxy(cluster) as proxy:
            run = when.run(shop, server=proxy.url)
            assert run.exit == code, run.log
            # A conflict is a race with a controller, lost on that day: it changed nothing and was tried again.
            exchanges = [_told(call, answer) for call, answer in proxy.calls if answer.status != _CONFLICT]
    told = {"namespace": namespace, "before": before, "exchanges": exchanges}
    RECORDED.mkdir(exist_ok=True)
    path = RECORDED / f"{name}.json.gz"
    text = json.dumps(told).replace(f"{folder}/", "")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{name}: {len(exchanges)} requests, {path.stat().st_size} bytes")  # noqa: T201 - a program of its own


def _listed(cluster: Cluster, kind: Kind, namespace: str) -> list[object]:
    found = cluster.admin.call("GET", kinds.collection_path(kind, namespace))
    return [_bare(item) for item in found["items"]]


def _told(call: Call, answer: Answer) -> JsonObject:
    return {
        "at": round(call.at, 3),
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "content_type": call.content_type,
        "body": _json(call.body),
        "status": answer.status,
        "answer": _bare(_json(answer.body)),
    }


def _json(content: bytes) -> object:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")


def _bare(obj: object) -> object:
    """Without what takes most of the room and is compared nowhere."""
    if isinstance(obj, dict):
        return {key: _bare(value) for key, value in obj.items() if key != "managedFields"}
    return [_bare(each) for each in obj] if isinstance(obj, list) else obj


if __name__ == "__main__":
    main()
