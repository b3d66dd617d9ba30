import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from progressive_ci.adapters.cluster import KubeCluster, Patience
from progressive_ci.errors import (
    NOT_SENT,
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Interrupted,
    LeaseLost,
    NoAnswer,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
)
from progressive_ci.model import kinds, write
from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import Kind, Ref
from progressive_ci.model.write import Create, Delete, Merge, Patch, replace
from progressive_ci.ports import Access, HttpResponse
from progressive_ci.sandbox import faults, status
from progressive_ci.sandbox.cluster import Sandbox

SETTINGS = Ref(kinds.CONFIG_MAP, "shop", "settings")
WIDGET = Kind("widgets.example", "v1", "Widget", "widgets")


def settings(name: str = "settings", **values: str) -> JsonObject:
    metadata = {"name": name, "namespace": "shop", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": values}


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox()
    made.apply(settings(colour="blue"))
    return made


@pytest.fixture
def cluster(sandbox: Sandbox) -> KubeCluster:
    return KubeCluster(sandbox.transport(), sandbox.clock)


def stored(sandbox: Sandbox, ref: Ref = SETTINGS) -> JsonObject:
    found = sandbox.get(ref.kind, ref.namespace, ref.name)
    assert found is not None
    return found


def test_an_object_is_read_and_an_absent_one_is_none(cluster: KubeCluster) -> None:
    assert (cluster.get(SETTINGS) or {})["data"] == {"colour": "blue"}
    assert cluster.get(Ref(kinds.CONFIG_MAP, "shop", "other")) is None


def test_a_created_object_comes_back_as_stored(cluster: KubeCluster) -> None:
    ref = Ref(kinds.CONFIG_MAP, "shop", "more")
    assert cluster.send(Create(ref, settings("more")))["metadata"]["uid"]


def test_a_patch_and_a_merge_patch_change_what_they_name(cluster: KubeCluster, sandbox: Sandbox) -> None:
    cluster.send(Patch(SETTINGS, (write.test("/data/colour", "blue"), replace("/data/colour", "red"))))
    assert stored(sandbox)["data"] == {"colour": "red"}
    cluster.send(Merge(SETTINGS, {"data": {"colour": None, "size": "1"}}))
    assert stored(sandbox)["data"] == {"size": "1"}


def test_a_dry_run_changes_nothing(cluster: KubeCluster, sandbox: Sandbox) -> None:
    answer = cluster.send(Patch(SETTINGS, (replace("/data/colour", "red"),)), dry_run=True)
    assert answer["data"] == {"colour": "red"}
    assert stored(sandbox)["data"] == {"colour": "blue"}


def test_a_dry_run_of_a_delete_says_so_in_its_body_where_alone_it_counts(sandbox: Sandbox) -> None:
    transport = Canned({SETTINGS.path: (200, {"kind": "Status"})})
    KubeCluster(transport, sandbox.clock).send(Delete(SETTINGS, "uid", ""), dry_run=True)
    assert transport.bodies[-1]["dryRun"] == ["All"]


def test_a_message_that_quotes_a_whole_object_is_cut(cluster: KubeCluster, sandbox: Sandbox) -> None:
    refusal = status.failure(422, "Invalid", "invalid: " + "x" * 5000)
    sandbox.faults.plan(faults.answer(refusal), when=faults.to("PATCH", "settings"))
    with pytest.raises(Unprocessable) as caught:
        cluster.send(Merge(SETTINGS, {}))
    assert len(str(caught.value)) < 600


def test_a_delete_hits_exactly_the_version_that_was_seen(cluster: KubeCluster, sandbox: Sandbox) -> None:
    seen = stored(sandbox)["metadata"]
    sandbox.apply(settings(colour="red"))
    with pytest.raises(Conflict):
        cluster.send(Delete(SETTINGS, seen["uid"], seen["resourceVersion"]))
    with pytest.raises(Conflict):
        cluster.send(Delete(SETTINGS, "another-uid", ""))
    cluster.send(Delete(SETTINGS, seen["uid"], stored(sandbox)["metadata"]["resourceVersion"]))
    assert sandbox.get(SETTINGS.kind, "shop", "settings") is None
    assert sandbox.log[-1].call.body == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": {"uid": seen["uid"], "resourceVersion": str(int(seen["resourceVersion"]) + 1)},
    }


