"""`make demo-agents`: two real coding agents on this very repository, side by side, with models that play a script.

Programs, pods, git and the requests to the models are real; only what the models answer is written here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from autopack.phases import Phase
from scripts import deploy
from scripts.deploy import ROOT, JsonDict, kubectl
from scripts.models import VALUES, Models
from scripts.showing import indent, look_around, phase, remove_earlier_demo, runs, section, step, watch

NAMESPACE = "autopack-demo-agents"
EXAMPLE = ROOT / "examples" / "agents-side-by-side.yaml"
SECONDS = 1.0
"""How long each answer takes, so that there is something to watch."""
SCRIPT = {
    "default": [
        {
            "text": "I look at what changed last.",
            "shell": "git log --format='%h %s' -n 5 -- docs operator",
            "usage": {"input": 5200, "output": 60},
        },
        {
            "text": "I write it down and commit it.",
            "shell": 'git log --format="- %h %s" -n 5 -- docs operator > NOTES.md && git add NOTES.md'
            ' && git commit -qm "Note the latest changes, by $AUTOPACK_AGENT"',
            "usage": {"input": 5500, "cached": 5200, "output": 120},
        },
        {
            "text": "NOTES.md has the five latest changes of docs/ and operator/, and is committed.",
            "usage": {"input": 5700, "cached": 5500, "output": 30},
        },
    ]
}


def main() -> int:
    """Exit 0 only if both agents committed, and tell of what they used."""
    with step("a Kubernetes cluster, the operator's image, and one with real agents"):
        deploy.cluster_with_images()
        deploy.agents_image()
    with step(f"helm install charts/autopack into namespace {NAMESPACE}, with the agents' image"):
        remove_earlier_demo(NAMESPACE)
        deploy.install(NAMESPACE, values=VALUES | {"dashboard.enabled": "true"})
    with step("models that play a script, and a Secret with the key that they want"):
        models = Models(NAMESPACE, SCRIPT, seconds=SECONDS)
    with step("this repository's history onto the volume"):
        print(indent(deploy.import_repository(NAMESPACE, "demo", ROOT)))
    with step(f"kubectl apply -f {EXAMPLE.relative_to(ROOT)}"):
        print(indent(kubectl("apply", "-n", NAMESPACE, "-f", EXAMPLE)))
    watch(NAMESPACE, 2)
    for run in runs(NAMESPACE):
        show(run)
    section("kubectl autopack get -o wide", plugin("get", "-o", "wide"))
    section("kubectl get runbatches -o wide", kubectl("get", "runbatches", "-n", NAMESPACE, "-o", "wide"))
    section("what the models say that they were asked", json.dumps(models.counts()))
    return verdict()


def show(run: JsonDict) -> None:
    """What one agent made, said and used."""
    name, status = run["metadata"]["name"], run["status"]
    section(f"kubectl autopack diff {name} --committed", plugin("diff", name, "--committed"))
    section(f"the transcript of {name}", transcript(run))
    section(f"what {name} used", json.dumps(status.get("usage")))


def transcript(run: JsonDict) -> str:
    """The artifact, a line for each entry."""
    path = f"/autopack/{run['status']['artifacts']}/transcript.jsonl"
    entries = map(json.loads, deploy.in_volume(NAMESPACE, "cat", path).splitlines())
    return "\n".join(f"{entry['role']:>9} {entry['kind']:<11} {shortened(entry.get('text', ''))}" for entry in entries)


def shortened(text: str) -> str:
    """The beginning, in one line."""
    line = " ".join(text.split())
    return f"{line[:97]}..." if len(line) > 100 else line


def plugin(*words: str) -> str:
    """Output of `kubectl autopack`, as it is installed beside this Python."""
    return deploy.run([Path(sys.executable).with_name("kubectl-autopack"), *words, "-n", NAMESPACE])


def verdict() -> int:
    """Judge the demo by what the cluster says."""
    ended = runs(NAMESPACE)
    good = [run for run in ended if phase(run) == Phase.SUCCEEDED and run["status"].get("usage")]
    print(f"\n{len(good)} of {len(ended)} agents Succeeded and told what they used")
    look_around(NAMESPACE)
    return 0 if len(good) == len(ended) == 2 else 1


if __name__ == "__main__":
    sys.exit(main())
