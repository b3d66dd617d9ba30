"""Plans as texts that stay the same, and the examples that they are made from."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from progressive_ci.cli.spec import CHECKERS
from progressive_ci.model.document import Document, Source
from progressive_ci.model.plan import Plan
from progressive_ci.model.weight import Weight
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
_NGINX = ("argo/services.yaml", "argo/ingress.yaml")
_TEMPLATES = "argo/analysis-templates.yaml"

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "argo-basic": ("argo/rollout.yaml", *_NGINX),
    "argo-connected-analysis": ("argo/connected-analysis.yaml", _TEMPLATES, *_NGINX),
    "argo-multi-step": ("argo/multi-step.yaml", _TEMPLATES, *_NGINX),
    "argo-start-small": ("argo/start-small.yaml", *_NGINX),
    "argo-gateway-api": ("argo/gateway-api",),
    "argo-istio": ("argo/istio",),
    "argo-replica-ratio": ("argo/replica-ratio",),
    "argo-workload-ref": ("argo/workload-ref",),
    "deployment": ("deployment",),
}
"""Name of each golden plan, and the files or folders below examples/ that a user would give."""


def texts(*names: str) -> tuple[tuple[str, str], ...]:
    """Name and text of files, and of all files in folders, below examples/."""
    paths = [ROOT / "examples" / name for name in names]
    files = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return tuple((str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")) for file in files)


def plan_of(*given: tuple[str, str], **options: Any) -> Plan:  # noqa: ANN401 - the options of read
    """A plan, read with the real checkers, in the namespace `default` unless another is chosen."""
    return read(
        parse(given),
        **{"namespace": "default", **options},
        checkers=CHECKERS,
    )


def example(name: str) -> Plan:
    """The plan of an example."""
    return plan_of(*texts(*EXAMPLES[name]), analysis="healthy" if name == "deployment" else None)


def rendered(plan: Plan) -> str:
    """A plan as YAML: what is empty or nothing is left out, places are `file:line`."""
    return yaml.safe_dump(_plain(plan), sort_keys=False, width=110, allow_unicode=True)


def _plain(value: Any) -> Any:  # noqa: ANN401, PLR0911 - any of our values, one return for each shape
    match value:
        case Weight():
            return value.percent
        case Source():
            return f"{value.file}:{value.line}"
        case Document():
            return f"{value.kind} {value.name}, {value.source}"
        case Enum():
            return str(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            pass
    if not is_dataclass(value):
        return value
    named = ((item.name, getattr(value, item.name)) for item in fields(value))
    kept = {name: _plain(item) for name, item in named if item not in (None, "", ())}
    return {type(value).__name__: kept}
