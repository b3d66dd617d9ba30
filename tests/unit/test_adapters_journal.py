import json

import pytest

from progressive_ci.adapters.cluster import KubeCluster
from progressive_ci.adapters.journal import KEY, ClusterJournal
from progressive_ci.errors import LeaseLost, ProgressiveError, Refused, ServerError
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal_size import LARGEST, SENTENCE
from progressive_ci.model.kinds import Ref
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.cluster import Sandbox

JOURNAL = Ref(kinds.CONFIG_MAP, "shop", "progressive-ci.web")
HIDDEN = "hunter2"
MANAGED = {"app.kubernetes.io/managed-by": "progressive-ci"}


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox()
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


def journal(sandbox: Sandbox) -> ClusterJournal:
    return ClusterJournal("web", "shop", cluster=KubeCluster(sandbox.transport(), sandbox.clock))


def stored(sandbox: Sandbox) -> JsonObject:
    found = sandbox.get(JOURNAL.kind, JOURNAL.namespace, JOURNAL.name)
    assert found is not None
    return found


def put(sandbox: Sandbox, text: str | None, labels: dict[str, str]) -> None:
    metadata = {"name": JOURNAL.name, "namespace": "shop", "labels": labels}
    data = {} if text is None else {KEY: text}
    sandbox.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def test_what_is_written_is_read_by_the_next_run(sandbox: Sandbox) -> None:
    first = journal(sandbox)
    assert first.read() is None
    first.write({"step": 1})
    first.write({"step": 2, "reason": "größer"})
    assert journal(sandbox).read() == {"step": 2, "reason": "größer"}
    assert stored(sandbox)["metadata"]["labels"] == MANAGED


def test_it_belongs_to_the_deployment_as_soon_as_there_is_one() -> None:
    sandbox = Sandbox.with_app()
    deployment = sandbox.get(kinds.DEPLOYMENT, "shop", "web")
    assert deployment is not None
    written = journal(sandbox)
    written.read()
    written.write({"step": 1})
    assert stored(sandbox)["metadata"]["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": deployment["metadata"]["uid"]}
    ]
    before = len(sandbox.log)
    written.write({"step": 2})
    assert len(sandbox.log) == before + 1


@pytest.mark.parametrize(
    "fault", [faults.lose_answer(), faults.drop(), faults.conflict(), faults.broken()],
    ids=["answer lost", "request lost", "a conflict", "500"],
)  # fmt: skip
@pytest.mark.parametrize("earlier", [False, True], ids=["the first write", "a later write"])
def test_a_write_without_a_clear_answer_is_found_out(
    sandbox: Sandbox, fault: faults.Fault, *, earlier: bool
) -> None:
    written = journal(sandbox)
    written.read()
    if earlier:
        written.write({"step": 1})
    sandbox.faults.plan(fault, when=faults.to("PATCH" if earlier else "POST", "configmaps"))
    written.write({"step": 2})
    written.write({"step": 3})
    assert json.loads(stored(sandbox)["data"][KEY]) == {"step": 3}


def test_a_write_that_is_refused_again_and_again_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.plan(faults.broken(), when=faults.to("POST", "configmaps"), times=9)
    with pytest.raises(ServerError):
        journal(sandbox).write({"step": 1})


def test_a_label_that_somebody_adds_does_no_harm(sandbox: Sandbox) -> None:
    written = journal(sandbox)
    written.write({"step": 1})
    put(sandbox, '{"step":1}', {**MANAGED, "team": "shop"})
    written.write({"step": 2})
    assert stored(sandbox)["metadata"]["labels"]["team"] == "shop"
    assert json.loads(stored(sandbox)["data"][KEY]) == {"step": 2}


def test_a_journal_that_somebody_deleted_is_written_again(sandbox: Sandbox) -> None:
    written = journal(sandbox)
    written.write({"step": 1})
    sandbox.store.drop(JOURNAL.kind, stored(sandbox))
    written.write({"step": 2})
    assert journal(sandbox).read() == {"step": 2}


@pytest.mark.parametrize("earlier", [False, True], ids=["the first write", "a later write"])
def test_what_another_run_has_written_is_never_overwritten(sandbox: Sandbox, *, earlier: bool) -> None:
    late = journal(sandbox)
    late.read()
    if earlier:
        late.write({"epoch": 1})
    new = journal(sandbox)
    new.read()
    new.write({"epoch": 2})
    with pytest.raises(LeaseLost, match="another run has written the journal"):
        late.write({"epoch": 1, "step": 2})
    assert journal(sandbox).read() == {"epoch": 2}


@pytest.mark.parametrize(
    ("text", "labels", "message"),
    [
        ("{", MANAGED, "`journal.json` is no JSON"),
        ("[]", MANAGED, "`journal.json` holds no record"),
        (None, MANAGED, "`journal.json` is no JSON"),
        ("{}", {}, "a ConfigMap of somebody else has the journal's name"),
    ],
    ids=["broken", "a list", "empty", "foreign"],
)
def test_a_journal_that_can_not_be_read_is_refused(
    sandbox: Sandbox, text: str | None, labels: dict[str, str], message: str
) -> None:
    put(sandbox, text, labels)
    with pytest.raises(Refused) as caught:
        journal(sandbox).read()
    assert f"ConfigMap shop/progressive-ci.web: {message}" in str(caught.value)
    advice = "`progressive-ci forget web --namespace shop`" if labels else "rename or delete it"
    assert str(caught.value).endswith(advice)


def test_a_record_may_be_as_large_as_that_and_not_a_byte_larger(sandbox: Sandbox) -> None:
    full = {"log": "x" * (LARGEST - len('{"log":""}'))}
    with pytest.raises(ProgressiveError, match="262145 bytes, more than 262144"):
        journal(sandbox).write({"log": full["log"] + "x"})
    assert not sandbox.log
    journal(sandbox).write(full)
    assert journal(sandbox).read() == full


@pytest.mark.parametrize("room", range(len(HIDDEN)))
def test_no_part_of_a_secret_is_left_where_a_sentence_is_cut(sandbox: Sandbox, room: int) -> None:
    cluster = KubeCluster(sandbox.transport(), sandbox.clock)
    written = ClusterJournal("web", "shop", cluster=cluster, hide=lambda text: text.replace(HIDDEN, "***"))
    sentence = "." * (SENTENCE - room - 3) + HIDDEN + "!" * 9
    written.write({"reason": sentence, "endings": [{"reason": sentence}]})
    record = json.loads(stored(sandbox)["data"][KEY])
    for kept in (record["reason"], record["endings"][0]["reason"]):
        assert len(kept) <= SENTENCE
        assert not any(letter in kept for letter in HIDDEN)


def test_it_is_forgotten_readable_or_not(sandbox: Sandbox) -> None:
    journal(sandbox).forget()
    put(sandbox, "{", MANAGED)
    sandbox.faults.plan(faults.conflict(), when=faults.to("DELETE", "configmaps"))
    journal(sandbox).forget()
    assert sandbox.get(JOURNAL.kind, "shop", JOURNAL.name) is None


def test_what_belongs_to_somebody_else_is_not_forgotten(sandbox: Sandbox) -> None:
    put(sandbox, "{}", {})
    with pytest.raises(Refused):
        journal(sandbox).forget()
    assert stored(sandbox)
