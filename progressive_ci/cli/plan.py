"""`progressive-ci plan`: what a run would do, and what the cluster and the metrics say to it now."""

import json
from dataclasses import replace

import click
import yaml

from progressive_ci.adapters.addresses import Addresses
from progressive_ci.cli.desk import Desk, quietly
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import Refused
from progressive_ci.judging import texts
from progressive_ci.model.outcome import Result
from progressive_ci.model.sample import Errored, Measured, NoData, Sample
from progressive_ci.ports import Hands
from progressive_ci.release import preflight
from progressive_ci.release.credential_end import described
from progressive_ci.release.duration import hard_end, worst_case
from progressive_ci.release.findings import Findings
from progressive_ci.release.questions import ask_all
from progressive_ci.reports.plan import plan_text
from progressive_ci.reports.preview import Answer, Preview, facts


def main(settings: Settings) -> int:
    """Print the plan; exit 3 where a run would be refused."""
    return quietly(settings, _plan)


def _plan(desk: Desk) -> int:
    plan, options = desk.plan(), desk.options
    preview = Preview(plan, plan.mode, worst_case(plan, options), hard_end(plan, options))
    hands, ways = desk.reach(namespace=plan.namespace, name=plan.workload.name)
    preview = replace(preview, login=described(hands.credential.look()))
    try:
        found = preflight.examine(plan, options, hands)
    except Refused as error:
        preview = replace(preview, reasons=tuple(str(reason) for reason in error.reasons))
    else:
        preview = _examined(preview, found, hands, ways)
    click.echo(desk.hide(_printed(preview, desk.settings.output)))
    return Result.REFUSED.code if preview.reasons else 0


def _examined(preview: Preview, found: Findings, hands: Hands, ways: Addresses) -> Preview:
    answers = ask_all(preview.plan, hands, stable=found.stable, canary=found.canary)
    return replace(
        preview,
        mode=found.mode,
        size=found.size,
        stable=found.stable.hash,
        canary=found.canary.hash,
        unchanged=found.unchanged,
        warnings=found.warnings,
        answers=tuple(
            Answer(row.check.name, str(ways.way(row.check.query.address.raw)), _said(row.sample))
            for row in answers
        ),
    )


def _said(sample: Sample) -> str:
    match sample:
        case Measured(value, detail):
            return f"{texts.value(value)} {detail}".strip()
        case NoData(reason):
            return f"no data: {reason}"
        case Errored(reason):
            return f"error: {reason}"


def _printed(preview: Preview, output: str) -> str:
    match output:
        case "json":
            return json.dumps(facts(preview), indent=2)
        case "yaml":
            return str(yaml.safe_dump(facts(preview), sort_keys=False)).rstrip()
        case _:
            return plan_text(preview).rstrip()
