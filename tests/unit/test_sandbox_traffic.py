import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import HTTP_ROUTE, POD, SERVICE, VIRTUAL_SERVICE, Kind, Ref
from progressive_ci.sandbox import app
from progressive_ci.sandbox.cluster import Sandbox

NEW = "web:2.0.0-err8"
NGINX = "nginx.ingress.kubernetes.io"


def with_canary(router: str) -> Sandbox:
    """Both versions run, each behind the Service of its own; the route gives everything to stable."""
    sandbox = Sandbox.with_app(router=router)
    hashed = str(sandbox.all(POD, "shop")[0]["metadata"]["labels"]["pod-template-hash"])
    labels = {"app": "web", "pod-template-hash": "canary"}
    document = app.deployment({"name": "web-canary", "namespace": "shop"}, replicas=2, image=NEW)
    document["metadata"]["labels"] = {"pod-template-hash": "canary"}
    document["spec"]["selector"] = {"matchLabels": labels}
    document["spec"]["template"]["metadata"]["labels"] = labels
    for name, wanted in (("web-stable", hashed), ("web", hashed), ("web-canary", "canary")):
        service = app.service("web", {"name": name, "namespace": "shop"})
        service["spec"]["selector"]["pod-template-hash"] = wanted
        change(
            sandbox,
            SERVICE,
            name,
            [{"op": "add", "path": "/spec/selector/pod-template-hash", "value": wanted}],
        )
    sandbox.apply({**document, "kind": "ReplicaSet"})
    sandbox.clock.run(5)
    return sandbox


def change(sandbox: Sandbox, kind: Kind, name: str, operations: list[JsonObject]) -> None:
    path = Ref(kind, "shop", name).path
    content_type = "application/json-patch+json"
    reply = sandbox.transport().request(
        "PATCH", path, query={}, body=operations, content_type=content_type, timeout=5
    )
    assert reply.status == 200, reply.body


def give_gateway(sandbox: Sandbox, weight: int) -> None:
    path = "/spec/rules/0/backendRefs"
    change(
        sandbox,
        HTTP_ROUTE,
        "web",
        [
            {"op": "replace", "path": f"{path}/0/weight", "value": 100 - weight},
            {"op": "replace", "path": f"{path}/1/weight", "value": weight},
        ],
    )


def give_istio(sandbox: Sandbox, weight: int) -> None:
    path = "/spec/http/0/route"
    change(
        sandbox,
        VIRTUAL_SERVICE,
        "web",
        [
            {"op": "replace", "path": f"{path}/0/weight", "value": 100 - weight},
            {"op": "replace", "path": f"{path}/1/weight", "value": weight},
        ],
    )


def give_nginx(sandbox: Sandbox, weight: int) -> None:
    canary = app.ingress("web", {"name": "web-web-canary", "namespace": "shop"})
    path = canary["spec"]["rules"][0]["http"]["paths"][0]
    path["backend"]["service"]["name"] = "web-canary"
    canary["metadata"]["annotations"] = {f"{NGINX}/canary": "true", f"{NGINX}/canary-weight": str(weight)}
    sandbox.apply(canary)


GIVE = {"gateway": give_gateway, "istio": give_istio, "nginx": give_nginx}


@pytest.mark.parametrize("router", GIVE)
def test_users_are_split_by_the_route_object(router: str) -> None:
    sandbox = with_canary(router)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == 0
    GIVE[router](sandbox, 20)
    sandbox.clock.run(1)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == pytest.approx(0.2)
    GIVE[router](sandbox, 100)
    sandbox.clock.run(1)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == pytest.approx(1.0)
    assert sandbox.traffic.failures == 0


def test_the_data_plane_learns_of_a_change_a_moment_later() -> None:
    sandbox = with_canary("gateway")
    give_gateway(sandbox, 50)
    sandbox.clock.run(0.04)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == 0
    sandbox.clock.run(0.02)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == pytest.approx(0.5)


