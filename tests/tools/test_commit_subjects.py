# SPDX-License-Identifier: MIT
"""tools/commit-subjects: which commits are looked at, and what is wrong with one."""

import os
import pathlib
import subprocess

import pytest

COMMIT_SUBJECTS = pathlib.Path(__file__).resolve().parents[2] / "tools/commit-subjects"
BEFORE, AFTER = "2026-11-29T12:00:00Z", "2026-12-01T12:00:00Z"


def git(repository, *arguments, date=AFTER):
    person = {f"GIT_{who}_{what}": "somebody"
              for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    # Of this repository's own there may be words in the environment, below a hook.
    others = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**others, **person, **dates, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(
        ["git", "-C", repository, *arguments], env=environment, check=True, capture_output=True
    )


def commit(repository, subject, date=AFTER):
    git(repository, "commit", "--allow-empty", "-m", subject, date=date)


def check(repository):
    done = subprocess.run([COMMIT_SUBJECTS, repository], capture_output=True, text=True)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "--initial-branch=main")
    return tmp_path


@pytest.mark.parametrize(
    "subject",
    [
        "broker: split the daemon into services",
        "broker, cli: name each command once",
        "tests/tools: feed the summary nothing",
        "c: " + "x" * 69,
    ],
)
def test_good_subjects(repository, subject):
    commit(repository, subject)
    assert check(repository) == (0, "")


@pytest.mark.parametrize(
    "subject",
    [
        "Split the daemon into services",
        "Broker: split the daemon into services",
        "broker: Split the daemon into services",
        "broker: split the daemon into services.",
        "broker:split the daemon",
        "broker: ",
        "broker: adding a service",
        "broker: added a service",
        "c: " + "x" * 70,
        'Revert "broker: split the daemon"',
    ],
)
def test_bad_subjects(repository, subject):
    commit(repository, "tree: begin")
    commit(repository, subject)
    status, said = check(repository)
    assert status == 1
    assert subject.strip() in said
    assert "tree: begin" not in said


def test_what_is_older_than_the_rule_is_left_alone(repository):
    commit(repository, "Do as they did then", date=BEFORE)
    commit(repository, "tree: begin")
    assert check(repository) == (0, "")


def test_a_shallow_clone_is_checked_as_far_as_it_goes(repository, tmp_path_factory):
    commit(repository, "Out of sight")
    commit(repository, "In sight")
    clone = tmp_path_factory.mktemp("clone") / "px"
    git(repository, "clone", "--depth=1", f"file://{repository}", str(clone))
    status, said = check(clone)
    assert status == 1
    assert "In sight" in said and "Out of sight" not in said


def test_merges_are_no_changes_of_their_own(repository):
    commit(repository, "tree: begin")
    git(repository, "checkout", "-b", "other")
    commit(repository, "tree: go on")
    git(repository, "checkout", "main")
    git(repository, "merge", "--no-ff", "-m", "Merge other", "other")
    assert check(repository) == (0, "")


def test_without_history_the_reason_is_said(tmp_path):
    status, said = check(tmp_path)
    assert status == 77
    assert said == "no git repository: this is an unpacked archive\n"


def test_a_repository_without_a_commit_has_no_history(repository):
    status, said = check(repository)
    assert status == 77
    assert said
