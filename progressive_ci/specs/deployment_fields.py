"""Owns the fields of a Deployment. Data only."""

from progressive_ci.specs.fields import SHARE, TEXT, Field, Struct, built
from progressive_ci.specs.metadata_fields import OBJECT, SELECTOR, STATUS, WORKLOAD

_ROLLING = Struct({"maxSurge": built(SHARE), "maxUnavailable": built(SHARE)})

DEPLOYMENT: dict[str, Field] = {
    **OBJECT,
    "spec": built(
        Struct(
            {
                **WORKLOAD,
                "selector": built(SELECTOR, required=True),
                "strategy": built(
                    Struct(
                        {
                            "type": built(TEXT, "RollingUpdate or Recreate"),
                            "rollingUpdate": built(_ROLLING),
                        }
                    )
                ),
            }
        ),
        required=True,
    ),
    **STATUS,
}
