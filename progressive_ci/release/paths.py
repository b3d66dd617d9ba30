"""Where the fields of workloads and autoscalers stand that a release writes, as JSON pointers."""

from progressive_ci.model.write import pointer

REPLICAS = pointer("spec", "replicas")
PAUSED = pointer("spec", "paused")
TEMPLATE = pointer("spec", "template")
STRATEGY = pointer("spec", "strategy")
FLOOR = pointer("spec", "minReplicas")
