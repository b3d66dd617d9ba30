"""A credential plugin's complaint is quoted, and no secret with it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from progressive_ci.adapters.clock import RealClock
from progressive_ci.adapters.connection import connect
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.plugin_words import told
from progressive_ci.errors import Refused
from tests.unit.test_adapters_wire import kubeconfig, plugin

CANARY = "canary-plugin-4T/x+9"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
OPAQUE = "c4naryQ2hvVGhpc0lzTm90QVJlYWxUb2tlbg"


@pytest.fixture
def clock() -> Iterator[RealClock]:
    real = RealClock()
    yield real
    real.close()


@pytest.mark.parametrize(
    "written",
    [CANARY, base64.b64encode(CANARY.encode()).decode(), "canary-plugin-4T%2Fx%2B9"],
    ids=["as it is", "in base64", "in a URL"],
)
@pytest.mark.parametrize(
    "place", ["the job's environment", "the kubeconfig's env", "an argument", "a joined one"]
)
def test_a_failing_plugin_shows_no_secret_that_it_was_given(
    clock: RealClock, tmp_path: Path, place: str, written: str
) -> None:
    user = plugin(
        tmp_path, f"echo 'login of build-7 with {written} was refused: AADSTS50126: bad' >&2; exit 1"
    )
    environ = {"PATH": "/usr/bin:/bin"}
    match place:
        case "the job's environment":
            environ["AZURE_CLIENT_SECRET"] = CANARY
        case "the kubeconfig's env":
            user["exec"]["env"] = [{"name": "OIDC_TOKEN", "value": CANARY}]
        case "an argument":
            user["exec"]["args"] = ["get-token", "--client-secret", CANARY]
        case _:
            user["exec"]["args"] = ["get-token", f"--oidc-client-secret={CANARY}"]
    with pytest.raises(Refused) as caught:
        connect(clock, Access(kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:1", user)), environ=environ)
    assert "it said: login of build-7 with *** was refused: AADSTS50126: bad; run it by hand" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "text",
    [
        f"the answer was {JWT}",
        f"Authorization: Bearer {OPAQUE}",
        "sent Authorization: Basic bWU6Y2FuYXJ5MQ==",
        "GET https://me:canary-pass@idp.example/token",
        "POST https://idp.example/token?client_secret=canary&scope=all",
        json.dumps({"access_token": "canary words", "expires_in": 5}),
        "password: canary7Q",
        f"got {OPAQUE} and could not parse it",
        "ghs_canary00112233 is refused",
        "k8s-aws-v1.aHR0cHM6Ly9jYW5hcnk",
        "-----BEGIN EC PRIVATE KEY-----\ncanary\nlines\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncanary, cut off",
        "caba11ed" * 8,
    ],
)
def test_what_looks_like_a_secret_is_not_quoted(text: str) -> None:
    shown = told(text.encode(), {}, {})
    assert "***" in shown
    for secret in ("canary", JWT, OPAQUE, "bWU6", "aHR0", "caba11ed"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "error getting token: unauthorized",
        "could not find profile prod in /home/runner/.aws/config",
        "dial tcp: lookup 8F1B2C3D4E5F60718293A4B5C6D7E8F9.gr7.eu-west-1.eks.amazonaws.com: no such host",
        "(ExpiredToken) when calling the AssumeRole operation: id 3f2b8c1e-77aa-4d0e-9c1b-5b0f6d6c2f11",
        "open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: no such file",
        "arn:aws:iam::111122223333:role/deploy is not authorized",
    ],
)
def test_what_helps_to_see_the_fault_is_quoted(text: str) -> None:
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}
    assert told(text.encode(), {}, environ) == text


def test_a_secret_that_the_quotation_would_cut_is_masked_before() -> None:
    long = ("x" * 590 + "\n").encode()
    assert "nary-plugin" not in told(f"{CANARY}\n".encode() + long, {}, {"THE_TOKEN": CANARY})
