"""Documents come from whoever may open a pull request: what they name elsewhere needs the word of the user."""

import pytest

from progressive_ci.adapters.addresses import Addresses, Proxied, parse
from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model import kinds
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.resources import CLUSTER_ROLE
from progressive_ci.specs import documents
from progressive_ci.specs.read import read
from tests.scenario import given, then
from tests.scenario.documents import rollout
from tests.scenario.scene import planned
from tests.security import bystanders

ROUTES = {
    "gateway": ("{httpRoute: web}", "{httpRoute: web, namespace: bank}"),
    "istio": ("{name: web}", "{name: web.bank}"),
    "istio, in full": ("{name: web}", "{name: web.bank.svc.cluster.local}"),
}


@pytest.mark.parametrize(("row", "fields"), ROUTES.items(), ids=ROUTES)
def test_a_route_of_another_namespace_needs_the_users_word(row: str, fields: tuple[str, str]) -> None:
    text = rollout(row.partition(",")[0]).replace(*fields)
    given = documents.parse([("spec.yaml", text)])
    with pytest.raises(SpecInvalid) as refused:
        read(given, allowed=())
    assert "it names an object of namespace bank" in str(refused.value)
    assert "allow it with --allow-namespace bank" in str(refused.value)
    assert "spec.yaml:" in str(refused.value)
    assert read(given, allowed=("bank",)).route is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.bank:8200/v1/secret",
        "http://vault.bank.svc:8200",
        "https://vault.bank.svc.cluster.local",
        "http://KUBERNETES.default.svc",
    ],
)
def test_the_api_server_is_not_asked_for_services_elsewhere_without_the_users_word(url: str) -> None:
    with pytest.raises(ProgressiveError, match="--allow-namespace"):
        Addresses(namespace="shop", allowed=()).way(url)
    assert isinstance(Addresses(namespace="shop", allowed=("bank", "default")).way(url), Proxied)


def test_what_the_user_maps_is_allowed() -> None:
    ways = Addresses(parse(["http://prometheus=http://prometheus.bank:9090"]), "shop", allowed=())
    assert isinstance(ways.way("http://prometheus"), Proxied)


@pytest.mark.parametrize(
    "url", ["http://prometheus:9090", "http://prometheus.shop", "http://prometheus.monitoring:9090"]
)
def test_the_usual_metrics_servers_need_no_option(url: str) -> None:
    assert isinstance(Addresses(namespace="shop", allowed=()).way(url), Proxied)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal./computeMetadata",
        "http://100.100.100.200/",
    ],
)
def test_the_machines_own_metadata_service_is_not_asked(url: str) -> None:
    with pytest.raises(ProgressiveError, match="link-local"):
        Addresses(namespace="shop", allowed=()).way(url)


def test_a_refused_address_shows_no_password() -> None:
    with pytest.raises(ProgressiveError) as refused:
        Addresses(namespace="shop", allowed=()).way("http://me:pass@vault.bank:8200/?token=secret")
    assert "pass" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "ref",
    [
        Ref(kinds.SERVICE, "shop", "web/../../../bank/services/web"),
        Ref(kinds.SERVICE, "shop", ".."),
        Ref(kinds.SERVICE, "shop", "web?dryRun=All"),
        Ref(kinds.SERVICE, "../bank", "web"),
        Ref(kinds.Kind("x/../..", "v1", "Thing", "things"), "shop", "web"),
    ],
    ids=["up and down", "up", "with a query", "namespace", "group"],
)
def test_a_name_that_leads_elsewhere_is_never_asked_for(ref: Ref) -> None:
    with pytest.raises(ProgressiveError, match="can't stand in the address of a"):
        _ = ref.path


def test_a_rollout_that_names_a_service_elsewhere_is_refused_when_it_is_read() -> None:
    with pytest.raises(SpecInvalid, match="stableService: expected the name of an object"):
        planned(rollout("gateway").replace("web-stable", "web/../../../bank/services/web"))


THIEF = """---
apiVersion: v1
kind: ConfigMap
metadata:
  name: thief
  namespace: bank
data: {a: b}
"""
LORD = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: lord}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"""


def test_the_rest_is_applied_to_another_namespace_only_with_the_users_word() -> None:
    scene = given.app()
    bystanders.join(scene)
    text = rollout("gateway") + THIEF
    run = scene.released(text, Options(apply_rest=True, allowed_namespaces=("monitoring",)))
    then.ended(run, Result.INVALID)
    assert run.outcome is not None
    line = text.splitlines().index("  namespace: bank") + 1
    assert run.outcome.reason == (
        f"spec.yaml:{line}: metadata.namespace: --apply-rest would write ConfigMap thief of namespace bank, "
        "the release is in shop; allow it with --allow-namespace bank"
    )
    then.nothing_was_written(run)
    then.ended(scene.released(text, Options(apply_rest=True, allowed_namespaces=("bank",))), Result.PROMOTED)
    assert scene.sandbox.get(kinds.CONFIG_MAP, "bank", "thief") is not None


def test_the_rest_writes_nothing_that_belongs_to_no_namespace() -> None:
    scene = given.app()
    run = scene.released(
        rollout("gateway") + LORD, Options(apply_rest=True, allowed_namespaces=("bank", "", "*"))
    )
    then.ended(run, Result.INVALID)
    assert run.outcome is not None
    assert "--apply-rest would write ClusterRole lord, which belongs to no namespace" in run.outcome.reason
    assert "apply it in a step of its own" in run.outcome.reason
    then.nothing_was_written(run)
    assert scene.sandbox.get(CLUSTER_ROLE, "", "lord") is None
