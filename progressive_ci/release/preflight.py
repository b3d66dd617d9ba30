"""Everything that can be known before the first write. Refuses with every reason at once, and writes nothing."""

from dataclasses import replace

from progressive_ci.errors import ProgressiveError, Refused, SpecInvalid
from progressive_ci.model import kinds
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import Record, Side
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode, Pause, Plan
from progressive_ci.model.route import RatioSettings, Route
from progressive_ci.ports import Access, Hands
from progressive_ci.release import candidate, credential_end, stable, surroundings
from progressive_ci.release.appliers import warned
from progressive_ci.release.candidate import Candidate
from progressive_ci.release.duration import hard_end, worst_case
from progressive_ci.release.findings import Findings
from progressive_ci.release.guard_job import without_account
from progressive_ci.release.hold import never_holds
from progressive_ci.release.journal_room import demand_room
from progressive_ci.release.needed import changed_config, missing
from progressive_ci.release.predecessor import demand_last
from progressive_ci.release.questions import unanswered
from progressive_ci.release.quotas import short_quotas
from progressive_ci.release.rest import rest_rights
from progressive_ci.release.rights import posting_rights, rights
from progressive_ci.release.route_check import route_reasons, survey
from progressive_ci.release.workload import (
    part_of,
    replicas_of,
    same_template,
    selector_text,
    surge_of,
    unavailable_of,
)


def examine(plan: Plan, options: Options, hands: Hands, before: Record | None = None) -> Findings:
    """What the cluster is like, and whether this release can begin.

    Args:
        plan: what is to be released.
        options: the user's choices.
        hands: the world; only read.
        before: the journal's record of an earlier release.

    Raises:
        SpecInvalid: spec and options don't fit together.
        Refused: with every reason.
    """
    try:
        found = _examined(plan, options, hands, before)
    except Refused as error:
        raise Refused(*error.reasons, *credential_end.too_short(plan, options, hands, plan.mode)) from error
    if not found.unchanged:
        demand_room(plan, options, hands, found)
    return credential_end.weighed(plan, options, hands, found)


def _examined(plan: Plan, options: Options, hands: Hands, before: Record | None) -> Findings:
    _fit(plan, options)
    demand_last(plan, before)
    found = hands.cluster.get(Ref(kinds.DEPLOYMENT, plan.namespace, plan.workload.name))
    _demand(plan, hands, rights(plan, first=found is None))
    if options.apply_rest:
        _demand(plan, hands, rest_rights(plan, options, hands))
    _demand_guard(plan, options, hands)
    if found is None:
        return _first(plan, hands, before)
    standing = stable.stand(hands, found, unhealthy=options.skip_analysis)
    chosen = candidate.examine(plan, options, hands, standing)
    if chosen.mode is not plan.mode:
        _demand(plan, hands, rights(plan, mode=chosen.mode))
    around = surroundings.look_around(plan, options, hands, standing, mode=chosen.mode)
    findings = _findings(plan, standing, chosen, around, before)
    if findings.unchanged:
        return findings
    if chosen.side.hash == standing.side.hash:
        if around.reasons:
            raise Refused(*around.reasons)
        return findings
    objects = survey(plan.route, hands)
    reasons = [*around.reasons, *route_reasons(plan, chosen, objects), *changed_config(plan, hands)]
    if not reasons and not options.skip_analysis:
        reasons += unanswered(plan, hands, findings)
    if reasons:
        raise Refused(*reasons)
    warned_of = warned(plan, standing, around, objects, mode=chosen.mode)
    foreseen = (*short_quotas(plan, hands, findings), *never_holds(plan, options))
    warnings = (*findings.warnings, *warned_of, *foreseen)
    return replace(findings, missing=missing(plan, hands), objects=objects, warnings=warnings)


def admit(plan: Plan, options: Options, hands: Hands, *, mode: Mode) -> None:
    """What a release that is gone on with needs of spec, options and credential."""
    _fit(plan, options)
    credential_end.demand(plan, options, hands, mode)
    _demand(plan, hands, rights(plan, mode=mode))
    _demand_guard(plan, options, hands)


def _demand_guard(plan: Plan, options: Options, hands: Hands) -> None:
    """The rights to post a guard, and the account that it acts with."""
    if options.guard:
        _demand(plan, hands, posting_rights(plan))
        if reasons := without_account(plan, hands):
            raise Refused(*reasons)


