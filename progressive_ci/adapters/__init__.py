"""The hands: Kubernetes, HTTP, clock and signals, lease, journal."""
