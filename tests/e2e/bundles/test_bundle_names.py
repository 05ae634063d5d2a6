# SPDX-License-Identifier: MIT
"""Names that are bundles, as real programs look them up, with a real DNS server."""

import json
import re
import sys

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.programs import program_file, unpacked
from support.servers.name_server import name_server
from support.tracing import comparable, strace

DNS = PUBLIC
HOSTS = f"""
{CORPORATE} one.test
{PUBLIC6} six.test
{PUBLIC} two.test
{PUBLIC_OTHER} two.test
{PUBLIC} shop.test
{PUBLIC_OTHER} shop.test
"""
BUNDLES = """
bundles:
  db: { hosts: [one.test, 10.0.0.9] }
  shop: { alias: shop.test }
  front: { hosts: [10.0.0.7, 10.0.0.8], alias: www.test }
"""
POLICY_WITH_BUNDLES = (
    POLICY
    + """
  entries:
    bundle: { entries: always }
  all-transports:
    bundle: { transports: [mptcp, tcp], entries: always }
"""
    + BUNDLES
)
MATCHED = """
  matched:
    match: [{ exe: "/**/name_list" }]
    bundle: { entries: always }
"""
BAD = ["<", "<>", "<a,", "<a,,b>", "<a,b", "{a,b>", "<a b>", "<<a>>", "a.and.bundle", "or.a.bundle"]
BAD += ["<1.2.3,a>", "<a:80>", "<10.0.0.1%lo,a>", "no-such-name.bundle", "{", "<a>b", "<a|>"]
AI_CANONNAME, AI_NUMERICHOST, AF_BUNDLE = 2, 4, 230

PYTHON = """
import json, os, socket, sys, threading
def look():
    return [[int(i[0]), i[2], i[4][0] if i[0] in (2, 10) else len(i[4][1])]
            for i in socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM)]
first = look()
same = []
threads = [threading.Thread(target=lambda: same.append(look() == first)) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
if os.fork() == 0: os._exit(0 if look() == first else 1)
print(json.dumps([first, all(same) and len(same) == 8, os.wait()[1]]))
"""
PERL = """
use Socket qw(:addrinfo SOCK_STREAM);
sub once { my ($text, $flags) = @_;
  my ($error, @list) = getaddrinfo($text, "80", {socktype => SOCK_STREAM});
  return "$error" if $error;
  ($error, my $host) = getnameinfo($list[0]{addr}, $flags, NIx_NOSERV);
  return $error ? "$error" : $host; }
for my $flags (0, NI_NUMERICHOST) {
  my $text = once($ARGV[0], $flags);
  print "$text\\n", once($text, $flags) eq $text ? "fixed\\n" : "not fixed\\n"; }
my (undef, undef, undef, undef, @addresses) = gethostbyname($ARGV[0]);
print join(",", map { Socket::inet_ntoa($_) } @addresses), "\\n";
"""


@pytest.fixture(name="dns")
def _dns(lab):
    with name_server(lab, DNS, HOSTS) as dns:
        yield dns


@pytest.fixture(name="broker")
def _broker(lab):
    with lab.serving(POLICY_WITH_BUNDLES) as broker:
        yield broker


def listed(lab, broker, *words, profile="empty", check=True, **options):
    done = lab.px(broker, [program_file("name_list"), *words], profile, check=check, **options)
    return done.stdout.splitlines()


def test_a_list_of_bundle_and_members(lab, broker, dns):
    text = "<one.test,10.0.0.9,six.test,one.test>"
    members = [
        f"2/1/6 16 {CORPORATE} 80 ",
        "2/1/6 16 10.0.0.9 80 ",
        f"10/1/6 28 {PUBLIC6} 80 ",
        "kept 0 bytes",
    ]
    assert listed(lab, broker, text, "http", profile="entries") == [
        f"230/1/6 72 <10.0.0.9,{CORPORATE},{PUBLIC6}> 80 <10.0.0.9,one.test,six.test>",
        *members,
    ]
    assert set(dns.asked()) == {"one.test", "six.test"}
    assert listed(lab, broker, text, "http") == members


