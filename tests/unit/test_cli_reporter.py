"""Where events go: the screen, the files, and what happens when one of them is gone."""

import fcntl
import json
import os
import pty
import struct
import termios
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from progressive_ci.cli.reporter import Paper, RunReporter
from progressive_ci.cli.screen import Screen
from progressive_ci.model.event import Began, Ended, Event, Noted, SecretSeen, Shifted, Waiting
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.weight import Weight
from progressive_ci.reports import github, plain

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DONE = Ended(Outcome(Result.PROMOTED, ""))


def printed(*events: Event, papers: tuple[Paper, ...] = ()) -> str:
    """What the screen got."""
    reading, writing = os.pipe()
    reporter = RunReporter(Screen(writing, terminal=False), plain, papers=papers, wall=lambda: NOON)
    for event in events:
        reporter.emit(event)
    reporter.close()
    os.close(writing)
    with os.fdopen(reading) as stream:
        return stream.read()


def weights(path: Path, *, grows: bool = False) -> Paper:
    return Paper(str(path), lambda story, _: f"{story.weight}\n", grows=grows)


def test_a_secret_is_masked_on_screen_and_in_files_from_then_on(tmp_path: Path) -> None:
    paper = Paper(str(tmp_path / "p"), lambda story, _: str(story), occasions=(Began,))
    text = printed(
        Began("x"), SecretSeen("hunter22"), Noted("token hunter22"), Began("hunter22"), papers=(paper,)
    )
    assert "hunter22" not in text + (tmp_path / "p").read_text()
    assert "token ***" in text


def test_a_secret_is_masked_before_escapes_can_hide_it(capfd: pytest.CaptureFixture[str]) -> None:
    reporter = RunReporter(Screen(1, terminal=False), github, wall=lambda: NOON)
    reporter.emit(SecretSeen("100%safe"))
    reporter.emit(Ended(Outcome(Result.UNREADY, "login 100%safe was refused")))
    reporter.close()
    told = [line for line in capfd.readouterr().out.splitlines() if not line.startswith("::add-mask::")]
    assert not any("safe" in line for line in told if "fix what" not in line)


def test_a_file_is_rewritten_at_each_milestone_or_grows(tmp_path: Path) -> None:
    papers = (weights(tmp_path / "now"), weights(tmp_path / "all", grows=True))
    printed(Began("x"), Shifted(Weight(0), Weight(5)), Noted("y"), DONE, papers=papers)
    assert (tmp_path / "now").read_text() == "0 %\n"
    assert (tmp_path / "all").read_text() == "0 %\n5 %\n0 %\n"


def test_a_full_disk_is_told_once_and_changes_nothing_else() -> None:
    text = printed(Began("x"), Began("y"), DONE, papers=(weights(Path("/dev/full")),))
    assert (
        text.count("/dev/full cannot be written (No space left on device); the run goes on without it") == 1
    )
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "paper",
    [
        Paper("/dev/full", lambda *_: "x", occasions=(Ended,)),
        Paper("f", lambda *_: str(1 // 0), occasions=(Ended,)),
    ],
    ids=["a full disk", "a fault of ours"],
)
def test_a_file_that_fails_at_the_end_is_told_above_the_last_line(paper: Paper) -> None:
    *above, last = printed(DONE, papers=(paper,)).splitlines()
    assert json.loads(last)["result"] == "promoted"
    assert any("could not be reported" in line or "cannot be written" in line for line in above)


def test_what_a_thread_tells_after_the_end_does_not_stand_below_the_last_line() -> None:
    assert printed(DONE, Noted("late"), SecretSeen("hunter22")).splitlines()[-1].startswith("{")


def test_a_paper_that_breaks_the_formatter_is_told_and_never_raised() -> None:
    def broken(*_: object) -> str:
        raise KeyError("x")

    assert "an event could not be reported: KeyError" in printed(Began("x"), papers=(Paper("f", broken),))


def test_a_reader_that_has_gone_away_does_not_end_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    reporter = RunReporter(Screen(writing, terminal=False), plain, wall=lambda: NOON)
    for _ in range(3):
        reporter.emit(Noted("anybody?"))
    reporter.close()
    os.close(writing)


def test_a_reader_that_sleeps_does_not_hold_the_run_up() -> None:
    reading, writing = os.pipe()
    screen = Screen(writing, terminal=False)
    reporter = RunReporter(screen, plain, wall=lambda: NOON)
    for _ in range(200):
        reporter.emit(Noted("x" * 1000))
    screen.close(patience=0.01)
    os.set_blocking(reading, False)
    while True:
        try:
            if not os.read(reading, 65536):
                break
        except BlockingIOError:
            break
    os.close(reading)


def test_events_of_many_threads_come_out_as_whole_lines() -> None:
    reading, writing = os.pipe()
    reporter = RunReporter(Screen(writing, terminal=False), plain, wall=lambda: NOON)
    threads = [
        threading.Thread(target=lambda: deque(map(reporter.emit, [Noted("abc")] * 50))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reporter.close()
    os.close(writing)
    with os.fdopen(reading) as stream:
        assert stream.read().splitlines() == ["12:00:00  abc"] * 200


def _everything(main: int) -> str:
    """What stands on a terminal that is closed; it comes in pieces."""
    found = b""
    with suppress(OSError):
        while piece := os.read(main, 65536):
            found += piece
    return found.decode()


def test_a_terminal_gets_one_live_line_that_gives_way_to_the_log() -> None:
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    reporter = RunReporter(Screen(terminal, terminal=True), plain, wall=lambda: NOON)
    reporter.emit(Began("pause"))
    for elapsed in (1.0, 2.0):
        reporter.emit(Waiting("pause 10m", elapsed, 600, Weight(5)))
    reporter.emit(Noted("over"))
    reporter.close()
    os.close(terminal)
    text = _everything(main).replace("\r\n", "\n")
    os.close(main)
    assert text == (
        "\n12:00:00  == pause\n"
        "12:00:00  pause 10m: 1 s of 10 min, 5 % on the new version"
        "\r\x1b[K12:00:00  pause 10m: 2 s of 10 min, 5 % on the new version"
        "\r\x1b[K12:00:00  over\n"
    )