def _fit(plan: Plan, options: Options) -> None:
    """Rules between spec and options."""
    complaints = [
        ProgressiveError(
            "a pause without duration waits for a person, and nobody can answer a pipeline",
            where=str(step.source),
            advice="give it a duration, or say how long it may wait with --pause-timeout",
        )
        for step in plan.steps
        if isinstance(step, Pause) and step.seconds is None and options.pause_timeout is None
    ]
    if complaints and not options.skip_analysis:
        raise SpecInvalid(*complaints)
    longest, allowed = worst_case(plan, options), hard_end(plan, options)
    if options.max_duration is not None and longest > allowed:
        raise Refused(
            ProgressiveError(
                f"the plan may take {longest:.0f} s, longer than --max-duration of {allowed:.0f} s",
                where=str(plan.source),
                advice="raise --max-duration, or shorten pauses, analyses or progressDeadlineSeconds",
            )
        )


def _demand(plan: Plan, hands: Hands, wanted: tuple[Access, ...]) -> None:
    """Every right that the run and its rollback need."""
    missing = [access for access in wanted if not hands.cluster.allowed(access)]
    if missing:
        raise Refused(
            *(
                ProgressiveError(
                    f"the credential may not {describe(access)}",
                    where=f"namespace {access.namespace or 'cluster'}",
                    advice=f"bind the Role that `progressive-ci rbac` prints for {plan.workload.name}",
                )
                for access in missing
            )
        )


def describe(access: Access) -> str:
    """A right in kubectl's words: `patch services/web`."""
    resource = f"{access.resource}.{access.group}" if access.group else access.resource
    part = f"/{access.subresource}" if access.subresource else ""
    return f"{access.verb} {resource}{part}{' ' + access.name if access.name else ''}"


def _first(plan: Plan, hands: Hands, before: Record | None) -> Findings:
    nothing = Side("", plan.workload.name, selector=selector_text(plan.workload.selector))
    findings = Findings(
        deployment=None,
        mode=plan.mode,
        unchanged=False,
        origin="",
        template=plan.workload.template,
        stable=nothing,
        canary=nothing,
        serving=None,
        reused=None,
        size=plan.workload.replicas if plan.workload.replicas is not None else 1,
        surge=0,
        unavailable=0,
        scalers=(),
        services=(),
        route=plan.route,
        objects={},
        missing=missing(plan, hands),
        warnings=(),
        before=before,
    )
    return replace(findings, warnings=short_quotas(plan, hands, findings))


def _findings(
    plan: Plan,
    standing: stable.Standing,
    chosen: Candidate,
    around: surroundings.Surroundings,
    before: Record | None,
) -> Findings:
    live = standing.deployment
    size = replicas_of(live)
    asked = plan.workload.replicas if not around.scalers else None
    same = same_template(chosen.template, live["spec"]["template"]) and not chosen.fields
    strategy = live["spec"].get("strategy") or {}
    surge, unavailable = _limits(plan, strategy, size)
    return Findings(
        deployment=live,
        mode=chosen.mode,
        unchanged=same and asked in (None, size),
        origin=origin(live),
        template=chosen.written,
        stable=standing.side,
        canary=chosen.side,
        serving=standing.serving,
        reused=chosen.reused,
        size=size,
        surge=surge,
        unavailable=unavailable,
        scalers=around.scalers,
        services=around.services,
        route=None if chosen.mode is Mode.IN_PLACE else _completed(plan.route, chosen, size),
        objects={},
        missing=(),
        warnings=(*around.warnings, *((chosen.note,) if chosen.note else ())),
        before=before,
    )


def _limits(plan: Plan, strategy: JsonObject, size: int) -> tuple[int, int]:
    """Surge and unavailable pods: the Rollout's own without a router, else what the Deployment allows."""
    settings = plan.route.settings if plan.route else None
    if isinstance(settings, RatioSettings):
        return part_of(settings.max_surge, size, up=True), part_of(settings.max_unavailable, size, up=False)
    if strategy.get("type") == "Recreate":
        return 0, 0
    return surge_of(strategy, size), unavailable_of(strategy, size)


def _completed(route: Route | None, chosen: Candidate, size: int) -> Route | None:
    if route is None or not isinstance(route.settings, RatioSettings):
        return route
    return replace(route, settings=replace(route.settings, canary_set=chosen.side.name, size=size))


def origin(live: JsonObject) -> str:
    """Who wrote the running template, and when, as far as the server remembers."""
    entries = live["metadata"].get("managedFields") or ()
    wrote = [item for item in entries if "f:template" in ((item.get("fieldsV1") or {}).get("f:spec") or {})]
    if not wrote:
        return ""
    last = max(wrote, key=lambda item: str(item.get("time", "")))
    return f"{last.get('manager', 'somebody')} at {last.get('time', 'an unknown time')}"
