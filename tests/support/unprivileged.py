# SPDX-License-Identifier: MIT
"""Running commands without any privilege, and as another user."""

import os
import pathlib
import sys

import pytest

from support.lab.isolation import RUN
from support.processes import run
from support.programs import BUILD, ROOT

NOBODY = 65534


def without_capabilities(argv):
    """argv as the same user, with no capability and no way to gain one."""
    drop = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]
    return ["setpriv", *drop, *argv]


class UnprivilegedNamespace:
    """A namespace in which every program that is started has no capability."""

    def __init__(self, namespace):
        self.namespace = namespace

    def __getattr__(self, name):
        return getattr(self.namespace, name)

    def popen(self, argv, **options):
        return self.namespace.popen(without_capabilities(argv), **options)


def other_user():
    """The words before a command that runs as another user; skips the test where there is none."""
    if pathlib.Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]:
        ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
        return ["setpriv", *ids]
    return pytest.skip("needs root: a user namespace of an ordinary user has no second user")


def visible_to_all(path, name):
    """`path` under another name that every user may enter, whatever stands above it."""
    visible = RUN / name
    if not visible.exists():
        visible.mkdir()
        run(["mount", "--bind", path, visible])
    return visible


def build_for_all():
    return visible_to_all(BUILD, "build")


def tests_for_all():
    return visible_to_all(ROOT / "tests", "tests")


def module_for_all(name, *words):
    """argv of a module of this package that any user may run."""
    return ["env", f"PYTHONPATH={tests_for_all()}", sys.executable, "-B", "-m", name, *words]


def no_broker(home):
    """An environment in which no broker and no policy of the machine's is found."""
    kept = {key: os.environ[key] for key in ("PATH", "LC_ALL")}
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
