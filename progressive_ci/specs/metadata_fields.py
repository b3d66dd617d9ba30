"""Owns the fields that every object has, and those of workloads. Data only."""

from progressive_ci.specs.fields import (
    COUNT,
    FLAG,
    LABELS,
    NAME,
    NAMES,
    TEXT,
    Anything,
    Field,
    Many,
    Struct,
    built,
    ignored,
)

_SERVERS = "the cluster writes it"

METADATA = Struct(
    {
        "name": built(NAME, required=True),
        "namespace": built(NAME),
        "labels": built(LABELS),
        "annotations": built(LABELS),
        "generateName": ignored("the object has a name"),
        "finalizers": ignored("the live object keeps its own"),
        "ownerReferences": ignored("the live object keeps its own"),
        **dict.fromkeys(
            (
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "managedFields",
                "selfLink",
            ),
            ignored(_SERVERS),
        ),
    }
)

OBJECT: dict[str, Field] = {
    "apiVersion": built(TEXT, required=True),
    "kind": built(TEXT, required=True),
    "metadata": built(METADATA, required=True),
}

STATUS: dict[str, Field] = {"status": ignored(_SERVERS)}

SELECTOR = Struct(
    {
        "matchLabels": built(LABELS),
        "matchExpressions": built(
            Many(
                Struct(
                    {
                        "key": built(TEXT, required=True),
                        "operator": built(TEXT, required=True),
                        "values": built(NAMES),
                    }
                )
            )
        ),
    }
)

WORKLOAD: dict[str, Field] = {
    "replicas": built(COUNT, "not written where an autoscaler decides"),
    "template": built(Anything(), "handed on as it is"),
    "minReadySeconds": built(COUNT),
    "revisionHistoryLimit": built(COUNT),
    "progressDeadlineSeconds": built(
        COUNT, "longest time without one more ready pod; a release that exceeds it is undone"
    ),
    "paused": built(FLAG, "true is refused: a paused workload releases nothing"),
}
