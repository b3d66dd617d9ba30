"""Owns the list of acceptance scenarios: what each is about, and the tests that carry its mark.

`python -m tests.acceptance` prints the table of docs/reliability.md.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent

SCENARIOS = {
    "F01": "the runner is killed at any request",
    "F02": "SIGTERM or SIGINT in every state, ten seconds to live",
    "F03": "killed during the rollback, then a newer commit",
    "F04": "a runner that stood still while another took over",
    "F05": "a second pipeline: newer, older, same commit, another application",
    "F06": "a storm of conflicts, with harmless edits of others",
    "F07": "429 with Retry-After for five minutes, forward and back",
    "F08": "lost answers, 5xx, TLS and DNS errors",
    "F09": "the API server away for ten minutes",
    "F10": "watches that end, err or fall silent; reads that lag",
    "F11": "credentials that end; rights and CA taken away",
    "F12": "Prometheus away, for a short and for a long time",
    "F13": "hostile answers of the metrics server",
    "F14": "NaN, infinities, nothing",
    "F15": "answers with warnings or several series",
    "F16": "analyses that could never fail",
    "F17": "a traffic provider that is slow or lies",
    "F18": "somebody else edits or deletes",
    "F19": "bad pods",
    "F20": "no room for pods, forward and back",
    "F21": "drained nodes, autoscalers",
    "F22": "a promotion that fails after a good analysis",
    "F24": "clocks that jump or differ",
    "F25": "clean start and end",
}
"""F23 is not here: copies of changed config are not built yet."""

SEEN = {
    "F01": 132,
    "F02": 48,
    "F03": 35,
    "F04": 28,
    "F05": 256,
    "F06": 14,
    "F07": 35,
    "F08": 147,
    "F09": 174,
    "F10": 116,
    "F11": 40,
    "F12": 239,
    "F13": 109,
    "F14": 189,
    "F15": 112,
    "F16": 74,
    "F17": 44,
    "F18": 374,
    "F19": 47,
    "F20": 91,
    "F21": 292,
    "F22": 24,
    "F24": 205,
    "F25": 55,
}
"""Cases that passed in the sandbox when docs/reliability.md was written; none failed."""


def marked() -> dict[str, list[str]]:
    """The names of the tests by scenario, in order of file and line."""
    found: dict[str, list[str]] = {name: [] for name in SCENARIOS}
    for file in sorted(TESTS.rglob("test_*.py")):
        for test, scenario in _marks(ast.parse(file.read_text())):
            found.setdefault(scenario, []).append(f"`{file.parent.name}/{file.stem}.py` {test}")
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.acceptance":
                    yield node.name, str(ast.literal_eval(mark.args[0]))


def table() -> str:
    """The rows of the page."""
    rows = (
        f"| {name} | {SCENARIOS[name]} | {_seen(name, tests)} | {'<br>'.join(tests)} |"
        for name, tests in sorted(marked().items())
    )
    return "\n".join(rows)


def _seen(name: str, tests: list[str]) -> str:
    """How many cases passed and the command that repeats them; the files for the real cluster."""
    files = sorted({test.split("`")[1] for test in tests if test.startswith("`e2e/")})
    real = f"; `make e2e`: {', '.join(f'`{file}`' for file in files)}" if files else ""
    return f"{SEEN[name]:,} passed: `pytest --acceptance {name}`{real}"


if __name__ == "__main__":
    print(table())  # noqa: T201 - the product
