#!/usr/bin/env bash
# The action on any cluster, as GitHub's runner starts it: inputs and command files by environment, then the post step.
# A first release, a good one, one whose image does not exist, and one that is killed and then rolled back by its post
# step. Needs KUBECONFIG, with the rights of an administrator, and a Python that has the requirements.
#
#   PYTHON     interpreter; python3 unless given
#   NAMESPACE  an existing namespace; default unless given
#   IMAGE      repository of an image that has the tags FIRST, SECOND and THIRD and answers /healthz on port 8080
set -euo pipefail

: "${KUBECONFIG:?names no file}"
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
namespace=${NAMESPACE:-default}
image=${IMAGE:-registry.k8s.io/e2e-test-images/agnhost}
first=${FIRST:-2.52} second=${SECOND:-2.53} third=${THIRD:-2.54}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$root/entrypoint.py" "$work/progressive-ci-post"
cat >"$work/rollout.yaml" <<ROLLOUT
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: action-$$
spec:
  replicas: 2
  progressDeadlineSeconds: 120
  selector:
    matchLabels: {app: action-$$}
  template:
    metadata:
      labels: {app: action-$$}
    spec:
      containers:
        - name: app
          image: $image:$first
          args: [netexec, --http-port=8080]
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
  strategy:
    canary:
      steps:
        - setWeight: 50
        - pause: {duration: 5s}
ROLLOUT

# start TAG: what the runner does for the step itself; its log is in $work/log.
start() {
  rm -f "$work"/{output,state,summary,log}
  touch "$work"/{output,state,summary}
  env GITHUB_ACTIONS=true GITHUB_WORKSPACE="$work" GITHUB_OUTPUT="$work/output" GITHUB_STATE="$work/state" \
    GITHUB_STEP_SUMMARY="$work/summary" PYTHONPATH="$root" \
    INPUT_FILE="$work/rollout.yaml" INPUT_NAMESPACE="$namespace" INPUT_IMAGE="$image:$1" INPUT_SETTLE=1s \
    "$python" "$root/entrypoint.py" >"$work/log" 2>&1
}

# post: what the runner does when the job is over; it knows what the step has left in its state file.
post() {
  "$python" - "$work/state" >"$work/known" <<'READ'
import pathlib, re, shlex, sys
text = pathlib.Path(sys.argv[1]).read_text()
for name, value in re.findall(r"^(\S+)<<(?:\S+)\n(.*)\n", text, re.M):
    print(f"export STATE_{name}={shlex.quote(value)}")
READ
  (
    # shellcheck disable=SC1091
    source "$work/known"
    env GITHUB_ACTIONS=true PYTHONPATH="$root" "$python" "$work/progressive-ci-post"
  )
}

# expect TAG CODE RESULT: one release, judged by its exit code and its output, and a post step with nothing to do.
expect() {
  local code=0
  start "$1" || code=$?
  if [ "$code" != "$2" ] || ! grep -qx "$3" "$work/output"; then
    cat "$work/log"
    echo "action.sh: the release of $1 exited $code, expected $2 and $3" >&2
    exit 1
  fi
  [ -s "$work/summary" ] || { echo "action.sh: no step summary" >&2; exit 1; }
  post >/dev/null
  echo "action.sh: the release of $1 ended $3, exit $code"
}

expect "$first" 0 promoted
expect "$second" 0 promoted
expect 0.0.0-missing 11 rolled-back-unready

# However late it is killed, it is still at half of the traffic.
sed -i 's/duration: 5s/duration: 10m/' "$work/rollout.yaml"
start "$third" &
killed=$!
for _ in $(seq 3000); do
  grep -q '0 % -> 50 %' "$work/log" 2>/dev/null && break
  kill -0 "$killed" 2>/dev/null || break
  sleep 0.1
done
pkill -KILL -P "$killed" || { cat "$work/log"; exit 1; }
wait "$killed" || true
post >"$work/log" || { cat "$work/log"; exit 1; }
grep -q recovered "$work/log" || { cat "$work/log"; exit 1; }
expect "$second" 0 unchanged
echo "action.sh: the post step has rolled the killed release back"
