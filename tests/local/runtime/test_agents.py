"""What a run's agent tells of itself, from its output to the answer of the volume service."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

from tests.recorded import FOLDER, recorded

from .conftest import Api, Pod

AGENTS = FOLDER / "agents"
USED = {
    "requests": 3,
    "inputTokens": 4400,
    "outputTokens": 125,
    "cachedTokens": 2700,
    "turns": 3,
    "costUSD": "0.007785",
    "source": "agent",
}


def transcript(pod: Pod) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (pod.artifacts / "transcript.jsonl").read_bytes().splitlines()]


async def test_what_an_agent_prints_is_told_and_kept_as_it_is(api: Api, ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_AGENT_OUTPUT="claude-stream-json")
    assert pod.live(f"cat {AGENTS}/claude.jsonl") == 0
    _, answer = await api.commit()
    assert (answer["usage"], answer["summary"]) == (USED, "The file is committed.")
    assert (pod.artifacts / "logs/stdout.log").read_bytes() == recorded("agents/claude.jsonl")
    assert transcript(pod)[0] == {"role": "assistant", "kind": "message", "text": "I look at the files first."}
    listed = [one["path"] for one in json.loads(pod.files.manifest.read_bytes())["files"]]
    assert "transcript.jsonl" in listed


async def test_a_trajectory_is_read_from_the_artifacts(api: Api, ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_AGENT_OUTPUT="mini-trajectory")
    pod.live(f'cp {AGENTS}/mini.json "$AUTOPACK_ARTIFACTS/trajectory.json"')
    _, answer = await api.commit()
    assert answer["usage"] == USED | {"costUSD": "0.008875"}


async def test_a_run_without_an_agent_tells_nothing(api: Api, ready: Pod) -> None:
    ready.live(f"cat {AGENTS}/claude.jsonl")
    _, answer = await api.commit()
    assert "usage" not in answer
    assert "summary" not in answer
    assert not (ready.artifacts / "transcript.jsonl").exists()


async def test_what_was_heard_before_the_keeper_was_killed_counts_once(api: Api, ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_AGENT_OUTPUT="opencode-json")
    assert pod.init() == 0
    whole = recorded("agents/opencode.jsonl")
    log = pod.artifacts / "logs/stdout.log"
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        pod.start_keeper()
        pod.wait_for_keeper()
        await asyncio.sleep(0.5)
        pod.stop_keeper(signal.SIGKILL)
    log.write_bytes(whole)
    pod.start_keeper()
    pod.files.exit_file.write_text('{"exitCode": 0}')
    pod.wait_for("result.json")
    pod.stop_keeper()
    _, answer = await api.commit()
    assert answer["usage"] == USED


async def test_a_keeper_that_is_told_to_stop_tells_what_was_used_so_far(api: Api, ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_AGENT_OUTPUT="opencode-json")
    assert pod.init() == 0
    (pod.artifacts / "logs").mkdir(exist_ok=True)
    (pod.artifacts / "logs/stdout.log").write_bytes(b"".join(recorded("agents/opencode.jsonl").splitlines(True)[:4]))
    pod.start_keeper()
    pod.wait_for_keeper()
    assert pod.stop_keeper() == 0
    _, answer = await api.commit()
    assert (answer["usage"]["inputTokens"], answer["usage"]["costUSD"]) == (1200, "0.00366")


async def test_what_a_run_forges_is_bounded(api: Api, ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_AGENT_OUTPUT="claude-stream-json")
    huge = (
        '{"type":"result","result":"\\u001b[31m%s","total_cost_usd":1e300,"num_turns":-5,"usage":{"input_tokens":1e99}}'
    )
    pod.live(f"""printf '%s\\n' '{huge % ("x" * 5000)}'; printf '\\377\\000garbage'""")
    _, answer = await api.commit()
    assert answer["usage"] == {"inputTokens": 10**12, "costUSD": "1000000.00", "source": "agent"}
    assert (len(answer["summary"]), answer["summary"].isprintable()) == (256, True)
