"""What a run's agent tells of itself, without a cluster."""

from __future__ import annotations

import json

from tests.local.supervisor.scene import Scene, python
from tests.recorded import FOLDER, recorded

from autopack.registry.reader import RegistryReader, RunFilter
from autopack.registry.urls import sqlite_url

AGENTS = FOLDER / "agents"


def printing(name: str) -> str:
    """Return a command that prints a recorded output, and fails the first time."""
    return python(f"import os; print(open({str(AGENTS / name)!r}).read()); exit(os.environ['AUTOPACK_ATTEMPT'] == '1')")


def test_what_all_attempts_used_is_told_and_each_keeps_its_transcript(scene: Scene) -> None:
    done = scene.supervise(
        ["one"],
        *("--per-run-sqlite", "--max-retries", "1", "--agent-output", "claude-stream-json"),
        *("--command", printing("claude.jsonl")),
    )
    assert "  Agent: The file is committed.\n  Used: 9050 tokens, $0.01557\n" in done.stdout, done.stderr
    result = scene.result("one")
    assert (result["summary"], result["attempt"]) == ("The file is committed.", 2)
    assert result["usage"] == {
        "requests": 6,
        "inputTokens": 8800,
        "outputTokens": 250,
        "cachedTokens": 5400,
        "turns": 6,
        "costUSD": "0.01557",
        "source": "agent",
    }
    for name in ("transcript.jsonl", "transcript.a1.jsonl"):
        said = [json.loads(line) for line in (scene.runs / "one" / name).read_bytes().splitlines()]
        assert said[0]["text"] == "I look at the files first."
    assert scene.stdout("one").encode().strip() == recorded("agents/claude.jsonl").strip()
    reader = RegistryReader(sqlite_url(scene.runs / "one/one.db"), None)
    [row] = reader.runs(RunFilter(), None, 10)
    assert (row.micro_usd, row.summary) == (15570, "The file is committed.")
    reader.close()


def test_the_trajectory_of_an_attempt_before_is_not_read_again(scene: Scene) -> None:
    code = (
        "import os, shutil\n"
        "if os.environ['AUTOPACK_ATTEMPT'] == '1':\n"
        f"    shutil.copy({str(AGENTS / 'mini.json')!r}, os.environ['AUTOPACK_ARTIFACTS'] + '/trajectory.json')\n"
        "    exit(1)\n"
    )
    flags = ("--per-run-sqlite", "--max-retries", "1", "--agent-output", "mini-trajectory")
    done = scene.supervise(["one"], *flags, "--command", python(code))
    assert "Used: 4525 tokens, $0.008875" in done.stdout, done.stderr
    assert (scene.runs / "one/trajectory.a1.json").exists()


def test_without_a_format_a_file_of_that_name_is_the_runs(scene: Scene) -> None:
    code = "import os; open(os.environ['AUTOPACK_ARTIFACTS'] + '/transcript.jsonl', 'a').write('mine')"
    for _ in range(2):
        scene.supervise(["one"], "--per-run-sqlite", "--redo-existing", "--command", python(code))
    assert (scene.runs / "one/transcript.jsonl").read_text() == "minemine"
    assert scene.result("one")["usage"] is None
