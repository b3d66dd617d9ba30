"""Standard output, from a thread of its own: a reader that is gone or asleep never holds a release up."""

import os
import queue
import threading


class Screen:
    """Lines in the order they came, and on a terminal one live line below them.

    Args:
        descriptor: file descriptor to write to.
        terminal: whether a person looks at it.
    """

    def __init__(self, descriptor: int, *, terminal: bool) -> None:
        self.terminal = terminal
        self._descriptor = descriptor
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._live = False
        self._thread = threading.Thread(target=self._write, name="screen", daemon=True)
        self._thread.start()

    def show(self, lines: tuple[str, ...]) -> None:
        """Print lines; a live line gives way to them."""
        if lines:
            self._put("".join(f"{line}\n" for line in lines), live=False)

    def live(self, line: str) -> None:
        """Replace the live line; only for terminals."""
        columns = os.get_terminal_size(self._descriptor).columns or 80
        self._put(line[: columns - 1], live=True)

    def close(self, patience: float = 5.0) -> None:
        """Wait until everything is printed, but not for ever."""
        if self._live:
            self._put("", live=False)
        self._waiting.put(None)
        self._thread.join(patience)

    def _put(self, text: str, *, live: bool) -> None:
        erase = "\r\x1b[K" if self._live else ""
        self._live = live
        self._waiting.put((erase + text).encode("utf-8", "backslashreplace"))

    def _write(self) -> None:
        """Write what comes until the end, or until nobody reads any more."""
        while (rest := self._waiting.get()) is not None:
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                return
