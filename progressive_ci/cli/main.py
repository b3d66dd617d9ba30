"""The command line: builds click's commands from the two tables, and starts one of them."""

import os
import shlex
import sys
from collections.abc import Mapping
from typing import Any

import click

from progressive_ci.adapters import held_signals
from progressive_ci.cli import commands, options
from progressive_ci.cli.options import Option, Shape
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ProgressiveError
from progressive_ci.model.durations import go_duration


def main(arguments: list[str] | None = None) -> None:
    """Run the command of these arguments (the process's own unless given) and exit with its code."""
    occupy_standard_streams()
    try:
        defaults = chosen_by_environment(os.environ)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    group(defaults)(arguments, prog_name="progressive-ci")


def occupy_standard_streams() -> None:
    """A stream that was closed at the start gets the null device, or a socket would take its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def group(defaults: Mapping[str, object]) -> click.Group:
    """All commands; `defaults` holds what the environment chose, by field."""
    return click.Group(
        "progressive-ci",
        commands=[click_command(command, defaults) for command in commands.TABLE],
        help="Canary releases on Kubernetes from one pipeline step, without a controller.",
        epilog="Every flag has a variable: --metrics-timeout is PROGRESSIVE_CI_METRICS_TIMEOUT.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def click_command(command: commands.Command, defaults: Mapping[str, object]) -> click.Command:
    """One command with its options."""

    def callback(**values: Any) -> None:  # noqa: ANN401 - what click parsed, checked by Settings
        if not command.patient:
            held_signals.let_go()
        sys.exit(command.start(Settings(**values)))

    return click.Command(
        command.name,
        callback=callback,
        params=[
            argument(option, defaults, required=not command.every)
            if command.named and option.name == "name"
            else parameter(option, defaults)
            for option in options.of(command.name)
        ],
        help=f"{command.help}.",
        short_help=command.help,
    )


def argument(option: Option, defaults: Mapping[str, object], *, required: bool) -> click.Argument:
    """The workload's name, which stands without a flag."""
    default = defaults.get(option.field)
    if default is None and required:
        return click.Argument([option.field], required=True)
    return click.Argument([option.field], required=False, default=default or option.default)


def parameter(option: Option, defaults: Mapping[str, object]) -> click.Parameter:
    """One option as click knows it."""
    default = defaults.get(option.field)
    names = [option.flag, option.field, *([option.short] if option.short else [])]
    shown = f"{option.help} [default: {option.default}]" if option.default not in {"", "0"} else option.help
    match option.shape:
        case Shape.FLAG:
            return click.Option(names, is_flag=True, default=bool(default), help=shown)
        case Shape.MANY:
            return click.Option(names, multiple=True, default=default, metavar=option.metavar, help=shown)
        case Shape.SECONDS:
            text = default if default is not None else option.default or None
            return click.Option(names, default=text, metavar=option.metavar, help=shown, callback=seconds)
        case Shape.TEXT:
            kind = click.Choice(option.choices) if option.choices else click.STRING
            text = default if default is not None else option.default
            return click.Option(names, default=text, type=kind, metavar=option.metavar, help=shown)


def chosen_by_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """What PROGRESSIVE_CI_* variables say, by field. An empty variable is as good as none."""
    chosen: dict[str, object] = {}
    for option in options.TABLE:
        text = environment.get(option.variable, "").strip()
        if text:
            chosen[option.field] = from_text(option, text)
    return chosen


def from_text(option: Option, text: str) -> object:
    """A variable's text as click would have it from flags."""
    match option.shape:
        case Shape.MANY:
            return words(option, text)
        case Shape.FLAG:
            if text.lower() not in {"true", "false"}:
                raise click.UsageError(f"{option.variable} is {text!r}; write true or false")
            return text.lower() == "true"
        case Shape.SECONDS | Shape.TEXT:
            return text


def words(option: Option, text: str) -> tuple[str, ...]:
    """Values between spaces or line ends; quotes hold together what has spaces."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise click.UsageError(f"{option.variable}: {error}; close the quote") from error


def seconds(_context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """The value of a duration option.

    Raises:
        BadParameter: it is none.
    """
    if value is None:
        return None
    try:
        return in_seconds(value)
    except ProgressiveError as error:
        raise click.BadParameter(str(error), param=parameter) from error


def in_seconds(text: str) -> float:
    """`90`, `90s`, `5m` or `1h30m` in seconds.

    Raises:
        ProgressiveError: it is no duration, or below zero.
    """
    try:
        found = float(text) if text.isdecimal() else go_duration(text)
    except ProgressiveError as error:
        raise ProgressiveError(f"{text!r} is not a duration", advice=error.advice) from error
    if found < 0:
        raise ProgressiveError(f"{text!r} is below zero", advice="write 0 or more")
    return found
