"""Heartbeats that commands write inside of real pods, read on the volume's own disk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autopack.file_layout import AttemptPaths
from autopack.kept_files import files_of
from autopack_volume.service.attempts import pins
from faults.ledger import Attempt, Execution
from faults.stage import Evidence
from faults.volume import Commit

FILE = "ci/beats"
_LINE = re.compile(r"(?P<pod>\S+) (?P<time>\d+\.\d+)")
SCRIPT = """
seconds=1 codes=0 oom=0 fill=
beat() { echo "$HOSTNAME $(date +%s.%N)" >> "$AUTOPACK_ARTIFACTS/ci/beats"; sleep 0.2; }
for word in "$@"; do
  case $word in
    seconds=* | real=*) seconds=${word#*=} ;;
    exit=*) codes=${word#exit=} ;;
    oom=*) oom=${word#oom=} ;;
    fill) fill=yes ;;
    forever) seconds=3600 ;;
  esac
done
code=$(echo "$codes," | cut -d, -f"$AUTOPACK_ATTEMPT"); code=${code:-0}
end=$(( $(date +%s) + ${seconds%.*} + 1 ))
while [ "$(date +%s)" -lt "$end" ]; do beat; done
[ "$AUTOPACK_ATTEMPT" -gt "$oom" ] || exec python3 -c "x = b'x' * (1 << 30)"
while [ "$fill" ]; do head -c 1000000 /dev/urandom >> "$AUTOPACK_ARTIFACTS/ci/fill"; beat; done
exit "$code"
"""
"""Understands the arguments of the played kubelet; `real=S` are its seconds where a played command takes less."""


@dataclass
class Beats:
    """Of one volume. A line counts as acknowledged from when it was seen whole on the disk."""

    root: Path
    acknowledged: dict[Path, list[str]] = field(default_factory=dict)

    def look(self) -> None:
        """Read what is there, and remember it."""
        for path in self.root.glob(f"*/a*/{FILE}"):
            lines = whole_lines(path)
            if len(lines) > len(self.acknowledged.get(path, ())):
                self.acknowledged[path] = lines

    def evidence(self, uids: Mapping[str, str]) -> Evidence:
        """What the attempts of these runs (UID -> name) left."""
        found = Evidence()
        for uid, name in uids.items():
            for folder in sorted(self.root.glob(f"{name}/a*-{uid[:8]}")):
                key = uid, int(folder.name[1:].partition("-")[0])
                lines = whole_lines(folder / FILE)
                found.acknowledged[key] = self.acknowledged.get(folder / FILE, [])
                found.stored[key] = lines
                found.executions += lives(name, key, lines)
                commit = self._commit(AttemptPaths(name, uid, key[1]), folder, lines)
                if commit is not None:
                    found.commits[key] = commit
        return found

    def _commit(self, paths: AttemptPaths, folder: Path, lines: list[str]) -> Commit | None:
        """What the volume service has pinned; the lines count as imported if the manifest has their digest."""
        answer = pins.committed(self.root, paths)
        if answer is None or answer["state"] == "failed":
            return None
        manifest = files_of(folder, self.root / paths.kept).manifest
        listed = json.loads(manifest.read_text())["files"] if manifest.exists() else []
        digest = hashlib.sha256((folder / FILE).read_bytes()).hexdigest() if (folder / FILE).exists() else ""
        intact = any(entry["path"] == FILE and entry["sha256"] == digest for entry in listed)
        kept = tuple(lines) if intact else ()
        removed = not (self.root / paths.workspace).exists()
        return Commit(0.0, kept, answer["manifestSha256"], answer["exitCode"], alive=False, removed_workspace=removed)


def lives(run: str, key: Attempt, lines: Iterable[str]) -> list[Execution]:
    """One execution for each pod that wrote lines. Half a line, from when the disk was full, has run into the next."""
    times: dict[str, list[float]] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is not None:
            times.setdefault(found["pod"], []).append(float(found["time"]))
    return [Execution(run, *key, pod, min(beats), max(beats), alive=False) for pod, beats in times.items()]


def whole_lines(path: Path) -> list[str]:
    """Lines that end with a newline; none without the file."""
    try:
        text = path.read_text()
    except OSError:
        return []
    return text[: text.rfind("\n") + 1].splitlines()
