"""The script that the project's own workflow runs on a kind cluster, on this cluster."""

import os
import signal
import sys
from contextlib import suppress

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.given import ROOT

pytest_plugins = ["tests.e2e.cluster.fixtures"]


def test_the_action_releases_rolls_back_and_cleans_up_after_a_killed_run(
    cluster: Cluster, namespace: str
) -> None:
    names = {"KUBECONFIG": str(cluster.kubeconfig()), "PYTHON": sys.executable, "NAMESPACE": namespace}
    running = cluster.run_in_runner(
        ["bash", str(ROOT / "tests/e2e/action.sh")], env={**os.environ, **names}, start_new_session=True
    )
    try:
        out, errors = running.communicate(timeout=900)
    finally:
        with suppress(ProcessLookupError):  # it has ended, with all that it started
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, out + errors