def test_what_hints_choose(lab, broker, dns):
    text = f"{{10.0.0.9,{PUBLIC6}}}"
    canonical = f"<10.0.0.9,{PUBLIC6}>"
    family = ["2/1/6 16 10.0.0.9 80 ", "kept 0 bytes"]
    assert listed(lab, broker, text, "80", 2) == family
    flags = AI_CANONNAME | AI_NUMERICHOST
    numeric = listed(lab, broker, text, "80", 0, flags, profile="entries")
    assert numeric[:2] == [f"canonical name {canonical}", f"230/1/6 56 {canonical} 80 {canonical}"]
    datagrams = listed(lab, broker, text, "80", 0, 0, 2)
    assert datagrams[:2] == ["2/2/17 16 10.0.0.9 80 ", f"10/2/17 28 {PUBLIC6} 80 "]
    assert listed(lab, broker, text, "80", AF_BUNDLE)[1:] == ["kept 0 bytes"]
    assert listed(lab, broker, "<one.test>", "80", 0, AI_NUMERICHOST, check=False) == [
        "Name or service not known"
    ]
    assert dns.asked() == []


def test_never_more_than_112_bytes_unasked(lab, broker):
    text = "<" + ",".join(f"2001:db8::{n}" for n in range(1, 9)) + ">"
    unasked = listed(lab, broker, text, "80", profile="entries")
    assert unasked[0].split()[1:3] == ["96", text]
    assert listed(lab, broker, text, "80", AF_BUNDLE)[0].split()[1:3] == ["236", text]


@pytest.mark.parametrize("text", BAD)
def test_bad_notation_asks_nobody(lab, broker, dns, text):
    assert listed(lab, broker, text, "80", check=False) == ["Name or service not known"]
    assert lab.px(broker, ["getent", "hosts", text], "empty", check=False).returncode == 2
    assert lab.px(broker, ["getent", "ahosts", text], "empty", check=False).returncode == 2
    assert lab.flows.left(DNS) == {}
    assert dns.asked() == []
    # The same counters see a name that is looked up.
    assert listed(lab, broker, "<nobody.test>", "80", check=False) == ["Name or service not known"]
    assert sum(lab.flows.left(DNS).values()) == len(dns.asked()) == 2


def test_names_of_the_policy(lab, broker, dns):
    found = listed(lab, broker, "DB.bundle", "80", profile="entries")
    assert found[0] == f"230/1/6 44 <10.0.0.9,{CORPORATE}> 80 db.bundle"
    assert found[1:3] == [f"2/1/6 16 {CORPORATE} 80 ", "2/1/6 16 10.0.0.9 80 "]
    spelled = "10.0.0.1.and.2001-db8--1.v6.bundle"
    found = listed(lab, broker, spelled, "80", profile="entries")
    assert found[0].split()[2] == "<10.0.0.1,2001:db8::1>"
    assert set(dns.asked()) == {"one.test"}


def test_an_alias_is_what_it_was(lab, broker, dns):
    bare = lab.client.run([program_file("name_list"), "shop.test", "80", 0, AI_CANONNAME]).stdout
    px = listed(lab, broker, "shop.test", "80", 0, AI_CANONNAME)
    assert sorted(px[:-1]) == sorted(bare.splitlines()[:-1])
    assert px[0] == "canonical name shop.test"
    # `entries: always` gives a bundle, in the order that DNS gave.
    found = listed(lab, broker, "shop.test", "80", profile="entries")
    assert found[0].split()[0] == "230/1/6"
    assert found[0].split()[2] == f"<{PUBLIC_OTHER},{PUBLIC}>"
    dns.log.write_text("")
    assert listed(lab, broker, "www.test", "80")[:2] == [
        "2/1/6 16 10.0.0.7 80 ",
        "2/1/6 16 10.0.0.8 80 ",
    ]
    assert dns.asked() == []


def test_a_matched_program_knows_its_names_at_the_first_lookup(lab, dns):
    broker = lab.start_broker(POLICY + MATCHED + BUNDLES)
    words = broker.preload_words()
    found = lab.client.run([*words, program_file("name_list"), "www.test", "80"]).stdout
    assert found.startswith("230/1/6 44 <10.0.0.7,10.0.0.8> 80 www.test\n")
    assert dns.asked() == []


def test_python_in_threads_and_children(lab, broker, dns):
    argv = [sys.executable, "-I", "-c", PYTHON, "<one.test,10.0.0.9>"]
    found, threads, child = json.loads(lab.px(broker, argv, "entries").stdout)
    # Python shows the 14 bytes of a plain sockaddr where it does not know the family.
    assert found == [[AF_BUNDLE, 6, 14], [2, 6, CORPORATE], [2, 6, "10.0.0.9"]]
    assert threads and child == 0


def test_perl_finds_a_fixed_point(lab, broker, dns):
    argv = ["perl", "-e", PERL, "<one.test,10.0.0.9>"]
    assert lab.px(broker, argv, "entries").stdout.splitlines() == [
        "<10.0.0.9,one.test>",
        "fixed",
        f"<10.0.0.9,{CORPORATE}>",
        "fixed",
        f"{CORPORATE},10.0.0.9",
    ]


