"""Agents on the real cluster: a prompt arrives to the byte, whichever way the agent takes it, wherever it is from."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.e2e.installation import ANCHOR, Installation, phase

JsonDict = dict[str, Any]

KEEP = 'cat > "$AUTOPACK_ARTIFACTS/got"'
MEDDLE = 'for f in "$1" "$1.2"; do echo x > "$f" && exit 9; done; rm "$1" && exit 9; cat "$1"'
ARGUE = 'printf %s "$1" > "$AUTOPACK_ARTIFACTS/got"; printf %s "$*"'
AGENTS = [
    {"name": "reader", "command": ["sh", "-euc", KEEP]},
    {"name": "filer", "command": ["sh", "-euc", f'{KEEP} < "$1"', "sh", "{prompt-file}"]},
    {"name": "arguer", "command": ["sh", "-euc", ARGUE, "sh", "{prompt}"], "modelArgs": ["--model={model}"]},
    {"name": "meddler", "command": ["sh", "-c", MEDDLE, "sh", "{prompt-file}"]},
]
CODE = "a = f'{x}' # `id` $(id) \u00e9 <b>\n"


def words(size: int) -> str:
    """A prompt of so many bytes, full of what shells and templates like."""
    text = (CODE * (size // len(CODE))).encode()[:size].decode(errors="ignore")
    return text + "." * (size - len(text.encode()))


@pytest.fixture(scope="module")
def agents(installation: Installation) -> Installation:
    """The installation with a RunProfile that offers agents that are shell scripts."""
    image = installation.get("runprofile", "default")["spec"]["defaultImage"]
    meta, spec = {"name": "agents"}, {"defaultImage": image, "agents": AGENTS}
    profile = {"apiVersion": "autopack.dev/v1alpha1", "kind": "RunProfile", "metadata": meta, "spec": spec}
    installation.apply(profile)
    return installation


def asked(name: str, agent: str, **fields: object) -> JsonDict:
    spec = {
        "source": {"repository": "sample", "ref": "main"},
        "profileRef": {"name": "agents"},
        "agent": {"name": agent},
        "retry": {"infrastructure": 0},
    }
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "AutopackRun",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": ANCHOR}},
        "spec": spec | fields,
    }


def got(installation: Installation, run: JsonDict) -> str:
    """SHA-256 of what the agent was asked."""
    path = f"/autopack/{run['status']['artifacts']}/got"
    return installation.in_volume("sha256sum", path).split()[0]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("agent", "size"), [("reader", 200 << 10), ("filer", 200 << 10), ("arguer", 100 << 10)])
def test_a_large_prompt_arrives_to_the_byte(agents: Installation, agent: str, size: int) -> None:
    prompt = words(size)
    name = f"large-{agent}"
    agents.create(asked(name, agent, prompt=prompt))
    run = agents.finished(name)
    assert run["status"]["reason"] == "Completed", run["status"]
    assert got(agents, run) == digest(prompt)


def test_a_prompt_that_is_too_large_for_an_argument_is_refused_before_any_pod(agents: Installation) -> None:
    agents.create(asked("too-large", "arguer", prompt=words(130 << 10)))
    status = agents.finished("too-large")["status"]
    assert (status["phase"], status["reason"]) == ("Refused", "PromptTooLong")
    assert agents.pods_of("too-large") == []


def test_a_prompt_may_be_a_file_of_the_repository(agents: Installation) -> None:
    agents.apply(asked("from-file", "reader", promptFrom={"file": "src/app.py"}))
    agents.apply(asked("from-nowhere", "reader", promptFrom={"file": "src/none.py"}))
    assert got(agents, agents.finished("from-file")) == digest("def answer():\n    return 42\n")
    status = agents.finished("from-nowhere")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "PromptNotFound")
    assert "'src/none.py' is not a file of commit" in status["message"]
    assert agents.pods_of("from-nowhere") == []


def test_a_prompt_may_be_in_a_configmap_which_the_run_waits_for(agents: Installation) -> None:
    agents.apply(asked("from-map", "filer", promptFrom={"configMapKeyRef": {"name": "task", "key": "task.md"}}))
    waiting = agents.wait_for("autopackrun", "from-map", lambda body: reason(body) == "PromptNotFound")
    assert phase(waiting) == "Pending"
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "task"}, "data": {"task.md": CODE}}
    agents.apply(config_map)
    labelled = {"name": "task", "labels": {"autopack.dev/prompt": "true"}}
    assert phase(agents.get("autopackrun", "from-map")) == "Pending"
    agents.apply(config_map | {"metadata": labelled})
    assert got(agents, agents.finished("from-map")) == digest(CODE)


def reason(body: JsonDict) -> str:
    return str(body.get("status", {}).get("reason", ""))


def test_an_unknown_agent_is_refused_with_those_that_there_are(agents: Installation) -> None:
    agents.apply(asked("unknown", "claude", prompt="do it"))
    status = agents.finished("unknown")["status"]
    assert (status["phase"], status["reason"]) == ("Refused", "AgentUnknown")
    assert "it has arguer, filer, meddler, reader" in status["message"]


def test_an_agent_cannot_change_what_it_was_asked(agents: Installation) -> None:
    agents.apply(asked("meddler", "meddler", prompt="do it"))
    run = agents.finished("meddler")
    assert run["status"]["reason"] == "Completed"
    assert agents.file(f"{run['status']['artifacts']}/logs/stdout.log") == "do it"


def test_a_matrix_over_agents_and_models_asks_each_in_its_own_words(agents: Installation) -> None:
    template = {
        "source": {"repository": "sample", "ref": "main"},
        "profileRef": {"name": "agents"},
        "agent": {"name": "{AGENT}", "model": "lab/{MODEL}"},
        "prompt": "Fix it as {MODEL}, not as {NOBODY}.",
    }
    matrix = [{"name": "AGENT", "values": ["arguer"]}, {"name": "MODEL", "values": ["small", "large[1m]"]}]
    batch = {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "RunBatch",
        "metadata": {"name": "models", "annotations": {"autopack.dev/intention-anchor": ANCHOR}},
        "spec": {"template": template, "matrix": matrix},
    }
    agents.apply(batch)
    assert agents.finished("models", "runbatch")["status"]["succeeded"] == 2
    for model, name in (("small", "models-arguer-small"), ("large[1m]", "models-arguer-large-1m")):
        run = agents.get("autopackrun", name)
        said = agents.file(f"{run['status']['artifacts']}/logs/stdout.log")
        assert said == f"Fix it as {model}, not as {{NOBODY}}. --model=lab/{model}"
