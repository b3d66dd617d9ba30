"""Signals of the first moments: held back by the kernel until somebody is there who answers them.

Imports take a third of a second. A signal in them would end the process without a word, or, as PID 1 of a
container, be lost for good: there the kernel drops what has no handler. A blocked signal is kept instead, and
comes when `RealClock.install` lets it. Costs nothing to import.
"""

import signal

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""What ends a run."""


def hold() -> None:
    """From now on they wait; call it before anything that takes long to import."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _numbers())


def let_go() -> None:
    """What has come meanwhile comes now, and the next ones at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers())


def _numbers() -> list[signal.Signals]:
    return [getattr(signal, name) for name in NAMES]
