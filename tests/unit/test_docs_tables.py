"""What the documents say about the command is what the command does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from progressive_ci.cli.options import TABLE, Option, Shape
from progressive_ci.model.outcome import Result
from progressive_ci.reports.outputs import OUTPUTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MEANINGS = {
    "promoted": "the new version serves",
    "unchanged": "this version was running already, nothing was written",
    "parked": "reserved for a pause that ends its job; no run parks yet",
    "recovered": "`rollback`, `recover`, `post`, `abort`: an unfinished release was finished; the old version serves",
    "nothing-to-do": "`rollback`, `recover`, `post`, `abort`, `promote`: nothing was unfinished; "
    "`recover`, `post`: or it is held; `post`: or somebody else is at work on it; `undo`: undone already",
    "asked": "`abort --wait 0`: the release has been asked to go back",
    "invalid": "spec or usage wrong; nothing touched",
    "refused": "preflight said no, or an earlier release is held; nothing touched",
    "too-late": "`abort`, `rollback`: the release was being promoted already and is finished; the new version serves",
    "locked": "another release holds a live lease; nothing touched; safe to retry",
    "outdated": "this commit is older than what is deployed or being released; nothing touched; don't retry",
    "rolled-back-unhealthy": "the analysis failed; the old version serves, verified",
    "rolled-back-unready": "the new pods never became ready, or the promotion failed; the old version serves, verified",
    "rolled-back-unavailable": "no answer in time (metrics, API) or inconclusive; the old version serves, verified",
    "rolled-back-cancelled": "signal, abort, superseded or deadline; the old version serves, verified; before the "
    "first write: nothing touched",
    "rolled-back-rejected": "somebody said no, or nobody answered; the old version serves, verified",
    "rolled-back-internal": "a bug of this tool; the old version serves, verified",
    "rollback-incomplete": "**a person must look**, at this release or at an earlier one that could not be finished: "
    "the log names the objects and the commands",
    "held": "weights frozen as asked, both versions serve",
    "taken-over": "another run has taken this release over; it will report",
}
"""What the README says about each result."""


def block(name: str) -> list[str]:
    """The lines of a marked block."""
    return README.split(f"<!-- {name} -->\n")[1].split("<!-- end -->")[0].splitlines()


def option_row(option: Option) -> str:
    short = f"`{option.short}`, " if option.short else ""
    flag = f"{short}`{option.flag}`" if option.commands else ""
    several = ", several" if option.shape is Shape.MANY else ""
    default = f"`{option.default}`" if option.default else ""
    help_text = option.help.replace("|", r"\|")
    return f"| `{option.name}` | {flag}{several} | {default} | {help_text} |"


def test_the_readme_lists_every_option() -> None:
    rows = ["| input | flag | default | what |", "|---|---|---|---|", *map(option_row, TABLE)]
    assert block("options") == rows, "\n".join(rows)


def test_the_readme_lists_every_output() -> None:
    rows = ["| output | what |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in OUTPUTS.items())]
    assert block("outputs") == rows, "\n".join(rows)


def test_the_readme_lists_every_exit_code() -> None:
    rows = [f"| {result.code} | `{result.word}` | {MEANINGS[result.word]} |" for result in Result]
    rows = ["| code | result | meaning |", "|---|---|---|", *rows]
    assert block("exits") == rows, "\n".join(rows)


def test_the_action_has_an_input_for_every_option_and_every_output() -> None:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["inputs"] == {option.name: action_input(option) for option in TABLE}
    assert action["outputs"] == {name: {"description": what} for name, what in OUTPUTS.items()}


def action_input(option: Option) -> dict[str, object]:
    default = {"default": option.default} if option.default else {}
    return {"description": option.help, "required": False, **default}


OWN = {"job", "stage", "tool-image"}
"""Inputs that only GitLab needs."""

SET = {"state", "reporter", "job-token"}
"""Options that the include sets itself, or leaves to be found out."""


def test_the_gitlab_include_has_an_input_and_a_variable_for_every_option() -> None:
    header, body = yaml.safe_load_all((ROOT / "ci" / "gitlab" / "progressive-ci.yml").read_text())
    inputs, wanted = header["spec"]["inputs"], [option for option in TABLE if option.name not in SET]
    assert set(inputs) - OWN == {option.name for option in wanted}
    (job,) = body.values()
    for option in wanted:
        assert inputs[option.name]["description"] == option.help
        assert job["variables"][option.variable] == f"$[[ inputs.{option.name} ]]"


def literals() -> Iterator[str]:
    """Every text in the code, with a line end where a value is put in."""
    for path in (ROOT / "progressive_ci").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(map(literal, node.values))
            else:
                yield literal(node, otherwise="")


def literal(node: ast.AST, otherwise: str = "\n") -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else otherwise


TEXTS = tuple(literals())
MESSAGES = [match[1] for row in block("messages") if (match := re.match(r"\| `(.+?)` \|", row))]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_of_the_troubleshooting_table_is_one_of_the_codes(message: str) -> None:
    pattern = re.compile(".*".join(re.escape(part) for part in message.split("...")), re.DOTALL)
    assert any(pattern.search(text) for text in TEXTS)


@pytest.mark.parametrize(
    "page",
    ["README.md", "docs/architecture.md", "docs/routers.md", "docs/performance.md", "docs/credentials.md"],
)
def test_every_link_leads_somewhere(page: str) -> None:
    file = ROOT / page
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", file.read_text())
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_the_architecture_page_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(
        r"`((?:cli|adapters|sandbox|release|specs|routers|metrics|judging|reports|model)/[\w/.]*)`", text
    )
    assert named
    assert [name for name in named if not (ROOT / "progressive_ci" / name).exists()] == []


def test_the_readme_shows_the_jenkins_step_as_it_is() -> None:
    assert (ROOT / "ci" / "jenkins" / "Jenkinsfile").read_text() in README


def test_the_page_about_credentials_shows_every_way_to_log_in() -> None:
    page = (ROOT / "docs" / "credentials.md").read_text()
    (auth,) = (option for option in TABLE if option.name == "auth")
    assert [way for way in auth.choices[2:] if f"`--auth {way}" not in page] == []
