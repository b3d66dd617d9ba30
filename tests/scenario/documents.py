"""The documents of the scenarios, as users write them."""

from textwrap import dedent, indent

IMAGE = "web:2.0.0"
HEALTHY = "healthy"
"""The name of every AnalysisTemplate here."""

STEPS = """
- setWeight: 20
- pause: {duration: 10s}
- setWeight: 50
- pause: {duration: 10s}
- setWeight: 100
"""

GUARD = """
analysis:
  startingStep: 1
  templates: [{templateName: healthy}]
  args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
"""

MEASURED = """
- setWeight: 20
- analysis:
    templates: [{templateName: healthy}]
    args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
- setWeight: 60
- pause: {duration: 20s}
"""

ROUTING = {
    "gateway": """
        canaryService: web-canary
        stableService: web-stable
        trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}}
        """,
    "istio": """
        canaryService: web-canary
        stableService: web-stable
        trafficRouting: {istio: {virtualService: {name: web}}}
        """,
    "nginx": """
        canaryService: web-canary
        stableService: web-stable
        trafficRouting: {nginx: {stableIngress: web}}
        """,
    "ratio": """
        maxSurge: 1
        maxUnavailable: 0
        """,
}


def metric(**changes: str) -> str:
    """A metric of the share of good answers of one version, with other fields than usual."""
    fields = {"interval": "5s", "count": "3", "failureLimit": "0", "successCondition": "result[0] >= 0.9"}
    written = {**fields, **changes}
    lines = "\n".join(f"{name}: {value}" for name, value in written.items() if value and name != "query")
    query = changes.get("query") or (
        'sum(rate(http_requests_total{pod_template_hash="{{args.hash}}",status!~"5.."}[5s]))'
        ' / sum(rate(http_requests_total{pod_template_hash="{{args.hash}}"}[5s]))'
    )
    address = "http://prometheus.monitoring:9090"
    head = "name: success-rate\n" if "name" not in written else ""
    return f"{head}{lines}\nprovider:\n  prometheus:\n    address: {address}\n    query: |\n{indent(query, ' ' * 6)}"


def template(*metrics: str, notes: str = "") -> str:
    """An AnalysisTemplate with one argument, the canary's hash, and these annotations."""
    listed = "".join("    - " + indent(each, " " * 6).lstrip() + "\n" for each in metrics)
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\n"
        f"metadata: {{name: {HEALTHY}, namespace: shop, annotations: {{{notes}}}}}\n"
        "spec:\n  args: [{name: hash}]\n  metrics:\n" + listed
    )


def of_every_pod(body: str) -> str:
    """The same without its argument, which `--analysis` gives no value."""
    named = 'pod_template_hash="{{args.hash}}"'
    return body.replace("args: [{name: hash}]", "args: []").replace(named, 'namespace="shop"')


def pod(image: str, *, labels: str = "{app: web}") -> str:
    """A pod template."""
    return dedent(f"""
        template:
          metadata: {{labels: {labels}}}
          spec:
            containers:
              - name: web
                image: {image}
                ports: [{{name: http, containerPort: 8080}}]
        """)


def rollout(
    router: str,
    *,
    image: str = IMAGE,
    replicas: int | None = None,
    steps: str = STEPS,
    canary: str = "",
    spec: str = "",
) -> str:
    """A Rollout behind one row of the routers' table."""
    size = f"  replicas: {replicas}\n" if replicas is not None else ""
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec:\n"
        f"{size}  selector: {{matchLabels: {{app: web}}}}\n"
        + indent(pod(image).strip(), "  ")
        + "\n"
        + (indent(dedent(spec).strip(), "  ") + "\n" if spec else "")
        + "  strategy:\n    canary:\n"
        + indent(dedent(ROUTING[router]).strip(), " " * 6)
        + "\n"
        + (indent(canary.strip(), " " * 6) + "\n" if canary else "")
        + ("      steps:\n" + indent(dedent(steps).strip(), " " * 6) + "\n" if steps else "")
    )


def deployment(*, image: str = IMAGE, replicas: int | None = None, spec: str = "") -> str:
    """A plain Deployment."""
    size = f"  replicas: {replicas}\n" if replicas is not None else ""
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n"
        f"{size}  selector: {{matchLabels: {{app: web}}}}\n"
        + indent(pod(image).strip(), "  ")
        + "\n"
        + (indent(dedent(spec).strip(), "  ") + "\n" if spec else "")
    )
