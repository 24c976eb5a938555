"""Write the CRDs from the pydantic models into crds/ and into the chart. `make generate` calls it."""

from __future__ import annotations

from pathlib import Path

import yaml

from autopack_operator.domain.crds import RESOURCES, crd

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (ROOT / "crds", ROOT / "charts" / "autopack" / "crds")
HEADER = "# Generated from operator/autopack_operator/domain/api by `make generate`. Do not edit.\n"


def rendered() -> dict[str, str]:
    """File name -> YAML text of every CRD."""
    return {
        f"{resource.plural}.yaml": HEADER + yaml.safe_dump(crd(resource), sort_keys=False, width=120)
        for resource in RESOURCES
    }


def main() -> None:
    for target in TARGETS:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in rendered().items():
            (target / name).write_text(text)


if __name__ == "__main__":
    main()
