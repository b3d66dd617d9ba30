"""The rules of docs/reliability.md, one module for each idea; `tests.scenario.oracle` asks them at every request."""

NAMESPACE, NAME = "shop", "web"
JOURNAL = "progressive-ci.web"
