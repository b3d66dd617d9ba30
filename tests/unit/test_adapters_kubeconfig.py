import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import connect
from progressive_ci.adapters.kubeconfig import candidates, choose
from progressive_ci.adapters.login import Access
from progressive_ci.errors import Refused

GOOD = """
current-context: a
contexts:
- {name: a, context: {cluster: c, user: u, namespace: shop}}
- {name: b, context: {cluster: d}}
clusters:
- {name: c, cluster: {server: https://c.example}}
- {name: d, cluster: {server: https://d.example}}
users:
- {name: u, user: {token: secret}}
"""


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


def written(folder: Path, text: str, name: str = "config") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("option", "environ", "places"),
    [
        ("/own", {"KUBECONFIG": "/one", "HOME": "/root"}, ("/own",)),
        ("", {"KUBECONFIG": "/one:/two:", "HOME": "/root"}, ("/one", "/two")),
        ("", {"KUBECONFIG": "", "HOME": "/root"}, ("/root/.kube/config",)),
        ("", {}, ()),
    ],
    ids=["the option wins", "then KUBECONFIG", "then the home folder", "nothing is set"],
)
def test_places_are_looked_at_in_the_order_of_kubectl(
    option: str, environ: Mapping[str, str], places: tuple[str, ...]
) -> None:
    assert candidates(option, environ) == places


def test_the_current_context_is_chosen_and_an_option_beats_it(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    current, other = choose((path,), "", {}), choose((path,), "b", {})
    assert (current.context, current.namespace, current.user) == ("a", "shop", {"token": "secret"})
    assert (other.cluster["server"], other.user) == ("https://d.example", {})


def test_the_first_file_wins_and_the_others_add(tmp_path: Path) -> None:
    first = written(tmp_path, "clusters: [{name: c, cluster: {server: https://first.example}}]", "first")
    second = written(tmp_path, GOOD, "second")
    chosen = choose((first, str(tmp_path / "absent"), second), "", {})
    assert (chosen.cluster["server"], chosen.context) == ("https://first.example", "a")


def test_a_relative_path_is_relative_to_its_file(tmp_path: Path) -> None:
    written(tmp_path, "token", "token-file")
    path = written(tmp_path, GOOD.replace("{token: secret}", "{tokenFile: token-file}"))
    assert choose((path,), "", {}).user == {"tokenFile": str(tmp_path / "token-file")}


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        (
            " \n",
            "",
            ("kubeconfig FILE: it is empty; the secret that it is written from is probably not set: "
            "pull requests from forks get none"),
        ),
        (
            base64.b64encode(GOOD.encode()).decode(),
            "",
            "kubeconfig FILE: it is no kubeconfig; decode it first: `base64 -d`",
        ),
        ("a: b: c", "", "kubeconfig FILE:1: it is no valid YAML; write it again"),
        ("clusters: []", "", "kubeconfig FILE: there is no current context; choose one with --context: none"),
        (GOOD, "prod", "kubeconfig FILE: there is no context `prod`; its contexts are: a, b"),
        (
            GOOD.replace("name: u,", "name: v,"),
            "",
            "kubeconfig FILE: there is no user `u`; add it, or correct the context's user",
        ),
        (
            GOOD.replace("server: https://c", "nothing: https://c"),
            "",
            "kubeconfig FILE: cluster `c` has no server; write its address there",
        ),
        (
            GOOD.replace("token: secret", "client-certificate: /home/me/cert.pem"),
            "",
            ("kubeconfig FILE: `client-certificate` names /home/me/cert.pem, which doesn't exist here; "
            "write the content inline: `kubectl config view --raw --flatten`"),
        ),
        (
            GOOD.replace("token: secret", "client-key-data: '***'"),
            "",
            "kubeconfig FILE: `client-key-data` is no base64; write it again",
        ),
    ],
    ids=[
        "empty", "base64", "no YAML", "no current context", "unknown context", "unknown user", "no server",
        "a file of another machine", "masked by a log",
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_a_remedy(tmp_path: Path, text: str, context: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(Refused) as caught:
        choose((path,), context, {})
    assert str(caught.value) == message.replace("FILE", path)


REMEDY = "set KUBECONFIG, or give --kubeconfig FILE"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"HOME": "/nowhere"},
            f"no kubeconfig found (looked at /nowhere/.kube/config); {REMEDY}",
        ),
        (
            {},
            f"no kubeconfig found (neither KUBECONFIG nor HOME is set); {REMEDY}",
        ),
        (
            {"HOME": "/github/home", "GITHUB_ACTIONS": "true", "KUBECONFIG": "/home/runner/.kube/config"},
            ("no kubeconfig found (looked at /home/runner/.kube/config); "
            "a container action has /github/home as its HOME and doesn't see the runner user's files: "
            "write the kubeconfig below $RUNNER_TEMP or the workspace, and set KUBECONFIG to that one path"),
        ),
    ],
    ids=["a fresh machine", "no environment", "a container action"],
)  # fmt: skip
def test_no_kubeconfig_names_the_places_and_the_usual_cause(
    clock: RealClock, environ: Mapping[str, str], message: str
) -> None:
    with pytest.raises(Refused) as caught:
        connect(clock, environ=environ)
    assert str(caught.value) == message


def test_a_token_that_says_its_end_is_understood(clock: RealClock, tmp_path: Path) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 1800000000}').decode().rstrip("=")
    path = written(tmp_path, GOOD.replace("secret", f"head.{claims}.signature"))
    expires = connect(clock, Access(kubeconfig=path), environ={}).look().ends
    assert expires is not None
    assert expires.timestamp() == 1800000000


def test_a_token_that_is_no_jwt_has_no_known_end(clock: RealClock, tmp_path: Path) -> None:
    assert connect(clock, Access(kubeconfig=written(tmp_path, GOOD)), environ={}).look().ends is None
