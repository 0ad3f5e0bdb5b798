"""What the demo's projects are about: the words from which its tasks are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Theme:
    """One project: who is fit for it, and what there is to do in it."""

    name: str
    prefix: str
    about: str
    acts: tuple[str, ...]
    things: tuple[str, ...]
    labels: tuple[str, ...]
    capabilities: tuple[str, ...]
    weight: int


THEMES: Final = (
    Theme(
        "web",
        "W",
        "The shop's front end",
        (
            "Fix flaky test of",
            "Make keyboard focus visible in",
            "Speed up first paint of",
            "Remove dead styles from",
            "Handle empty state of",
            "Port to the new router:",
            "Show a clear error in",
            "Add dark theme to",
        ),
        (
            "checkout form",
            "search results",
            "order history",
            "address book",
            "login page",
            "product gallery",
            "wish list",
            "invoice download",
            "cart drawer",
            "settings screen",
            "password reset",
            "size picker",
        ),
        ("bug", "a11y", "performance", "flaky", "frontend"),
        ("typescript",),
        4,
    ),
    Theme(
        "ingest",
        "I",
        "Feeds from suppliers",
        (
            "Parse new column in",
            "Backfill last week of",
            "Deduplicate rows of",
            "Retry timeouts when fetching",
            "Reject malformed dates in",
            "Halve the memory for",
            "Add checksum to",
            "Move to incremental load:",
        ),
        (
            "price feed",
            "stock levels",
            "supplier catalogue",
            "returns report",
            "currency table",
            "parcel tracking",
            "image archive",
            "tax codes",
            "loyalty export",
            "warehouse scans",
        ),
        ("data", "performance", "bug", "backfill"),
        ("python", "sql"),
        4,
    ),
    Theme(
        "docs",
        "D",
        "What users and colleagues read",
        (
            "Rewrite the page on",
            "Check every example in",
            "Add a picture to",
            "Shorten the guide to",
            "Translate to German:",
            "Fix broken links in",
        ),
        (
            "getting started",
            "webhooks",
            "refunds",
            "API keys",
            "rate limits",
            "release notes",
            "on-call handbook",
            "data retention",
            "bulk import",
        ),
        ("writing", "translation", "good-first"),
        ("writing",),
        2,
    ),
    Theme(
        "ops",
        "O",
        "Machines and what keeps them well",
        (
            "Rotate credentials of",
            "Tighten alerts for",
            "Rehearse restore of",
            "Resize disk of",
            "Renew certificate of",
            "Patch kernel on",
            "Write runbook for",
        ),
        (
            "primary database",
            "build runners",
            "mail relay",
            "image cache",
            "edge proxies",
            "log store",
            "queue hosts",
            "staging cluster",
        ),
        ("infra", "security", "toil"),
        ("terraform",),
        2,
    ),
    Theme(
        "billing",
        "B",
        "Invoices and money",
        (
            "Reconcile totals of",
            "Round correctly in",
            "Add audit trail to",
            "Explain difference in",
            "Cover with tests:",
            "Support partial refund in",
        ),
        (
            "monthly invoices",
            "card payouts",
            "gift vouchers",
            "dunning letters",
            "reverse charge",
            "annual statements",
            "credit notes",
        ),
        ("money", "bug", "audit"),
        ("python", "sql"),
        2,
    ),
)

STEPS: Final = (
    "reading the code",
    "reproducing it",
    "writing a failing test",
    "trying a first fix",
    "running the test suite",
    "reviewing the diff",
    "waiting for checks",
    "writing the summary",
)

QUESTIONS: Final = (
    "Two specs disagree on rounding. Which one holds?",
    "May I drop the deprecated column?",
    "The test needs a staging key. Who can give me one?",
    "Keep the old address working for how long?",
    "This touches the public API. Is a breaking change fine?",
)

FAILURES: Final = (
    "3 of 188 tests fail: timeouts in test_orders",
    "merge conflict in package-lock.json",
    "upstream answered 502 five times",
    "type check: 2 errors in checkout.ts",
    "could not reproduce with the given data",
    "migration would lock a table for 40 s",
)

NOTES: Final = (
    "needs someone with production access",
    "out of context, left a plan in the branch",
    "wrong repository",
)

REASONS: Final = ("customer is waiting", "blocks the release", "asked for in stand-up", "holder looks stuck")
