"""`progressive-ci version`."""

import click

from progressive_ci import __version__
from progressive_ci.cli.settings import Settings


def main(_settings: Settings) -> int:
    """Print the version alone, so that scripts can compare it."""
    click.echo(__version__)
    return 0
