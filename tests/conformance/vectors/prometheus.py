"""Answers of Prometheus to values and phases; faults of the configuration."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from progressive_ci.errors import ProgressiveError
from progressive_ci.judging.condition import evaluate_time
from progressive_ci.judging.measurement import Measurement, measured
from progressive_ci.metrics.table import PROVIDERS
from progressive_ci.model.check import Check, PrometheusQuery, RangeWindow, Text
from progressive_ci.model.durations import go_duration
from progressive_ci.model.sample import Errored, Sample
from progressive_ci.ports import HttpResponse
from tests.conformance.result import Deviation, Json, Result, by_section, judge
from tests.conformance.vectors.rollout_validation import complaints, rollout_of, template

NO_DATA = "No data is not bad"
MANY_SERIES = "More than one series is an error"

_FIELDS = ("address", "username", "password", "oauth2", "timeout")

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
QUERY = PrometheusQuery(Text("http://prometheus:9090"), Text("up"))


def run(data: Mapping[str, Json]) -> Iterator[Result]:
    """Answers go through provider and judge, configurations through the reader of specs."""
    return by_section(data, {"process_response": _response, "run": _run, "config": _config})


def _spelled(value: Json) -> str:
    return value["$float"] if isinstance(value, Mapping) else str(value)


def _body(response: Mapping[str, Json]) -> bytes:
    kind, values = response["resultType"], [_spelled(value) for value in response.get("values", [])]
    match kind:
        case "scalar" | "string":
            result: Json = [0, values[0]]
        case "vector":
            result = [{"metric": {"n": str(n)}, "value": [0, value]} for n, value in enumerate(values)]
        case "matrix":
            result = [{"metric": {}, "values": [[n, value] for n, value in enumerate(values)]}]
        case _:
            result = None
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def _actual(seen: Measurement) -> dict[str, Json]:
    return {
        "phase": seen.phase.value,
        "value": seen.value,
        "error": seen.phase.value == "Error",
        "messageContains": lambda wanted: wanted in seen.message,
    }


def _measure(sample: Sample, success: str = "", failure: str = "") -> Measurement:
    check = Check(name="m", query=QUERY, success=success, failure=failure)
    return measured(check, sample, asked_at=0, ended_at=1)


def _response(vector: Mapping[str, Json]) -> Result:
    response, success, failure = vector["response"], vector["successCondition"], vector["failureCondition"]
    sample = PROVIDERS["prometheus"].sample(QUERY, HttpResponse(200, {}, _body(response)))
    actual = _actual(_measure(sample, success, failure))
    return judge("", vector["expect"], actual, deviation=_decided(response, success + failure))


def _decided(response: Mapping[str, Json], conditions: str) -> Deviation | None:
    values = [_spelled(value) for value in response.get("values", [])]
    unusable = {"phase": "Error", "error": True}
    strange = ("NaN" in values and "isNaN" not in conditions) or (
        any("Inf" in value for value in values) and "isInf" not in conditions
    )
    unasked = not any(word in conditions for word in ("len", "isNil", "default", "nil", "??"))
    if strange or (not values and response["resultType"] is not None and unasked):
        return Deviation(NO_DATA, unusable)
    first_only = conditions.count("result") == conditions.count("result[0]") > 0
    several = response["resultType"] == "vector" and len(values) > 1
    return Deviation(MANY_SERIES, unusable) if first_only and several else None


def _run(vector: Mapping[str, Json]) -> Result:
    given = vector["rangeQuery"]
    refused = [text for text in _complaints({"rangeQuery": given}) if "rangeQuery" in text]
    if refused:  # a step that is no duration is found when the spec is read
        actual = {"phase": "Error", "messageContains": lambda wanted: wanted.split()[3] in refused[0]}
        return judge("", vector["expect"], actual)
    window = RangeWindow(given["start"], given["end"], go_duration(given["step"]))
    query = PrometheusQuery(QUERY.address, QUERY.query, window)
    try:
        PROVIDERS["prometheus"].request(query, {}, NOW, moment=evaluate_time)
    except ProgressiveError as error:
        return judge("", vector["expect"], _actual(_measure(Errored(error.what))))
    return judge("", vector["expect"], {"phase": "Pending"})


def _config(vector: Mapping[str, Json]) -> Result:
    """The reader's words are its own; that it names the same thing is compared."""
    taken = ("address", "timeout", "headers", "insecure")
    plain: dict[str, Json] = {key: value for key, value in vector.items() if key in taken}
    if "env" in vector or not plain.get("address", "http://x"):
        fallback = vector.get("env", {}).get("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", "")
        plain["address"] = plain.get("address") or fallback
    ways = {"basicAuth": vector.get("basicAuth"), "oauth2": vector.get("oauth2")}
    given = {name: way for name, way in ways.items() if way is not None}
    if given:
        plain["authentication"] = given
    found = "\n".join(_complaints(plain)).lower()

    def named(wanted: Json) -> bool:
        words = [word for word in _FIELDS if word in wanted.lower()]
        return bool(found) and all(word in found for word in words)

    return judge("", vector["expect"], {"error": named})


def _complaints(provider: Mapping[str, Json]) -> list[str]:
    """What the reader of specs says of a metric with this provider."""
    prometheus = {"address": "http://x", "query": "up", **provider}
    metric = {"name": "m", "provider": {"prometheus": prometheus}}
    steps = [{"analysis": {"templates": [{"templateName": "t"}]}}]
    return complaints(rollout_of({"steps": steps}), template("t", [metric]))
