"""`progressive-ci lint`: everything that is wrong with the documents, at once and without a cluster."""

import os

import click

from progressive_ci.cli import ci, spec
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import SpecInvalid
from progressive_ci.model.outcome import Result
from progressive_ci.model.plan import Plan
from progressive_ci.reports import github
from progressive_ci.reports.text import at, one_line

ANNOTATIONS = 10
"""The runner keeps this many for each step."""


def main(settings: Settings) -> int:
    """Print complaints as compilers do, and as annotations on GitHub."""
    job = ci.job(os.environ)
    annotated = job.reporter if settings.reporter == "auto" else settings.reporter
    try:
        plans = spec.plans(settings, workspace=job.workspace)
    except SpecInvalid as error:
        texts = [one_line(str(complaint)) for complaint in error.complaints]
        if annotated == github.NAME:
            click.echo("\n".join(map(github.complaint, texts[:ANNOTATIONS])))
            texts = list(github.harmless(tuple(texts)))
        click.echo("\n".join(texts))
        click.echo(f"{len(texts)} {'problem' if len(texts) == 1 else 'problems'}")
        return Result.INVALID.code
    for plan in plans:
        click.echo(_praise(plan))
    return 0


def _praise(plan: Plan) -> str:
    lines = [f"warning: {warning}" for warning in plan.warnings]
    word = "step" if len(plan.steps) == 1 else "steps"
    good = f"{at(plan.source)}: {plan.namespace}/{plan.workload.name} is fine: {len(plan.steps)} {word}"
    return "\n".join([*lines, good])
