"""`progressive-ci rbac`: the smallest Role for a run of these documents and its rollback."""

import os
import sys

import click

from progressive_ci.adapters.addresses import Proxied
from progressive_ci.cli import ci, spec
from progressive_ci.cli.desk import addresses
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import SpecInvalid
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Plan
from progressive_ci.release.guard_job import guard_name
from progressive_ci.release.rights import guard_rights, posting_rights, rights, seldom, welcome
from progressive_ci.reports.preview import checks
from progressive_ci.reports.role import account, roles

BIND = """\
# Bind each that you need to whom the pipeline logs in as, for example:
#   kubectl create rolebinding progressive-ci-{name} --namespace {namespace} \\
#     --role progressive-ci-{name} --serviceaccount {namespace}:NAME
# `progressive-ci recover` without a name lists the journals of the namespace, which no Role can narrow by name:
#   kubectl create role progressive-ci-recover --namespace {namespace} --verb=list --resource=configmaps"""

OCCASIONS = {
    "first": "Only for the first release, while there is no Deployment yet.",
    "roll": "Only where a webhook or policy changes Deployments and not ReplicaSets: preflight says so.",
}
"""When the Roles are needed that a usual release does without."""

GUARD = "The guard's own account. Its Job has these rights, and nobody needs to be bound to them."


def guard_documents(plan: Plan) -> str:
    """Who the guard is, and what it may do."""
    name = guard_name(plan.workload.name)
    return f"---\n# {GUARD}\n{account(guard_rights(plan), name=name, namespace=plan.namespace)}"


def main(settings: Settings) -> int:
    """Print YAML for `kubectl apply -f -`."""
    try:
        plan = spec.plan(settings, workspace=ci.job(os.environ).workspace)
    except SpecInvalid as error:
        click.echo(str(error), file=sys.stderr)
        return Result.INVALID.code
    ways = addresses(settings, plan.namespace, proxy=True)
    asked = (ways.way(check.query.address.raw) for check in checks(plan))
    proxied = (way.access for way in asked if isinstance(way, Proxied))
    name = plan.workload.name
    posting = posting_rights(plan) if settings.guard else ()
    click.echo(roles((*rights(plan), *welcome(plan), *proxied, *posting), name=name), nl=False)
    for occasion, wanted in seldom(plan).items():
        click.echo(f"---\n# {OCCASIONS[occasion]}\n{roles(wanted, name=f'{name}-{occasion}')}", nl=False)
    if settings.guard:
        click.echo(guard_documents(plan), nl=False)
    click.echo(BIND.format(name=name, namespace=plan.namespace))
    return 0
