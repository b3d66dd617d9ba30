"""The routers there are. A new one: a module, a row here, a sample for the contract suite, a docs row."""

from collections.abc import Mapping

from progressive_ci.model.route import Route
from progressive_ci.routers import gateway, istio, nginx, replica_ratio
from progressive_ci.routers.router import Router

_MODULES: tuple[Router, ...] = (gateway, istio, nginx, replica_ratio)

ROUTERS: Mapping[str, Router] = {module.NAME: module for module in _MODULES}


def router_of(route: Route) -> Router:
    """The module that speaks of this route's objects."""
    return ROUTERS[route.router]
