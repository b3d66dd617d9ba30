"""Credentials of the simulated cluster, and the request that makes one for a service account."""

from datetime import timedelta

from progressive_ci.sandbox import status
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.reads import demanded
from progressive_ci.sandbox.store import Store

ADMIN_TOKEN = "sandbox-admin"  # noqa: S105 - opens nothing but a simulation
HOUR = 3600


def known() -> dict[str, str]:
    """The tokens that a new cluster knows, and whose they are."""
    return {ADMIN_TOKEN: ADMIN}


def request(store: Store, tokens: dict[str, str], call: Call, place: Target) -> Answer:
    """POST to `serviceaccounts/NAME/token`."""
    account = demanded(store, place)
    if call.method != "POST" or not isinstance(call.body, dict):
        raise status.method_not_allowed()
    user = f"system:serviceaccount:{place.namespace}:{place.name}"
    token = f"sandbox-{account['metadata']['uid']}-{len(tokens)}"
    tokens[token] = user
    seconds = (call.body.get("spec") or {}).get("expirationSeconds", HOUR)
    end = store.timers.wall() + timedelta(seconds=seconds)
    return Answer(
        201,
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": place.name, "namespace": place.namespace},
            "spec": {"expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": end.strftime("%Y-%m-%dT%H:%M:%SZ")},
        },
    )
