"""Owns the fields of AnalysisTemplate and ClusterAnalysisTemplate. Data only."""

from progressive_ci.specs.argo.rollout_fields import RETENTION, RULES, TEMPLATE_REFERENCES
from progressive_ci.specs.fields import (
    COUNT_TEXT,
    CREDENTIAL,
    DURATION,
    FLAG,
    NAME,
    NAMES,
    TEXT,
    WHOLE,
    Field,
    Many,
    Struct,
    built,
    later,
)
from progressive_ci.specs.metadata_fields import OBJECT, STATUS

_SECRET = Struct({"name": built(NAME, required=True), "key": built(NAME, required=True)})

_ARGUMENT = Struct(
    {
        "name": built(NAME, required=True),
        "value": built(TEXT),
        "valueFrom": built(
            Struct({"secretKeyRef": built(_SECRET, "of the release's namespace"), "fieldRef": later()})
        ),
    }
)

_OAUTH2 = Struct(
    {
        "tokenUrl": built(NAME, required=True),
        "clientId": built(NAME, required=True),
        "clientSecret": built(CREDENTIAL, required=True),
        "scopes": built(NAMES),
    }
)

_BASIC = Struct({"username": built(NAME, required=True), "password": built(CREDENTIAL, required=True)})

_PROMETHEUS = Struct(
    {
        "address": built(NAME, "http:// or https:// and the server's name", required=True),
        "query": built(NAME, "PromQL", required=True),
        "timeout": built(WHOLE, "seconds, 30 where it is not written"),
        "insecure": built(FLAG),
        "headers": built(
            Many(Struct({"key": built(NAME, required=True), "value": built(CREDENTIAL, required=True)}))
        ),
        "authentication": built(
            Struct({"basicAuth": built(_BASIC), "oauth2": built(_OAUTH2), "sigv4": later()})
        ),
        "rangeQuery": built(
            Struct(
                {
                    "start": built(NAME, 'an expression, as in now() - duration("5m")', required=True),
                    "end": built(NAME, "an expression, as in now()", required=True),
                    "step": built(DURATION, required=True),
                }
            )
        ),
    }
)

PROVIDERS: dict[str, Field] = {
    "prometheus": built(_PROMETHEUS),
    **dict.fromkeys(
        (
            "web",
            "job",
            "datadog",
            "newRelic",
            "cloudWatch",
            "wavefront",
            "graphite",
            "influxdb",
            "kayenta",
            "skywalking",
            "plugin",
        ),
        later(),
    ),
}

_METRIC = Struct(
    {
        "name": built(NAME, required=True),
        "interval": built(DURATION),
        "initialDelay": built(DURATION),
        "count": built(COUNT_TEXT),
        "successCondition": built(TEXT),
        "failureCondition": built(TEXT),
        "failureLimit": built(COUNT_TEXT),
        "inconclusiveLimit": built(COUNT_TEXT),
        "consecutiveErrorLimit": built(
            COUNT_TEXT, "where it is not written, errors hold up to --metrics-timeout"
        ),
        "consecutiveSuccessLimit": built(COUNT_TEXT),
        "provider": built(Struct(PROVIDERS), required=True),
    }
)

ANALYSIS_TEMPLATE: dict[str, Field] = {
    **OBJECT,
    "spec": built(
        Struct(
            {
                "metrics": built(Many(_METRIC)),
                "args": built(Many(_ARGUMENT)),
                "dryRun": built(RULES),
                "measurementRetention": built(RETENTION, "no effect: reports keep the last 100 samples"),
                "templates": built(TEMPLATE_REFERENCES),
            }
        ),
        required=True,
    ),
    **STATUS,
}
