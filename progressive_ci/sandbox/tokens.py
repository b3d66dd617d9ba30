"""Credentials of the simulated cluster, and the request that makes one for a service account."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from progressive_ci.sandbox import status
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.clock import Timers
from progressive_ci.sandbox.reads import demanded
from progressive_ci.sandbox.store import Store

ADMIN_TOKEN = "sandbox-admin"  # noqa: S105 - opens nothing but a simulation
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the API server knows of tokens.

    Attributes:
        timers: the cluster's time.
        known: whose each one is, and until when; the administrator's has no end.
    """

    timers: Timers
    known: dict[str, tuple[str, datetime | None]] = field(
        default_factory=lambda: {ADMIN_TOKEN: (ADMIN, None)}
    )

    def owner(self, token: str) -> str:
        """Whose it is; empty for one that nobody knows, or that has ended."""
        user, ends = self.known.get(token, ("", None))
        return user if ends is None or self.timers.wall() < ends else ""

    def issue(self, user: str, seconds: float, *, about: str = "") -> tuple[str, datetime]:
        """A new token and its end."""
        token = f"sandbox-{about or user}-{len(self.known)}"
        ends = self.timers.wall() + timedelta(seconds=seconds)
        self.known[token] = (user, ends)
        return token, ends


def request(store: Store, tokens: Tokens, call: Call, place: Target) -> Answer:
    """POST to `serviceaccounts/NAME/token`."""
    account = demanded(store, place)
    if call.method != "POST" or not isinstance(call.body, dict):
        raise status.method_not_allowed()
    user = f"system:serviceaccount:{place.namespace}:{place.name}"
    seconds = (call.body.get("spec") or {}).get("expirationSeconds", HOUR)
    token, end = tokens.issue(user, seconds, about=account["metadata"]["uid"])
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
