"""Options by flag, variable and input; usage errors; what a command costs to start."""

import subprocess
import sys
from dataclasses import fields

import pytest
from click.testing import CliRunner, Result

from progressive_ci import __version__
from progressive_ci.cli import commands, main, options
from progressive_ci.cli.options import Shape
from progressive_ci.cli.settings import Settings


def test_every_option_is_a_field_of_the_settings_and_every_field_an_option() -> None:
    assert [row.name for row in fields(Settings)] == [option.field for option in options.TABLE]


@pytest.mark.parametrize("option", options.TABLE, ids=lambda option: option.name)
def test_a_default_is_the_same_in_the_table_and_in_the_settings(option: options.Option) -> None:
    default = getattr(Settings(), option.field)
    match option.shape:
        case Shape.MANY:
            assert default == ()
        case Shape.FLAG:
            assert default is False
        case Shape.SECONDS:
            assert default == (main.in_seconds(option.default) if option.default else None)
        case Shape.TEXT:
            assert default == option.default


def seen(command: str, *arguments: str, **variables: str) -> Settings:
    """The settings that a command gets."""
    group = main.group(main.chosen_by_environment(variables))
    return Settings(**group.commands[command].make_context(command, list(arguments)).params)


def invoke(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main.group(main.chosen_by_environment(variables)), arguments)


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    variable = {"PROGRESSIVE_CI_METRICS_TIMEOUT": "1h"}
    assert seen("run").metrics_timeout == 300
    assert seen("run", **variable).metrics_timeout == 3600
    assert seen("run", "--metrics-timeout", "90", **variable).metrics_timeout == 90


def test_an_empty_variable_is_none() -> None:
    names = {option.variable: " " for option in options.TABLE}
    assert seen("run", **names) == Settings()


def test_a_variable_with_several_values_is_split_as_a_shell_does() -> None:
    settings = seen("run", PROGRESSIVE_CI_FILE="a.yaml\n'b c.yaml'  d/", PROGRESSIVE_CI_APPLY_REST="TRUE")
    assert settings.file == ("a.yaml", "b c.yaml", "d/")
    assert settings.apply_rest


def test_the_workload_stands_after_the_command_or_in_its_variable() -> None:
    assert seen("rollback", "web", "-n", "shop").name == "web"
    assert seen("rollback", PROGRESSIVE_CI_NAME="web").name == "web"


@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        (["run", "--settle", "3x"], {}, "'3x' is not a duration"),
        (["run", "--settle", "-3s"], {}, "is below zero"),
        (["run", "--nonsense"], {}, "No such option"),
        (["rollback"], {}, "Missing argument"),
        (["fly"], {}, "No such command"),
        (["run"], {"PROGRESSIVE_CI_REPORTER": "loud"}, "'loud' is not one of"),
    ],
    ids=["duration", "below zero", "option", "argument", "command", "choice"],
)
def test_wrong_usage_ends_with_two(arguments: list[str], variables: dict[str, str], complaint: str) -> None:
    result = invoke(*arguments, **variables)
    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("PROGRESSIVE_CI_APPLY_REST", "maybe", "is 'maybe'; write true or false"),
        ("PROGRESSIVE_CI_FILE", "'a", "close the quote"),
    ],
)
def test_a_wrong_variable_ends_with_two_and_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, text: str, complaint: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SystemExit) as caught:
        main.main(["run"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert name in error
    assert complaint in error


def test_every_command_says_what_it_does() -> None:
    for command in commands.TABLE:
        result = invoke(command.name, "--help")
        assert result.exit_code == 0
        assert f"{command.help}." in " ".join(result.output.split())


def test_version_and_help_load_neither_clients_nor_readers() -> None:
    code = (
        "import sys; from progressive_ci.cli.main import main\n"
        "try: main([sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "heavy = {'kubernetes', 'requests', 'yaml', 'urllib3', 'tenacity', 'promql_parser'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    for argument in ("version", "--help"):
        done = subprocess.run(
            (sys.executable, "-c", code, argument), capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_stands_alone() -> None:
    assert invoke("version").output == f"{__version__}\n"
