"""How a scenario's tool logs in: by name and for ever, or with tokens that end, as the real adapters use them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from progressive_ci.adapters.credential import Credential, Fixed, Issued, Renewed, authenticated, until
from progressive_ci.adapters.credential_watch import WatchedCredential
from progressive_ci.errors import Unauthorized
from progressive_ci.ports import HttpResponse, Login
from progressive_ci.sandbox.cluster import Sandbox


class Unending:
    """`ports.Credential` of a user whose name is enough."""

    def look(self) -> Login:
        """No end."""
        return Login("a name")

    def call_before_end(self, seconds: float, act: Callable[[Login], None]) -> Callable[[], None]:
        """Never."""
        del seconds, act
        return lambda: None


@dataclass(frozen=True, slots=True)
class TokenTransport:
    """A connection that sends a token with each request, and a fresh one after a 401."""

    sandbox: Sandbox
    credential: Credential

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request; see `ports.Transport`."""

        def send(issued: Issued) -> HttpResponse:
            transport = self.sandbox.transport(self.sandbox.api.tokens.owner(issued.token))
            return transport.request(
                method, path, query=query, body=body, content_type=content_type, timeout=timeout
            )

        return authenticated(self.credential, send)


def watched(sandbox: Sandbox, credential: Credential) -> WatchedCredential:
    """`ports.Credential`, as `Connection.look` makes it of the same parts."""

    def look() -> Login:
        ends = credential.ends()
        left = (ends - sandbox.clock.wall()).total_seconds() if ends else None
        return Login(credential.kind, ends, left, credential.renewed, credential.advice)

    return WatchedCredential(look, sandbox.clock)


def fixed(sandbox: Sandbox, user: str, *, seconds: float) -> Fixed:
    """A token that nobody renews."""
    token, ends = sandbox.api.tokens.issue(user, seconds)
    return Fixed("the token of the kubeconfig", Issued(token, ends_at=ends))


def renewed(sandbox: Sandbox, user: str, *, seconds: float, asks: int | None = None) -> Renewed:
    """Tokens of a plugin that can be asked again, for ever or so many times."""
    asked = 0

    def ask() -> Issued:
        nonlocal asked
        asked += 1
        if asks is not None and asked > asks:
            raise Unauthorized("the plugin fails")
        token, ends = sandbox.api.tokens.issue(user, seconds)
        return until(Issued(token), ends, sandbox.clock.wall())

    return Renewed(ask, kind="the credential plugin `login`", now=sandbox.clock.wall)
