"""`python -m tests.fuzz --seconds N [TARGET]`: atheris on every target, each for its share of the time.

Atheris is no part of the development environment; `make fuzz` installs it (Linux, Python 3.11 to 3.13).
"""

import argparse
import subprocess
import sys

from tests.fuzz.targets import TARGETS, tried


def main() -> int:
    """Fuzz; the exit code is that of the first target that found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--alone", action="store_true", help="in this process, which ends with the target")
    parser.add_argument("targets", nargs="*", default=[], metavar="TARGET")
    given = parser.parse_args()
    chosen = given.targets or list(TARGETS)
    if given.alone:
        return _fuzz(chosen[0], given.seconds)
    share = max(1, given.seconds // len(chosen))
    for name in chosen:
        words = (sys.executable, "-m", "tests.fuzz", "--alone", "--seconds", str(share), name)
        done = subprocess.run(words, check=False)
        if done.returncode:
            return done.returncode
    return 0


def _fuzz(name: str, seconds: int) -> int:
    try:
        import atheris  # noqa: PLC0415 - only whoever fuzzes has it
    except ImportError:
        sys.stderr.write("python -m tests.fuzz needs atheris: pip install atheris==3.0.0\n")
        return 2
    target = TARGETS[name]
    atheris.instrument_all()
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=65536"]
    atheris.Setup([name, *limits], lambda content: tried(target, content))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
