"""Real agents, as their makers ship them, in pods of the product, against a double of the model APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import deploy
from scripts.deploy import kubectl
from scripts.models import CODEX, VALUES, Models

from tests.e2e.installation import ANCHOR, Installation, JsonDict, phase
from tests.e2e.leaks import kinds_of, places_with

BATCH = "working"
EDIT = """\
MODEL.md
```
<<<<<<< SEARCH
=======
by working-aider
>>>>>>> REPLACE
```
"""
SCRIPT = {
    "default": [
        {
            "text": "I write a file and commit it.",
            "shell": 'echo "by $AUTOPACK_RUN_ID" > MODEL.md; git add MODEL.md; git commit -qm "Add MODEL.md"',
            "usage": {"input": 1200, "cached": 200, "output": 40},
        },
        {"text": "MODEL.md is committed.", "usage": {"input": 1300, "cached": 1200, "output": 10}},
    ],
    # aider offers no tools: its models write what to change, and it commits.
    "claude-3-5-haiku-20241022": [{"text": EDIT}],
}
USED = {"inputTokens": 2500, "cachedTokens": 1400, "outputTokens": 50, "totalTokens": 2550}
MODELS = {
    "aider": "anthropic/claude-3-5-haiku-20241022",
    "claude-code": "claude-sonnet-4-5",
    "codex": "gpt-5",
    "mini-swe-agent": "anthropic/claude-sonnet-4-5",
    "opencode": "anthropic/claude-sonnet-4-5",
}
ARGS = {"codex": CODEX}


@pytest.fixture(scope="module")
def installed(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    deploy.agents_image()
    with Installation.fresh("e2e-real", VALUES | {"dashboard.enabled": "true"}) as installation:
        installation.import_repository("sample", sample_repository)
        yield installation


@pytest.fixture(scope="module")
def models(installed: Installation) -> Models:
    return Models(installed.namespace, SCRIPT)


@pytest.fixture(scope="module")
def finished(installed: Installation, models: Models) -> JsonDict:
    """One batch in which each of the agents is asked for the same."""
    runs = [
        {
            "id": agent,
            "agent": {"name": agent, "model": MODELS[agent]},
            "args": ARGS.get(agent, []),
            "prompt": f"Write MODEL.md, {agent}.",
        }
        for agent in deploy.AGENTS
    ]
    template = {
        "source": {"repository": "sample", "ref": "main"},
        "agent": {"name": deploy.AGENTS[0]},
        "retry": {"infrastructure": 0},
        "timeoutSeconds": 180,
    }
    installed.apply(
        {
            "apiVersion": "autopack.dev/v1alpha1",
            "kind": "RunBatch",
            "metadata": {"name": BATCH, "annotations": {"autopack.dev/intention-anchor": ANCHOR}},
            "spec": {"workers": 2, "template": template, "runs": runs},
        }
    )
    return installed.finished(BATCH, "runbatch", timeout=280)


@pytest.fixture(params=sorted(MODELS))
def agent(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name not in deploy.AGENTS:
        pytest.skip(f"{name} takes long to install; `make agents` has it")
    return name


def run_of(installed: Installation, agent: str) -> JsonDict:
    return installed.get("autopackrun", f"{BATCH}-{agent}")


def test_an_agent_commits_what_its_model_has_it_write(installed: Installation, finished: JsonDict, agent: str) -> None:
    run = run_of(installed, agent)
    assert phase(run) == "Succeeded", kubectl("logs", f"{BATCH}-{agent}-a1", "-c", "run", "-n", installed.namespace)
    assert installed.git(run, "show", f"{run['status']['ref']}:MODEL.md") == f"by {BATCH}-{agent}\n"
    assert installed.git(run, "rev-list", "--count", f"{run['status']['sha']}..{run['status']['ref']}") == "1\n"


def test_its_model_is_asked_what_the_run_was_asked(
    installed: Installation, models: Models, finished: JsonDict, agent: str
) -> None:
    asked = [one for one in models.requests() if f"Write MODEL.md, {agent}." in one["prompt"]]
    # Perhaps a smaller one, too, for a title.
    assert MODELS[agent].rpartition("/")[2] in {one["model"] for one in asked}


def test_it_tells_what_it_used_and_said(installed: Installation, finished: JsonDict, agent: str) -> None:
    if agent == "aider":
        pytest.skip("aider tells nothing that a program can read")
    status = run_of(installed, agent)["status"]
    assert {name: status["usage"].get(name) for name in USED} == USED, status["usage"]
    # Codex tells no cost.
    assert agent == "codex" or float(status["usage"]["costUSD"]) > 0
    lines = installed.file(f"{status['artifacts']}/transcript.jsonl").splitlines()
    said = [(one["kind"], one.get("text", "")) for one in map(json.loads, lines)]
    assert ("message", "I write a file and commit it.") in said, said
    assert any(kind == "tool_call" and "MODEL.md" in text for kind, text in said), said


async def test_the_key_is_nowhere_but_in_its_secret(
    installed: Installation, models: Models, finished: JsonDict
) -> None:
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
    assert models.counts()["answered"] >= 2 * len(deploy.AGENTS)
    assert await places_with(models.key, installed) == set()
    known = await places_with(f"{BATCH}-{deploy.AGENTS[0]}", installed)
    assert kinds_of(known) == {"object", "log", "file", "repository", "page", "registry"}, known
