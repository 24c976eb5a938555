"""Agents: what a profile refuses, and how one is started with its prompt."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.autopack_operator.builders import PROFILE, SETTINGS, RunBuilder, prepared

from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.pod.manifest import run_pod
from autopack_operator.domain.run.profile_policy import refusal

RUN = RunBuilder().view()

JsonDict = dict[str, Any]

KEY = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}
AGENTS = [
    {"name": "reader", "image": "example.org/agents:2", "command": ["reader", "-p"], "modelArgs": ["--model={model}"]},
    {"name": "filer", "command": ["filer", "--file={prompt-file}", "--out", "{artifacts}/log"], "env": [KEY]},
    {
        "name": "arguer",
        "command": ["arguer", "-t", "{prompt}", "-v"],
        "modelArgs": ["-m", "{model}"],
        "models": ["a/*"],
    },
]
PROFILE_OF_AGENTS = RunProfileSpec.model_validate({"defaultImage": "example.org/agent:1", "agents": AGENTS})
PROMPT_FILE = "/autopack/.kept/one/input/prompt"


def asked(name: str, model: str | None = None, **fields: object) -> JsonDict:
    agent = {"name": name} | ({"model": model} if model is not None else {})
    return {"source": {"repository": "sample"}, "agent": agent, "prompt": "do it", **fields}


def spec(fields: JsonDict) -> AutopackRunSpec:
    return AutopackRunSpec.model_validate(fields)


def command_of(fields: JsonDict) -> JsonDict:
    run = RunBuilder().view()
    pod = run_pod(run, spec(fields), PROFILE_OF_AGENTS, prepared(), SETTINGS, "autopack/one")
    [container] = pod["spec"]["containers"]
    return dict(container)


def env_of(container: JsonDict) -> JsonDict:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


@pytest.mark.parametrize(
    ("fields", "options", "words"),
    [
        (asked("reader"), ["--stdin", PROMPT_FILE], ["reader", "-p"]),
        (asked("reader", "big[1m]", args=["-q"]), ["--stdin", PROMPT_FILE], ["reader", "-p", "--model=big[1m]", "-q"]),
        (asked("filer"), [], ["filer", f"--file={PROMPT_FILE}", "--out", "/autopack/one/log"]),
        (
            asked("arguer", "a/b", args=["{prompt}"]),
            ["--word-from", f"2={PROMPT_FILE}"],
            ["arguer", "-t", "{prompt}", "-v", "-m", "a/b", "{prompt}"],
        ),
        ({"source": {"repository": "x"}, "command": ["{prompt}"], "prompt": "p"}, [], ["{prompt}"]),
    ],
)
def test_the_prompt_goes_the_way_that_the_agents_command_says(fields: JsonDict, options: Any, words: Any) -> None:
    container = command_of(fields)
    wrapper = container["command"]
    assert wrapper[wrapper.index("--changes-file") + 2 :] == [*options, "--"]
    assert container["args"] == words


def test_a_prompt_is_a_file_that_the_command_can_only_read() -> None:
    container = command_of(asked("filer"))
    assert env_of(container)["AUTOPACK_PROMPT_FILE"] == PROMPT_FILE
    assert container["volumeMounts"][-1] == {
        "name": "runs",
        "mountPath": "/autopack/.kept/one/input",
        "subPath": f"{prepared().kept}/input",
        "readOnly": True,
    }
    assert "do it" not in str(container)


def test_without_a_prompt_there_is_neither_file_nor_mount() -> None:
    container = command_of({"source": {"repository": "x"}, "command": ["true"]})
    assert "AUTOPACK_PROMPT_FILE" not in env_of(container)
    assert all("input" not in mount["mountPath"] for mount in container["volumeMounts"])


def test_the_profiles_variables_win_over_the_runs_and_ours_over_all() -> None:
    agents = [
        {
            "name": "x",
            "command": ["x"],
            "env": [KEY, {"name": "HOME", "value": "/root"}, {"name": "P", "value": "$(Q)"}],
        }
    ]
    profile = RunProfileSpec.model_validate({"defaultImage": "i", "agents": agents})
    fields = asked("x", env=[{"name": "KEY", "value": "mine"}, {"name": "OWN", "value": "1"}])
    pod = run_pod(RunBuilder().view(), spec(fields), profile, prepared(), SETTINGS, "b")
    env = env_of(pod["spec"]["containers"][0])
    assert env["KEY"] == {"secretKeyRef": {"name": "keys", "key": "one"}}
    assert (env.get("HOME"), env["OWN"], env["P"], env["AUTOPACK_AGENT"]) == (None, "1", "$$(Q)", "x")
    names = [entry["name"] for entry in pod["spec"]["containers"][0]["env"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "image", "got"),
    [
        ("reader", None, "example.org/agents:2"),
        ("filer", None, "example.org/agent:1"),
        ("reader", "example.org/agent:1", "example.org/agent:1"),
    ],
)
def test_an_agent_has_its_image_unless_the_run_names_another(name: str, image: str | None, got: str) -> None:
    fields = asked(name) | ({"image": image} if image else {})
    assert refusal(RUN, spec(fields), PROFILE_OF_AGENTS) is None
    assert command_of(fields)["image"] == got


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        (asked("codex"), "AgentUnknown", "'codex' is no agent of RunProfile 'default'; it has arguer, filer, reader"),
        (asked("filer", "m"), "ModelNotAllowed", "lets runs choose no model; leave spec.agent.model out"),
        (asked("arguer", "b/c"), "ModelNotAllowed", "'b/c' is not among the models of agent 'arguer'"),
        (
            asked("arguer", prompt="\u00e9" * (60 << 10) + "!"),
            "PromptTooLong",
            "takes it as an argument, which can have 122880;",
        ),
        (asked("filer", image="example.org/agents:2"), "ImageNotAllowed", "'example.org/agents:2' is not among"),
    ],
)
def test_what_the_profile_does_not_offer_is_refused_with_what_it_does(
    fields: JsonDict, reason: str, words: str
) -> None:
    verdict = refusal(RUN, spec(fields), PROFILE_OF_AGENTS)
    assert verdict is not None
    assert (verdict.phase, verdict.reason) == ("Refused", reason)
    assert words in verdict.message


@pytest.mark.parametrize(
    "fields",
    [asked("arguer", "a/b"), asked("arguer", prompt="x" * (120 << 10)), asked("reader", prompt="x" * (256 << 10))],
)
def test_what_the_profile_offers_is_not_refused(fields: JsonDict) -> None:
    assert refusal(RUN, spec(fields), PROFILE_OF_AGENTS) is None


def test_a_profile_without_agents_says_who_adds_them() -> None:
    verdict = refusal(RUN, spec(asked("reader")), PROFILE)
    assert verdict is not None
    assert "it has none; an administrator adds agents to its spec.agents" in verdict.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": ["x"]}, "exactly one of command"),
        ({"agent": None}, "exactly one of command"),
        ({"prompt": None}, "an agent needs a prompt"),
        ({"promptFrom": {"file": "a"}}, "at most one of prompt"),
        ({"prompt": None, "promptFrom": {}}, "exactly one of promptFrom.configMapKeyRef"),
        ({"prompt": None, "promptFrom": {"file": "../a"}}, "inside of the repository"),
        ({"prompt": None, "promptFrom": {"file": "/etc/passwd"}}, "inside of the repository"),
        ({"prompt": " \n"}, "should match pattern"),
        ({"prompt": "a\0b"}, "should match pattern"),
        ({"prompt": "x" * (256 << 10) + "y"}, "at most 262144 characters"),
        ({"prompt": "\u00e9" * (128 << 10) + "y"}, "262144 (256 KiB) are the most"),
        ({"agent": {"name": "Reader"}}, "should match pattern"),
        ({"agent": {"name": "reader", "model": "--yolo"}}, "should match pattern"),
        ({"agent": {"name": "reader", "model": "a b"}}, "should match pattern"),
        ({"agent": {"name": "{AGENT}"}}, "filled in by a RunBatch only"),
    ],
)
def test_what_can_be_no_run_is_said_of_its_spec(changes: JsonDict, words: str) -> None:
    fields = {key: value for key, value in (asked("reader") | changes).items() if value is not None}
    with pytest.raises(ValidationError) as raised:
        spec(fields)
    assert words in str(raised.value)
