"""Which cluster and which credential: by `--auth`, else by the kubeconfig, else the pod's own service account."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from progressive_ci.adapters import certificate, eks, kubeconfig
from progressive_ci.adapters.credential import Credential, Fixed, Issued, Renewed, TokenFile, end_of_jwt
from progressive_ci.adapters.exec_plugin import ExecPlugin
from progressive_ci.adapters.kubeconfig import Choice, Entry
from progressive_ci.adapters.oidc import GitHubToken, gitlab_token
from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import ApiError, ProgressiveError, Refused

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REMOTE = ("github-oidc", "gitlab-oidc", "eks")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Access:
    """What the user chose.

    Attributes:
        method: of `--auth`.
        kubeconfig: file given as an option: no other place counts then.
        context: one other than the current.
        server: address of the API server, instead of a kubeconfig's.
        authority: PEM text, its base64, or a path of it.
        audience: of GitHub's OIDC token.
        variable: that holds GitLab's OIDC token.
        cluster: name or ARN for EKS.
    """

    method: str = "auto"
    kubeconfig: str = ""
    context: str = ""
    server: str = ""
    authority: str = ""
    audience: str = ""
    variable: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Where to go, and with what; no credential leaves it to what the `kubernetes` package makes of the user."""

    choice: Choice
    credential: Credential | None
    in_cluster: bool = False


def find(access: Access, environ: Mapping[str, str], now: Now, tell: Tell) -> Found:
    """Choose; asks nobody but AWS, and that only for the address of a cluster of its own.

    Args:
        access: what the user chose.
        environ: of the process.
        now: by the server's clock.
        tell: hears what the user should know.

    Raises:
        Refused: there is no usable configuration or credential.
    """
    try:
        return _find(access, environ, now, tell)
    except ApiError as error:
        raise Refused(error) from error


def _find(access: Access, environ: Mapping[str, str], now: Now, tell: Tell) -> Found:
    _fit(access)
    paths = kubeconfig.candidates(access.kubeconfig, environ)
    explicit = bool(access.kubeconfig or access.context or environ.get("KUBECONFIG"))
    files = any(Path(path).is_file() for path in paths)
    if access.method == "in-cluster" or (
        access.method == "auto" and not explicit and not files and _in_pod(environ)
    ):
        return _account(environ)
    if access.method not in _REMOTE:
        choice = kubeconfig.choose(paths, access.context, environ)
        return _of_user(choice, environ, now, tell)
    credential = _remote(access, environ, now)
    if access.server:
        where = "--server"
        cluster: Entry = {"server": access.server, **_authority(access.authority)}
    elif access.cluster and not explicit and not files:
        where = "--eks-cluster"
        cluster = eks.described(access.cluster, environ, now)
    else:
        choice = kubeconfig.choose(paths, access.context, environ)
        return Found(replace(choice, user={}), credential)
    resolved = kubeconfig.resolved(cluster, Path.cwd(), where)
    return Found(Choice(access.method, "", resolved, {}, Path.cwd(), where), credential)


def _fit(access: Access) -> None:
    """Options that mean nothing without one another."""
    wanted = {
        "--server": access.server and access.method not in _REMOTE,
        "--audience": access.audience and access.method != "github-oidc",
        "--token-variable": access.variable and access.method != "gitlab-oidc",
        "--eks-cluster": access.cluster and access.method != "eks",
    }
    needed = {"--audience": "github-oidc", "--token-variable": "gitlab-oidc", "--eks-cluster": "eks"}
    for option, alone in wanted.items():
        if alone:
            advice = f"add --auth {needed.get(option, 'and how to log in there: ' + ', '.join(_REMOTE))}"
            raise Refused(
                ProgressiveError(f"{option} has no effect with --auth {access.method}", advice=advice)
            )
    if access.authority and not access.server:
        advice = "give both, or neither: a kubeconfig and AWS name the authority themselves"
        raise Refused(ProgressiveError("--certificate-authority needs --server", advice=advice))
    if access.method == "eks" and not access.cluster:
        raise Refused(
            ProgressiveError("--auth eks needs --eks-cluster", advice="give the cluster's name or ARN")
        )


