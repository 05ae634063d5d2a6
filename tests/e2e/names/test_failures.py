# SPDX-License-Identifier: MIT
"""Name servers that are silent or out of reach, and a broker that dies while a program waits."""

import signal
import subprocess
import time

from support.lab.three_uplinks import CORPORATE, PUBLIC, UPLINKS
from support.wait import wait_until

VPN = UPLINKS[2]
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
  lte: {{ interface: lte0 }}
profiles:
  vpn:
    dns:
      via: vpn
      servers: ["{VPN.gateway}"]
      options: {{ timeout: 2s, attempts: 1 }}
  patient:
    dns:
      via: vpn
      servers: ["{VPN.gateway}"]
      options: {{ timeout: 30s, attempts: 1 }}
  two-servers:
    dns:
      via: vpn
      servers: [10.8.0.99, "{VPN.gateway}"]
      options: {{ timeout: 1s, attempts: 1 }}
"""
HOSTS = {"lan": f"{PUBLIC} www.test\n", "lte": "", "vpn": f"{CORPORATE} www.test\n"}
LOOK_UP = """
import socket, sys
for family in sys.argv[1:]:
    try: print(socket.getaddrinfo("www.test", 80, int(family), socket.SOCK_STREAM)[0][4][0])
    except socket.gaierror as error: print(error.errno == socket.EAI_AGAIN and "again" or error)
"""
UNSPEC, INET, INET6 = "0", "2", "10"


def looking_up(lab, broker, profile, *families):
    words = ["/usr/bin/python3", "-c", LOOK_UP, *families]
    return lab.px_popen(broker, words, profile, stdout=subprocess.PIPE)


def look_up(lab, broker, profile, *families):
    return lab.px(broker, ["/usr/bin/python3", "-c", LOOK_UP, *families], profile).stdout.split()


def name_server(lab):
    """The process of the server behind the VPN."""
    return next(p for p in lab.routers["vpn"].processes if "dnsmasq" in map(str, p.args))


def silent(lab):
    name_server(lab).send_signal(signal.SIGSTOP)


def test_a_silent_server_is_one_for_the_moment(lab, broker, dns):
    silent(lab)
    dns.forget()
    before = time.monotonic()
    assert look_up(lab, broker, "vpn", UNSPEC, INET, INET6) == ["again"] * 3
    # Two seconds each, as the policy says, and what a busy machine adds.
    assert 6 <= time.monotonic() - before < 20
    assert set(dns.left()) == {"vpn0"}


def test_out_of_reach_it_is_at_once(lab, broker, dns):
    lab.link_down("vpn")
    wait_until(lambda: not usable(broker), "the broker has seen it")
    dns.forget()
    before = time.monotonic()
    assert look_up(lab, broker, "patient", UNSPEC, INET, INET6) == ["again"] * 3
    assert time.monotonic() - before < 20  # not 30 seconds each
    assert dns.left() == {}
    lab.restore("vpn")
    wait_until(lambda: usable(broker), "the broker has seen it")
    assert look_up(lab, broker, "vpn", INET) == [CORPORATE]


def usable(broker):
    report = broker.ask("explain", "curl", PUBLIC, "--profile", "vpn")
    return all(server["usable"] for server in report["dns"]["servers"])


def test_the_next_server_is_asked(lab, broker, dns):
    assert look_up(lab, broker, "two-servers", INET) == [CORPORATE]


def test_a_dead_broker_is_a_silent_server(lab, broker, dns):
    silent(lab)
    dns.forget()
    program = looking_up(lab, broker, "vpn", INET)
    wait_until(lambda: dns.left().get("vpn0"), "it is asked")
    broker.kill()
    before = time.monotonic()
    assert program.communicate(timeout=30)[0].split() == ["again"]
    assert time.monotonic() - before < 15
    assert set(dns.left()) == {"vpn0"}
    # Others look names up as ever.
    words = ["/usr/bin/python3", "-c", LOOK_UP, INET]
    assert lab.client.run(words).stdout.split() == [PUBLIC]
    broker.start()


def test_a_broker_that_is_back_goes_on(lab, broker, dns):
    silent(lab)
    program = looking_up(lab, broker, "patient", INET)
    wait_until(lambda: dns.left().get("vpn0"), "it is asked")
    broker.kill()
    broker.start()
    name_server(lab).send_signal(signal.SIGCONT)
    assert program.communicate(timeout=30)[0].split() == [CORPORATE]


def test_without_a_broker_nobody_is_asked(lab, broker, dns):
    broker.kill()
    dns.forget()
    done = lab.client.run(
        ["/usr/bin/python3", "-c", LOOK_UP, UNSPEC],
        env=dict(pair.split("=", 1) for pair in broker.preload_words(PX_PROFILE="gone")[1:]),
    )
    assert done.stdout.split() == ["again"]
    assert "pxd running?" in done.stderr
    assert dns.left() == {}
    broker.start()


def test_a_profile_that_is_gone_has_its_names_asked_nowhere(lab, broker, dns):
    code = (
        "import socket, sys\n"
        "for line in sys.stdin:\n"
        "  try: print(socket.getaddrinfo('www.test', 80, socket.AF_INET)[0][4][0], flush=True)\n"
        "  except socket.gaierror as e: print(e.errno == socket.EAI_AGAIN and 'again', flush=True)\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    program = lab.px_popen(broker, ["/usr/bin/python3", "-c", code], "vpn", **pipes)

    def ask():
        program.stdin.write("\n")
        program.stdin.flush()
        return program.stdout.readline().strip()

    assert ask() == CORPORATE
    assert broker.reload(POLICY.replace("  vpn:\n    dns:", "  other:\n    dns:")).returncode == 0
    dns.forget()
    assert ask() == "again"
    assert dns.left() == {}


def test_signals_do_not_end_a_lookup(lab, broker, dns):
    silent(lab)
    code = (
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)\n" + LOOK_UP
    )
    program = lab.px_popen(
        broker, ["/usr/bin/python3", "-c", code, INET], "patient", stdout=subprocess.PIPE
    )
    wait_until(lambda: dns.left().get("vpn0"), "it is asked")
    name_server(lab).send_signal(signal.SIGCONT)
    assert program.communicate(timeout=30)[0].split() == [CORPORATE]


# No thread is in libc's resolver while the program forks: its locks do not survive that, px or not.
def test_a_forked_child_asks_for_itself(lab, broker, dns):
    code = (
        "import os, socket, threading\n"
        "def once(): return socket.getaddrinfo(b'www.test', 80, socket.AF_INET)[0][4][0]\n"
        "threads = [threading.Thread(target=lambda: [once() for _ in range(30)]) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "for _ in range(5):\n"
        "  if os.fork() == 0: os._exit(0 if once() == '%s' else 1)\n"
        "print([os.wait()[1] for _ in range(5)], once())\n" % CORPORATE
    )
    done = lab.px(broker, ["/usr/bin/python3", "-c", code], "vpn")
    assert done.stdout.strip() == f"{[0] * 5} {CORPORATE}"
