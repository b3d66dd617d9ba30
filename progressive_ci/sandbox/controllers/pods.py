"""The scheduler and the kubelets: pods are bound, started, made ready or not, and ended with grace."""

from collections.abc import Callable

from progressive_ci.model.document import JsonObject
from progressive_ci.model.kinds import POD
from progressive_ci.sandbox import behaviour
from progressive_ci.sandbox.behaviour import Behaviour, Fate
from progressive_ci.sandbox.controllers.queue import Queue
from progressive_ci.sandbox.events import record
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.resources import NODE
from progressive_ci.sandbox.store import Change, Store

BIND = 0.01
PULL = 0.1
SHUTDOWN = 0.5
CRASH_AFTER = 0.5
FLAP = 2.0
BACK_OFF = 10.0
LONGEST_BACK_OFF = 300.0

Then = Callable[[JsonObject], None]


class Pods:
    """Plays every node of the cluster.

    Attributes:
        shutdown: seconds from the end's announcement to the end of a pod's process; it serves meanwhile.
        behaves: what becomes of a pod that starts; its image says so unless a test knows better.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.shutdown = SHUTDOWN
        self.behaves: Callable[[JsonObject], Behaviour] = behaviour.of_pod
        self._scheduler = Queue(store.timers, self._bind, BIND)
        self._leaving: set[str] = set()
        store.subscribe(self._changed, POD)
        store.subscribe(lambda _: self._retry(), NODE)

    def _changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if change.type == "DELETED":
            self._leaving.discard(metadata["uid"])
            self._retry()
        elif metadata.get("deletionTimestamp"):
            self._announce_end(change.object)
        elif not change.object["spec"].get("nodeName"):
            if change.type == "ADDED":
                self._scheduler.add(metadata["namespace"], metadata["name"])
        elif change.before is None or not change.before["spec"].get("nodeName"):
            self._after(PULL, change.object, self._start)

    def _retry(self) -> None:
        """Room may have come up: look at the pods that wait for it."""
        for pod in self._store.all(POD):
            if not pod["spec"].get("nodeName"):
                self._scheduler.add(pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _bind(self, namespace: str, name: str) -> None:
        pod = self._store.get(POD, namespace, name)
        if pod is None or pod["spec"].get("nodeName"):
            return
        node = self._free_node()
        bound = clone(pod)
        if node is None:
            count = len(self._store.all(NODE))
            text = f"0/{count} nodes are available: {count} Too many pods."
            _condition(bound, "PodScheduled", "False", self._store, reason="Unschedulable", message=text)
            if bound != pod:
                record(self._store, POD, bound, ("Warning", "FailedScheduling", text))
        else:
            bound["spec"]["nodeName"] = node["metadata"]["name"]
            _condition(bound, "PodScheduled", "True", self._store)
        if bound != pod:
            self._store.write(POD, bound)

    def _free_node(self) -> JsonObject | None:
        used: dict[str, int] = {}
        for pod in self._store.all(POD):
            name = pod["spec"].get("nodeName", "")
            used[name] = used.get(name, 0) + 1
        nodes = [node for node in self._store.all(NODE) if not node.get("spec", {}).get("unschedulable")]
        rooms = [
            (int(node["status"]["capacity"]["pods"]) - used.get(node["metadata"]["name"], 0), node)
            for node in nodes
        ]
        best = max(rooms, key=lambda room: room[0], default=None)
        return best[1] if best and best[0] > 0 else None

    def _start(self, pod: JsonObject) -> None:
        pod["status"].update(
            podIP=self._store.next_address("10.244"), startTime=self._store.timestamp(), qosClass="BestEffort"
        )
        pod["status"]["podIPs"] = [{"ip": pod["status"]["podIP"]}]
        version = self.behaves(pod)
        _condition(pod, "Initialized", "True", self._store)
        if version.fate is Fate.MISSING:
            self._wait_for_image(pod, "ErrImagePull")
            self._after(1.0, pod, lambda again: self._wait_for_image(again, "ImagePullBackOff"))
            return
        self._run(pod)
        if version.fate in (Fate.CRASHES, Fate.KILLED):
            self._after(CRASH_AFTER, pod, lambda again: self._crash(again, BACK_OFF))
        elif version.fate is Fate.SERVES:
            self._after(version.start, pod, self._become_ready)
        elif version.fate is Fate.FLAPS:
            self._after(version.start, pod, self._flap)

    def _wait_for_image(self, pod: JsonObject, reason: str) -> None:
        image = pod["spec"]["containers"][0]["image"]
        text = (
            f'Back-off pulling image "{image}"'
            if reason == "ImagePullBackOff"
            else f'failed to pull and unpack image "{image}": not found'
        )
        state = {"waiting": {"reason": reason, "message": text}}
        self._show(pod, state, phase="Pending", ready=False)
        record(self._store, POD, pod, ("Warning", "Failed", text))

    def _run(self, pod: JsonObject) -> None:
        self._show(pod, {"running": {"startedAt": self._store.timestamp()}}, phase="Running", ready=False)

    def _become_ready(self, pod: JsonObject) -> None:
        state = pod["status"]["containerStatuses"][0]["state"]
        self._show(pod, state, phase="Running", ready=True)

    def _flap(self, pod: JsonObject) -> None:
        """Ready and not, in turn."""
        status = pod["status"]["containerStatuses"][0]
        self._show(pod, status["state"], phase="Running", ready=not status["ready"])
        self._after(FLAP, pod, self._flap)

    def _crash(self, pod: JsonObject, delay: float) -> None:
        code, why = (137, "OOMKilled") if self.behaves(pod).fate is Fate.KILLED else (1, "Error")
        ended = {"exitCode": code, "reason": why, "finishedAt": self._store.timestamp()}
        for each in pod["status"]["containerStatuses"]:
            each["lastState"] = {"terminated": ended}
            each["restartCount"] += 1
        name = pod["spec"]["containers"][0]["name"]
        text = f"back-off {int(delay)}s restarting failed container={name} pod={pod['metadata']['name']}"
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        self._show(pod, waiting, phase="Running", ready=False)
        record(self._store, POD, pod, ("Warning", "BackOff", text))
        self._after(delay, pod, lambda again: self._restart(again, min(2 * delay, LONGEST_BACK_OFF)))

    def _restart(self, pod: JsonObject, delay: float) -> None:
        self._run(pod)
        self._after(CRASH_AFTER, pod, lambda again: self._crash(again, delay))

    def _show(self, pod: JsonObject, state: JsonObject, *, phase: str, ready: bool) -> None:
        status = pod["status"]
        status["phase"] = phase
        known = {each["name"]: each for each in status.get("containerStatuses") or ()}
        status["containerStatuses"] = [
            {
                "restartCount": 0,
                "lastState": {},
                **known.get(container["name"], {}),
                "name": container["name"],
                "image": container["image"],
                "imageID": container["image"] if phase == "Running" else "",
                "ready": ready,
                "started": "running" in state,
                "state": state,
            }
            for container in pod["spec"]["containers"]
        ]
        word, reason = ("True", "") if ready else ("False", "ContainersNotReady")
        _condition(pod, "ContainersReady", word, self._store, reason=reason)
        _condition(pod, "Ready", word, self._store, reason=reason)
        self._store.write(POD, pod)

    def _announce_end(self, pod: JsonObject) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._leaving:
            return
        self._leaving.add(uid)
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        self._after(min(self.shutdown, grace), pod, self._end, leaving=True)

    def _end(self, pod: JsonObject) -> None:
        if pod["metadata"].get("finalizers"):
            pod["metadata"]["deletionGracePeriodSeconds"] = 0
            self._store.write(POD, pod)
        else:
            self._store.drop(POD, pod)

    def _after(
        self, seconds: float, pod: JsonObject, then: Callable[[JsonObject], None], *, leaving: bool = False
    ) -> None:
        """Go on with the same pod later, unless it has gone or is going."""
        uid = pod["metadata"]["uid"]

        def resume() -> None:
            found = self._store.by_uid(uid)
            if found and (leaving or not found[1]["metadata"].get("deletionTimestamp")):
                then(clone(found[1]))

        self._store.timers.at(self._store.timers.now() + seconds, resume)


def _condition(
    pod: JsonObject, type_: str, word: str, store: Store, *, reason: str = "", message: str = ""
) -> None:
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    fresh = {"type": type_, "status": word, "lastProbeTime": None, "lastTransitionTime": store.timestamp()}
    if reason:
        fresh["reason"] = reason
    if message:
        fresh["message"] = message
    for at, known in enumerate(conditions):
        if known["type"] == type_:
            if known["status"] == word:
                fresh["lastTransitionTime"] = known["lastTransitionTime"]
            conditions[at] = fresh
            return
    conditions.append(fresh)
