"""What a RunProfile gives to runs, on the real kubelet: variables, files, certificates, folders, a place, limits.

The installation runs as a user of its own choice, and its namespace has a quota on limits.cpu.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripts import deploy
from scripts.deploy import ROOT, CommandError, kubectl, kubectl_json

from tests.e2e.conftest import FAST
from tests.e2e.installation import Installation, make_run, phase
from tests.e2e.test_run_limits import make_profile, outcome

JsonDict = dict[str, Any]

USER = 1000680000
CANARY = "canary-8f14e45fceea167a5a36dedd4bea2543"
DIGEST = hashlib.sha256(CANARY.encode()).hexdigest()
SETTINGS = {"mcp.json": '{"mcpServers": {}}', "region": "north"}
KEY = {"secretKeyRef": {"name": "agent-key", "key": "api-key"}}
LIMITS = {
    "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "1Gi"}},
    "helperResources": {"limits": {"cpu": "500m"}},
}
VALUES = FAST | {
    "podSecurity.runAsUser": str(USER),
    "podSecurity.runAsGroup": str(USER),
    "admissionPolicy.allowedSecrets": "{agent-key,team-*}",
}


def certificates(folder: Path) -> dict[str, str]:
    """A private authority, and a server's certificate and key that it signed for localhost."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Autopack test authority")
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost"]
    openssl("req", "-x509", *new, *signed, "-keyout", "tls.key", "-out", "tls.crt", "-subj", "/CN=localhost")
    return {name: (folder / name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}


def stored(kind: str, name: str, texts: dict[str, str]) -> JsonDict:
    """A Secret or ConfigMap."""
    field = "stringData" if kind == "Secret" else "data"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: texts}


