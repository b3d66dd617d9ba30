"""A simulated cluster and Prometheus behind the adapters own seam."""
