"""Runs that reach a model through the gateway: without a key, within a budget, and only as the present attempt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.deploy import IMAGE, kubectl
from scripts.models import ADDRESS, KEYS, Models

from tests.e2e.installation import Installation, JsonDict, make_run, phase
from tests.e2e.leaks import kinds_of, places_with

PYTHON = "/opt/autopack/bin/python"
ASK = """\
import json, os, sys, urllib.error, urllib.request

def ask(address=os.environ.get("ANTHROPIC_BASE_URL"), key=os.environ.get("ANTHROPIC_API_KEY"), name="x-api-key"):
    asked = {"model": "claude-test", "max_tokens": 50, "messages": [{"role": "user", "content": "Write."}]}
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01", name: key}
    request = urllib.request.Request(address + "/v1/messages", json.dumps(asked).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)["content"][0]["text"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
"""
ONCE = f"""{ASK}
status, text = ask()
print(status, text)
sys.exit(status != 200)
"""
UNTIL_REFUSED = f"""{ASK}
import time
open("notes.txt", "a").write(os.environ["AUTOPACK_ATTEMPT"])
status, text = ask()
while status == 200 and os.environ["AUTOPACK_ATTEMPT"] == "1":
    status, text = ask()
print(status, text, flush=True)
if os.environ["AUTOPACK_ATTEMPT"] == "1":
    time.sleep(600)
sys.exit(status != 200)
"""
WITH_A_TOKEN = f"""{ASK}
print(ask(sys.argv[1], "Bearer " + sys.stdin.read().strip(), "authorization")[0])
"""
SAID = "I have written it."
SCRIPT = {"default": [{"text": SAID, "usage": {"input": 100, "output": 10}}]}
VALUES = {
    "gateway.enabled": "true",
    "gateway.resources.requests.cpu": "20m",
    # It has a Python to ask with.
    "defaultProfile.allowedImages": [IMAGE],
    "gateway.providers": [
        {
            "name": "double",
            "api": "anthropic",
            "upstream": ADDRESS,
            "secretName": KEYS,
            "key": "ANTHROPIC_API_KEY",
            "prices": [{"model": "*", "inputPerMTok": "100", "outputPerMTok": "1000"}],
        }
    ],
    "dashboard.enabled": "true",
}


@pytest.fixture(scope="module")
def installed(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    with Installation.fresh("e2e-gateway", VALUES) as installation:
        installation.import_repository("sample", sample_repository)
        yield installation


@pytest.fixture(scope="module")
def models(installed: Installation) -> Models:
    double = Models(installed.namespace, SCRIPT)
    # The kubelet brings a Secret that came later into a running pod at its leisure.
    kubectl("rollout", "restart", "deploy/autopack-gateway", "-n", installed.namespace)
    return double


def run_of(name: str, script: str, **spec: object) -> JsonDict:
    run = make_run(name, "", image=IMAGE, command=[PYTHON, "-c", script], retry={"infrastructure": 0})
    run["spec"] |= spec
    return run


def patch(installed: Installation, name: str, **spec: object) -> None:
    change = json.dumps({"spec": spec})
    kubectl("patch", "autopackrun", name, "-n", installed.namespace, "--type=merge", "-p", change)


def log_of(installed: Installation, run: JsonDict) -> str:
    return installed.file(f"{run['status']['artifacts']}/logs/stdout.log")


def test_a_run_without_a_key_gets_an_answer_and_the_gateway_tells_what_it_cost(
    installed: Installation, models: Models
) -> None:
    installed.apply(run_of("asks", ONCE))
    run = installed.finished("asks", timeout=180)
    assert (phase(run), log_of(installed, run)) == ("Succeeded", f"200 {SAID}\n")
    usage = run["status"]["usage"]
    assert (usage["source"], usage["requests"], usage["costUSD"]) == ("gateway", 1, "0.02")


def test_a_spent_budget_suspends_a_run_and_a_raised_one_lets_it_go_on(installed: Installation, models: Models) -> None:
    installed.apply(run_of("spends", UNTIL_REFUSED, budget={"requests": 2}))
    run = installed.wait_for(
        "autopackrun", "spends", lambda body: body["status"].get("spentBudget") and phase(body) == "Pending", 180
    )
    assert run["status"]["reason"] == "BudgetExhausted"
    assert run["status"]["usage"]["requests"] == 2
    patch(installed, "spends", budget={"requests": 20})
    run = installed.finished("spends", timeout=180)
    assert (phase(run), run["status"]["attempt"], run["status"]["usage"]["requests"]) == ("Succeeded", 2, 3)
    # It went on with what the first attempt had written and not committed.
    assert installed.git(run, "show", f"{run['status']['snapshot']}:notes.txt") == "12"


def test_the_token_of_an_attempt_that_is_over_buys_nothing(installed: Installation, models: Models) -> None:
    installed.apply(run_of("fenced", "import time; time.sleep(600)"))
    installed.wait_for("autopackrun", "fenced", lambda body: phase(body) == "Running", 180)
    token = kubectl("exec", "fenced-a1", "-c", "run", "-n", installed.namespace, "--", "cat", "/autopack-gateway/token")
    assert status_with(installed, token) == "200"
    kubectl(
        "patch", "autopackrun", "fenced", "-n", installed.namespace, "--type=merge", "-p", '{"spec":{"suspend":true}}'
    )
    installed.wait_for("autopackrun", "fenced", lambda body: body["status"].get("nextAttemptAt"), 180)
    assert status_with(installed, token) == "401"
    kubectl(
        "patch", "autopackrun", "fenced", "-n", installed.namespace, "--type=merge", "-p", '{"spec":{"cancel":true}}'
    )


def status_with(installed: Installation, token: str) -> str:
    """What the gateway answers whoever shows that token, from the operator's pod, which may reach it."""
    address = f"http://autopack-gateway.{installed.namespace}.svc:8080/p/double"
    words = ("exec", "-i", "-n", installed.namespace, "deploy/autopack-operator", "--")
    return kubectl(*words, PYTHON, "-c", WITH_A_TOKEN, address, stdin=token.encode()).strip()


async def test_the_key_is_nowhere_but_in_its_secret(installed: Installation, models: Models) -> None:
    kubectl("create", "serviceaccount", "viewer", "-n", installed.namespace)
    installed.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "viewer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": installed.namespace}],
        }
    )
    assert models.counts()["answered"] >= 4
    assert await places_with(models.key, installed) == set()
    assert "object" in kinds_of(await places_with("spends", installed))
    # What a run could read of the environment and the files of its own container.
    installed.apply(run_of("looks", "import os; print(dict(os.environ))"))
    shown = log_of(installed, installed.finished("looks", timeout=180))
    assert models.key not in shown
    assert "'ANTHROPIC_API_KEY': 'autopack-gateway'" in shown
    assert json.dumps(installed.all("pods", "app.kubernetes.io/component=run")).count(models.key) == 0
