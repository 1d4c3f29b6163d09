"""A PostgreSQL server for the tests: made in a temporary folder, gone at the end.

``python -m tests.services.postgresql`` installs the server's programs if it must, and tries it.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

PORT = 5432  # names the socket; nothing listens on the network
USER = "bactrian"


class NotInstallableError(Exception):
    """There is no PostgreSQL here, and it cannot be installed."""


def programs() -> str:
    """The folder of the server's programs, which are installed first where there are none."""
    found = _folder()
    if found is None:
        _install()
        found = _folder()
    if found is None:
        raise NotInstallableError("apt-get installed no server")
    return found


def _folder() -> str | None:
    """Where the server's programs are, the newest ones."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    folders.sort(key=lambda folder: float(folder.split("/")[-2]), reverse=True)
    beside = shutil.which("initdb")
    folders += [os.path.dirname(beside)] if beside else []
    return next((f for f in folders if os.path.exists(os.path.join(f, "initdb"))), None)


def _install() -> None:
    """Install the server's programs, if we may."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apt-get")
    for command in ("update", "install -y --no-install-recommends postgresql"):
        done = subprocess.run(["bash", script, *command.split()], capture_output=True, text=True)
        if done.returncode:
            raise NotInstallableError(f"apt-get {command.split()[0]} failed: {done.stderr[-200:]}")


@contextmanager
def server(password: str) -> Generator[str, None, None]:
    """Give the folder of the socket of a server that lives as long as the context.

    Parameters
    ----------
    password : of the user ``bactrian``, who must give it.
    """
    folder = programs()
    with tempfile.TemporaryDirectory(prefix="bactrian-pg-") as home:
        become = _unprivileged(home)
        secret = os.path.join(home, "password")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(password)
        os.chmod(secret, 0o644)
        data, log = os.path.join(home, "data"), os.path.join(home, "log")
        command = f"{folder}/initdb -D {data} -U {USER} -A scram-sha-256 -E UTF8 --locale C"
        _run([*command.split(), "--pwfile", secret, "--no-sync"], become)
        options = f"-k {home} -p {PORT} -c listen_addresses= -c fsync=off"
        control = [f"{folder}/pg_ctl", "-D", data, "-w", "-s"]
        _run([*control, "-l", log, "-o", options, "start"], become)
        try:
            yield home
        finally:
            _run([*control, "-m", "immediate", "stop"], become)


def _unprivileged(home: str) -> dict[str, int]:
    """Whom to run as: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = [entry.pw_name for entry in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid}


def _run(command: list[str], become: dict[str, int]) -> None:
    """Run a program of the server; its words are in the error if it fails."""
    # Not a pipe: the server would hold it open, and we would wait for its end.
    with tempfile.TemporaryFile("w+") as words:
        done = subprocess.run(
            command,
            stdout=words,
            stderr=words,
            stdin=subprocess.DEVNULL,
            cwd="/",
            **become,  # type: ignore[call-overload]
        )
        if done.returncode:
            words.seek(0)
            raise RuntimeError(f"{os.path.basename(command[0])} failed: {words.read()}")


if __name__ == "__main__":
    with server("secret") as socket:
        print(f"a server is running in {socket}; it is stopped now")
