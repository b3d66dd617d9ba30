"""`python -m tests.unit.golden.write`: write the golden plans and the field tables of the documentation anew."""

from tests.unit.golden.field_tables import DOCS, with_tables
from tests.unit.golden.render import EXAMPLES, HERE, example, rendered


def main() -> None:
    """Write; look at the difference before it is committed."""
    for name in EXAMPLES:
        (HERE / "plans" / f"{name}.yaml").write_text(rendered(example(name)), encoding="utf-8")
    DOCS.write_text(with_tables(DOCS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
