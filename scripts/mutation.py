"""`make mutation`: changes decisions one at a time, and counts the changes that no test notices.

    python -m scripts.mutation run --max-children 1 "autopack_operator.domain.batch.*"
    python -m scripts.mutation show autopack_operator.domain.turns.x_share__mutmut_3

The words are mutmut's. It takes `src` for no part of a module's name and `operator` for one, so it works in a folder in
which the source root is called so. It keeps its results there: a second run plays what has changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".mutation"
LINKS = {"src": "operator"} | {name: name for name in ("tests", "charts", "crds", "scripts", "pyproject.toml")}
NOTICED = {1: "killed", 3: "killed", -24: "timeout", 24: "timeout", 36: "timeout", 152: "timeout", 255: "timeout"}
UNNOTICED = {0: "survived", 33: "no test"}


def prepared() -> Path:
    """The folder in which mutmut works."""
    PLACE.mkdir(exist_ok=True)
    for name, target in LINKS.items():
        link = PLACE / name
        if not link.is_symlink():
            link.symlink_to(Path("..") / target)
    return PLACE


def counted(place: Path) -> dict[str, Counter[str]]:
    """For each module of which mutants were played: how many ended how."""
    modules: dict[str, Counter[str]] = {}
    for path in sorted((place / "mutants/src").rglob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"].values()
        found = Counter((NOTICED | UNNOTICED).get(code, f"exit code {code}") for code in codes if code is not None)
        if found:
            modules[str(path.relative_to(place / "mutants/src")).removesuffix(".meta")] = found
    return modules


def score(found: Counter[str]) -> str:
    noticed = sum(found[name] for name in set(NOTICED.values()))
    return f"{noticed}/{found.total()} ({100 * noticed / found.total():.0f}%)"


def main(args: list[str]) -> int:
    place = prepared()
    code = subprocess.run([Path(sys.executable).with_name("mutmut"), *args], cwd=place, check=False).returncode
    # With none played, mutmut has said why.
    if args[:1] == ["run"] and (modules := counted(place)):
        for name, found in modules.items():
            print(f"{score(found):>16}  {name}")
        print(f"{score(sum(modules.values(), Counter())):>16}  noticed in all")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
