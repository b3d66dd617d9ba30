"""`progressive-ci` and `python -m progressive_ci`: signals are held back first, then the command is loaded."""

from progressive_ci.adapters import held_signals


def main() -> None:
    """Run the command of this process's arguments."""
    held_signals.hold()
    from progressive_ci.cli import main as command  # noqa: PLC0415 - it takes a while, in which a signal may come

    command.main()


if __name__ == "__main__":
    main()
