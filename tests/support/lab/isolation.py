# SPDX-License-Identifier: MIT
"""What surrounds every test, the same wherever it is started: /run, and what processes inherit.

tools/isolated gives the caller namespaces of its own. Within them isolate() replaces /run, and puts
what this process has inherited, and hands on to all programs of the lab, in a known state.
"""

import contextlib
import os
import pathlib
import signal

from support.processes import run

RUN = pathlib.Path("/run/px-lab")

# What is kept of the environment. Proxies, locale, a user's configuration, a service manager's
# variables or px's own would each change what some program does.
KEPT = ("PATH", "CI", "PX_ISOLATED", "PX_BUILD", "PX_BROKER")
KEPT_ENDINGS = ("SAN_OPTIONS",)


def isolate():
    """Once: a tmpfs of the caller's mount namespace on /run, and the inherited state."""
    if os.environ.get("PX_ISOLATED") != "1":
        raise RuntimeError("the lab runs below tools/isolated only")
    if RUN.exists():
        return
    _stop_ignoring_signals()
    os.umask(0o022)
    for words in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]):
        run(["mount", *words])
    RUN.mkdir()
    _set_environment()


def _stop_ignoring_signals():
    """Signals that are ignored, as in the background or under nohup, or blocked, are so in each
    program that is started. A handler is not inherited: this process still does nothing."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # subprocess restores what Python itself ignores.
    by_python = {signal.SIGPIPE, signal.SIGXFSZ}
    for number in signal.valid_signals() - by_python:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _set_environment():
    home, temporary = RUN / "home", RUN / "tmp"
    home.mkdir()
    temporary.mkdir()
    temporary.chmod(0o1777)
    for name in list(os.environ):
        if name not in KEPT and not name.endswith(KEPT_ENDINGS):
            del os.environ[name]
    os.environ.update(HOME=str(home), TMPDIR=str(temporary), USER="root", LOGNAME="root")
    os.environ.update(LC_ALL="C.UTF-8", TERM="dumb")


@contextlib.contextmanager
def in_place_of(path, file):
    """The file stands at `path`, for all programs of the lab."""
    run(["mount", "--bind", file, path])
    try:
        yield
    finally:
        run(["umount", path])
