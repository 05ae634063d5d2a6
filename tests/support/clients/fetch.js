// SPDX-License-Identifier: MIT
// Says what a server answers: node fetch.js http URL, or tcp, udp or unconnected
// HOST PORT.
'use strict';

const dgram = require('dgram');
const http = require('http');
const net = require('net');

const [how, host, port] = process.argv.slice(2);

function byHttp() {
  http.get(host, (response) => response.pipe(process.stdout));
}

function byTcp() {
  const socket = net.connect(Number(port), host, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  let answer = '';
  socket.on('data', (piece) => { answer += piece; });
  socket.on('end', () => process.stdout.write(answer.split('\r\n\r\n')[1]));
}

function datagrams() {
  const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('message', (message) => {
    process.stdout.write(message + '\n');
    socket.close();
  });
  return socket;
}

function byUdp() {
  const socket = datagrams();
  socket.connect(Number(port), host, () => socket.send('?'));
}

function byUnconnected() {
  datagrams().send('?', Number(port), host);
}

({ http: byHttp, tcp: byTcp, udp: byUdp, unconnected: byUnconnected })[how]();
