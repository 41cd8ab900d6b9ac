"""Scratch cards, their proofs and their reports in the outsider's walk."""

from typing import Any, Final

_REPORTS: Final = "/v1/reward-reports"
# Method, route, status, path with {names} of what is ours, body.
DOORS: Final[list[tuple[str, str, int, str, Any]]] = [
    *(("GET", f"{_REPORTS}/{name}", 200, f"{_REPORTS}/{name}", None) for name in ("liability", "liability.csv")),
    ("GET", f"{_REPORTS}/liability", 200, f"{_REPORTS}/liability?campaign={{campaign}}", None),
    *(("GET", f"{_REPORTS}/{name}", 200, f"{_REPORTS}/{name}", None) for name in ("settlement", "settlement.csv")),
    *(("GET", f"{_REPORTS}/{name}", 200, f"{_REPORTS}/{name}", None) for name in ("redemption", "redemption.csv")),
    *(
        ("GET", f"{_REPORTS}/{name}", 404, f"{_REPORTS}/{name}?campaign={{campaign}}", None)
        for name in ("uplift", "uplift.csv")
    ),
]
# A card is behind its receipt's link, or behind one of its own.
LINKS: Final = {
    "/r/{token:token}/scratch/{card:token}",
    "/r/{token:token}/scratch/{card:token}.pkpass",
    "/x/{card:token}",
    "/x/{card:token}.pkpass",
}
LEFT_BY_LINK: Final = {
    ("POST", "/r/{token:token}/scratch/{card:token}"),
    ("POST", "/r/{token:token}/scratch/{card:token}/taken"),
    ("POST", "/r/{token:token}/scratch/{card:token}/google"),
    ("POST", "/x/{card:token}"),
    ("POST", "/x/{card:token}/taken"),
    ("POST", "/x/{card:token}/google"),
    # By anybody, once, as its rules say (test_free_entry.py).
    ("POST", "/campaigns/{campaign:token}/entry"),
}
# What a campaign promises, and its proof, are for everybody: they tell of no shopper (test_fairness.py).
PROMISES: Final = {
    "/campaigns/{campaign:token}",
    "/campaigns/{campaign:token}/fair",
    "/campaigns/{campaign:token}/entry",
    "/v1/campaigns/{campaign_id}/proof",
}
