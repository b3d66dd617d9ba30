import pytest

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import EVENT, HTTP_ROUTE, POD, Ref
from progressive_ci.sandbox import app
from progressive_ci.sandbox.behaviour import Behaviour, Fate, of_image
from progressive_ci.sandbox.cluster import Sandbox


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param("web:1.0.0", Behaviour("1.0.0", Fate.SERVES, 0.0, 0.02, 1.0), id="plain"),
        pytest.param("registry:5000/a/web", Behaviour("latest", Fate.SERVES, 0.0, 0.02, 1.0), id="no tag"),
        pytest.param(
            "web:2-err8-slow500-start5",
            Behaviour("2-err8-slow500-start5", Fate.SERVES, 0.08, 0.5, 5.0),
            id="all",
        ),
        pytest.param("web:2-crash", Behaviour("2-crash", Fate.CRASHES, 0.0, 0.02, 1.0), id="crash"),
        pytest.param("web:missing", Behaviour("missing", Fate.MISSING, 0.0, 0.02, 1.0), id="missing"),
    ],
)
def test_the_tag_of_an_image_says_how_it_behaves(image: str, expected: Behaviour) -> None:
    assert of_image(image) == expected


def one_pod(image: str, seconds: float) -> tuple[Sandbox, JsonObject]:
    sandbox = Sandbox()
    sandbox.apply(app.deployment({"name": "web", "namespace": "shop"}, replicas=1, image=image))
    sandbox.clock.run(seconds)
    (pod,) = sandbox.all(POD, "shop")
    return sandbox, pod


def state(pod: JsonObject) -> JsonObject:
    found: JsonObject = pod["status"]["containerStatuses"][0]
    return found


def log(sandbox: Sandbox, pod: JsonObject) -> tuple[int, str]:
    path = f"{Ref(POD, 'shop', pod['metadata']['name']).path}/log"
    response = sandbox.transport().request("GET", path, query={}, body=None, content_type="", timeout=5)
    return response.status, response.body.decode()


def test_an_image_that_is_missing_backs_off_and_has_no_log() -> None:
    sandbox, pod = one_pod("web:missing", 5)
    assert pod["status"]["phase"] == "Pending"
    assert state(pod)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    status, text = log(sandbox, pod)
    assert status == 400
    assert "is waiting to start: trying and failing to pull image" in text
    assert {event["reason"] for event in sandbox.all(EVENT, "shop")} >= {"Failed"}


def test_a_crashing_container_restarts_less_and_less_often_and_leaves_a_log() -> None:
    sandbox, pod = one_pod("web:crash", 5)
    assert state(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state(pod)["lastState"]["terminated"]["exitCode"] == 1
    assert "connection refused" in log(sandbox, pod)[1]
    sandbox.clock.run(60)
    (pod,) = sandbox.all(POD, "shop")
    assert state(pod)["restartCount"] == 3


def test_a_pod_that_is_never_ready_runs_all_the_same() -> None:
    _, pod = one_pod("web:1-neverready", 60)
    assert pod["status"]["phase"] == "Running"
    assert state(pod)["ready"] is False


def test_a_pod_becomes_ready_after_its_start_delay() -> None:
    _, early = one_pod("web:1-start5", 5)
    _, late = one_pod("web:1-start5", 6)
    assert (state(early)["ready"], state(late)["ready"]) == (False, True)


def test_a_pod_without_room_waits_until_there_is_some() -> None:
    sandbox = Sandbox(nodes=0)
    sandbox.world.node("small", room=2)
    sandbox.apply(app.deployment({"name": "web", "namespace": "shop"}, replicas=3, image="web:1"))
    sandbox.clock.run(5)
    waiting = [pod for pod in sandbox.all(POD, "shop") if not pod["spec"].get("nodeName")]
    (pod,) = waiting
    (condition,) = pod["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"] == "0/1 nodes are available: 1 Too many pods."
    sandbox.world.node("large")
    sandbox.clock.run(5)
    assert all(pod["spec"].get("nodeName") for pod in sandbox.all(POD, "shop"))


def test_a_route_is_accepted_at_the_generation_it_has() -> None:
    sandbox = Sandbox.with_app()
    sandbox.clock.run(1)
    route = sandbox.get(HTTP_ROUTE, "shop", "web")
    assert route is not None
    conditions = {each["type"]: each for each in route["status"]["parents"][0]["conditions"]}
    assert conditions["Accepted"]["observedGeneration"] == route["metadata"]["generation"] == 1
    assert conditions["ResolvedRefs"]["status"] == "True"
    sandbox.apply(app.http_route("other", {"name": "web", "namespace": "shop"}))
    sandbox.clock.run(1)
    route = sandbox.get(HTTP_ROUTE, "shop", "web")
    assert route is not None
    conditions = {each["type"]: each for each in route["status"]["parents"][0]["conditions"]}
    assert conditions["Accepted"]["observedGeneration"] == 2
    assert conditions["ResolvedRefs"]["reason"] == "BackendNotFound"
