"""What agents tell of themselves on the real cluster: in status and columns, added up, and bounded where it is forged.

The agents here print their prompt, which is what a real one printed.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripts.deploy import kubectl

from tests.e2e.installation import ANCHOR, Installation, phase
from tests.e2e.test_run_limits import make_profile
from tests.recorded import recorded

JsonDict = dict[str, Any]

AGAIN = 'cat; test "$AUTOPACK_ATTEMPT" -gt 1'
AGENTS = [
    {"name": "claude", "command": ["cat"], "output": "claude-stream-json"},
    {"name": "opencode", "command": ["sh", "-euc", AGAIN], "output": "opencode-json"},
    {
        "name": "mini",
        "command": ["cp", "{prompt-file}", "{artifacts}/trajectory.json"],
        "output": "mini-trajectory",
    },
    {"name": "words", "command": ["cat"]},
]
USED = {
    "requests": 3,
    "turns": 3,
    "inputTokens": 4400,
    "cachedTokens": 2700,
    "outputTokens": 125,
    "totalTokens": 4525,
    "costUSD": "0.007785",
    "source": "agent",
}


@pytest.fixture(scope="module")
def tellers(installation: Installation) -> Installation:
    """The installation with a RunProfile that offers these agents."""
    installation.apply(make_profile(installation, "tellers", agents=AGENTS))
    return installation


def spec(agent: str, text: str, **more: object) -> JsonDict:
    source = {"repository": "sample", "ref": "main"}
    return {"source": source, "profileRef": {"name": "tellers"}, "agent": {"name": agent}, "prompt": text, **more}


def make(kind: str, name: str, body: JsonDict) -> JsonDict:
    meta = {"name": name, "annotations": {"autopack.dev/intention-anchor": ANCHOR}}
    return {"apiVersion": "autopack.dev/v1alpha1", "kind": kind, "metadata": meta, "spec": body}


def text_of(name: str) -> str:
    return recorded(f"agents/{name}").decode()


def columns(installation: Installation, resource: str, name: str) -> dict[str, str]:
    """What `kubectl get -o wide` shows, by the heading that each cell stands under."""
    header, row = kubectl("get", resource, name, "-n", installation.namespace, "-o", "wide").splitlines()
    starts = [header.index(word) for word in header.split()] + [len(header) + len(row)]
    return {
        title: row[begin:end].strip() for title, begin, end in zip(header.split(), starts, starts[1:], strict=False)
    }


def test_usage_summary_and_transcript_of_a_run(tellers: Installation) -> None:
    tellers.create(make("AutopackRun", "teller", spec("claude", text_of("claude.jsonl"))))
    run = tellers.finished("teller")
    assert phase(run) == "Succeeded"
    assert (run["status"]["usage"], run["status"]["summary"]) == (USED, "The file is committed.")
    shown = columns(tellers, "autopackrun", "teller")
    assert (shown["TOKENS"], shown["COST"], shown["SUMMARY"]) == ("4525", "0.007785", "The file is committed.")
    folder = run["status"]["artifacts"]
    said = [json.loads(line) for line in tellers.file(f"{folder}/transcript.jsonl").splitlines()]
    assert [one["kind"] for one in said].count("tool_call") == 2
    assert tellers.file(f"{folder}/logs/stdout.log") == text_of("claude.jsonl")


def test_attempts_are_added_up(tellers: Installation) -> None:
    retry = {"agent": 1, "backoffSeconds": 1}
    tellers.create(make("AutopackRun", "tells-twice", spec("opencode", text_of("opencode.jsonl"), retry=retry)))
    status = tellers.finished("tells-twice")["status"]
    assert (status["phase"], status["attempt"]) == ("Succeeded", 2)
    assert (status["usage"]["requests"], status["usage"]["costUSD"]) == (6, "0.01557")


def test_forged_numbers_and_texts_are_bounded(tellers: Installation) -> None:
    forged = {
        "type": "result",
        "result": "\x1b[31m" + "x" * 10_000,
        "total_cost_usd": 1e300,
        "num_turns": -1,
        "modelUsage": {"m": {"inputTokens": 10**400, "outputTokens": "many"}},
    }
    garbage = "\n[[[[\n" + json.dumps(forged) + "\n" + '{"type":"result","result":"' + "y" * 200_000
    tellers.create(make("AutopackRun", "forger-of-numbers", spec("claude", garbage)))
    status = tellers.finished("forger-of-numbers")["status"]
    most = 10**12
    assert status["phase"] == "Succeeded"
    assert status["usage"] == {
        "inputTokens": most,
        "totalTokens": most,
        "costUSD": "1000000.00",
        "source": "agent",
    }
    assert (len(status["summary"]), status["summary"].isprintable()) == (256, True)


def test_a_batch_has_the_sum_of_its_runs(tellers: Installation) -> None:
    items = [
        {"id": "a"},
        {"id": "b", "agent": {"name": "mini"}, "prompt": text_of("mini.json")},
        {"id": "c", "agent": {"name": "words"}},
    ]
    template = spec("claude", text_of("claude.jsonl"))
    tellers.create(make("RunBatch", "tellers", {"template": template, "runs": items}))
    batch = tellers.finished("tellers", "runbatch")
    assert batch["status"]["usage"] == USED | {
        "requests": 6,
        "turns": 6,
        "inputTokens": 8800,
        "cachedTokens": 5400,
        "outputTokens": 250,
        "totalTokens": 9050,
        "costUSD": "0.01666",
    }
    assert "usage" not in tellers.get("autopackrun", "tellers-c")["status"]
    shown = columns(tellers, "runbatch", "tellers")
    assert (shown["TOKENS"], shown["COST"]) == ("9050", "0.01666")
