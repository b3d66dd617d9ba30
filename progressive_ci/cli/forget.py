"""`progressive-ci forget NAME`: the journal of a workload removed."""

import uuid

import click

from progressive_ci.cli.desk import Desk, quietly
from progressive_ci.cli.rollback import workload
from progressive_ci.cli.settings import Settings
from progressive_ci.release import rescue


def main(settings: Settings) -> int:
    """Remove it, unless a release is unfinished."""

    def forget(desk: Desk) -> int:
        namespace, name = workload(settings)
        hands = desk.hands(namespace=namespace, name=name)
        hands.lease.acquire(uuid.uuid4().hex, wait=0.0)
        try:
            click.echo(rescue.forget(namespace, name, hands))
        finally:
            hands.lease.release()
        return 0

    return quietly(settings, forget)
