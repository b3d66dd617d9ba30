"""A real Kubernetes cluster on one machine, without containers, for the end-to-end tests."""
