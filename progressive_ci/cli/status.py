"""`progressive-ci status NAME`: the release of a workload as its journal tells it."""

import click

from progressive_ci.cli.desk import Desk, quietly
from progressive_ci.cli.rollback import workload
from progressive_ci.cli.settings import Settings
from progressive_ci.release.records import read_record
from progressive_ci.reports.status import status_text


def main(settings: Settings) -> int:
    """Print what the journal says; 0 whatever it says."""

    def show(desk: Desk) -> int:
        namespace, name = workload(settings)
        record = read_record(desk.hands(namespace=namespace, name=name), namespace=namespace, name=name)
        click.echo(status_text(record) if record else f"there is no journal of {namespace}/{name}")
        return 0

    return quietly(settings, show)
