"""`progressive-ci status NAME`: the release of a workload as its journal tells it."""

import click

from progressive_ci.cli.desk import Desk, quietly
from progressive_ci.cli.rollback import workload
from progressive_ci.cli.settings import Settings
from progressive_ci.release import recalls
from progressive_ci.release.records import read_record
from progressive_ci.reports.status import status_text


def main(settings: Settings) -> int:
    """Print what the journal says; 0 whatever it says."""

    def show(desk: Desk) -> int:
        namespace, name = workload(settings)
        hands = desk.hands(namespace=namespace, name=name)
        record = read_record(hands, namespace=namespace, name=name)
        if record is None:
            click.echo(f"there is no journal of {namespace}/{name}")
        else:
            click.echo(desk.hide(status_text(record, recalls.pending(hands, record.release))))
        return 0

    return quietly(settings, show)
