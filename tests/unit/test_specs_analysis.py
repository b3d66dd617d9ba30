import pytest

from progressive_ci.errors import SpecInvalid
from progressive_ci.model.check import (
    Analysis,
    BasicAuth,
    Check,
    HashOf,
    Limits,
    OAuth2,
    RangeWindow,
    SecretKey,
    Text,
)
from progressive_ci.model.plan import Analyze, Plan
from tests.unit.golden.render import plan_of
from tests.unit.golden.specs import METRIC, ONE_STEP, rollout, template

ARGS = """\
args:
  - {name: token, valueFrom: {secretKeyRef: {name: metrics, key: token}}}
  - {name: hash}
  - {name: service, value: web}
"""
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def step(args: str) -> str:
    return ONE_STEP + f"      args: {args}\n"


def read(spec: str = METRIC, canary: str = ONE_STEP) -> Plan:
    return plan_of(rollout(canary), template(spec), namespace=None)


def analysis(plan: Plan) -> Analysis:
    (only,) = plan.steps
    assert isinstance(only, Analyze)
    return only.analysis


def check(spec: str = METRIC, canary: str = ONE_STEP) -> Check:
    (only,) = analysis(read(spec, canary)).checks
    return only


def prometheus(more: str) -> str:
    return METRIC.replace("query: errors\n", f"query: errors\n        {more}\n")


def fault(spec: str, canary: str = ONE_STEP) -> str:
    with pytest.raises(SpecInvalid) as caught:
        read(spec, canary)
    return str(caught.value)


def test_a_metric_has_upstream_s_defaults() -> None:
    found = check()
    assert (found.name, found.success, found.failure) == ("errors", "result[0] < 0.1", "")
    assert (found.interval, found.initial_delay, found.count) == (60.0, 0.0, 3)
    assert found.limits == Limits(failure=0, inconclusive=0, consecutive_error=None, consecutive_success=0)
    assert (found.dry_run, found.on_no_data, found.samples_query) == (False, "hold", None)
    assert (found.query.timeout, found.query.insecure, found.query.window) == (30.0, False, None)
    assert found.source.line == 7


def test_numbers_of_a_metric_may_be_written_as_texts() -> None:
    found = check(
        METRIC.replace("count: 3", "count: '5'\n    failureLimit: '2'\n    consecutiveErrorLimit: '1'")
    )
    assert (found.count, found.limits.failure, found.limits.consecutive_error) == (5, 2, 1)


def test_arguments_fill_every_field_of_a_metric() -> None:
    spec = """\
    args: [{name: n, value: '4'}, {name: every, value: 30s}, {name: limit, value: '0.2'}, {name: host, value: p}]
    metrics:
      - name: errors
        interval: "{{args.every}}"
        initialDelay: "{{ args.every }}"
        count: "{{args.n}}"
        failureLimit: "{{args.n}}"
        consecutiveSuccessLimit: 0
        successCondition: result[0] < {{args.limit}}
        provider:
          prometheus: {address: "http://{{args.host}}:9090", query: errors}
    """
    assert "this metric can never fail: it is measured 4 times and failureLimit is 4" in fault(spec)
    found = check(spec.replace('failureLimit: "{{args.n}}"', "failureLimit: 1"))
    assert (found.interval, found.initial_delay, found.count) == (30.0, 30.0, 4)
    assert found.success == "result[0] < 0.2"
    assert found.query.address == Text("http://p:9090")


