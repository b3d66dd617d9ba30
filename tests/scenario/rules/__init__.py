"""The rules of DESIGN section 6, one module for each idea; `tests.scenario.oracle` asks them at every request."""

NAMESPACE, NAME = "shop", "web"
JOURNAL = "progressive-ci.web"
