"""When credentials end, how they are renewed, and by whose clock."""

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.adapters import certificate
from progressive_ci.adapters.credential import Issued, Renewed, TokenFile, end_of_jwt, until
from progressive_ci.adapters.server_time import ServerTime
from progressive_ci.errors import Unauthorized
from tests.unit.certificates import UNTIL_2027, VERSION_1
from tests.unit.tls import CERTIFICATE
from tests.unit.tokens import jwt

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pem", "ends"),
    [
        (UNTIL_2027, datetime(2027, 11, 23, 9, 20, 24, tzinfo=UTC)),
        (VERSION_1, datetime(2026, 12, 23, 9, 20, 24, tzinfo=UTC)),
        (CERTIFICATE, datetime(2126, 10, 30, 6, 6, 51, tzinfo=UTC)),
        ("Bag Attributes\n" + UNTIL_2027 + CERTIFICATE, datetime(2027, 11, 23, 9, 20, 24, tzinfo=UTC)),
        ("no certificate", None),
        (UNTIL_2027.replace("MIIBoTCC", "AAAAAAAA"), None),
    ],
    ids=["UTCTime", "version 1", "GeneralizedTime", "a chain behind words", "none", "damaged"],
)
def test_a_certificate_says_when_it_ends(pem: str, ends: datetime | None) -> None:
    assert certificate.ends_at(pem) == ends


@given(st.binary(max_size=60))
def test_bytes_that_are_no_certificate_have_no_end_and_break_nothing(content: bytes) -> None:
    body = base64.encodebytes(content).decode()
    assert certificate.ends_at(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n") is None


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", "a.e30.c", "a.bnVsbA.c", jwt(START).replace("head", "é")]
)
def test_a_token_that_is_no_jwt_or_has_no_end_is_no_error(token: str) -> None:
    assert end_of_jwt(token) in (None, START)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Plugin:
    """Issues tokens of ten minutes, until it is broken."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.asked, self.broken = clock, 0, False

    def ask(self) -> Issued:
        self.asked += 1
        if self.broken:
            raise Unauthorized("broken")
        now = self.clock.now()
        return until(Issued(f"token-{self.asked}"), now + timedelta(minutes=10), now)


def number(credential: Renewed) -> int:
    """Of the token that a request would carry."""
    return int(credential.current().token.rpartition("-")[2])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plugin(clock: Clock) -> Plugin:
    return Plugin(clock)


def test_a_credential_is_renewed_when_half_of_its_life_is_left(clock: Clock, plugin: Plugin) -> None:
    credential = Renewed(plugin.ask, kind="a plugin", now=clock.now)
    assert number(credential) == 1
    clock.passes(299)
    assert number(credential) == 1
    clock.passes(2)
    assert number(credential) == 2
    assert credential.ends() is None


def test_a_failure_to_renew_does_no_harm_for_a_while_and_then_counts_as_the_end(
    clock: Clock, plugin: Plugin
) -> None:
    credential = Renewed(plugin.ask, kind="a plugin", now=clock.now)
    first = credential.current()
    plugin.broken = True
    clock.passes(301)
    assert credential.current().token == first.token
    assert credential.ends() is None
    clock.passes(46)
    assert credential.current().token == first.token
    assert credential.ends() == first.ends_at
    clock.passes(300)
    with pytest.raises(Unauthorized):
        credential.current()


def test_a_credential_that_can_be_renewed_again_has_no_end(clock: Clock, plugin: Plugin) -> None:
    credential = Renewed(plugin.ask, kind="a plugin", now=clock.now)
    credential.current()
    plugin.broken = True
    clock.passes(301)
    credential.current()
    plugin.broken = False
    clock.passes(60)
    assert number(credential) == 3
    assert credential.ends() is None


def test_two_requests_that_were_refused_with_the_same_token_ask_for_one_new_one(
    clock: Clock, plugin: Plugin
) -> None:
    credential = Renewed(plugin.ask, kind="a plugin", now=clock.now)
    refused = credential.current()
    assert credential.renew(refused)
    assert number(credential) == 2
    assert credential.renew(refused)
    assert number(credential) == 2


def test_a_server_that_accepts_none_is_not_asked_with_one_after_the_other(
    clock: Clock, plugin: Plugin
) -> None:
    credential = Renewed(plugin.ask, kind="a plugin", now=clock.now)
    assert credential.renew(credential.current())
    for _ in range(14):
        assert not credential.renew(credential.current())
        clock.passes(1)
    assert plugin.asked == 2
    clock.passes(1)
    assert credential.renew(credential.current())


def test_a_token_file_is_tried_again_only_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(jwt(START))
    credential = TokenFile(file)
    refused = credential.current()
    assert credential.ends() == START
    assert not credential.renew(refused)
    file.write_text(jwt(START + timedelta(hours=1)))
    assert credential.renew(refused)
    assert credential.ends() == START + timedelta(hours=1)
    assert TokenFile(file, kept=True).ends() is None


@pytest.mark.parametrize("content", [None, "", "\n"], ids=["absent", "empty", "a line end"])
def test_a_token_file_without_a_token_is_an_error_and_no_anonymous_request(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Unauthorized):
        TokenFile(file).current()


@pytest.mark.parametrize("minutes", [-10, 0, 10], ids=["behind", "right", "ahead"])
def test_a_runners_clock_is_set_right_by_the_servers_answers(minutes: int) -> None:
    time = ServerTime(lambda: START + timedelta(minutes=minutes))
    assert time.now() == START + timedelta(minutes=minutes)
    time.heed({"DATE": format_datetime(START, usegmt=True)})
    assert time.now() == START
    time.heed({"Date": "yesterday"})
    time.heed({})
    time.heed({"Date": "Fri, 31 Dec 9999 23:59:59 GMT"})
    assert time.now() == START


def test_nothing_that_is_printed_of_a_credential_holds_it() -> None:
    assert "secret" not in repr(Issued("secret-token", "secret-certificate", "secret-key"))
