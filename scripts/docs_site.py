"""Hook of mkdocs: brings in the pages that live outside docs/, and turns links to them into links within the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "changelog.md": "CHANGELOG.md",
    "release.md": "RELEASE.md",
    "chart-guide.md": "charts/autopack/README.md",
}
"""Page of the site -> file of the repository."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision into the navigation, below the last section."""
    sections: list[dict[str, list[object]]] = config.nav or []
    [contribute] = sections[-1].values()
    contribute.append({"Decisions": sorted(f"adr/{path.name}" for path in (ROOT / "docs" / "adr").glob("*.md"))})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside docs/."""
    from mkdocs.structure.files import File

    for page, source in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Rewrite the links of one page."""
    return linked(markdown, page.file.src_uri)


def linked(markdown: str, page: str) -> str:
    """Return the text of `page` with its links, which hold in the repository, as they hold in the site.

    A link to a file that is no page stays as it is, and the strict build reports it.
    """
    here = PAGES.get(page, f"docs/{page}")
    names = {source: name for name, source in PAGES.items()}

    def rewritten(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match[1]))
        within = names.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else "")
        return posixpath.relpath(within, posixpath.dirname(page) or ".") if within else match[1]

    return LINK.sub(rewritten, markdown)
