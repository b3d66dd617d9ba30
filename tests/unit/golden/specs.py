"""Small specs for tests: a Rollout with any canary block, and a template with any metric."""

from textwrap import dedent, indent

_ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - {{name: app, image: "web:1"}}
  strategy:
    canary:
{canary}{more}"""

_TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: {name}
spec:
{spec}"""

ROUTED = """\
canaryService: canary
stableService: stable
trafficRouting:
  nginx: {stableIngress: web}
"""

METRIC = """\
metrics:
  - name: errors
    interval: 1m
    count: 3
    successCondition: result[0] < 0.1
    provider:
      prometheus:
        address: http://prometheus:9090
        query: errors
"""

ONE_STEP = "steps:\n  - analysis:\n      templates: [{templateName: t}]\n"


def rollout(canary: str = "steps: [{setWeight: 20}]", more: str = "") -> tuple[str, str]:
    """A Rollout; `canary` from line 17 on, `more` are further fields of its spec."""
    return "rollout.yaml", _ROLLOUT.format(
        canary=indent(dedent(canary).strip("\n"), " " * 6) + "\n", more=indent(dedent(more), "  ")
    )


def template(spec: str = METRIC, name: str = "t") -> tuple[str, str]:
    """An AnalysisTemplate; `spec` from line 6 on."""
    return f"{name}.yaml", _TEMPLATE.format(name=name, spec=indent(dedent(spec).strip("\n"), "  ") + "\n")
