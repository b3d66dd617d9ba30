"""Measure everything; JSON on stdout, a table on stderr."""

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module, metadata

from tests.bench import api_requests, served, start_up
from tests.bench.figures import table
from tests.bench.process import ROOT

ATTACH = "PROGRESSIVE_CI_E2E_ATTACH"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as cache:
        figures: dict[str, object] = {
            "commit": _commit(),
            "python": sys.version.split()[0],
            "kubernetes": metadata.version("kubernetes"),
            "start_up": start_up.measure(cache),
            "api_requests": api_requests.measure(),
            "pause": api_requests.measure_pause(),
            **served.measure(cache),
        }
    if os.environ.get(ATTACH):
        # It needs the programs of a cluster, which few machines have.
        figures["last_bad_answer"] = import_module("tests.bench.real_cluster").measure()
    sys.stderr.write(f"{table(figures)}\n")
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


if __name__ == "__main__":
    main()