def test_a_list_is_what_both_selectors_match_and_names_its_kind(
    cluster: KubeCluster, sandbox: Sandbox
) -> None:
    sandbox.apply(settings("other", colour="red"))
    found = cluster.list(kinds.CONFIG_MAP, "shop", labels="app=web", fields="metadata.name=other")
    assert [(item["kind"], item["apiVersion"], item["metadata"]["name"]) for item in found] == [
        ("ConfigMap", "v1", "other")
    ]


def test_a_long_list_comes_in_pages(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.apply(*(settings(f"s-{number:04}") for number in range(1001)))
    found = cluster.list(kinds.CONFIG_MAP, "shop")
    assert len({item["metadata"]["name"] for item in found}) == 1002
    assert len([1 for exchange in sandbox.log if exchange.call.query.get("limit") == "500"]) == 3


def test_rights_are_asked_of_the_server(sandbox: Sandbox) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    cluster = KubeCluster(sandbox.user("reader", rules, "shop"), sandbox.clock)
    assert cluster.allowed(Access("get", "", "configmaps", "shop", "settings"))
    assert not cluster.allowed(Access("delete", "", "configmaps", "shop", "settings"))


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (status.failure(401, "Unauthorized", "Unauthorized"), Unauthorized),
        (status.failure(403, "Forbidden", "no"), Forbidden),
        (status.failure(404, "NotFound", 'configmaps "settings" not found'), NotFound),
        (status.failure(409, "Conflict", "changed"), Conflict),
        (status.failure(409, "AlreadyExists", "exists"), AlreadyExists),
        (status.failure(422, "Invalid", "no"), Unprocessable),
        (status.failure(500, "InternalError", "oops"), ServerError),
        (status.failure(415, "UnsupportedMediaType", "no"), ApiError),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_refused_write_says_what_where_and_why(
    cluster: KubeCluster, sandbox: Sandbox, refusal: status.Refusal, error: type[ApiError]
) -> None:
    sandbox.faults.plan(faults.answer(refusal), when=faults.to("PATCH", "settings"), times=9)
    with pytest.raises(error) as caught:
        cluster.send(Merge(SETTINGS, {}))
    assert type(caught.value) is error
    assert str(caught.value).startswith(
        f"ConfigMap shop/settings: the API server refused `patch` ({refusal.code} {refusal.body['reason']}): "
    )


def test_a_missing_right_comes_with_its_remedy(sandbox: Sandbox) -> None:
    cluster = KubeCluster(sandbox.user("nobody", [], "shop"), sandbox.clock)
    with pytest.raises(Forbidden) as caught:
        cluster.get(SETTINGS)
    assert caught.value.advice == "grant `get`; `progressive-ci rbac` prints the Role that is needed"


def refused(sandbox: Sandbox, name: str, seconds: float) -> None:
    """From now on the server answers so long as if it had read no Roles yet."""
    until = sandbox.clock.now() + seconds
    answer = faults.answer(status.forbidden("ci", "get", (kinds.CONFIG_MAP, "", "shop", name)))
    sandbox.faults.plan(
        answer, when=lambda _, call: call.path.endswith(name) and sandbox.clock.now() < until, times=1000
    )


def test_a_server_that_starts_an_hour_after_a_right_was_taken_away_is_asked_again(
    cluster: KubeCluster, sandbox: Sandbox
) -> None:
    sandbox.apply(settings("taken"))
    taken = Ref(kinds.CONFIG_MAP, "shop", "taken")
    assert cluster.get(taken)
    assert cluster.get(SETTINGS)
    refused(sandbox, "taken", 3600)
    for _ in range(3):
        with pytest.raises(Forbidden):
            cluster.get(taken)
    sandbox.clock.run(3600)
    refused(sandbox, "settings", 3)
    assert cluster.get(SETTINGS)


def test_what_is_refused_again_and_again_is_doubted_once(cluster: KubeCluster, sandbox: Sandbox) -> None:
    assert cluster.get(SETTINGS)
    refused(sandbox, "settings", 3600)
    took = []
    for _ in range(10):
        began = sandbox.clock.now()
        with pytest.raises(Forbidden):
            cluster.get(SETTINGS)
        took.append(sandbox.clock.now() - began > 1)
        sandbox.clock.run(30)
    assert took == [True, *[False] * 9]


def test_the_values_of_a_secret_are_never_quoted(cluster: KubeCluster, sandbox: Sandbox) -> None:
    causes = [{"field": "data[key]", "message": 'Invalid value: "hunter2"'}]
    refusal = status.failure(422, "Invalid", 'Invalid value: "hunter2"', details={"causes": causes})
    sandbox.faults.plan(faults.answer(refusal), when=faults.to("POST", "secrets"))
    with pytest.raises(Unprocessable) as caught:
        cluster.send(Create(Ref(kinds.SECRET, "shop", "s"), {"kind": "Secret"}))
    assert "hunter2" not in str(caught.value)
    assert "data[key]" in str(caught.value)


@pytest.mark.parametrize(
    "fault", [faults.drop(), faults.refuse(), faults.broken(), faults.too_many(), faults.delay(11)],
    ids=["dropped", "refused", "500", "429", "late"],
)  # fmt: skip
def test_a_read_is_repeated_until_it_is_answered(
    cluster: KubeCluster, sandbox: Sandbox, fault: faults.Fault
) -> None:
    sandbox.faults.plan(fault, when=faults.to("GET", "settings"))
    assert cluster.get(SETTINGS) is not None


def test_a_read_that_is_never_answered_ends(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.faults.plan(faults.drop(), when=faults.to("GET", "settings"), times=99)
    with pytest.raises(NoAnswer) as caught:
        cluster.get(SETTINGS)
    assert caught.value.where == "ConfigMap shop/settings"
    assert sandbox.clock.now() <= 31


def test_retry_after_is_honoured(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.faults.plan(faults.too_many(7), when=faults.to("PATCH", "settings"))
    cluster.send(Merge(SETTINGS, {"data": {"a": "b"}}))
    assert 7 <= sandbox.clock.now() < 8


def test_a_retry_after_beyond_the_deadline_ends_at_once(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.faults.plan(faults.too_many(120), when=faults.to("GET", "settings"))
    with pytest.raises(TooManyRequests):
        cluster.get(SETTINGS)
    assert sandbox.clock.now() < 1


@pytest.mark.parametrize("fault", [faults.drop(), faults.lose_answer(), faults.broken()])
def test_a_write_whose_effect_is_unknown_is_sent_once(
    cluster: KubeCluster, sandbox: Sandbox, fault: faults.Fault
) -> None:
    sandbox.faults.plan(fault, when=faults.to("PATCH", "settings"))
    with pytest.raises((NoAnswer, ServerError)):
        cluster.send(Merge(SETTINGS, {"data": {"a": "b"}}))
    assert len(sandbox.log) == 1


def test_a_write_that_was_not_sent_is_sent_again(cluster: KubeCluster, sandbox: Sandbox) -> None:
    def unsent(*_: object) -> HttpResponse:
        raise NoAnswer("connection refused", reason=NOT_SENT)

    sandbox.faults.plan(unsent, when=faults.to("PATCH", "settings"))
    cluster.send(Merge(SETTINGS, {"data": {"a": "b"}}))
    assert stored(sandbox)["data"]["a"] == "b"


def test_a_signal_ends_the_pause_before_the_next_attempt(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.faults.plan(faults.too_many(20), when=faults.to("GET", "settings"))
    sandbox.clock.at(5, lambda: sandbox.clock.deliver("SIGTERM"))
    with pytest.raises(Interrupted):
        cluster.get(SETTINGS)
    assert sandbox.clock.now() < 6


def test_a_write_asks_the_guard_and_a_read_or_dry_run_does_not(sandbox: Sandbox) -> None:
    def guard(seconds: float) -> None:
        raise LeaseLost(f"not for {seconds:g} s")

    cluster = KubeCluster(sandbox.transport(), sandbox.clock, guard=guard, patience=Patience(write=4))
    cluster.get(SETTINGS)
    cluster.send(Merge(SETTINGS, {"data": {"a": "b"}}), dry_run=True)
    with pytest.raises(LeaseLost, match="not for 4 s"):
        cluster.send(Merge(SETTINGS, {"data": {"a": "b"}}))
    assert "a" not in stored(sandbox)["data"]


class Canned:
    """A transport that gives the same answers for a path, whatever the request."""

    def __init__(self, answers: Mapping[str, tuple[int, object]]) -> None:
        self.answers = answers
        self.bodies: list[Any] = []

    def request(self, method: str, path: str, **rest: Any) -> HttpResponse:  # noqa: ANN401, ARG002 - all the rest
        self.bodies.append(rest["body"])
        code, body = self.answers[path]
        return HttpResponse(code, {}, body.encode() if isinstance(body, str) else json.dumps(body).encode())


GROUPS = {"kind": "APIGroupList", "groups": [{"name": "apps", "versions": [{"version": "v1"}]}]}
OTHER = {"kind": "APIGroupList", "groups": [{"name": WIDGET.group, "versions": [{"version": "v1beta1"}]}]}
PLAIN = "404 page not found\n"


def canned(sandbox: Sandbox, answers: Mapping[str, tuple[int, object]]) -> KubeCluster:
    return KubeCluster(Canned(answers), sandbox.clock)


def test_an_object_of_a_kind_that_nobody_installed_is_absent(sandbox: Sandbox) -> None:
    ref = Ref(WIDGET, "shop", "w")
    path = "/apis/widgets.example/v1/namespaces/shop/widgets"
    cluster = canned(sandbox, {ref.path: (404, PLAIN), path: (404, PLAIN), "/apis": (200, GROUPS)})
    assert cluster.get(ref) is None
    assert cluster.list(WIDGET, "shop") == ()


def test_a_kind_of_another_version_is_not_taken_for_absent(sandbox: Sandbox) -> None:
    ref = Ref(WIDGET, "shop", "w")
    with pytest.raises(ApiError) as caught:
        canned(sandbox, {ref.path: (404, PLAIN), "/apis": (200, OTHER)}).get(ref)
    assert str(caught.value) == (
        "Widget: the cluster serves widgets.example in v1beta1, not in v1; "
        "upgrade its custom resource definitions to ones with v1"
    )


HTML = "<html><body>Not  found,\nask IT</body></html>"


@pytest.mark.parametrize("code", [200, 302, 404, 502])
def test_what_a_proxy_answers_is_unknown_and_never_absent(sandbox: Sandbox, code: int) -> None:
    ref = Ref(WIDGET, "shop", "w")
    with pytest.raises(ServerError) as caught:
        canned(sandbox, {ref.path: (code, HTML), "/apis": (code, HTML)}).get(ref)
    assert f"was answered with {code} and no API server's answer: <html><body>Not found, ask IT" in str(
        caught.value
    )
    assert "look for a proxy" in caught.value.advice


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda cluster: cluster.get(SETTINGS), "the API server answered with a Pod"),
        (lambda cluster: cluster.list(kinds.CONFIG_MAP, "shop"), "the API server answered with a Pod"),
    ],
    ids=["get", "list"],
)
def test_an_answer_of_another_kind_is_unknown(
    sandbox: Sandbox, read: Callable[[KubeCluster], object], said: str
) -> None:
    pod = {"kind": "Pod"}
    cluster = canned(sandbox, {SETTINGS.path: (200, pod), "/api/v1/namespaces/shop/configmaps": (200, pod)})
    with pytest.raises(ServerError, match=said):
        read(cluster)


def test_a_list_whose_pages_are_too_old_begins_again(cluster: KubeCluster, sandbox: Sandbox) -> None:
    sandbox.apply(*(settings(f"s-{number:04}") for number in range(600)))
    expired = status.failure(410, "Expired", "The provided continue parameter is too old")
    sandbox.faults.plan(faults.answer(expired), when=lambda _, call: "continue" in call.query)
    assert len(cluster.list(kinds.CONFIG_MAP, "shop")) == 601


def test_logs_that_can_not_be_read_are_empty(cluster: KubeCluster) -> None:
    assert cluster.logs(Ref(kinds.POD, "shop", "gone"), "web", lines=5) == ()
