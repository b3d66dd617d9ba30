from typing import Any

import pytest
import yaml

from progressive_ci.errors import SpecInvalid
from progressive_ci.specs import checking, fields
from progressive_ci.specs.complaints import Complaints
from progressive_ci.specs.documents import parse
from tests.unit.golden.field_tables import DOCS, with_tables
from tests.unit.golden.render import HERE, plan_of
from tests.unit.golden.specs import METRIC, ONE_STEP, rollout, template


def cases(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "faults" / name).read_text(encoding="utf-8"))
    return found


ROLLOUTS, METRICS = cases("rollout.yaml"), cases("metric.yaml")


def faults(*texts: tuple[str, str]) -> list[str]:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(*texts, namespace=None)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("case", ROLLOUTS.values(), ids=ROLLOUTS)
def test_a_fault_of_a_rollout_is_told_with_line_field_and_advice(case: dict[str, Any]) -> None:
    found = faults(rollout(case["canary"], case.get("more", "")))
    assert found == [f"rollout.yaml:{fault}" for fault in case["faults"]]


@pytest.mark.parametrize("case", METRICS.values(), ids=METRICS)
def test_a_fault_of_a_metric_is_told_with_line_field_and_advice(case: dict[str, Any]) -> None:
    assert case["instead of"] in METRIC
    changed = METRIC.replace(case["instead of"], case["written"])
    assert faults(rollout(ONE_STEP), template(changed)) == case["faults"]


def test_the_faults_of_all_documents_are_told_at_once() -> None:
    found = faults(
        rollout(ONE_STEP + "  - setWeight: 101\nmaxSurge: x\n", "replica: 1"),
        template(METRIC.replace("1m", "5x").replace("errors\n", "sum(\n")),
    )
    assert [line.split(": ")[:2] for line in found] == [
        ["rollout.yaml:20", "spec.strategy.canary.steps[1].setWeight"],
        ["rollout.yaml:21", "spec.strategy.canary.maxSurge"],
        ["rollout.yaml:22", "spec.replica"],
        ["t.yaml:8", "spec.metrics[0].interval"],
        ["t.yaml:14", "spec.metrics[0].provider.prometheus.query"],
    ]


@pytest.mark.parametrize(
    "field", ["password: 471108", "clientSecret: 471108", "headers: [{key: a, value: 471108}]"]
)
def test_a_credential_of_the_wrong_kind_is_not_shown(field: str) -> None:
    more = {
        "p": "authentication: {basicAuth: {username: a, %s}}",
        "c": "authentication: {oauth2: {tokenUrl: x, clientId: a, %s}}",
        "h": "%s",
    }[field[0]] % field
    found = faults(
        rollout(ONE_STEP), template(METRIC.replace("query: errors", f"query: errors\n        {more}"))
    )
    assert "471108" not in "".join(found)
    assert "expected text, found something else; put it in quotes" in found[0]


def test_the_tables_of_supported_fields_in_the_documentation_are_those_of_the_code() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert page == with_tables(page), "python -m tests.unit.golden.write writes them anew"


OBJECT: fields.Table = {
    "apiVersion": fields.built(fields.TEXT),
    "kind": fields.built(fields.TEXT),
    "metadata": fields.built(fields.Anything()),
    "text": fields.built(fields.TEXT),
    "flag": fields.built(fields.FLAG),
    "names": fields.built(fields.NAMES),
    "labels": fields.built(fields.LABELS),
    "later": fields.later("wait for it", unless=(False,)),
    "idle": fields.ignored("nobody asks"),
}


def checked(text: str) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    (document,) = parse([("a.yaml", "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\n" + text)])
    complaints = Complaints()
    understood = checking.check(document, OBJECT, complaints)
    try:
        complaints.end()
    except SpecInvalid as error:
        return understood, str(error).splitlines(), complaints.warnings
    return understood, [], complaints.warnings


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("text: yes", "text: expected text, found true (yes, no, on and off are read as true and false too)"),
        ("text: 5", "text: expected text, found the number 5"),
        ("text: [a]", "text: expected text, found a list"),
        ("flag: 'true'", "flag: expected true or false, found the text 'true'"),
        ("names: a", "names: expected a list, found the text 'a'"),
        ("names: [a, {}]", "names[1]: expected a name, found fields"),
        ("labels: [a]", "labels: expected names and values, found a list"),
        ("labels: {a: 1}", "labels.a: expected text, found the number 1"),
        ("later: true", "later: not supported yet: later"),
        ("tekst: a", "tekst: unknown field tekst"),
        ("x: 1", "x: unknown field x"),
    ],
)
def test_a_field_that_does_not_fit_its_table_is_complained_about(text: str, fault: str) -> None:
    understood, found, _ = checked(text)
    assert found[0].startswith(f"a.yaml:4: {fault}")
    assert text.partition(":")[0] not in understood or isinstance(
        understood[text.partition(":")[0]], list | dict
    )


def test_a_field_without_effect_or_value_is_noted_and_left_out() -> None:
    understood, found, warnings = checked("idle: 1\ntext:\nlater: false\n")
    assert found == []
    assert warnings == (
        "a.yaml:4: idle: no effect: nobody asks",
        "a.yaml:5: text: has no value and counts as not written",
    )
    assert set(understood) == {"apiVersion", "kind", "metadata"}


def test_what_only_follows_from_a_fault_is_not_told() -> None:
    (document,) = parse(
        [("a.yaml", "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\nspec:\n  steps:\n  - x: 1\n")]
    )
    complaints = Complaints()
    complaints.add(document.at("spec.steps[0].x"), "wrong")
    complaints.add(document.at("spec.steps[0]"), "names nothing")
    complaints.add(document.at("spec.steps[1]"), "another one")
    with pytest.raises(SpecInvalid) as caught:
        complaints.end()
    assert [error.what for error in caught.value.complaints] == ["another one", "wrong"]
