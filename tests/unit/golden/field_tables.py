"""The tables of supported fields in docs/compatibility.md, made from the tables that the code reads with."""

import re
from collections.abc import Iterator, Mapping

from progressive_ci.specs.argo.analysis_fields import ANALYSIS_TEMPLATE
from progressive_ci.specs.argo.notes import PREFIX, WORDS
from progressive_ci.specs.argo.rollout_fields import ROLLOUT
from progressive_ci.specs.deployment_fields import DEPLOYMENT
from progressive_ci.specs.fields import Field, Many, Shape, Struct, Support, Table
from progressive_ci.specs.metadata_fields import METADATA
from tests.unit.golden.render import ROOT

DOCS = ROOT / "docs" / "compatibility.md"
TABLES: Mapping[str, Table] = {
    "metadata": METADATA.table,
    "Rollout": ROLLOUT,
    "AnalysisTemplate": ANALYSIS_TEMPLATE,
    "Deployment": DEPLOYMENT,
}
_MARKED = re.compile(r"(<!-- fields: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """The page with every marked table as the code has it."""
    return _MARKED.sub(lambda found: found[1] + _table(found[2]) + found[3], text)


def _table(name: str) -> str:
    rows = _annotations() if name == "annotations" else _rows(TABLES[name], "", {})
    return "\n".join(("| field | here | remarks |", "|---|---|---|", *rows)) + "\n"


def _annotations() -> Iterator[str]:
    for word, meaning in WORDS.items():
        yield f"| `{PREFIX}{word}.METRIC` | {Support.BUILT.value} | {meaning} |"


def _rows(table: Table, path: str, seen: dict[int, str]) -> Iterator[str]:
    for key, field in table.items():
        name = f"{path}.{key}".lstrip(".")
        if name in ("metadata", "apiVersion", "kind"):
            continue
        inner, suffix = _inner(field.shape)
        first = seen.setdefault(id(inner), name)
        again = inner is not None and first != name
        yield f"| `{name}` | {field.support.value} | {_remarks(field, first if again else '')} |"
        if inner is not None and not again and field.support is Support.BUILT:
            yield from _rows(inner.table, name + suffix, seen)
            if inner.others is not None:
                yield f"| `{name}{suffix}.*` | {inner.others.support.value} | {_remarks(inner.others, '')} |"


def _inner(shape: Shape) -> tuple[Struct | None, str]:
    """The object that a field holds, and how paths write the way to its fields."""
    match shape:
        case Struct():
            return shape, ""
        case Many(item=Struct() as item):
            return item, "[]"
        case _:
            return None, ""


def _remarks(field: Field, first: str) -> str:
    required = "required" if field.required else ""
    welcome = ", ".join(f"`{str(value).lower()}`" for value in field.unless)
    parts = (
        required,
        field.note,
        f"{welcome} is fine" if welcome else "",
        f"fields as in `{first}`" if first else "",
    )
    return "; ".join(filter(None, parts))
