"""Part 1 and 2: finished runs a second and requests, against Indexed and single Jobs, arms taking turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.arms import ARMS, Arm, Arms
from bench.figures import Figure, least, most
from bench.scene import Scene
from bench.statistics_of import log_log_slope, percentile, spread


@dataclass
class Comparison:
    """Arms by size: for each repeat, one of each.

    Attributes:
        about: where, and under which bound, for people.
        suffix: tells the keys of these figures from those of another place or bound.
        arms: what takes turns, by name.
        rounds: what was found so far.

    """

    about: str
    suffix: str = ""
    arms: Arms = field(default_factory=lambda: ARMS)
    rounds: dict[int, list[dict[str, Arm]]] = field(default_factory=dict)

    async def measure(self, scene: Scene, size: int, repeats: int) -> None:
        """Measure all arms `repeats` times, each time in another order: what comes later finds a warmer machine."""
        names = list(self.arms)
        for number in range(repeats):
            found: dict[str, Arm] = {}
            first = number % len(names)
            for name in names[first:] + names[:first]:
                found[name] = await self.arms[name](scene, size)
                await scene.clear()
            self.rounds.setdefault(size, []).append(found)
            rates = ", ".join(f"{name} {found[name].rate:.1f}/s" for name in names)
            print(f"N={size}, {self.about}, repeat {number + 1} of {repeats}: {rates}", flush=True)

    def figures(self) -> list[Figure]:
        """The lines of the table."""
        found: list[Figure] = []
        for size, rounds in self.rounds.items():
            found += _of_size(size, rounds, self.suffix, self.about)
        return found


def slopes(comparison: Comparison) -> list[Figure]:
    """How time and the operator's CPU grow with N."""
    sizes = sorted(comparison.rounds)
    if len(sizes) < 2:
        return []
    arms = {size: [found["C"] for found in comparison.rounds[size]] for size in sizes}
    seconds = [(size, spread([size / arm.rate for arm in arms[size]]).median) for size in sizes]
    cpu = [(size, spread([arm.cpu_seconds for arm in arms[size]]).median) for size in sizes]
    growth = f"N={sizes[0]} to {sizes[-1]}, {comparison.about}, log-log slope"
    return [
        Figure("slope_seconds", f"seconds of a batch, {growth}", [log_log_slope(seconds)], most(1.1)),
        Figure("slope_cpu", f"operator's CPU, {growth}", [log_log_slope(cpu)], most(1.1)),
    ]


def _of_size(size: int, rounds: Sequence[dict[str, Arm]], suffix: str, text: str) -> list[Figure]:
    runs = [found["C"] for found in rounds]
    jobs = [found["B"] for found in rounds]
    about, tail = f"N={size}, {text}", f"_{size}{suffix}"
    found = [
        Figure(f"throughput_vs_jobs{tail}", f"{about}: C/B", _ratio(rounds, "B", _rate), least(1.0)),
        Figure(f"throughput_vs_indexed_job{tail}", f"{about}: C/A", _ratio(rounds, "A", _rate), least(0.5)),
        Figure(f"runs_per_second{tail}", f"{about}: C, runs/s", [arm.rate for arm in runs]),
        Figure(
            f"mutating_requests_per_run{tail}", f"{about}: C, writes a run", [arm.mutating for arm in runs], most(8)
        ),
        Figure(f"mutating_vs_jobs{tail}", f"{about}: writes a run / a Job", _ratio(rounds, "B", _mutating)),
        Figure(f"batch_status_writes{tail}", f"{about}: C, writes of the batch's counters", [a.counters for a in runs]),
        Figure(f"events_per_run{tail}", f"{about}: C, Events a run", [arm.events for arm in runs]),
        Figure(f"etcd_vs_jobs{tail}", f"{about}: etcd bytes a run / a Job", _ratio(rounds, "B", _etcd)),
        Figure(f"etcd_kib_per_run{tail}", f"{about}: C, etcd KiB a run", [a.etcd_bytes / size / 1024 for a in runs]),
    ]
    for key, label, samples in (
        ("create_to_pod", "C, create to pod POST", [arm.to_pod for arm in runs]),
        ("end_to_status", "C, pod end to status", [arm.to_status for arm in runs]),
        ("jobs_create_to_pod", "B, create to pod POST", [arm.to_pod for arm in jobs]),
        ("jobs_end_to_status", "B, pod end to status", [arm.to_status for arm in jobs]),
    ):
        if all(samples):
            for percent in (50, 99):
                name, values = f"p{percent}", [percentile(sample, percent) for sample in samples]
                found.append(Figure(f"{key}_{name}{tail}", f"{about}: {label}, {name} s", values))
    if all("B0" in arms for arms in rounds):
        key, label = f"throughput_vs_idle_helpers{tail}", f"{about}: C/B0, Jobs whose helpers do no work"
        found.append(Figure(key, label, _ratio(rounds, "B0", _rate)))
    cpu = [arm.cpu_seconds * 1000 / size for arm in runs]
    return [*found, Figure(f"cpu_seconds_per_1000{tail}", f"{about}: operator, CPU s a 1,000 runs", cpu)]


def _ratio(rounds: Sequence[dict[str, Arm]], other: str, of: Callable[[Arm], float]) -> list[float]:
    """Runs against another arm of the same repeat."""
    return [of(found["C"]) / of(found[other]) for found in rounds]


def _rate(arm: Arm) -> float:
    return arm.rate


def _mutating(arm: Arm) -> float:
    return arm.mutating


def _etcd(arm: Arm) -> float:
    return arm.etcd_bytes