def test_late_arguments_stay_in_texts_and_name_where_they_come_from() -> None:
    spec = ARGS + METRIC.replace(
        "query: errors",
        'query: \'errors{h="{{ args.hash }}",s="{{args.service}}"}\'\n'
        "        headers: [{key: Authorization, value: 'Bearer {{args.token}}'}]",
    )
    found = check(spec, step("[{name: hash, valueFrom: {podTemplateHashValue: Latest}}]"))
    assert found.query.query == Text('errors{h="{{args.hash}}",s="web"}', (("hash", HashOf("latest")),))
    secret = (("token", SecretKey("metrics", "token")),)
    assert found.query.headers == (("Authorization", Text("Bearer {{args.token}}", secret)),)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("count: 3", "count: '{{args.token}}'", 13),
        ("1m", "'{{args.token}}'", 12),
        ("< 0.1", "< {{args.token}}", 14),
    ],
    ids=["count", "interval", "condition"],
)
def test_a_secret_can_stand_only_where_it_is_sent_to_the_server(old: str, new: str, line: int) -> None:
    found = fault(ARGS + METRIC.replace(old, new), step("[{name: hash, value: x}]"))
    what = "the argument token can't stand here; it is known only in the cluster, and this field must be known before"
    assert found.startswith(f"t.yaml:{line}: spec.metrics[0].")
    assert found.endswith(what)


def test_the_rollout_s_value_wins_over_the_template_s_default() -> None:
    spec = ARGS + METRIC.replace("query: errors", "query: 'errors{s=\"{{args.service}}\"}'")
    args = "[{name: service, value: other}, {name: hash, value: x}]"
    assert check(spec, step(args)).query.query.raw == 'errors{s="other"}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("spec.template.metadata.labels.app", "web"),
        ("spec.template.spec.containers[0].image", "web:2"),
        ("spec.strategy.canary.steps[0].analysis.templates[0].templateName", "t"),
    ],
)
def test_a_field_reference_finds_what_is_released(path: str, value: str) -> None:
    spec = "args: [{name: ref}]\n" + METRIC.replace("query: errors", "query: 'errors{s=\"{{args.ref}}\"}'")
    canary = step(f"[{{name: ref, valueFrom: {{fieldRef: {{fieldPath: '{path}'}}}}}}]")
    plan = plan_of(rollout(canary), template(spec), namespace=None, images=("web:2",))
    assert analysis(plan).checks[0].query.query.raw == f'errors{{s="{value}"}}'


def test_what_only_the_cluster_knows_of_metadata_comes_from_the_live_object() -> None:
    spec = "args: [{name: ref}]\n" + METRIC.replace("query: errors", "query: 'errors{s=\"{{args.ref}}\"}'")
    canary = step("[{name: ref, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]")
    live = {"metadata": {"uid": "1-2"}}
    plan = plan_of(rollout(canary), template(spec), namespace=None, cluster=live)
    assert analysis(plan).checks[0].query.query.raw == 'errors{s="1-2"}'
    assert "the workload has no metadata.uid" in fault(spec, canary)


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (
            "[{name: hash, valueFrom: {podTemplateHashValue: Newest}}]",
            "args[0].valueFrom.podTemplateHashValue: Newest is neither Latest nor Stable",
        ),
        (
            "[{name: hash, value: a}, {name: hash, value: b}]",
            "args[1].name: the argument hash is given twice; give it once",
        ),
        ("[{name: hash}]", "args[0]: the argument hash has no value; give it one value, or one valueFrom"),
        (
            "[{name: hash, value: 5}]",
            "args[0].value: expected text, found the number 5; put the value in quotes",
        ),
        (
            "[{name: hash, valueFrom: {fieldRef: {fieldPath: spec.nothing}}}]",
            "fieldPath: the workload has no spec.nothing; name a field that the document holds",
        ),
        (
            "[{name: hash, valueFrom: {fieldRef: {fieldPath: metadata.finalizers}}}]",
            (
                "fieldPath: metadata.finalizers is no field of metadata that can be referred to;"
                " use name, namespace, uid, labels['KEY'] or annotations['KEY'] of metadata"
            ),
        ),
        (
            "[]",
            (
                "args.hash: the argument hash has no value, it is declared in t.yaml:8: spec.args[1];"
                " add to args: - {name: hash, value: ...}"
            ),
        ),
    ],
    ids=["side", "twice", "nothing", "number", "absent field", "odd metadata", "unresolved"],
)
def test_an_argument_without_a_usable_value_is_refused(args: str, what: str) -> None:
    assert fault(ARGS + METRIC, step(args)).endswith(what)


