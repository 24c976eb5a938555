"""A machine that drives a real worktree through random git commands and file operations, ends it, and looks for loss.

`python -m tests.local.nothing_lost.machine --minutes 30` plays for that long, with new random numbers each time; the
last line it prints is one JSON object: minutes, examples, steps, findings.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.local.nothing_lost import commands
from tests.local.nothing_lost.world import World, make_source

ENDINGS = ("remove", "keep", "crash", "cleanup")
COMMON = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False, report_multiple_bugs=False
)
STEPS = 25

_names = st.sampled_from(commands.NAMES)
_where = st.sampled_from(("", "", "", *commands.PLACES))
_counts = {"examples": 0, "steps": 0}


def _commands(*groups: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return a strategy of commands, with what is to be filled in filled in."""
    values = st.fixed_dictionaries(
        {
            "branch": st.sampled_from(commands.BRANCHES),
            "revision": st.sampled_from(commands.REVISIONS),
            "name": _names,
            "other": _names,
            "place": st.sampled_from(commands.PLACES),
        }
    )
    return st.builds(_filled, st.sampled_from([one for group in groups for one in group]), values)


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", shlex.quote(value))
    return template


class Machine(RuleBasedStateMachine):
    """One run's life."""

    source: Path
    """The repository that every life begins with; set before the machine is started."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="machine-", dir=self.source.parent))
        self._world = World(self.source, self._folder)
        self._written = 0
        self._ending = ENDINGS[0]
        _counts["examples"] += 1

    @initialize(ending=st.sampled_from(ENDINGS))
    def begin(self, ending: str) -> None:
        self._ending = ending

    @rule(name=_names, kind=st.sampled_from(("lines", "crlf", "bytes", "ident")), where=_where)
    def write(self, name: str, kind: str, where: str) -> None:
        self._step(lambda: self._world.write(name, self._content(kind), where))

    @rule(name=_names, kind=st.sampled_from(("lines", "bytes")), where=_where)
    def write_and_add(self, name: str, kind: str, where: str) -> None:
        self._step(lambda: self._world.stage(name, self._content(kind), where))

    @rule(name=_names, kind=st.sampled_from(("lines", "crlf")), command=_commands(commands.STAGING), where=_where)
    def write_and_stage(self, name: str, kind: str, command: str, where: str) -> None:
        self.write(name, kind, where)
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.STAGING), where=_where)
    def stage(self, command: str, where: str) -> None:
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.MOVING, commands.STASHING), where=_where)
    def move(self, command: str, where: str) -> None:
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.JOINING), where=_where)
    def join(self, command: str, where: str) -> None:
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.HIDING, commands.CONFIGURING), where=_where)
    def hide(self, command: str, where: str) -> None:
        self._world.plain = False
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.NESTING), where=_where)
    def nest(self, command: str, where: str) -> None:
        self._step(lambda: self._world.run(command, where))

    @rule(command=_commands(commands.DESTROYING), where=_where)
    def destroy(self, command: str, where: str) -> None:
        self._step(lambda: self._world.destroy(command, where))

    @rule(command=_commands(commands.FILES), where=_where)
    def change_files(self, command: str, where: str) -> None:
        self._step(lambda: self._world.destroy(command, where))

    def _content(self, kind: str) -> bytes:
        """Return what no other file of this life has."""
        self._written += 1
        word = f"content {self._written}"
        return {
            "lines": f"{word}\n",
            "crlf": f"{word}\r\nline\r\n",
            "bytes": f"{word}\0",
            "ident": f"$Id: {word}$\nline\r\nline\n",
        }[kind].encode()

    @staticmethod
    def _step(do: Callable[[], object]) -> None:
        _counts["steps"] += 1
        do()

    def teardown(self) -> None:
        try:
            self._world.end(self._ending)
        finally:
            self._world.manager.release()
            shutil.rmtree(self._folder, ignore_errors=True)


def play(folder: Path, how: settings, number: int | None = None) -> None:
    """Play one round of lives in `folder`, with random numbers that begin with `number`; fails at the first loss."""
    Machine.source = make_source(folder / "source")
    machine = Machine if number is None else seed(number)(Machine)
    run_state_machine_as_test(machine, settings=how)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="machine", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="no round begins after that")
    parser.add_argument("--lives", type=int, default=40, help="lives in a round")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where the random numbers begin")
    parser.add_argument("--as-found", action="store_true", help="tell a loss as it was found, without looking for less")
    arguments = parser.parse_args()
    phases = [phase for phase in Phase if phase is not Phase.explain]
    if arguments.as_found:
        phases.remove(Phase.shrink)
    how = settings(COMMON, max_examples=arguments.lives, stateful_step_count=STEPS, phases=phases)
    findings: list[dict[str, object]] = []
    number, began = arguments.seed, time.monotonic()
    while time.monotonic() - began < arguments.minutes * 60:
        with tempfile.TemporaryDirectory(prefix="machine-", ignore_cleanup_errors=True) as folder:
            try:
                play(Path(folder), how, number)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding, and the others are wanted too
                findings.append({"seed": number, "said": f"{type(error).__name__}: {error}"})
                print(f"seed {number}: {type(error).__name__}: {error}", flush=True)
        number += 1
    minutes = round((time.monotonic() - began) / 60, 1)
    print(json.dumps({"minutes": minutes, **_counts, "findings": findings}), flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