@pytest.fixture(scope="module")
def profiles(
    cluster: None, sample_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation with what profiles may name."""
    texts = certificates(tmp_path_factory.mktemp("authority"))
    server = {name: texts[name] for name in ("tls.crt", "tls.key")}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "cpu"}}
    with Installation.fresh("profiles", VALUES) as installed:
        installed.import_repository("sample", sample_repository)
        installed.apply(
            stored("Secret", "agent-key", {"api-key": CANARY}),
            stored("Secret", "team-server", server),
            stored("Secret", "database-root", {"password": "x"}),
            stored("ConfigMap", "agent-settings", SETTINGS),
            stored("ConfigMap", "authority", {"ca.crt": texts["ca.crt"]}),
            quota | {"spec": {"hard": {"limits.cpu": "20"}}},
        )
        yield installed


def bound_run(installation: Installation, name: str, script: str, run: JsonDict | None = None, **profile: Any) -> None:
    """A profile of that name within the quota, and a run that uses it."""
    never_again: JsonDict = {"retry": {"infrastructure": 0}}
    installation.apply(
        make_profile(installation, name, **LIMITS, **profile),
        make_run(name, script, profileRef={"name": name}, **(never_again | (run or {}))),
    )


SERVER = """
import http.server, ssl, threading, urllib.error, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/etc/server/tls.crt", "/etc/server/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    urllib.request.urlopen("https://localhost:8443/absent")
except urllib.error.HTTPError as error:
    print("python:", error.code)
import subprocess
done = subprocess.run(["git", "ls-remote", "https://localhost:8443/absent"], capture_output=True, text=True)
print("git:", done.stderr)
"""
SEEN = f"""
test "$(printf %s "$KEY" | sha256sum | cut -c1-64)" = {DIGEST}
test "$REGION" = north; test "$MODE" = '$(HOME) fast'; test "$OWN" = run
test "$(cat /etc/agent/mcp.json)" = '{SETTINGS["mcp.json"]}'
test "$(sha256sum < /home/agent/key | cut -c1-64)" = {DIGEST}
for file in /etc/agent/mcp.json /home/agent/key "$SSL_CERT_FILE"; do ! (echo x >> $file) 2>/dev/null; done
test "$HOME" != /home/agent; test "$(cat "$HOME/.config/agent/mcp.json")" = '{SETTINGS["mcp.json"]}'
echo mine > "$HOME/.config/agent/mcp.json"
echo cached > /cache/file; test "$(stat -f -c %T /dev/shm)" = tmpfs; echo shared > /dev/shm/file
test "$(id -u):$(id -g)" = {USER}:{USER}
grep -q "BEGIN CERTIFICATE" "$NODE_EXTRA_CA_CERTS"
cat > /tmp/server.py <<'X'
{SERVER}
X
python3 /tmp/server.py > $AUTOPACK_ARTIFACTS/tls 2>&1
echo done > done.txt; git add done.txt; git commit -qm done; sleep 3
"""


@pytest.fixture(scope="module")
def seen(profiles: Installation) -> tuple[JsonDict, JsonDict]:
    """A run that looks at all of it, and its pod."""
    env = [
        {"name": "KEY", "valueFrom": KEY},
        {"name": "REGION", "valueFrom": {"configMapKeyRef": {"name": "agent-settings", "key": "region"}}},
        {"name": "MODE", "value": "$(HOME) fast"},
        {"name": "OWN", "value": "profile"},
    ]
    files = [
        {"path": "/etc/agent/mcp.json", "configMapKeyRef": {"name": "agent-settings", "key": "mcp.json"}},
        {"path": "/home/agent/key", **KEY},
        # As an image has it that keeps an agent's settings in the home of its own user: the run's home gets a copy.
        {
            "path": "/home/agent/.config/agent/mcp.json",
            "configMapKeyRef": {"name": "agent-settings", "key": "mcp.json"},
        },
        {"path": "/etc/server/tls.crt", "secretKeyRef": {"name": "team-server", "key": "tls.crt"}},
        {"path": "/etc/server/tls.key", "secretKeyRef": {"name": "team-server", "key": "tls.key"}},
    ]
    bound_run(
        profiles,
        "seen",
        SEEN,
        {"env": [{"name": "OWN", "value": "run"}]},
        env=env,
        files=files,
        caBundle={"configMapKeyRef": {"name": "authority", "key": "ca.crt"}},
        scratch=[
            {"path": "/cache", "sizeLimit": "16Mi"},
            {"path": "/dev/shm", "medium": "Memory", "sizeLimit": "16Mi"},
        ],
        nodeSelector={"kubernetes.io/os": "linux"},
        tolerations=[{"key": "nobody", "operator": "Exists"}],
        topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname"}],
        podLabels={"team": "a"},
        podAnnotations={"karpenter.sh/do-not-disrupt": "true"},
    )
    profiles.wait_for("autopackrun", "seen", lambda body: phase(body) not in {"", "Pending", "Preparing"})
    [pod] = profiles.pods_of("seen")
    return profiles.finished("seen"), pod


def test_a_run_finds_what_its_profile_gives(seen: tuple[JsonDict, JsonDict], profiles: Installation) -> None:
    run, _ = seen
    assert outcome(run) == ("Succeeded", "Completed", 1), profiles.file(f"{run['status']['artifacts']}/logs/stderr.log")
    assert profiles.git(run, "show", f"{run['status']['commit']}:done.txt") == "done\n"


def test_python_and_git_trust_the_profiles_authority(seen: tuple[JsonDict, JsonDict], profiles: Installation) -> None:
    told = profiles.file(f"{seen[0]['status']['artifacts']}/tls")
    assert "python: 404" in told
    assert "not found" in told.partition("git:")[2]
    assert "certificate" not in told


def test_the_pod_is_labelled_and_placed_as_the_profile_says(seen: tuple[JsonDict, JsonDict]) -> None:
    metadata, spec = seen[1]["metadata"], seen[1]["spec"]
    assert metadata["labels"]["team"] == "a"
    assert metadata["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert {"key": "nobody", "operator": "Exists"} in spec["tolerations"]
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"


def test_without_limits_the_quota_says_what_is_missing(profiles: Installation) -> None:
    profiles.apply(make_run("unlimited", "true", retry={"infrastructure": 0}))
    run = profiles.finished("unlimited")
    assert outcome(run) == ("Failed", "PodRejected", 1)
    assert "must specify limits.cpu" in run["status"]["message"]


def test_a_run_waits_for_a_missing_key_by_its_name_and_goes_on_with_it(profiles: Installation) -> None:
    lacking = {"secretKeyRef": {"name": "team-late", "key": "api-key"}}
    bound_run(profiles, "lacking", 'test "$LATE" = here', env=[{"name": "LATE", "valueFrom": lacking}])

    def waits(body: JsonDict) -> bool:
        return bool(body.get("status", {}).get("reason") == "SecretMissing")

    run = profiles.wait_for("autopackrun", "lacking", waits)
    assert phase(run) == "Preparing"
    assert '"team-late" not found' in run["status"]["message"]
    profiles.apply(stored("Secret", "team-late", {"api-key": "here"}))
    assert outcome(profiles.finished("lacking")) == ("Succeeded", "Completed", 1)


@pytest.mark.parametrize(
    ("name", "reference", "reason", "said"),
    [
        ("no-key", {"configMapKeyRef": {"name": "agent-settings", "key": "absent"}}, "ConfigMapMissing", "'absent'"),
        ("no-secret", {"secretKeyRef": {"name": "team-none", "key": "k"}}, "SecretMissing", "'team-none'"),
    ],
)
def test_a_missing_file_ends_the_attempt_by_its_name(
    profiles: Installation, name: str, reference: JsonDict, reason: str, said: str
) -> None:
    bound_run(profiles, name, "true", files=[{"path": "/etc/agent/x", **reference}])
    run = profiles.finished(name)
    assert outcome(run) == ("Failed", reason, 1)
    assert said in run["status"]["message"]


def test_a_secret_that_nobody_allowed_is_refused_by_its_name(profiles: Installation) -> None:
    root = {"secretKeyRef": {"name": "database-root", "key": "password"}}
    bound_run(profiles, "greedy", "true", env=[{"name": "ROOT", "valueFrom": root}])
    run = profiles.finished("greedy")
    assert outcome(run) == ("Failed", "PodRejected", 1)
    assert "may not have Secret database-root" in run["status"]["message"]
    assert "admissionPolicy.allowedSecrets" in run["status"]["message"]


def places_of(text: str, installation: Installation) -> set[str]:
    """Where the text, or its base64, is to be read outside of Secrets."""
    encoded = base64.b64encode(text.encode()).decode()
    found = set()
    for kind in ("autopackruns,runbatches,runprofiles", "pods,leases,configmaps", "events.v1.events.k8s.io"):
        body = json.dumps(kubectl_json("get", kind, "-n", installation.namespace))
        found |= {kind} if text in body or encoded in body else set()
    for part in ("operator", "volume"):
        log = kubectl("logs", "-n", installation.namespace, f"deploy/autopack-{part}")
        found |= {f"log of {part}"} if text in log or encoded in log else set()
    search = ["grep", "-raoFe", text, "-e", encoded, "--files-with-matches"]
    on_volume = ["sh", "-c", f"{' '.join(search)} /autopack || true"]
    found |= set(installation.in_volume(*on_volume).split())
    registry = ["sh", "-c", f"{' '.join(search)} /var/lib/autopack || true"]
    return found | set(
        kubectl("exec", "-n", installation.namespace, "deploy/autopack-operator", "--", *registry).split()
    )


def test_a_secret_is_to_be_read_nowhere_until_a_command_prints_it(
    seen: tuple[JsonDict, JsonDict], profiles: Installation
) -> None:
    assert places_of(CANARY, profiles) == set()
    bound_run(profiles, "chatty", 'echo "$KEY"', env=[{"name": "KEY", "valueFrom": KEY}])
    run = profiles.finished("chatty")
    assert places_of(CANARY, profiles) == {f"/autopack/{run['status']['artifacts']}/logs/stdout.log"}


def bound(**source: str) -> JsonDict:
    return {"secretKeyRef": {"name": "s", "key": "k"}} | source


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("env", [{"name": "A"}], "exactly one of value and valueFrom"),
        ("env", [{"name": "A", "value": "", "valueFrom": bound()}], "exactly one of value and valueFrom"),
        ("env", [{"name": "A", "valueFrom": {}}], "exactly one of secretKeyRef and configMapKeyRef"),
        ("env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec"}}}], "env[0].valueFrom.fieldRef"),
        ("env", [{"name": "AUTOPACK_RUN_ID", "value": "x"}], "choose another name"),
        ("env", [{"name": "A", "value": "x"}, {"name": "A", "value": "y"}], "env[1]"),
        ("env", [{"name": "A B", "value": "x"}], "env[0].name"),
        ("caBundle", {}, "exactly one of secretKeyRef and configMapKeyRef"),
        ("files", [{"path": "/x"}], "exactly one of secretKeyRef and configMapKeyRef"),
        ("files", [bound(path="etc/x")], "give an absolute path"),
        ("files", [bound(path="/etc/../x")], "give an absolute path"),
        ("files", [bound(path="/etc//x")], "give an absolute path"),
        ("files", [bound(path="/etc/")], "give an absolute path"),
        ("files", [bound(path="/tmp")], "choose another path"),
        ("files", [bound(path="/autopack/x")], "choose another path"),
        ("files", [bound(path="/autopack-bin/autopack-entrypoint")], "choose another path"),
        ("files", [bound(path="/proc/self/exe")], "choose another path"),
        ("files", [bound(path="/etc/passwd")], "choose another path"),
        ("files", [bound(path="/x"), bound(path="/x")], "files[1]"),
        ("files", [bound(path="/x"), bound(path="/x/y")], "below the path of another"),
        ("scratch", [{"path": "/"}], "scratch[0].path"),
        ("scratch", [{"path": "/dev"}], "choose another path"),
        ("scratch", [{"path": "/x", "medium": "HugePages"}], "scratch[0].medium"),
        ("scratch", [{"path": "/x", "sizeLimit": "-1"}], "scratch[0].sizeLimit"),
        ("priorityClassName", "system-node-critical", "make a PriorityClass for runs"),
        ("podLabels", {"autopack.dev/run": "x"}, "set by Autopack"),
        ("podLabels", {"app.kubernetes.io/component": "volume"}, "set by Autopack"),
        ("podAnnotations", {"kubectl.kubernetes.io/default-container": "keeper"}, "set by Autopack"),
        ("affinity", {"podAffinity": {"required": []}}, "spec.affinity.podAffinity.required"),
        ("tolerations", [{"operator": "Is"}], "tolerations[0].operator"),
        ("resources", {"limits": {"nvidia.com/gpu": "one"}}, "limits.nvidia.com/gpu"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused_by_name(cluster: None, field: str, value: object, said: str) -> None:
    metadata = {"name": "refused", "namespace": "default"}
    spec = {"defaultImage": "x", field: value}
    profile = {"apiVersion": "autopack.dev/v1alpha1", "kind": "RunProfile", "metadata": metadata, "spec": spec}
    with pytest.raises(CommandError) as refusal:
        kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(profile).encode())
    assert said in str(refusal.value)


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/runprofile-*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_accepted(cluster: None, example: Path) -> None:
    deploy.kubectl("create", "--dry-run=server", "-n", "default", "-f", example)
