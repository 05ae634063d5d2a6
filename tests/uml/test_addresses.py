# SPDX-License-Identifier: MIT
"""What a program is told of its own addresses over SCTP: those of its association, and no others."""

import ipaddress

from support.lab.two_links import BUNDLE, associations

# As AF_BUNDLE, whose numeric text is sorted; IO::Socket::IP takes the bundle entry as it comes.
OWN = """
use IO::Socket::IP; use Socket qw(:addrinfo); $| = 1;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7001, Type => SOCK_STREAM) or die $@;
my ($error, $own) = getnameinfo(getsockname($s), NI_NUMERICHOST, NIx_NOSERV);
print $error ? "$error" : $own, "\\n";
<STDIN>;
"""


def test_getsockname_lists_what_the_association_uses(ends):
    ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1)
    client = ends.start(["perl", "-e", OWN, BUNDLE], stdin=-1, stdout=-1)
    listed = client.stdout.readline().strip()
    ((_, own, _),) = associations(ends.lab.client, 7001)
    own = {str(ipaddress.ip_address(address)) for address in own}
    assert set(listed.strip("<>").split(",")) == own
    assert {"10.1.0.1", "10.2.0.1"} <= own and "127.0.0.1" not in own
