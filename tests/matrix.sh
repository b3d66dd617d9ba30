#!/bin/sh
# Runs the connection's tests with each version of the `kubernetes` package at which its interface changed.
# Usage: tests/matrix.sh [VERSION...]; environments are kept in build/matrix.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 31.0.0 36.0.3 37.0.2
for version in "$@"; do
    environment="build/matrix/$version"
    if [ ! -e "$environment/ready" ]; then
        "${PYTHON:-python3}" -m venv --clear "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check \
            "kubernetes==$version" requests pyyaml tenacity promql-parser pytest
        touch "$environment/ready"
    fi
    echo "kubernetes $version"
    "$environment/bin/python" -m pytest -p no:cacheprovider \
        tests/unit/test_adapters_wire.py tests/unit/test_adapters_tls.py \
        tests/unit/test_adapters_kubeconfig.py tests/unit/test_adapters_login.py
done
