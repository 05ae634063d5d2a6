// SPDX-License-Identifier: MIT
// ask_name HOW NAME ADDR PORT [ADDR PORT]...: a resolver of its own, as programs have them. Asks
// each server for the name's IPv4 address, all before the first answer, by one socket or,
// connected, by one each. HOW: connect, tcp, sendto, sendmsg, sendmmsg. Prints "ANSWER from ADDR
// PORT" for each question, in their order, and what getpeername says where it connects.
#include <poll.h>

#include "program.h"

enum { kMost = 4, kWaitMs = 5000 };

struct question {
  struct destination server;
  unsigned char packet[300];
  size_t size;
  unsigned char answer[1500];
  ssize_t answer_size;
  struct sockaddr_storage from;
};

static void print_address(const struct sockaddr_storage* address) {
  char host[INET6_ADDRSTRLEN] = "?";
  unsigned port = 0;
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in* in = (const struct sockaddr_in*)address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    port = ntohs(in->sin_port);
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6* in6 = (const struct sockaddr_in6*)address;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    port = ntohs(in6->sin6_port);
  }
  printf("%s %u", host, port);
}

// A header that wants recursion, and one question: A, IN.
static void put_question(struct question* question, unsigned number, const char* name) {
  const unsigned char header[12] = {0, (unsigned char)number, 1, 0, 0, 1};
  memcpy(question->packet, header, sizeof header);
  size_t at = sizeof header;
  while (*name != '\0') {
    const size_t length = strcspn(name, ".");
    question->packet[at++] = (unsigned char)length;
    memcpy(question->packet + at, name, length);
    at += length;
    name += length + (name[length] == '.');
  }
  const unsigned char end[5] = {0, 0, 1, 0, 1};
  memcpy(question->packet + at, end, sizeof end);
  question->size = at + sizeof end;
}

// The last four bytes of an answer with one record.
static void print_answer(const struct question* question) {
  char text[INET_ADDRSTRLEN] = "nothing";
  const unsigned char* answer = question->answer;
  if (question->answer_size > 16 && answer[7] != 0) {
    inet_ntop(AF_INET, answer + question->answer_size - 4, text, sizeof text);
  }
  printf("%s from ", text);
  print_address(&question->from);
}

static void await(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  if (poll(&wait, 1, kWaitMs) == 1) return;
  printf("no answer\n");
  exit(1);
}

static void failed(const char* call) {
  printf("%s: %s\n", call, strerrorname_np(errno));
  exit(1);
}

static void ask_connected(struct question* question, int stream) {
  const int fd = make_socket(&question->server, stream ? SOCK_STREAM : SOCK_DGRAM);
  if (connect(fd, as_sockaddr(&question->server), question->server.length) != 0) failed("connect");
  const unsigned char length[2] = {(unsigned char)(question->size >> 8),
                                   (unsigned char)question->size};
  if (stream && send(fd, length, sizeof length, MSG_MORE) < 0) failed("send");
  if (send(fd, question->packet, question->size, 0) < 0) failed("send");
  await(fd);
  socklen_t from = sizeof question->from;
  unsigned char skipped[2];
  if (stream && recv(fd, skipped, sizeof skipped, MSG_WAITALL) < 0) failed("recv");
  // Of a stream, no address is given.
  question->answer_size = recvfrom(fd, question->answer, sizeof question->answer, 0,
                                   (struct sockaddr*)&question->from, &from);
  struct sockaddr_storage peer = {0};
  socklen_t peer_length = sizeof peer;
  if (getpeername(fd, (struct sockaddr*)&peer, &peer_length) != 0) failed("getpeername");
  if (stream) question->from = peer;
  print_answer(question);
  printf(", connected to ");
  print_address(&peer);
  printf("\n");
  close(fd);
}

static void send_all(int fd, const char* how, struct question* questions, unsigned count) {
  struct mmsghdr messages[kMost] = {0};
  struct iovec parts[kMost];
  for (unsigned i = 0; i < count; ++i) {
    parts[i] = (struct iovec){questions[i].packet, questions[i].size};
    messages[i].msg_hdr.msg_name = &questions[i].server.storage;
    messages[i].msg_hdr.msg_namelen = questions[i].server.length;
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  if (strcmp(how, "sendmmsg") == 0) {
    if (sendmmsg(fd, messages, count, 0) != (int)count) failed(how);
    return;
  }
  for (unsigned i = 0; i < count; ++i) {
    const struct question* question = &questions[i];
    const ssize_t sent = strcmp(how, "sendmsg") == 0
                             ? sendmsg(fd, &messages[i].msg_hdr, 0)
                             : sendto(fd, question->packet, question->size, 0,
                                      as_sockaddr(&question->server), question->server.length);
    if (sent < 0) failed(how);
  }
}

// By the call that goes with the one that sent.
static void receive(int fd, const char* how, struct question* questions, unsigned count) {
  struct question got = {.size = 0};
  socklen_t length = sizeof got.from;
  struct iovec part = {got.answer, sizeof got.answer};
  struct mmsghdr message = {.msg_hdr = {.msg_name = &got.from,
                                        .msg_namelen = sizeof got.from,
                                        .msg_iov = &part,
                                        .msg_iovlen = 1}};
  await(fd);
  if (strcmp(how, "sendmmsg") == 0) {
    if (recvmmsg(fd, &message, 1, 0, NULL) != 1) failed("recvmmsg");
    got.answer_size = message.msg_len;
  } else if (strcmp(how, "sendmsg") == 0) {
    got.answer_size = recvmsg(fd, &message.msg_hdr, 0);
  } else {
    got.answer_size =
        recvfrom(fd, got.answer, sizeof got.answer, 0, (struct sockaddr*)&got.from, &length);
  }
  if (got.answer_size < 2) failed("receive");
  for (unsigned i = 0; i < count; ++i) {
    if (memcmp(questions[i].packet, got.answer, 2) != 0) continue;
    questions[i].answer_size = got.answer_size;
    questions[i].from = got.from;
    memcpy(questions[i].answer, got.answer, sizeof got.answer);
  }
}

int main(int argc, char** argv) {
  static struct question questions[kMost];
  unsigned count = 0;
  for (int i = 3; i + 1 < argc && count < kMost; i += 2, ++count) {
    questions[count].server = parse_destination(argc, argv, i);
    put_question(&questions[count], count + 1, argv[2]);
  }
  if (count == 0) return 2;
  const char* how = argv[1];
  const int stream = strcmp(how, "tcp") == 0;
  if (stream || strcmp(how, "connect") == 0) {
    for (unsigned i = 0; i < count; ++i) ask_connected(&questions[i], stream);
    return 0;
  }
  const int fd = make_socket(&questions[0].server, SOCK_DGRAM);
  send_all(fd, how, questions, count);
  for (unsigned i = 0; i < count; ++i) receive(fd, how, questions, count);
  for (unsigned i = 0; i < count; ++i) {
    print_answer(&questions[i]);
    printf("\n");
  }
  return 0;
}