def test_getent(lab, broker, dns):
    text = "<one.test,10.0.0.9>"
    hosts = lab.px(broker, ["getent", "hosts", text], "empty").stdout.splitlines()
    canonical = f"<10.0.0.9,{CORPORATE}>"
    assert [line.split() for line in hosts] == [[CORPORATE, canonical], ["10.0.0.9", canonical]]
    streams = lab.px(broker, ["getent", "ahosts", text], "empty").stdout
    assert CORPORATE in streams and "10.0.0.9" in streams


@pytest.mark.parametrize("program", ["ncat", "busybox nc", "nc.traditional"])
def test_programs_that_die_of_unknown_families_get_none(lab, broker, program):
    """nc.traditional knows gethostbyname alone."""
    name, *words = program.split()
    argv = [unpacked(name, f"bin/{name}"), *words, "-w", "5", f"<{PUBLIC},{PUBLIC_OTHER}>", "8080"]
    # The server answers a request and closes: none of the programs waits for more.
    done = lab.px(broker, argv, "empty", check=False, input="GET / HTTP/1.0\r\n\r\n")
    assert "family" not in done.stderr.lower()
    assert set(lab.flows.left(PUBLIC)) == {"lan0"}


def test_mptcp_only_where_it_gains(lab, broker):
    far = listed(lab, broker, f"<{PUBLIC},{PUBLIC_OTHER}>", "80", profile="all-transports")
    assert [line.split()[0] for line in far[:-1]] == [
        *("230/1/262", "230/1/6", "2/1/262", "2/1/262", "2/1/6", "2/1/6")
    ]
    near = listed(lab, broker, "<127.0.0.1,192.168.1.1>", "80", profile="all-transports")
    assert [line.split()[0] for line in near[:-1]] == ["230/1/6", "2/1/6", "2/1/6"]


def test_names_that_are_asked_for_at_once(lab, broker, dns):
    """By getaddrinfo_a, beside another one."""
    argv = [program_file("name_requests"), "<one.test,10.0.0.9>", "80"]
    both = f"{CORPORATE} 10.0.0.9"
    assert lab.px(broker, argv, "empty").stdout.splitlines() == [both, both]
    argv[1] = "<10.0.0.9,"
    no_name = "Name or service not known"
    assert lab.px(broker, argv, "empty").stdout.splitlines() == [no_name, no_name]
    assert set(dns.asked()) == {"one.test"}
    argv[1] = "two.test"
    bare = lab.client.run(argv).stdout
    assert lab.px(broker, argv, "empty").stdout == bare


def test_nothing_is_freed_wrongly(lab, broker, dns):
    valgrind = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"]
    for text in ("<one.test,10.0.0.9>", "shop.test"):
        argv = [*valgrind, program_file("name_list"), text, "80", 0, AI_CANONNAME]
        lab.px(broker, argv, "entries", timeout=100)
        # libc's threads for it are still there at the end, with what they have.
        kept = ["--errors-for-leak-kinds=definite", "--run-libc-freeres=no"]
        argv = [*valgrind, *kept, program_file("name_requests"), text, "80"]
        lab.px(broker, argv, "entries", timeout=100)


@pytest.mark.parametrize("name", ["two.test", "localhost", CORPORATE, "nobody.test"])
@pytest.mark.parametrize("profile", ["empty", "vpn-split"])
def test_other_names_are_libcs(lab, broker, dns, name, profile):
    argv = ["getent", "ahosts", name]

    def network(run):
        lines = strace(lab.client, argv, run, calls="%network")
        # Process ids, times, and the random numbers of queries.
        numbers = r"\d{3,}|(?<=pid=)\d+"
        return [re.sub(numbers, "N", line.split('"')[0]) for line in comparable(lines)]

    bare = network(lambda command: lab.client.run(command, check=False))
    under = network(lambda command: lab.px(broker, command, profile, check=False))
    # Of two addresses that are steered px finds the order, by the kernel's word alone.
    own = under[len(bare) :]
    assert under[: len(bare)] == bare
    assert bool(own) == ((name, profile) == ("two.test", "vpn-split"))
    assert {line.split("(")[0] for line in own} <= {"socket", "sendto", "recvfrom"}
    assert all("AF_NETLINK" in line for line in own if line.startswith("socket"))
    outputs = {
        tuple(sorted(run(argv, check=False).stdout.splitlines()))
        for run in (lab.client.run, lambda command, **o: lab.px(broker, command, profile, **o))
    }
    assert len(outputs) == 1
