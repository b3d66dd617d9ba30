#!/usr/bin/env python3
"""What the image starts: the command line, with the inputs of a GitHub action as its variables."""

import os
import sys
from pathlib import Path

from progressive_ci.adapters import held_signals


def start(program: str, arguments: list[str]) -> None:
    """Do what the arguments say; without any, what the inputs say, or what the post step's name says."""
    held_signals.hold()
    from progressive_ci.cli import commands, main  # noqa: PLC0415 - it takes a while, in which a signal may come

    known = {"-h", "--help", *(command.name for command in commands.TABLE)}
    if arguments and arguments[0] not in known:
        held_signals.let_go()  # the program inherits what is held back
        os.execvp(arguments[0], arguments)  # noqa: S606 - Jenkins starts `cat` in an image, GitLab a shell
    for name, value in list(os.environ.items()):
        if name.startswith("INPUT_") and value.strip():
            os.environ["PROGRESSIVE_CI_" + name.removeprefix("INPUT_").replace("-", "_")] = value
    chosen = os.environ.get("PROGRESSIVE_CI_COMMAND", "").strip() or "run"
    main.main(arguments or ["post" if Path(program).name == "progressive-ci-post" else chosen])


if __name__ == "__main__":
    start(sys.argv[0], sys.argv[1:])
