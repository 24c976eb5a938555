"""How much is measured: the full benchmark, and one that is quick."""

from __future__ import annotations

from dataclasses import dataclass, replace

MANY, LARGE = 1000, 5000
"""From these sizes on, three repeats and one have to do."""


@dataclass(frozen=True)
class Settings:
    """Sizes and repeats.

    Attributes:
        sizes: N of the arms on kwok's nodes, with the same bound on the requests of both controllers.
        unbounded: N of the arms without a bound, one repeat each.
        real_pods: N of the arms on the kubelet; 0 leaves that part out.
        repeats: of each comparison.
        burst: runs that are created at once for the latency.
        stored: numbers of stored runs at which memory and restarts are measured.
        qps: requests a second that each controller may send: that of the cluster's kube-controller-manager.

    """

    sizes: tuple[int, ...]
    unbounded: tuple[int, ...]
    real_pods: int
    repeats: int
    burst: int
    stored: tuple[int, ...]
    qps: int = 200

    def repeats_of(self, size: int) -> int:
        """How often the arms of that size take turns."""
        return 1 if size >= LARGE else min(self.repeats, 3) if size >= MANY else self.repeats

    def changed(self, repeats: int | None, sizes: str | None, unbounded: str | None) -> Settings:
        """As the command line says."""
        chosen = self if repeats is None else replace(self, repeats=repeats)
        chosen = chosen if sizes is None else replace(chosen, sizes=_numbers(sizes))
        return chosen if unbounded is None else replace(chosen, unbounded=_numbers(unbounded))

    def __str__(self) -> str:
        sizes = ", ".join(f"N={size} ({self.repeats_of(size)} repeats)" for size in self.sizes)
        real = f"; N={self.real_pods} real pods ({self.repeats} repeats)" if self.real_pods else ""
        stored = f"; {', '.join(map(str, self.stored))} stored runs" if self.stored else ""
        free = f"; without a bound N={', '.join(map(str, self.unbounded))}" if self.unbounded else ""
        return f"kwok {sizes}{free}{real}; burst of {self.burst}{stored}; {self.qps} requests/s for each controller"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number)


FULL = Settings(
    sizes=(100, 1000, 5000), unbounded=(100, 1000), real_pods=30, repeats=5, burst=500, stored=(0, 1000, 10_000)
)
QUICK = Settings(sizes=(30, 100), unbounded=(), real_pods=0, repeats=1, burst=100, stored=())
