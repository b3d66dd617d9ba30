from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import CONFIG_MAP, DEPLOYMENT, POD, REPLICA_SET
from tests.contract.api_cases import objects
from tests.contract.api_cases.target import Target

pytest_plugins = ["tests.contract.api_cases.fixtures"]


def owned(name: str, *owners: JsonObject, block: bool = False) -> JsonObject:
    """A ConfigMap with owners."""
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    return {"metadata": {"name": name, "ownerReferences": references}}


def test_what_has_no_owner_left_is_deleted_in_the_background(api: Target) -> None:
    first, second = (api.made(CONFIG_MAP, objects.config_map(name)) for name in ("first", "second"))
    api.made(CONFIG_MAP, owned("both", first, second))
    api.made(CONFIG_MAP, owned("only", first))
    api.delete(CONFIG_MAP, "first")
    api.until(lambda: not api.exists(CONFIG_MAP, "only"))
    references = api.until(lambda: _one_owner(api, "both"))
    assert [owner["name"] for owner in references] == ["second"]


def _one_owner(api: Target, name: str) -> list[JsonObject]:
    references: list[JsonObject] = api.found(CONFIG_MAP, name)["metadata"]["ownerReferences"]
    return references if len(references) == 1 else []


def test_what_names_an_owner_that_never_was_is_deleted(api: Target) -> None:
    ghost = {"metadata": {"name": "ghost", "uid": "11111111-1111-4111-8111-111111111111"}}
    api.made(CONFIG_MAP, owned("lost", ghost))
    api.until(lambda: not api.exists(CONFIG_MAP, "lost"))


def test_orphaned_dependents_stay_without_their_owner(api: Target) -> None:
    first = api.made(CONFIG_MAP, objects.config_map("first"))
    api.made(CONFIG_MAP, owned("child", first))
    api.delete(CONFIG_MAP, "first", {"propagationPolicy": "Orphan"})
    api.until(lambda: not api.exists(CONFIG_MAP, "first"))
    assert "ownerReferences" not in api.found(CONFIG_MAP, "child")["metadata"]


def test_an_owner_deleted_in_the_foreground_goes_last(api: Target) -> None:
    first = api.made(CONFIG_MAP, objects.config_map("first"))
    body = owned("child", first, block=True)
    body["metadata"]["finalizers"] = ["example.com/hold"]
    api.made(CONFIG_MAP, body)
    reply = api.delete(CONFIG_MAP, "first", {"propagationPolicy": "Foreground"})
    assert reply.status == 200
    assert reply.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert reply.body["metadata"]["deletionTimestamp"]
    api.until(lambda: api.found(CONFIG_MAP, "child")["metadata"].get("deletionTimestamp"))
    assert api.exists(CONFIG_MAP, "first")
    api.merge((CONFIG_MAP, "child"), {"metadata": {"finalizers": None}})
    api.until(lambda: not api.exists(CONFIG_MAP, "child"))
    api.until(lambda: not api.exists(CONFIG_MAP, "first"))


def test_an_object_with_a_finalizer_stays_until_it_is_removed(api: Target) -> None:
    body = objects.config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    api.made(CONFIG_MAP, body)
    reply = api.delete(CONFIG_MAP, "settings")
    assert (reply.status, reply.body["kind"]) == (200, "ConfigMap")
    assert api.found(CONFIG_MAP, "settings")["metadata"]["deletionTimestamp"]
    api.patch((CONFIG_MAP, "settings"), [{"op": "remove", "path": "/metadata/finalizers"}])
    assert not api.exists(CONFIG_MAP, "settings")


def test_a_deployment_takes_its_replica_sets_and_pods_along(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(replicas=1))
    api.until(lambda: api.names(POD, labelSelector="app=web"))
    api.delete(DEPLOYMENT, "web")
    api.until(lambda: not api.names(REPLICA_SET))
    api.until(lambda: not api.names(POD))


def test_an_orphaned_deployment_leaves_its_replica_set_and_pods(api: Target) -> None:
    api.made(DEPLOYMENT, objects.deployment(replicas=1))
    pods = api.until(lambda: api.names(POD, labelSelector="app=web"))
    api.delete(DEPLOYMENT, "web", {"propagationPolicy": "Orphan"})
    api.until(lambda: not api.exists(DEPLOYMENT, "web"))
    sets = api.listed(REPLICA_SET).body["items"]
    assert "ownerReferences" not in sets[0]["metadata"]
    assert api.names(POD) == pods
