# SPDX-License-Identifier: MIT
"""./check's last lines: nothing that failed, was skipped or never ran may be lost."""

import pathlib
import subprocess

import pytest

SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "tools/summary.py"

SUITE = """<testsuites><testsuite name="s">
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="worse"><error message="no"/></testcase>
<testcase classname="a" name="left"><skipped message="no root"/></testcase>
<testcase classname="a" name="off" status="notrun"/>
</testsuite></testsuites>"""
GOOD = '<testsuites><testsuite><testcase name="good"/></testsuite></testsuites>'


def summarise(tmp_path, *records, xml=None):
    if xml is not None:
        (tmp_path / "results.xml").write_text(xml)
    lines = ["\t".join(record).replace("XML", str(tmp_path / "results.xml")) for record in records]
    (tmp_path / "records").write_text("".join(line + "\n" for line in lines))
    done = subprocess.run(
        ["/usr/bin/python3", SUMMARY, tmp_path / "records"], capture_output=True, text=True
    )
    return done.returncode, done.stdout.splitlines()


def test_all_kinds_are_counted(tmp_path):
    records = [("junit", "unit", "1", "XML"), ("check", "format", "0")]
    status, lines = summarise(tmp_path, *records, xml=SUITE)
    assert status == 1
    assert lines[-1] == "2 passed, 2 failed, 2 skipped"
    assert "SKIPPED unit: a.left: no root" in lines
    assert "FAILED  unit: a.bad" in lines


def test_all_is_well(tmp_path):
    status, lines = summarise(tmp_path, ("junit", "unit", "0", "XML"), xml=GOOD)
    assert (status, lines) == (0, ["1 passed, 0 failed, 0 skipped"])


def test_skipped_steps_do_not_fail(tmp_path):
    records = [("junit", "unit", "0", "XML"), ("skip", "e2e", "no namespaces")]
    status, lines = summarise(tmp_path, *records, xml=GOOD)
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 1 skipped")
    assert lines[-2] == "SKIPPED e2e: no namespaces"


@pytest.mark.parametrize(
    "records, xml",
    [
        ([("junit", "unit", "0", "XML")], None),
        ([("junit", "unit", "0", "XML")], "<testsuites>"),
        ([("junit", "unit", "0", "XML")], "<testsuites><testsuite/></testsuites>"),
        ([("junit", "unit", "1", "XML")], GOOD),
        ([("check", "build", "1")], None),
        ([], None),
    ],
    ids=["no file", "broken file", "no tests", "unexplained status", "a step", "nothing"],
)
def test_what_went_wrong_fails(tmp_path, records, xml):
    status, lines = summarise(tmp_path, *records, xml=xml)
    assert status == 1
    if records:
        assert ", 1 failed, " in lines[-1]
