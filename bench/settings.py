"""How much is measured: the full benchmark, and one that is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

LARGE = 1000
"""From this size on, one repeat has to do, and both controllers may send more requests a second: at 50 the three arms
take more than 5 minutes at N=1,000, and half an hour at 5,000.
"""

CLUSTER_QPS = 200
"""Requests a second that the cluster's own kube-controller-manager may send (`devcluster/embedded/components.py`)."""

MAX_QPS = 10_000
"""The most that the operator's AUTOPACK_API_QPS takes."""

REQUESTS_A_RUN = 25
"""About so many requests of the controllers cost a run in all three arms together, their removal included."""

MACHINE_QPS = 100
"""About so many a second get through on two cores, whatever the bound."""

SLACK = 3
"""A part may take so many times what the two above make it take: machines differ."""

BYTES_A_FILE, BYTES_A_TREE = 11_000, 100_000_000


@dataclass(frozen=True)
class Trees:
    """Cases of worktrees.

    Attributes:
        cases: (files of a tree, trees at once, repeats), in memory.
        on_disk: the same on the disk.
        main_size: the size at which disk, mirror and what was tried are measured.
        clones: N of the disk's comparison with N full clones.
        tried: whether what git offers to be quicker is measured as well.

    """

    cases: tuple[tuple[int, int, int], ...]
    on_disk: tuple[tuple[int, int, int], ...]
    main_size: int
    clones: int
    tried: bool = False

    @property
    def repeats(self) -> int:
        """Of a single tree of the main size."""
        return max((repeats for files, _, repeats in self.cases if files == self.main_size), default=1)

    def bytes_a_file(self, files: int) -> int:
        """As in source code, but no tree larger than about 100 MB."""
        return min(BYTES_A_FILE, BYTES_A_TREE // files)

    def only(self, files: str | None, at_once: str | None, repeats: int | None) -> Trees:
        """As the command line says."""

        def chosen(cases: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
            return tuple(
                (size, count, often if repeats is None else repeats)
                for size, count, often in cases
                if (files is None or size in _numbers(files)) and (at_once is None or count in _numbers(at_once))
            )

        return replace(self, cases=chosen(self.cases), on_disk=chosen(self.on_disk))

    def __str__(self) -> str:
        return f"in memory {_cases(self.cases)}; on the disk {_cases(self.on_disk)}"


@dataclass(frozen=True)
class Settings:
    """Sizes and repeats.

    Attributes:
        sizes: N of the arms on kwok's nodes, with the same bound on the requests of both controllers.
        unbounded: N of the arms without a bound, one repeat each.
        real_pods: N of the arms on the kubelet, at CLUSTER_QPS for both controllers; 0 leaves that part out.
        real_repeats: of the arms on the kubelet.
        repeats: of each other comparison.
        burst: runs that are created at once for the latency.
        stored: numbers of stored runs at which memory and restarts are measured.
        longest_part: seconds after which a part is given up as not measured; for the arms, see `longest_of`.
        trees: what is measured without the cluster.
        qps: requests a second that each controller may send in the arms at `sizes`. At CLUSTER_QPS two cores bind, not
            the bound, and what is compared is two programs' share of a busy machine.
        large_qps: the same for sizes from LARGE on, which would take half an hour at `qps`.

    """

    sizes: tuple[int, ...]
    unbounded: tuple[int, ...]
    real_pods: int
    real_repeats: int
    repeats: int
    burst: int
    stored: tuple[int, ...]
    longest_part: float
    trees: Trees
    qps: int = 50
    large_qps: int = 100

    def by_bound(self) -> dict[int, tuple[int, ...]]:
        """The sizes of kwok's arms, by the requests a second that each controller may send there."""
        found: dict[int, tuple[int, ...]] = {}
        for size in self.sizes:
            bound = self.large_qps if size >= LARGE else self.qps
            found[bound] = (*found.get(bound, ()), size)
        return found

    def repeats_of(self, size: int) -> int:
        """How often the arms of that size take turns."""
        return 1 if size >= LARGE else self.repeats

    def longest_of(self, size: int, repeats: int, qps: int) -> float:
        """Seconds after which the arms of that size are given up: `longest_part`, or more where the requests that they
        cost take longer by design.

        `qps` is the bound on each controller; 0 is none.
        """
        pace = min(qps or MACHINE_QPS, MACHINE_QPS)
        return max(self.longest_part, SLACK * repeats * size * REQUESTS_A_RUN / pace)

    def changed(self, options: Mapping[str, str | None], repeats: int | None, qps: int | None = None) -> Settings:
        """As the command line says: `options` are fields by name, numbers with commas between; None is not given."""
        given = {name: _numbers(text) for name, text in options.items() if text is not None}
        return replace(
            self,
            sizes=given.get("sizes", self.sizes),
            unbounded=given.get("unbounded", self.unbounded),
            stored=given.get("stored", self.stored),
            real_pods=sum(given.get("real_pods", (self.real_pods,))),
            real_repeats=self.real_repeats if repeats is None else repeats,
            repeats=self.repeats if repeats is None else repeats,
            qps=self.qps if qps is None else qps,
            large_qps=self.large_qps if qps is None else qps,
            trees=self.trees.only(None, None, repeats),
        )

    def __str__(self) -> str:
        arms = [
            f"kwok, {qps} requests/s for each controller: "
            + ", ".join(f"N={size} ({self.repeats_of(size)} repeats)" for size in sizes)
            for qps, sizes in self.by_bound().items()
        ]
        about = f"{self.real_repeats} repeats, {CLUSTER_QPS} requests/s for each controller"
        real = f"; N={self.real_pods} real pods ({about})" if self.real_pods else ""
        stored = f"; {', '.join(map(str, self.stored))} stored runs" if self.stored else ""
        free = f"; without a bound N={', '.join(map(str, self.unbounded))}" if self.unbounded else ""
        bounded = "; ".join(arms) or "no arms with a bound"
        return f"{bounded}{free}{real}; no bound: burst of {self.burst}{stored}; worktrees: {self.trees}"


def _cases(cases: tuple[tuple[int, int, int], ...]) -> str:
    return ", ".join(f"{count} at once of {size} files ({often} repeats)" for size, count, often in cases) or "none"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number)


FULL = Settings(
    sizes=(100, 1000, 5000),
    unbounded=(100,),
    real_pods=30,
    real_repeats=2,
    repeats=5,
    burst=500,
    stored=(0, 1000, 10_000),
    longest_part=900,
    trees=Trees(
        cases=(
            (1000, 1, 5),
            (1000, 8, 5),
            (1000, 32, 3),
            (1000, 64, 1),
            (8000, 1, 5),
            (8000, 8, 2),
            (8000, 32, 1),
            (50_000, 1, 1),
        ),
        on_disk=((8000, 1, 3),),
        main_size=8000,
        clones=8,
    ),
)
QUICK = Settings(
    sizes=(30, 100),
    unbounded=(),
    real_pods=0,
    real_repeats=1,
    repeats=1,
    burst=100,
    stored=(),
    longest_part=120,
    trees=Trees(
        # Ratios of a single repeat scatter by more than what bench-check tolerates.
        cases=((1000, 1, 5), (1000, 8, 3), (1000, 32, 3)),
        on_disk=((1000, 1, 5),),
        main_size=1000,
        clones=4,
    ),
)
