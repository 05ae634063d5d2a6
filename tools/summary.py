#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts what ./check ran.

Usage: summary.py RECORDS. Each line of the file RECORDS is one step, its fields parted by tabs:
  check  NAME  STATUS          a step that is one test itself; STATUS is its exit status
  junit  NAME  STATUS  FILE    a step that wrote its tests to a JUnit file
  skip   NAME  REASON          a step that was not run

Prints what failed, what was skipped and why, then one line, `N passed, N failed, N skipped`.
Exits with 1 if anything failed, or nothing passed. A JUnit file that is missing, broken or without
tests is a failure, and so is a step that failed although each of its tests passed.
"""

import sys
import xml.etree.ElementTree as xml


class Summary:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def check(self, name, status):
        if status == "0":
            self.passed += 1
        else:
            self.failed.append(f"{name}: exit status {status}")

    def junit(self, name, status, path):
        try:
            cases = list(xml.parse(path).iter("testcase"))
        except (OSError, xml.ParseError) as error:
            self.failed.append(f"{name}: no test results (exit status {status}): {error}")
            return
        failed_before = len(self.failed)
        for case in cases:
            self._case(name, case)
        if not cases:
            self.failed.append(f"{name}: no tests were run (exit status {status})")
        elif status != "0" and len(self.failed) == failed_before:
            self.failed.append(f"{name}: exit status {status}, although every test passed")

    def _case(self, step, case):
        name = f"{step}: {case.get('classname') or ''}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed.append(name)
        elif case.find("skipped") is not None:
            reason = case.find("skipped").get("message") or (case.findtext("skipped") or "").strip()
            self.skipped.append(f"{name}: {reason or 'no reason given'}")
        elif case.get("status") == "notrun" or case.get("result") == "suppressed":
            self.skipped.append(f"{name}: disabled")
        else:
            self.passed += 1

    def skip(self, name, reason):
        self.skipped.append(f"{name}: {reason}")

    def read(self, path):
        with open(path, encoding="utf-8") as records:
            for line in records:
                kind, *fields = line.rstrip("\n").split("\t")
                {"check": self.check, "junit": self.junit, "skip": self.skip}[kind](*fields)

    def show(self):
        for name in self.failed:
            print(f"FAILED  {name}")
        for name in self.skipped:
            print(f"SKIPPED {name}")
        print(
            f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped",
            flush=True,
        )
        return 1 if self.failed or not self.passed else 0


if __name__ == "__main__":
    summary = Summary()
    summary.read(sys.argv[1])
    sys.exit(summary.show())
