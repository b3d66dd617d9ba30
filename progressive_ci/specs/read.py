"""Owns the way from documents to a plan: which one is released, in which namespace, by which dialect."""

from collections.abc import Sequence
from dataclasses import replace

from progressive_ci.model.document import Document, JsonObject, Source
from progressive_ci.model.names import is_name
from progressive_ci.model.plan import Plan
from progressive_ci.specs import companions, needed
from progressive_ci.specs.complaints import NOT_BUILT, Complaints
from progressive_ci.specs.reading import UNCHECKED, Checkers, Reading, group_of, namespace_of
from progressive_ci.specs.table import DIALECTS, REFUSED, Dialect

Subject = tuple[Dialect, Document]


def read(  # noqa: PLR0913 - the package's front door: one argument for each choice of the user
    documents: Sequence[Document],
    *,
    name: str | None = None,
    namespace: str | None = None,
    images: tuple[str, ...] = (),
    analysis: str | None = None,
    cluster: JsonObject | None = None,
    checkers: Checkers = UNCHECKED,
    allowed: tuple[str, ...] | None = None,
) -> Plan:
    """What a run with these documents and options releases.

    Args:
        documents: the whole input.
        name: which workload; None takes the only one.
        namespace: of the release; None takes the document's.
        images: `[CONTAINER=]REF`.
        analysis: template that judges a plain Deployment.
        cluster: the workload as the cluster has it, for what no document can say.
        checkers: of conditions, queries and times.
        allowed: other namespaces whose objects the documents may name; None is any.

    Raises:
        SpecInvalid: carries everything that is wrong.
    """
    complaints = Complaints()
    subject = _chosen(documents, name, complaints)
    place = _namespace(subject[1], namespace, complaints) if subject else ""
    complaints.end()
    assert subject is not None  # noqa: S101 - otherwise there was a complaint
    dialect, document = subject
    reading = Reading(
        documents=tuple(documents),
        namespace=place,
        images=images,
        analysis=analysis or "",
        live=cluster or {},
        checkers=checkers,
        complaints=complaints,
        allowed=allowed,
    )
    plan = dialect.plan(reading, document)
    complaints.end()
    assert plan is not None  # noqa: S101 - otherwise there was a complaint
    wanted, rest = needed.split(reading, plan)
    done = replace(plan, needed=wanted, not_applied=rest, warnings=complaints.warnings)
    companions.fit(done, complaints)
    complaints.end()
    return done


def subjects(documents: Sequence[Document]) -> tuple[Subject, ...]:
    """What can be released: Rollouts, else the Deployments that no Rollout speaks of."""
    found: list[Subject] = []
    for dialect in DIALECTS.values():
        taken = {each.release_name(document) for each, document in found}
        found += [
            (dialect, document) for document in dialect.subjects(documents) if document.name not in taken
        ]
    return tuple(found)


def _chosen(documents: Sequence[Document], name: str | None, complaints: Complaints) -> Subject | None:
    for document in documents:
        word = REFUSED.get((group_of(document), document.kind))
        if word and name in (None, document.name):
            complaints.add(
                document.source, f"{NOT_BUILT}: {word} {document.name}", advice="write it as a Rollout"
            )
    if not complaints.empty:
        return None
    found = subjects(documents)
    if name is not None:
        found = tuple(each for each in found if name in (each[1].name, each[0].release_name(each[1])))
    else:
        preferred = {dialect.NAME for dialect, _ in found[:1]}
        found = tuple(each for each in found if each[0].NAME in preferred)
    if len(found) == 1:
        return found[0]
    _not_one(documents, found, name, complaints)
    return None


def _not_one(
    documents: Sequence[Document], found: Sequence[Subject], name: str | None, complaints: Complaints
) -> None:
    if found:
        listed = ", ".join(f"{each.kind} {each.name} ({each.source})" for _, each in found)
        advice = f"choose one with --name, as in --name {found[0][1].name}"
        complaints.add(Source(), f"the input holds several workloads: {listed}", advice=advice)
    elif name is not None:
        known = ", ".join(document.name for _, document in subjects(documents)) or "none"
        complaints.add(
            Source(f"--name {name}"),
            f"the input holds no Rollout or Deployment {name}",
            advice=f"there are: {known}",
        )
    else:
        advice = "give the files that hold a Rollout or a Deployment"
        complaints.add(Source(), "no spec: the input holds no Rollout and no Deployment", advice=advice)


def _namespace(document: Document, option: str | None, complaints: Complaints) -> str:
    own = namespace_of(document)
    if own and option and own != option:
        what = f"the document is for namespace {own}, --namespace says {option}"
        complaints.add(document.at("metadata.namespace"), what, advice="make them agree, or drop the option")
    if option and not is_name(option):
        complaints.add(
            Source(), f"--namespace {option!r} can't be a namespace", advice="write its name alone"
        )
    if not own and not option:
        what = f"{document.kind} {document.name} has no namespace"
        complaints.add(document.at("metadata.namespace"), what, advice="write it there, or give --namespace")
    return own or option or ""
