"""Somebody else changes the weights of the route: they are set again once; the second time the release gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from progressive_ci.model.kinds import Ref
from progressive_ci.model.weight import Weight
from progressive_ci.release import traffic
from progressive_ci.release.drift import assert_once, last_writer

if TYPE_CHECKING:
    from progressive_ci.release.release import Release

WEIGHT = "weight"
"""The split, in the list of what was written again."""

_SPLITS = ("f:rules", "f:http", "f:nginx.ingress.kubernetes.io/canary-weight")
"""Where the weights stand, as the API server names who wrote them."""


def note_changed_split(release: Release, wanted: Weight, carried: Weight) -> None:
    """Somebody has changed the weights: they are set again, once."""
    ref, who = _changed(release)
    field = f"the weights (from {wanted} to {carried})"
    assert_once(release, WEIGHT, field=field, ref=ref, who=who)


def _changed(release: Release) -> tuple[Ref, str]:
    """Which route object somebody else has written last, and who."""
    refs = traffic.router(release).objects(traffic.route_of(release))
    for ref in refs:
        for field in _SPLITS:
            who = last_writer(release.seen.get(ref) or {}, field)
            if who not in ("somebody", "progressive-ci"):
                return ref, who
    return refs[-1], "somebody"
