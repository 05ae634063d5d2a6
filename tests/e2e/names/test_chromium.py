# SPDX-License-Identifier: MIT
"""chromium, where it is there: too large to be fetched for each check."""

import os
import shutil

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import ROOT
from support.servers.uplink_name_servers import name_servers

ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {name: f"{address} network.test\n" for name, address in ANSWERS.items()}
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
PROFILES = "".join(
    f"""  {u.name}:
    rules: [{{ to: any, via: {u.name} }}]
    dns: {{ via: {u.name}, servers: ["{u.gateway}"], redirect: {redirect} }}
"""
    for u, redirect in zip(UPLINKS, ("true", "false", "true"))
)
POLICY = f"version: 1\npaths:\n{PATHS}profiles:\n{PROFILES}"
# Not only the program: chromium-common and its libraries, too.
UNPACKED = ROOT / "build/unpacked/chromium-headless-shell/usr/lib"
PROGRAM = "chromium-headless-shell"


def command():
    """The program's words; none where it is not there."""
    file = UNPACKED / "chromium" / PROGRAM
    if file.exists():
        libraries = UNPACKED / f"{os.uname().machine}-linux-gnu"
        return ["env", f"LD_LIBRARY_PATH={libraries}:{libraries}/pulseaudio", file]
    installed = shutil.which(PROGRAM)
    return [installed] if installed else []


@pytest.mark.skipif(not command(), reason=f"{PROGRAM} is not installed")
@pytest.mark.parametrize("feature", ["enable", "disable"])
def test_each_profile_asks_its_own_server(lab, feature, tmp_path):
    words = [*command(), "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    # Its own resolver, or libc's.
    words += [f"--{feature}-features=AsyncDns", "--dump-dom", "http://network.test:8080/"]
    with name_servers(lab, HOSTS) as dns, lab.serving(POLICY) as broker:
        for uplink in UPLINKS:
            dns.forget()
            lab.flows.reset()
            assert uplink.source in lab.px(broker, words, uplink.name, timeout=60).stdout
            assert set(dns.left()) == {uplink.interface}
            assert set(lab.flows.left(ANSWERS[uplink.name])) == {uplink.interface}
        dns.forget()
        lab.client.run(words, timeout=60)
        assert set(dns.left()) == {"lan0"}