def _in_pod(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (ACCOUNT / "token").is_file()


def _account(environ: Mapping[str, str]) -> Found:
    """The pod's own cluster and service account; the kubelet replaces its token before it ends."""
    if not _in_pod(environ):
        raise Refused(
            ProgressiveError(
                "this is no pod with a service account",
                where=str(ACCOUNT),
                advice="leave --auth in-cluster out, or let the pod mount its token",
            )
        )
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    authority = ACCOUNT / "ca.crt"
    cluster = {"server": server, **({"certificate-authority": str(authority)} if authority.is_file() else {})}
    namespace = ACCOUNT / "namespace"
    name = namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else ""
    credential = TokenFile(ACCOUNT / "token", kind="the pod's service account", kept=True)
    choice = Choice("in-cluster", name, cluster, {}, ACCOUNT, str(ACCOUNT))
    return Found(choice, credential, in_cluster=True)


def _remote(access: Access, environ: Mapping[str, str], now: Now) -> Credential:
    match access.method:
        case "github-oidc":
            asking = GitHubToken(access.audience, environ, now)
            return Renewed(asking.ask, kind="GitHub's OIDC token", now=now)
        case "gitlab-oidc":
            return gitlab_token(access.variable, environ)
        case _:
            return eks.credential(access.cluster, "", environ, now)


def _authority(text: str) -> Entry:
    """As a kubeconfig has it: inline where the text is the certificate itself."""
    bare = text.strip()
    if not bare:
        return {}
    if "-----BEGIN" in bare:
        return {"certificate-authority-data": base64.b64encode(bare.encode()).decode()}
    try:
        inline = b"-----BEGIN" in base64.b64decode("".join(bare.split()), validate=True)
    except (binascii.Error, ValueError):
        inline = False
    return {"certificate-authority-data" if inline else "certificate-authority": bare}


def _of_user(choice: Choice, environ: Mapping[str, str], now: Now, tell: Tell) -> Found:
    """Take out of the user's entry what this tool does itself, in the order in which kubectl decides."""
    user: dict[str, Any] = dict(choice.user)
    plugin, file, token = (
        user.pop("exec", None),
        user.pop("tokenFile", None),
        str(user.pop("token", "") or ""),
    )
    rest = replace(choice, user=user)
    if file:
        return Found(rest, TokenFile(Path(file)))
    if plugin and not token:
        return Found(rest, _plugin(plugin, choice, environ, now, tell))
    ends = _certificate_end(user)
    if token:
        ends = min((each for each in (end_of_jwt(token), ends) if each), default=None)
        return Found(rest, Fixed("the token of the kubeconfig", Issued(token, ends_at=ends)))
    if user.get("client-certificate"):
        return Found(rest, Fixed("the client certificate of the kubeconfig", Issued(ends_at=ends)))
    return Found(rest, None)


def _certificate_end(user: Mapping[str, Any]) -> datetime | None:
    path = user.get("client-certificate")
    return (
        certificate.ends_at(Path(str(path)).read_text(encoding="utf-8", errors="replace")) if path else None
    )


def _plugin(
    plugin: Mapping[str, Any], choice: Choice, environ: Mapping[str, str], now: Now, tell: Tell
) -> Credential:
    command = plugin.get("command", "")
    here = eks.of_plugin(plugin, str(choice.cluster.get("server", "")), environ, now)
    if here is not None:
        tell(
            f"`{command}`, which the kubeconfig asks for a token, is not installed: the token is signed here"
        )
        return here
    asking = ExecPlugin(plugin, choice.cluster, choice.folder, choice.where, environ, now)
    return Renewed(asking.ask, kind=f"the credential plugin `{command}`", now=now)
