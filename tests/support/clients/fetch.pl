# SPDX-License-Identifier: MIT
# Says what a server answers on port 8080: fetch.pl HOW HOST, with HOW http (HTTP::Tiny), or a class
# of sockets: IO::Socket::IP, IO::Socket::INET.
use strict;
use warnings;
use HTTP::Tiny;
use IO::Socket::INET;
use IO::Socket::IP;

my ($how, $host) = @ARGV;
if ($how eq 'http') {
  my $answer = HTTP::Tiny->new(timeout => 300)->get("http://$host:8080/");
  print $answer->{content};
} else {
  my $socket = $how->new(PeerHost => $host, PeerPort => 8080, Proto => 'tcp') or die "$@\n";
  print $socket "GET / HTTP/1.0\r\n\r\n";
  print <$socket>;
}