def test_without_a_router_the_share_is_that_of_the_pods() -> None:
    sandbox = with_canary("gateway")
    change(sandbox, SERVICE, "web", [{"op": "remove", "path": "/spec/selector/pod-template-hash"}])
    sandbox.clock.run(1)
    assert sandbox.traffic.share("2.0.0-err8", users="inside") == pytest.approx(2 / 6)


def test_requests_and_errors_are_counted_by_version() -> None:
    sandbox = with_canary("gateway")
    give_gateway(sandbox, 50)
    sandbox.clock.run(1)
    before = sandbox.clock.now()
    sandbox.clock.run(10)
    count = sandbox.traffic.count
    assert count(since=before, users="users") == pytest.approx(2000)
    assert count(since=before, users="users", version="2.0.0-err8") == pytest.approx(1000)
    assert count(since=before, status=500) == pytest.approx(80)
    assert sandbox.traffic.errors == pytest.approx(count(status=500))
    assert sandbox.traffic.last(status=500) == sandbox.clock.now()


def test_a_service_without_ready_pods_fails_every_request() -> None:
    sandbox = with_canary("gateway")
    give_gateway(sandbox, 50)
    sandbox.clock.run(1)
    change(
        sandbox,
        SERVICE,
        "web-canary",
        [{"op": "replace", "path": "/spec/selector/pod-template-hash", "value": "none"}],
    )
    sandbox.clock.run(2)
    failures = sandbox.traffic.failures
    assert failures == pytest.approx(100 * 2, rel=0.05)
    assert sandbox.traffic.last(status=503) == sandbox.clock.now()


def test_a_gap_of_a_few_milliseconds_is_seen() -> None:
    sandbox = with_canary("gateway")
    give_gateway(sandbox, 100)
    sandbox.clock.run(1)
    hashed = {"op": "replace", "path": "/spec/selector/pod-template-hash"}
    change(sandbox, SERVICE, "web-canary", [{**hashed, "value": "none"}])
    sandbox.clock.run(0.02)
    change(sandbox, SERVICE, "web-canary", [{**hashed, "value": "canary"}])
    sandbox.clock.run(2)
    assert 1 < sandbox.traffic.failures < 10


def test_a_rollout_loses_no_request_and_pods_killed_at_once_do() -> None:
    sandbox = Sandbox.with_app(router="none")
    sandbox.apply(app.deployment({"name": "web", "namespace": "shop"}, replicas=4, image="web:2.0.0"))
    sandbox.clock.run(20)
    assert sandbox.traffic.share("2.0.0") == 1
    assert sandbox.traffic.failures == 0
    for pod in sandbox.all(POD, "shop"):
        options = {"gracePeriodSeconds": 0}
        path = Ref(POD, "shop", pod["metadata"]["name"]).path
        sandbox.transport().request(
            "DELETE", path, query={}, body=options, content_type="application/json", timeout=5
        )
    sandbox.clock.run(5)
    assert sandbox.traffic.failures > 0


def test_buckets_add_up_to_everything() -> None:
    sandbox = Sandbox.with_app()
    sandbox.clock.run(10.5)
    total = sum(sum(counts.values()) for _, counts in sandbox.traffic.buckets(1.0))
    assert total == pytest.approx(sandbox.traffic.count())


def test_users_who_leave_send_nothing() -> None:
    sandbox = Sandbox.with_app()
    sandbox.traffic.users("users", Ref(HTTP_ROUTE, "shop", "web"), 0)
    before = sandbox.traffic.count(users="users")
    sandbox.clock.run(10)
    assert sandbox.traffic.count(users="users") == before


def test_users_follow_a_route_so_much_later_and_endpoints_at_once() -> None:
    sandbox = with_canary("gateway")
    sandbox.traffic.route_lag = 5.0
    give_gateway(sandbox, 50)
    sandbox.clock.run(4.9)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == 0.0
    sandbox.clock.run(0.2)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == pytest.approx(0.5)
    change(sandbox, SERVICE, "web-canary", [{"op": "replace", "path": "/spec/selector/app", "value": "no"}])
    sandbox.clock.run(1)
    assert sandbox.traffic.share("2.0.0-err8", users="users") == 0.0