def test_templates_may_not_give_one_argument_two_values() -> None:
    one, other = "args: [{name: a, value: x}]\n" + METRIC, "args: [{name: a, value: y}]\n" + METRIC
    canary = ONE_STEP.replace("{templateName: t}", "{templateName: t}, {templateName: u}")
    with pytest.raises(SpecInvalid, match="the templates give the argument a two values, 'x' and 'y'"):
        plan_of(
            rollout(canary), template(one), template(other.replace("errors", "latency"), "u"), namespace=None
        )


def test_a_tag_without_an_end_is_refused() -> None:
    assert "a {{ has no }}; write {{args.NAME}}" in fault(
        METRIC.replace("query: errors", "query: 'up{{args.x'")
    )


def test_an_argument_that_no_template_declares_is_noted() -> None:
    plan = read(METRIC, step("[{name: extra, value: x}]"))
    assert plan.warnings == (
        "rollout.yaml:20: spec.strategy.canary.steps[0].analysis.args[0]: no template declares the argument extra",
    )


def test_an_argument_that_would_change_a_query_is_refused() -> None:
    spec = "args: [{name: x, value: 'a or b'}]\n" + METRIC.replace("query: errors", "query: sum({{args.x}})")
    assert "the argument x with the value 'a or b' does not fit into the query" in fault(spec)


def test_prometheus_is_asked_as_written() -> None:
    found = check(
        prometheus(
            "timeout: 5\n        insecure: true\n        headers: [{key: X, value: y}]\n        rangeQuery: "
            "{start: 'now() - duration(\"5m\")', end: now(), step: 30s}\n        authentication: "
            "{basicAuth: {username: a, password: '{{args.token}}'}}"
        ).replace("metrics:", "args: [{name: token, value: b}]\nmetrics:")
    )
    assert (found.query.timeout, found.query.insecure) == (5.0, True)
    assert found.query.headers == (("X", Text("y")),)
    assert found.query.window == RangeWindow('now() - duration("5m")', "now()", 30.0)
    assert found.query.auth == BasicAuth(Text("a"), Text("b"))


def test_a_token_is_fetched_by_oauth2() -> None:
    auth = (
        "authentication: {oauth2: {tokenUrl: 'https://id/token', clientId: a, clientSecret: b, scopes: [m]}}"
    )
    assert check(prometheus(auth)).query.auth == OAuth2("https://id/token", Text("a"), Text("b"), ("m",))


def test_metrics_that_a_rule_finds_are_measured_and_never_decide() -> None:
    twice = METRIC + METRIC.replace("metrics:\n", "").replace("errors", "latency")
    plan = read("dryRun: [{metricName: lat}]\n" + twice)
    assert [(each.name, each.dry_run) for each in analysis(plan).checks] == [
        ("errors", False),
        ("latency", True),
    ]
    plan = read(twice, ONE_STEP + "      dryRun: [{metricName: .*}]\n")
    assert all(each.dry_run for each in analysis(plan).checks)


def test_a_dry_run_may_bear_every_failure() -> None:
    assert check(
        "dryRun: [{metricName: errors}]\n" + METRIC.replace("count: 3", "count: 3\n    failureLimit: 3")
    ).dry_run


def test_templates_of_templates_are_read_once_and_in_circles_too() -> None:
    plan = plan_of(
        rollout(ONE_STEP),
        template("templates: [{templateName: u}, {templateName: u}]\n" + METRIC),
        template("templates: [{templateName: t}]\n" + METRIC.replace("errors", "latency"), "u"),
        namespace=None,
    )
    assert [each.name for each in analysis(plan).checks] == ["errors", "latency"]


