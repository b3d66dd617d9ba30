"""Canary releases on Kubernetes from one pipeline step."""

__version__ = "0.1.0"
