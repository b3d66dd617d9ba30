import pytest

from progressive_ci.adapters.addresses import Addresses, Direct, Proxied, parse
from progressive_ci.errors import ProgressiveError
from progressive_ci.ports import Access

AWAY = Addresses(namespace="shop")


@pytest.mark.parametrize(
    ("url", "namespace", "target"),
    [
        ("http://prometheus:9090", "shop", "http:prometheus:9090"),
        ("http://prometheus", "shop", "http:prometheus:80"),
        ("https://thanos", "shop", "https:thanos:443"),
        ("http://prometheus.monitoring", "monitoring", "http:prometheus:80"),
        ("http://prometheus.dev:9090", "dev", "http:prometheus:9090"),
        ("https://thanos.monitoring:9091", "monitoring", "https:thanos:9091"),
        ("http://prometheus.monitoring.svc:9090", "monitoring", "http:prometheus:9090"),
        ("http://prometheus.monitoring.svc.cluster.local.:9090", "monitoring", "http:prometheus:9090"),
    ],
)
def test_a_cluster_local_name_goes_through_the_api_server(url: str, namespace: str, target: str) -> None:
    assert AWAY.way(url + "/api/v1/query?query=up") == Proxied(namespace, target, "/api/v1/query", "query=up")
    assert AWAY.way(url) == Proxied(namespace, target, "/", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com:9090",
        "https://prometheus.corp",
        "https://prometheus.example.com/api",
        "http://10.0.0.7:9090",
        "http://[::1]:9090",
        "http://localhost:9090",
        "http://{{args.host}}:9090",
        "http://prometheus:{{args.port}}",
        "prometheus:9090",
        "http://[::1",
    ],
)
def test_every_other_host_is_asked_directly(url: str) -> None:
    assert AWAY.way(url) == Direct(url)


def test_inside_the_cluster_everything_is_direct() -> None:
    url = "http://prometheus.monitoring:9090/api"
    assert Addresses(namespace="shop", proxy=False).way(url) == Direct(url)


@pytest.mark.parametrize(
    ("option", "way"),
    [
        ("http://prometheus:9090=https://metrics.example.com/prom/", Direct("https://metrics.example.com/prom/api?q=1")),
        ("prometheus:9090=http://127.0.0.1:1", Direct("http://127.0.0.1:1/api?q=1")),
        ("prometheus=http://127.0.0.1:1", Direct("http://127.0.0.1:1/api?q=1")),
        ("prometheus=direct", Direct("http://prometheus:9090/api?q=1")),
        ("prometheus=http://prom.obs:80", Proxied("obs", "http:prom:80", "/api", "q=1")),
        ("https://prometheus:9090=http://other", Proxied("shop", "http:prometheus:9090", "/api", "q=1")),
        ("prometheus:80=http://other", Proxied("shop", "http:prometheus:9090", "/api", "q=1")),
    ],
    ids=["with a path", "no scheme", "no port", "direct", "to a Service", "another scheme", "another port"],
)  # fmt: skip
def test_a_mapping_comes_first(option: str, way: Direct | Proxied) -> None:
    assert Addresses(parse([option]), "shop").way("http://prometheus:9090/api?q=1") == way


@pytest.mark.parametrize(
    "option",
    [
        "prometheus",
        "=http://a",
        "prometheus=there",
        "http://a/path=http://b",
        "a=",
        "a:b=http://c",
        "a=http://b:c",
    ],
)
def test_a_mapping_that_maps_nothing_is_refused(option: str) -> None:
    with pytest.raises(ProgressiveError) as caught:
        parse([option])
    assert str(caught.value) == (
        f"--address: `{option}` maps no address to another; write it as FROM=TO, as in "
        "`http://prometheus:9090=https://prometheus.example.com`, or as FROM=direct"
    )


def test_a_proxied_way_names_the_right_it_needs() -> None:
    way = AWAY.way("http://prometheus.monitoring:9090/")
    assert isinstance(way, Proxied)
    assert way.access == Access("get", "", "services", "monitoring", "http:prometheus:9090", "proxy")
    assert str(way) == "through the API server (services/proxy of `http:prometheus:9090` in monitoring)"
    assert way.api_path == "/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/"
