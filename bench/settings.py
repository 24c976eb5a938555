"""How much is measured: the full benchmark, and one that is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

MANY, LARGE = 1000, 5000
"""From these sizes on, two repeats and one have to do."""

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
        real_pods: N of the arms on the kubelet; 0 leaves that part out.
        repeats: of each comparison.
        burst: runs that are created at once for the latency.
        stored: numbers of stored runs at which memory and restarts are measured.
        longest_part: seconds after which a part is given up as not measured.
        trees: what is measured without the cluster.
        qps: requests a second that each controller may send: that of the cluster's kube-controller-manager.

    """

    sizes: tuple[int, ...]
    unbounded: tuple[int, ...]
    real_pods: int
    repeats: int
    burst: int
    stored: tuple[int, ...]
    longest_part: float
    trees: Trees
    qps: int = 200

    def repeats_of(self, size: int) -> int:
        """How often the arms of that size take turns."""
        return 1 if size >= LARGE else min(self.repeats, 2) if size >= MANY else self.repeats

    def changed(self, options: Mapping[str, str | None], repeats: int | None) -> Settings:
        """As the command line says: `options` are fields by name, numbers with commas between; None is not given."""
        given = {name: _numbers(text) for name, text in options.items() if text is not None}
        return replace(
            self,
            sizes=given.get("sizes", self.sizes),
            unbounded=given.get("unbounded", self.unbounded),
            stored=given.get("stored", self.stored),
            real_pods=sum(given.get("real_pods", (self.real_pods,))),
            repeats=self.repeats if repeats is None else repeats,
            trees=self.trees.only(None, None, repeats),
        )

    def __str__(self) -> str:
        sizes = ", ".join(f"N={size} ({self.repeats_of(size)} repeats)" for size in self.sizes)
        real = f"; N={self.real_pods} real pods ({self.repeats} repeats)" if self.real_pods else ""
        stored = f"; {', '.join(map(str, self.stored))} stored runs" if self.stored else ""
        free = f"; without a bound N={', '.join(map(str, self.unbounded))}" if self.unbounded else ""
        cluster = f"kwok {sizes}{free}{real}; burst of {self.burst}{stored}; {self.qps} requests/s for each controller"
        return f"{cluster}; worktrees: {self.trees}"


def _cases(cases: tuple[tuple[int, int, int], ...]) -> str:
    return ", ".join(f"{count} at once of {size} files ({often} repeats)" for size, count, often in cases) or "none"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number)


FULL = Settings(
    sizes=(100, 1000, 5000),
    unbounded=(100,),
    real_pods=30,
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
    repeats=1,
    burst=100,
    stored=(),
    longest_part=120,
    trees=Trees(
        cases=((2000, 1, 3), (2000, 8, 1), (2000, 32, 1)),
        on_disk=((2000, 1, 3),),
        main_size=2000,
        clones=4,
        tried=False,
    ),
)
