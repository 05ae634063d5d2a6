# SPDX-License-Identifier: MIT
# Says what a server answers on port 8080: fetch.rb HOW HOST, with HOW http or tcp.
require 'net/http'
require 'socket'

def by_tcp(host)
  socket = TCPSocket.new(host, 8080)
  socket.write("GET / HTTP/1.0\r\n\r\n")
  socket.read
end

how, host = ARGV
print(how == 'http' ? Net::HTTP.get(host, '/', 8080) : by_tcp(host))
