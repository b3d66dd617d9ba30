import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from progressive_ci.cli.spec import CHECKERS
from progressive_ci.errors import SpecInvalid
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read
from tests.conformance.result import Json

EXAMPLES = Path(__file__).parents[2] / "examples"
SETS = (
    (
        "argo/connected-analysis.yaml",
        "argo/analysis-templates.yaml",
        "argo/services.yaml",
        "argo/ingress.yaml",
    ),
    ("argo/gateway-api/rollout.yaml", "argo/gateway-api/route.yaml", "argo/gateway-api/services.yaml"),
    ("argo/istio/rollout.yaml", "argo/istio/virtual-service.yaml", "argo/istio/services.yaml"),
    ("argo/workload-ref/rollout.yaml", "argo/workload-ref/deployment.yaml"),
    ("deployment/deployment.yaml", "deployment/analysis-template.yaml"),
)
VECTORS = Path(__file__).parents[1] / "conformance" / "argo" / "rollout_validation.json"
BODIES = tuple(
    [vector["rollout"]] for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["rollouts"]
) + tuple(
    [body for name in names for body in yaml.safe_load_all((EXAMPLES / name).read_text(encoding="utf-8"))]
    for names in SETS
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["", "0", "10%", "-1s", "1h", "{{args.service-name}}", "{{x}}", "success-rate", "a.b", "*"]
    )
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
YAMLISH = st.lists(
    st.sampled_from(
        [
            *"abc:-?&*!|>'\"%@`{}[],#\n \t",
            ": ",
            "- ",
            "---\n",
            "<<: ",
            "&a ",
            "*a",
            "\n  ",
            "!!str ",
            "{{",
            "}}",
        ]
    ),
    max_size=60,
).map("".join)


def paths(value: Json, path: tuple[Json, ...] = ()) -> Iterator[tuple[Json, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def changed(value: Json, path: tuple[Json, ...], new: Json) -> Json:
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, key: changed(value[key], rest, new)}
    return [*value[:key], changed(value[key], rest, new), *value[key + 1 :]]


def tried(text: str | bytes) -> None:
    """Anything but a plan or complaints fails the test."""
    with suppress(SpecInvalid):
        read(parse([("any.yaml", text)]), namespace="default", checkers=CHECKERS)


@given(st.text(max_size=200) | st.binary(max_size=200) | YAMLISH)
def test_any_text_is_read_or_complained_about(text: str | bytes) -> None:
    tried(text)


@settings(max_examples=200)
@given(st.data())
def test_a_spec_with_any_value_anywhere_becomes_a_plan_or_complaints(data: st.DataObject) -> None:
    bodies: Json = data.draw(st.sampled_from(BODIES))
    for _ in range(data.draw(st.integers(1, 3))):
        bodies = changed(
            bodies, data.draw(st.sampled_from([p for p in paths(bodies) if p])), data.draw(VALUES)
        )
    tried("\n---\n".join(json.dumps(body) for body in bodies))


@given(st.data())
def test_a_spec_that_lacks_any_one_field_becomes_a_plan_or_complaints(data: st.DataObject) -> None:
    bodies: Json = data.draw(st.sampled_from(BODIES))
    path = data.draw(st.sampled_from([p for p in paths(bodies) if len(p) > 1 and isinstance(p[-1], str)]))
    whole = changed(bodies, path, None)
    tried("\n---\n".join(json.dumps(body) for body in whole))
