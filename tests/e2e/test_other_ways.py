"""Ways to release without Gateway API or Istio: objects of ingress-nginx, the pods' share, a Deployment in place."""

from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.cluster import workloads
from tests.e2e.cluster.client import ApiError, Document
from tests.e2e.cluster.proxy import RecordingProxy
from tests.e2e.given import BAD, CANARY, NAME, NEW, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_JUDGED = ("--analysis", "success-rate")
_ANNOTATION = "nginx.ingress.kubernetes.io"


def test_ingress_nginx_finds_the_object_that_upstream_would_write(shop: Callable[..., Shop]) -> None:
    place = shop("nginx")
    place.releases(NEW, steps=given.setting(5, 50), judged=False)
    own = _ingress(place, NAME)
    with RecordingProxy(place.cluster) as proxy:
        run = when.run(place, server=proxy.url)
    then.ended(run, 0, "promoted")
    for weight in (5, 50):
        wanted = {f"{_ANNOTATION}/canary": "true", f"{_ANNOTATION}/canary-weight": str(weight)}
        stood = [item for item in _written(proxy, f"{NAME}-{NAME}-canary") if _by_upstream(item) == wanted]
        assert stood, f"never at {weight} %"
        assert all(item["spec"] == _leading_to(own["spec"], CANARY) for item in stood)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
    assert _ingress(place, NAME)["metadata"]["resourceVersion"] == own["metadata"]["resourceVersion"]
    with pytest.raises(ApiError, match="not found"):
        _ingress(place, f"{NAME}-{NAME}-canary")


def _ingress(place: Shop, name: str) -> Document:
    return place.cluster.admin.get("Ingress", name, place.namespace)


def _written(proxy: RecordingProxy, name: str) -> list[Document]:
    """An Ingress as the API server stored it with each write."""
    stored = [
        answer.document()
        for call, answer in proxy.calls
        if call.method in {"POST", "PATCH"} and "/ingresses" in call.path and "dryRun" not in call.query
        if answer.status in {200, 201}
    ]
    return [item for item in stored if item["metadata"]["name"] == name]


def _by_upstream(ingress: Document) -> dict[str, str]:
    annotations: dict[str, str] = ingress["metadata"]["annotations"]
    return {key: value for key, value in annotations.items() if key.startswith(_ANNOTATION)}


def _leading_to(spec: Document, service: str) -> Document:
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    backend = {"service": {**path["backend"]["service"], "name": service}}
    return {**spec, "rules": [{**rule, "http": {"paths": [{**path, "backend": backend}]}}]}


def test_without_a_router_the_share_of_pods_is_the_share_of_traffic(shop: Callable[..., Shop]) -> None:
    place = shop("none")
    place.releases(
        NEW, steps=[*given.setting(25, 50)[:3], {"pause": {"duration": "10s"}}, {"setWeight": 100}]
    )
    with when.users(place) as load, when.start(place) as tool:
        run = tool.end()
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)
    # Lines are noted when they are read, which may be some seconds late.
    half = next(at for at, text in run.lines if "== step 4/" in text)
    assert records.between(half + 1, half + 4).share("2.0.0") == pytest.approx(0.5, abs=0.2)


def test_without_a_router_a_bad_version_is_taken_back(shop: Callable[..., Shop]) -> None:
    place = shop("none")
    place.releases(BAD, steps=given.setting(25, 50, 100))
    before = then.pods(place, OLD)
    with when.users(place) as load:
        run = when.run(place)
        records = load.stop()
    then.ended(run, 10, "rolled-back-unhealthy")
    then.only_the_canary_failed(records, "2.0.0-err30")
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)
    assert set(then.pods(place, OLD).restarts) & set(before.restarts)


def test_a_plain_deployment_rolls_in_place(shop: Callable[..., Shop]) -> None:
    place = shop("none")
    place.write(*given.in_place(place, NEW))
    with when.users(place) as load:
        run = when.run(place, "run", *_JUDGED, role=place.role(options=_JUDGED))
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)


@pytest.mark.parametrize(
    ("image", "code", "result"),
    [(BAD, 10, "rolled-back-unhealthy"), ("example/app:2.0.0-missing", 11, "rolled-back-unready")],
    ids=["errors", "an image that can't be pulled"],
)
def test_a_plain_deployment_is_undone_when_it_fails(
    shop: Callable[..., Shop], image: str, code: int, result: str
) -> None:
    place = shop("none")
    place.write(*given.in_place(place, image))
    with when.users(place) as load:
        run = when.run(place, "run", *_JUDGED, role=place.role(options=_JUDGED))
        workloads.wait_ready(place.cluster.admin, place.namespace, NAME)
        load.wait_for(requests=100)
        records = load.stop()
    then.ended(run, code, result)
    then.only_the_canary_failed(records, "2.0.0-err30")
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)


def test_a_plain_deployment_gets_its_version_back_from_an_earlier_one_that_is_bad(
    shop: Callable[..., Shop],
) -> None:
    place = shop("none", image=BAD)
    when.somebody_sets_image(place, NEW)
    workloads.wait_ready(place.cluster.admin, place.namespace, NAME)
    place.write(*given.in_place(place, BAD))
    with when.users(place):
        run = when.run(place, "run", *_JUDGED, role=place.role(options=_JUDGED))
    then.ended(run, 10, "rolled-back-unhealthy")
    then.only_serves(place, NEW)
    then.nothing_of_ours_is_left(place)


def test_a_version_that_somebody_else_puts_into_a_deployment_stays(shop: Callable[..., Shop]) -> None:
    place = shop("none")
    # Its pods take their time, so that the other version comes before all of them are new.
    place.write(*given.in_place(place, "example/app:2.0.0-start10"))
    with when.users(place) as load:
        with when.start(place, "run", *_JUDGED, role=place.role(options=_JUDGED)) as tool:
            tool.wait_for("== prepare")
            when.somebody_sets_image(place, "example/app:3.0.0")
            run = tool.end()
        records = load.stop()
    then.ended(run, 13, "rolled-back-cancelled")
    assert "superseded" in run.told["reason"]
    then.no_request_failed(records)
    then.only_serves(place, "example/app:3.0.0")
    then.nothing_of_ours_is_left(place)
