"""Owns the fields of a Rollout. Data only."""

from progressive_ci.specs.fields import (
    COUNT,
    FLAG,
    LABELS,
    NAME,
    NAMES,
    PAUSE,
    REFERENCE,
    REFERENCES,
    SHARE,
    TEXT,
    WHOLE,
    Field,
    Many,
    Struct,
    built,
    ignored,
    later,
)
from progressive_ci.specs.metadata_fields import OBJECT, SELECTOR, STATUS, WORKLOAD

TEMPLATE_REFERENCES = Many(
    Struct({"templateName": built(REFERENCE, required=True), "clusterScope": built(FLAG)}),
)

RULES = Many(Struct({"metricName": built(NAME, "a regular expression", required=True)}))

RETENTION = Many(
    Struct(
        {
            "metricName": built(NAME, "a regular expression", required=True),
            "limit": built(WHOLE, "no effect: reports keep the last 100 samples", required=True),
        }
    )
)

_ARGUMENT = Struct(
    {
        "name": built(NAME, required=True),
        "value": built(TEXT),
        "valueFrom": built(
            Struct(
                {
                    "podTemplateHashValue": built(TEXT, "Latest is the canary's, Stable the stable one's"),
                    "fieldRef": built(
                        Struct({"fieldPath": built(NAME, "of the Rollout document", required=True)}),
                    ),
                }
            )
        ),
    }
)

ANALYSIS: dict[str, Field] = {
    "templates": built(TEMPLATE_REFERENCES),
    "args": built(Many(_ARGUMENT)),
    "dryRun": built(RULES),
    "measurementRetention": built(RETENTION, "no effect: reports keep the last 100 samples"),
    "analysisRunMetadata": ignored("no AnalysisRun objects are made"),
}

_STEP = Struct(
    {
        "setWeight": built(WHOLE, "percent, or parts of maxTrafficWeight that make whole percents"),
        "pause": built(Struct({"duration": built(PAUSE, "none waits for a person: --pause-timeout")})),
        "analysis": built(Struct(ANALYSIS)),
        "experiment": later(),
        "setCanaryScale": later(),
        "setHeaderRoute": later(),
        "setMirrorRoute": later(),
        "plugin": later(),
    }
)

_NGINX = Struct(
    {
        "stableIngress": built(REFERENCE),
        "stableIngresses": built(REFERENCES),
        "annotationPrefix": built(NAME),
        "additionalIngressAnnotations": built(LABELS),
        "canaryIngressAnnotations": built(LABELS),
    }
)

_VIRTUAL_SERVICE = Struct(
    {
        "name": built(REFERENCE, "NAME or NAME.NAMESPACE", required=True),
        "routes": built(NAMES),
        "tlsRoutes": later(),
        "tcpRoutes": later(),
    }
)

_ISTIO = Struct(
    {
        "virtualService": built(_VIRTUAL_SERVICE),
        "virtualServices": built(Many(_VIRTUAL_SERVICE)),
        "destinationRule": later("name two Services instead of subsets"),
    }
)

_HEADER_ROUTES = Struct({"name": built(REFERENCE, required=True), "useHeaderRoutes": later(unless=(False,))})

_SELECTOR_LATER = later("name the routes")

GATEWAY_API = "argoproj-labs/gatewayAPI"
"""The one plugin whose work the tool does itself."""

_GATEWAY = Struct(
    {
        **dict.fromkeys(("httpRoute", "grpcRoute", "tcpRoute", "tlsRoute"), built(REFERENCE)),
        **dict.fromkeys(("httpRoutes", "grpcRoutes", "tcpRoutes", "tlsRoutes"), built(Many(_HEADER_ROUTES))),
        **dict.fromkeys(
            ("httpRouteSelector", "grpcRouteSelector", "tcpRouteSelector", "tlsRouteSelector"),
            _SELECTOR_LATER,
        ),
        "namespace": built(REFERENCE),
        "disableInProgressLabel": built(FLAG),
        "inProgressLabelKey": built(NAME),
        "inProgressLabelValue": built(TEXT),
    }
)

_ROUTING = Struct(
    {
        "nginx": built(_NGINX),
        "istio": built(_ISTIO),
        "plugins": built(Struct({GATEWAY_API: built(_GATEWAY)}, others=later("name one of the routers"))),
        "maxTrafficWeight": built(WHOLE, "nginx only"),
        "managedRoutes": later(unless=([],)),
        **dict.fromkeys(("alb", "smi", "ambassador", "appMesh", "traefik", "apisix"), later()),
    }
)

_CANARY = Struct(
    {
        "canaryService": built(REFERENCE),
        "stableService": built(REFERENCE),
        "steps": built(Many(_STEP)),
        "trafficRouting": built(_ROUTING, "without it the share of pods is the share of traffic"),
        "maxSurge": built(SHARE, "without trafficRouting"),
        "maxUnavailable": built(SHARE, "without trafficRouting"),
        "analysis": built(Struct({**ANALYSIS, "startingStep": built(COUNT)}), "in the background"),
        "scaleDownDelaySeconds": built(COUNT),
        "abortScaleDownDelaySeconds": built(COUNT, "0 counts as not written: a failed canary never stays"),
        "scaleDownDelayRevisionLimit": ignored("a release leaves no second old version"),
        "dynamicStableScale": later(unless=(False,)),
        **dict.fromkeys(
            (
                "antiAffinity",
                "canaryMetadata",
                "stableMetadata",
                "pingPong",
                "minPodsPerReplicaSet",
                "replicaProgressThreshold",
            ),
            later(),
        ),
    }
)

_WORKLOAD_REF = Struct(
    {
        "apiVersion": built(TEXT, "apps/v1"),
        "kind": built(TEXT, "Deployment", required=True),
        "name": built(REFERENCE, required=True),
        "scaleDown": built(TEXT, "never, since the Deployment itself is released"),
    }
)

_SPEC = Struct(
    {
        **WORKLOAD,
        "selector": built(SELECTOR, "required unless workloadRef is given"),
        "workloadRef": built(_WORKLOAD_REF, "to a Deployment in the same input"),
        "strategy": built(Struct({"canary": built(_CANARY), "blueGreen": later()}), required=True),
        "progressDeadlineAbort": built(FLAG, "always: a release that makes no progress is undone"),
        "restartAt": ignored("use kubectl rollout restart"),
        "rollbackWindow": later(),
        "analysis": ignored("no AnalysisRun objects are kept"),
    }
)

ROLLOUT: dict[str, Field] = {**OBJECT, "spec": built(_SPEC, required=True), **STATUS}
