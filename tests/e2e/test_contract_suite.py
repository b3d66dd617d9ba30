"""The API simulator and the real API server pass the same contract suite."""

import os
import subprocess
import sys

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.given import ROOT

pytest_plugins = ["tests.e2e.cluster.fixtures"]


def test_the_real_api_server_passes_the_contract_suite_of_the_simulator(cluster: Cluster) -> None:
    environment = {**os.environ, "PROGRESSIVE_CI_CONTRACT_KUBECONFIG": str(cluster.kubeconfig())}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "-k", "real"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20000:]
