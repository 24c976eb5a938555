"""What looks like a credential in a line of text. Pure. docs/adr/0018 says why it is this table."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import NamedTuple


class Rule(NamedTuple):
    """A form of credential. `hints`: one of them, in lower case, is in every line that fits; a quick first look."""

    name: str
    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


def _rule(name: str, hints: str, pattern: str, flags: int = 0) -> Rule:
    return Rule(name, tuple(hint.encode() for hint in hints.split()), re.compile(pattern.encode(), flags))


_RULES = (
    _rule("private-key", "-----begin", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    _rule("putty-private-key", "putty-user-key-file", r"PuTTY-User-Key-File-\d"),
    _rule("aws-access-key", "akia asia", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _rule("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    _rule("github-token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _rule("gitlab-token", "gl", r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|soat|ft|agent)-[A-Za-z0-9_-]{20,}"),
    _rule("slack-token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{20,}"),
    _rule(
        "slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}"
    ),
    _rule("google-api-key", "aiza", r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _rule("google-oauth-secret", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _rule("anthropic-key", "sk-ant-", r"sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{32,}"),
    _rule("openai-key", "sk-", r"(?<![A-Za-z0-9])sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,}"),
    _rule("openai-key", "t3blbkfj", r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    _rule("stripe-key", "k_live_", r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20,}"),
    _rule("npm-token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _rule("pypi-token", "pypi-ageichlwas", r"pypi-AgEIcHlwaS[A-Za-z0-9_-]{50,}"),
    _rule("sendgrid-key", "sg.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
    _rule("huggingface-token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34,}"),
    _rule("docker-token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
    _rule("vault-token", "hvs. hvb.", r"(?<![A-Za-z0-9])hv[sb]\.[A-Za-z0-9_-]{24,}"),
    _rule("azure-storage-key", "accountkey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    _rule("jwt", "eyj", r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
)
_ASSIGNED = re.compile(
    rb"""(?:secret|token|passwo?rd|passwd|credential|api_?-?key|access_?-?key|private_?-?key|client_?-?key)[\w-]{0,20}
    ["'`]?\s{0,4}(?::=|=>|=|:)\s{0,4}["'`]([^\s"'`]{20,200})["'`]""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_ADDRESS = re.compile(
    rb"[a-z][a-z0-9+.-]{1,30}://[^\s/:@\"'<>{}$]{1,100}:([^\s/@\"'<>{}$]{8,200})@[A-Za-z0-9]", re.IGNORECASE
)
_WORDS = re.compile(rb"secret|token|passw|credential|api.?key|access.?key|private.?key|client.?key", re.IGNORECASE)
_MOST_LIKE_WORDS = 3.7
"""Bits a character: names and sentences have fewer, 20 random letters and digits more."""
_STANDS_FOR = re.compile(
    rb"\$\{|\$\(|\{\{|<[^>]*>|%\(|example|placeholder|changeme|dummy|your[_-]|xxxx|\*{4}|^[./~]|/[a-z-]+/",
    re.IGNORECASE,
)


def find_secret(line: bytes) -> str | None:
    """Return the name of the first rule that a line fits."""
    lowered = line.lower()
    for rule in _RULES:
        if any(hint in lowered for hint in rule.hints) and rule.pattern.search(line):
            return rule.name
    if b"://" in line and any(_is_random(found, 3.0) for found in _IN_ADDRESS.findall(line)):
        return "password-in-address"
    if _WORDS.search(line) and any(_is_random(found, _MOST_LIKE_WORDS) for found in _ASSIGNED.findall(line)):
        return "assigned-secret"
    return None


def _is_random(text: bytes, least: float) -> bool:
    mixed = re.search(rb"[0-9]", text) and re.search(rb"[A-Za-z]", text)
    return bool(mixed) and not _STANDS_FOR.search(text) and _entropy(text) >= least


def _entropy(text: bytes) -> float:
    counts, size = Counter(text), len(text)
    return -sum(count / size * math.log2(count / size) for count in counts.values())
