"""What reads other people's text: each target takes bytes and ends, or raises one of our own errors."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeGuard

import yaml

from progressive_ci.adapters import answers, kubeconfig
from progressive_ci.cli.spec import CHECKERS
from progressive_ci.errors import ProgressiveError
from progressive_ci.judging import condition
from progressive_ci.metrics.prometheus_answer import sample_of
from progressive_ci.metrics.promql import check, fill
from progressive_ci.model.codec import decode
from progressive_ci.model.durations import go_duration
from progressive_ci.model.journal import Record
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpResponse
from progressive_ci.release.recalls import understood
from progressive_ci.release.trust import complaint
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read

Target = Callable[[bytes], object]

KUBECONFIG: dict[str, object] = {
    "current-context": "a",
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "a", "user": {"token": "t"}}],
}
KUBECONFIG_FIELDS = {
    "context": ("cluster", "user", "namespace"),
    "cluster": ("server", "certificate-authority", "certificate-authority-data"),
    "user": ("token", "tokenFile", "client-certificate-data", "client-key", "exec"),
}

SHORT = 300
NOW = datetime(2026, 1, 1, tzinfo=UTC)

ASKED = answers.Asked("get", "Service shop/web")


def specs(content: bytes) -> None:
    """YAML of a pull request."""
    read(parse([("any.yaml", content)]), namespace="default", checkers=CHECKERS)


def journal(content: bytes) -> None:
    """The journal's JSON, as whoever may edit ConfigMaps leaves it."""
    try:
        record = decode(Record, json.loads(content))
    except (ValueError, TypeError, RecursionError):
        return
    complaint(record)


def recall(content: bytes) -> None:
    """What stands beside the journal."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(body, dict):
        understood(body)


def prometheus(content: bytes) -> None:
    """A metrics server's answer."""
    sample_of(HttpResponse(200, {}, content))


def api_answer(content: bytes) -> None:
    """An API server's refusal, with its headers."""
    headers = {"Retry-After": content[:20].decode("latin-1"), "Content-Type": "application/json"}
    for status in (409, 429, 500):
        try:
            answers.decode(HttpResponse(status, headers, content), ASKED)
        except ProgressiveError:
            continue


def conditions(content: bytes) -> None:
    """A success condition."""
    condition.complaint(content.decode(errors="replace"))


def evaluations(content: bytes) -> None:
    """A condition, and on the next line the answer that it judges: any JSON, or a vector of samples."""
    text, _, answer = content.decode(errors="replace").partition("\n")
    try:
        result = parsed(answer)
    except ValueError:
        result = answer
    asked = condition.compile_condition(text)
    for value in (result, tuple(map(float, result))) if _are_numbers(result) else (result,):
        condition.evaluate(asked, value, now=NOW)


def _are_numbers(value: object) -> TypeGuard[list[float]]:
    return isinstance(value, list) and all(type(each) is float for each in value)


def times(content: bytes) -> None:
    """Start or end of a range."""
    condition.evaluate_time(content.decode(errors="replace"), NOW)


def queries(content: bytes) -> None:
    """A query, and an argument for it."""
    query, _, value = content.decode(errors="replace").partition("\n")
    check(query)
    fill(query, {"a": value})


def durations(content: bytes) -> None:
    """A duration."""
    go_duration(content.decode(errors="replace"))


def kubeconfigs(content: bytes) -> None:
    """A kubeconfig from a CI variable, and one in which any entry is something else.

    It comes from the job itself, so that its length is no threat.
    """
    content = content[:SHORT]
    with contextlib.suppress(ProgressiveError):
        _chosen(content)
    with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
        value = yaml.safe_load(content)
        for spoilt in spoilings(value):
            with contextlib.suppress(ProgressiveError):
                _chosen(yaml.safe_dump(spoilt).encode())


def spoilings(value: object) -> Iterator[dict[str, object]]:
    """A kubeconfig with a value in each place."""
    for family in ("contexts", "clusters", "users"):
        one = family[:-1]
        yield {**KUBECONFIG, family: value}
        yield {**KUBECONFIG, family: [value]}
        yield {**KUBECONFIG, family: [{"name": "a", one: value}]}
        for field in KUBECONFIG_FIELDS[one]:
            yield {**KUBECONFIG, family: [{"name": "a", one: {"cluster": "a", "user": "a", field: value}}]}


def _chosen(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        kubeconfig.choose((file.name,), "", {})


TARGETS: Mapping[str, Target] = {
    each.__name__: each
    for each in (
        specs,
        journal,
        recall,
        prometheus,
        api_answer,
        conditions,
        evaluations,
        times,
        queries,
        durations,
        kubeconfigs,
    )
}


def tried(target: Target, content: bytes) -> None:
    """Anything but an end or an error of ours is a find."""
    try:
        target(content)
    except ProgressiveError:
        return