def test_a_cluster_template_is_another_kind() -> None:
    name, text = template()
    cluster = (name, text.replace("AnalysisTemplate", "ClusterAnalysisTemplate"))
    plan = plan_of(
        rollout(ONE_STEP.replace("templateName: t", "templateName: t, clusterScope: true")),
        cluster,
        namespace=None,
    )
    assert [each.name for each in analysis(plan).checks] == ["errors"]
    with pytest.raises(SpecInvalid, match="the ClusterAnalysisTemplate t is there: set clusterScope: true"):
        plan_of(rollout(ONE_STEP), cluster, namespace=None)


def test_a_metric_without_an_end_is_at_home_in_the_background() -> None:
    endless = METRIC.replace("    count: 3\n", "")
    plan = read(
        endless,
        "analysis:\n  templates: [{templateName: t}]\n  startingStep: 1\nsteps: [{setWeight: 1}, {pause: {}}]",
    )
    (guard,) = plan.guards
    assert (guard.starting_step, guard.analysis.checks[0].count) == (1, None)
    assert "so it would never end" in fault(endless)


def test_measurements_kept_have_no_effect_and_that_is_told() -> None:
    plan = read("measurementRetention: [{metricName: errors, limit: 5}]\n" + METRIC)
    assert [warning.partition("analysis: ")[2] for warning in plan.warnings] == [
        "measurementRetention has no effect: reports keep the last 100 samples"
    ]


def test_a_metric_without_conditions_is_noted() -> None:
    plan = read(METRIC.replace("    successCondition: result[0] < 0.1\n", ""))
    assert plan.warnings == (
        "t.yaml:7: spec.metrics[0]: neither successCondition nor failureCondition: every answer of the server passes",
    )


def annotated(*lines: str) -> tuple[str, str]:
    name, text = template(ARGS + METRIC)
    block = "".join(f"    {line}\n" for line in lines)
    return name, text.replace("  name: t\n", "  name: t\n  annotations:\n" + block)


def test_annotations_say_what_the_format_cannot() -> None:
    plan = plan_of(
        rollout(step("[{name: hash, value: x}]")),
        annotated(
            "progressive-ci/min-samples.errors: '50 sum(requests{s=\"{{args.service}}\"})'",
            "progressive-ci/on-no-data.errors: fail",
            f"progressive-ci/ca.errors: {CA!r}".replace("'", '"'),
            "other/annotation: x",
        ),
        namespace=None,
    )
    (found,) = analysis(plan).checks
    assert (found.min_samples, found.on_no_data, found.query.ca) == (50.0, "fail", CA)
    assert found.samples_query is not None
    assert found.samples_query.query == Text('sum(requests{s="web"})')
    assert (found.samples_query.address, found.samples_query.ca) == (found.query.address, CA)


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (
            "min-samples.errors: sum(x)",
            (
                "'sum(x)' is no number with a query;"
                " write a whole number, a space and a counting query, as in 50 sum(increase(requests_total[1m]))"
            ),
        ),
        (
            "min-sample.errors: 5 x",
            "unknown annotation progressive-ci/min-sample.errors; did you mean progressive-ci/min-samples.METRIC?",
        ),
        ("on-no-data.errors: ignore", "'ignore' is none of hold, fail, pass"),
        ("ca.errors: x", "the CA does not hold -----BEGIN CERTIFICATE-----; paste the PEM file's text"),
        (
            "on-no-data.nothing: hold",
            "the template has no metric 'nothing'; metrics of this template: errors",
        ),
    ],
    ids=["no number", "misspelt", "unknown word", "no PEM", "unknown metric"],
)
def test_an_annotation_that_says_nothing_sensible_is_refused(annotation: str, what: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        plan_of(
            rollout(step("[{name: hash, value: x}]")),
            annotated(f"progressive-ci/{annotation}"),
            namespace=None,
        )
    key = annotation.partition(":")[0]
    assert str(caught.value) == f"t.yaml:6: metadata.annotations.progressive-ci/{key}: {what}"
