"""What the containers of simulated pods have printed."""

from progressive_ci.model.document import JsonObject
from progressive_ci.sandbox import behaviour, status
from progressive_ci.sandbox.behaviour import Fate
from progressive_ci.sandbox.call import Answer, Call, Target
from progressive_ci.sandbox.reads import demanded
from progressive_ci.sandbox.store import Store


def read(store: Store, call: Call, place: Target) -> Answer:
    """GET of a pod's log; the newest lines when `tailLines` limits them."""
    pod = demanded(store, place)
    names = [container["name"] for container in pod["spec"]["containers"]]
    wanted = call.query.get("container") or names[0]
    if wanted not in names:
        raise status.bad_request(f"container {wanted} is not valid for pod {place.name}")
    if not call.query.get("container") and len(names) > 1:
        raise status.bad_request(
            f"a container name must be specified for pod {place.name}, choose one of: [{' '.join(names)}]"
        )
    _demand_start(pod, wanted)
    lines = _lines(pod)
    limit = int(call.query.get("tailLines") or len(lines))
    text = "".join(f"{line}\n" for line in lines[len(lines) - min(limit, len(lines)) :])
    return Answer(200, text, content_type="text/plain")


def _demand_start(pod: JsonObject, container: str) -> None:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    waiting = [each["state"].get("waiting") for each in states if each["name"] == container]
    reason = (waiting[0] or {}).get("reason") if waiting else "ContainerCreating"
    why = {
        "ContainerCreating": "ContainerCreating",
        "ErrImagePull": "trying and failing to pull image",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason or "")
    if why:
        raise status.bad_request(
            f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: {why}'
        )


def _lines(pod: JsonObject) -> list[str]:
    version = behaviour.of_pod(pod)
    if version.fate is Fate.CRASHES:
        return [
            f"starting version {version.version}",
            "reading configuration from /etc/app/config.yaml",
            "fatal: cannot connect to database: connection refused",
        ]
    return [f"starting version {version.version}", "listening on :8080"]
