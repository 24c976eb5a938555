"""What only a real API server can say: that it accepts the chart, and that the policy on runs' pods bites."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from scripts.deploy import CommandError, kubectl, kubectl_json

from tests.chart.admission_cases import ALLOWED, FULL_PROFILE, REFUSED, VALUES, changed, operators_pod
from tests.chart.rendering import CHART, ROOT, ChartRefusedError, Helm, JsonDict

POLICED = "chart-policed"
INSTALLED = "chart-installed"
KUBECONFIG = ROOT / ".dev" / "kubeconfig"
# The pods need not start: the image does not exist, and nobody waits.
NO_IMAGE = "image.repository=localhost/none,image.pullPolicy=Never,storage.size=1Mi"


@pytest.fixture(scope="module")
def cluster() -> None:
    """The development cluster, with today's definitions."""
    if not KUBECONFIG.exists():
        pytest.fail("there is no .dev/kubeconfig: run `make cluster`")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", CHART / "crds")


def apply(*objects: JsonDict) -> None:
    kubectl("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, objects)).encode())


def make_namespace(name: str, **labels: str) -> None:
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait")
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def create_pod(pod: JsonDict, user: str = "") -> None:
    """Ask the API server, as `user`, for a pod without making one."""
    flags = ["--as", user] if user else []
    kubectl("create", "--dry-run=server", "--validate=false", *flags, "-f", "-", stdin=json.dumps(pod).encode())


@pytest.fixture(scope="module")
def operator(cluster: None, helm: Helm) -> Iterator[str]:
    """The operator's user, in a namespace with its rights and the policy but no Pod Security: the policy answers."""
    make_namespace(POLICED)
    wanted = ("ServiceAccount", "Role", "RoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    objects = [item for item in helm.template(VALUES, namespace=POLICED) if item["kind"] in wanted]
    user = f"system:serviceaccount:{POLICED}:autopack-operator"
    try:
        apply(*objects)
        until_refused(changed(operators_pod(POLICED), ("spec", "hostPID"), True), user)
        yield user
    finally:
        for kind in wanted[3:]:
            for what in ("pods", "approvals"):
                kubectl("delete", kind, f"autopack.{POLICED}.{what}.autopack.dev", "--ignore-not-found")
        kubectl("delete", "namespace", POLICED, "--wait=false")


def until_refused(pod: JsonDict, user: str, seconds: float = 90) -> None:
    """A new policy takes a moment to be in force."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            create_pod(pod, user)
        except CommandError:
            return
        time.sleep(0.3)
    pytest.fail(f"the policy was not in force after {seconds} s")


@pytest.mark.parametrize("what", ["pods", "approvals"])
def test_the_policys_expressions_have_no_warning(operator: str, what: str) -> None:
    status = kubectl_json("get", "validatingadmissionpolicy", f"autopack.{POLICED}.{what}.autopack.dev")["status"]
    assert status["typeChecking"] == {}


@pytest.mark.parametrize("case", ALLOWED)
def test_the_policy_accepts(operator: str, case: str) -> None:
    create_pod(changed(operators_pod(POLICED), *ALLOWED[case]), operator)


def test_the_policy_accepts_all_that_a_profile_can_ask_for(operator: str) -> None:
    create_pod(operators_pod(POLICED, **FULL_PROFILE), operator)


@pytest.mark.parametrize("case", REFUSED)
def test_the_policy_refuses(operator: str, case: str) -> None:
    path, value, message = REFUSED[case]
    with pytest.raises(CommandError) as refused:
        create_pod(changed(operators_pod(POLICED), path, value), operator)
    assert "denied request" in str(refused.value)
    assert message in str(refused.value)


def test_the_policy_does_not_bind_others(operator: str) -> None:
    create_pod(changed(operators_pod(POLICED), ("spec", "hostNetwork"), True))


SHA = "0123456789abcdef0123456789abcdef01234567"
APPROVED = {"decision": "Approved", "commit": SHA, "branch": "agents/x", "by": "approver"}
CHANGE = ["get", "list", "create", "update", "patch"]


@pytest.fixture
def run(operator: str) -> str:
    """A run, and two people who may change it, one of whom may approve what it delivers."""
    name = "approved"
    apply(
        *may("author", CHANGE),
        *may("approver", [*CHANGE, "approve", "reject"]),
        {
            "apiVersion": "autopack.dev/v1alpha1",
            "kind": "AutopackRun",
            "metadata": {"name": name, "namespace": POLICED},
            "spec": {"source": {"repository": "sample"}, "command": ["x"]},
        },
    )
    until_policed(name)
    return name


def until_policed(run: str, seconds: float = 60) -> None:
    """Rights and policies that are new take a moment to be in force."""
    deadline, said = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            change(run, "approver", "--dry-run=server", approval=APPROVED)
            change(run, "author", "--dry-run=server", approval=APPROVED | {"by": "author"})
        except CommandError as error:
            said = str(error)
        if "author needs the verb" in said:
            return
        time.sleep(0.3)
    pytest.fail(f"the policy was not in force after {seconds} s: {said}")


def may(user: str, verbs: list[str]) -> list[JsonDict]:
    meta, group = {"name": user, "namespace": POLICED}, "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["autopack.dev"], "resources": ["autopackruns"], "verbs": verbs}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]}
    reference = {"apiGroup": group, "kind": "Role", "name": user}
    subject = {"apiGroup": group, "kind": "User", "name": user}
    binding = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": meta}
    return [role, binding | {"roleRef": reference, "subjects": [subject]}]


def change(run: str, user: str, *flags: str, **spec: object) -> None:
    patch = json.dumps({"spec": spec})
    kubectl("patch", "autopackrun", run, "-n", POLICED, "--type=merge", "--as", user, *flags, "-p", patch)


def test_only_who_has_the_verb_approves_and_only_under_the_own_name(run: str) -> None:
    change(run, "author", cancel=False)
    with pytest.raises(CommandError, match="author needs the verb approve on autopackruns"):
        change(run, "author", approval=APPROVED | {"by": "author"})
    with pytest.raises(CommandError, match="author needs the verb reject on autopackruns"):
        change(run, "author", approval=APPROVED | {"by": "author", "decision": "Rejected"})
    with pytest.raises(CommandError, match=r"spec\.approval\.by must be the name of the user"):
        change(run, "approver", approval=APPROVED | {"by": "somebody"})
    change(run, "approver", approval=APPROVED)
    change(run, "author", suspend=True)
    with pytest.raises(CommandError, match="author needs the verb approve on autopackruns"):
        change(run, "author", approval={"commit": "f" * 40})
    with pytest.raises(CommandError, match="author needs the verb approve on autopackruns"):
        change(run, "author", approval=None)


def test_nobody_makes_a_run_that_is_approved_already(run: str) -> None:
    body = kubectl_json("get", "autopackrun", run, "-n", POLICED)
    meta = {"name": "born-approved", "namespace": POLICED}
    born = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": meta}
    born["spec"] = {"source": {"repository": "sample"}, "command": ["x"], "approval": APPROVED | {"by": "author"}}
    with pytest.raises(CommandError, match="author needs the verb approve"):
        kubectl("create", "--as", "author", "-f", "-", stdin=json.dumps(born).encode())


@pytest.fixture(scope="module")
def installed(cluster: None, helm: Helm) -> Iterator[str]:
    """A namespace under Pod Security `restricted` with the release `autopack`."""
    make_namespace(INSTALLED, **{"pod-security.kubernetes.io/enforce": "restricted"})
    try:
        on_cluster(helm, "install", "autopack", CHART)
        yield INSTALLED
    finally:
        on_cluster(helm, "uninstall", "autopack", "--ignore-not-found")
        kubectl("delete", "namespace", INSTALLED, "--wait=false")


def on_cluster(helm: Helm, verb: str, release: str, *words: object) -> str:
    values = ["--set", NO_IMAGE] if verb in {"install", "upgrade"} else []
    where = ["--kubeconfig", str(KUBECONFIG), "--namespace", INSTALLED]
    return helm.run(verb, release, *map(str, words), *where, *values)


@pytest.mark.parametrize("component", ["operator", "volume"])
def test_pod_security_accepts_the_pods(installed: str, component: str) -> None:
    template = kubectl_json("get", "deployment", f"autopack-{component}", "-n", installed)["spec"]["template"]
    metadata = {"name": f"asked-{component}", "namespace": installed}
    create_pod({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})


def test_an_upgrade_leaves_the_leader_alone(installed: str, helm: Helm) -> None:
    lease = ["lease", "autopack-operator-leader", "-n", installed]
    spec = {"holderIdentity": "someone", "leaseDurationSeconds": 15}
    kubectl("patch", *lease, "--type=merge", "-p", json.dumps({"spec": spec}))
    before = kubectl_json("get", *lease)
    on_cluster(helm, "upgrade", "autopack", CHART, "--set", "operator.workers=8")
    after = kubectl_json("get", *lease)
    assert after["spec"] == spec
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_a_second_release_in_the_namespace_is_refused(installed: str, helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r"Lease .*exists and cannot be imported"):
        on_cluster(helm, "install", "second", CHART, "--set", "defaultProfile.enabled=false")


def test_uninstalling_keeps_the_claim_and_reinstalling_takes_it_back(installed: str, helm: Helm) -> None:
    claim = ["pvc", "autopack-runs", "-n", installed]
    before = kubectl_json("get", *claim)["metadata"]["uid"]
    on_cluster(helm, "uninstall", "autopack", "--wait")
    on_cluster(helm, "install", "autopack", CHART)
    assert kubectl_json("get", *claim)["metadata"]["uid"] == before
