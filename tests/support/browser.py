"""Which Chromium the tests drive, and how."""

import shutil

# Without a sandbox root may start it; the rest keeps it from calling anybody.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    # A container's shared memory is too small for it.
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> str | None:
    """Debian's Chromium. ``None``, which is Playwright's own build, where scripts/setup had to take that (Ubuntu)."""
    return shutil.which("chromium")
