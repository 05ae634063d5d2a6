// SPDX-License-Identifier: MIT
// bad_pointers ADDR PORT: the socket calls with memory that is not there, cannot be written or ends
// too early, and with lengths that are too long or none. A line for each call: its result and
// errno, or the signal that the process died of. Each call is made in a process of its own.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "libbundle/bundle.h"
#include "program.h"

enum { PAGE = 4096, PORT = 7100, NOW = MSG_DONTWAIT };

static struct destination to;
static struct sockaddr_storage peer;
static struct addrinfo* list;
static int received;
static volatile int minus_one = -1;
static void* volatile nowhere = (void*)16;  // no compiler is to see through it
static void* const kernels = (void*)-4096L;

// Two pages; only the first is there.
static char* edge(void) {
  char* pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages + PAGE, PAGE);
  return pages + PAGE;
}

// A page with these bytes at its beginning, which can be read and not written.
static void* read_only(const void* bytes, size_t size) {
  char* page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, bytes, size);
  mprotect(page, PAGE, PROT_READ);
  return page;
}

// `size` bytes that end where the memory ends.
static void* before_edge(const void* bytes, size_t size) {
  return memcpy(edge() - size, bytes, size);
}

static int tcp(void) {
  return make_socket(&to, SOCK_STREAM);
}
static int udp(void) {
  return make_socket(&to, SOCK_DGRAM);
}
static int local(void) {
  return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int connected(void) {
  const int fd = udp();
  connect(fd, as_sockaddr(&to), to.length);
  return fd;
}

static int listener(void) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
  bind(fd, (const struct sockaddr*)&own, sizeof own);
  listen(fd, 1);
  return fd;
}

// One end, with a byte to be read.
static int pair(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || write(ends[1], "x", 1) != 1) exit(2);
  return ends[0];
}

// A server of datagrams that has got two.
static int mail(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
  const int on = 1;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr*)&own, sizeof own) != 0) exit(2);
  own.sin_addr.s_addr = htonl(0x7f000001);
  for (int i = 0; i < 2; ++i) sendto(sender, "x", 1, 0, (const struct sockaddr*)&own, sizeof own);
  return fd;
}

struct message {
  struct iovec part;
  struct msghdr header;
  char control[128];
};
static struct message message;

// A message of one byte to the destination, or into one byte.
static struct msghdr* plain(void) {
  static char byte = 'x';
  message.part = (struct iovec){&byte, 1};
  message.header = (struct msghdr){
      .msg_name = &to.storage, .msg_namelen = to.length, .msg_iov = &message.part, .msg_iovlen = 1};
  return &message.header;
}
static struct msghdr* unnamed(void) {
  plain()->msg_name = NULL;
  message.header.msg_namelen = 0;
  return &message.header;
}
static struct msghdr* named(void* name, socklen_t length) {
  plain()->msg_name = name;
  message.header.msg_namelen = length;
  return &message.header;
}
static struct msghdr* parts(void* at, size_t count) {
  plain()->msg_iov = at;
  message.header.msg_iovlen = count;
  return &message.header;
}
static struct msghdr* controlled(void* at, size_t length) {
  plain()->msg_control = at;
  message.header.msg_controllen = length;
  return &message.header;
}
// Control data of the program's own.
static char* own_control(void) {
  struct cmsghdr* header = (struct cmsghdr*)message.control;
  memset(message.control, 0, sizeof message.control);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_TTL;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *(int*)CMSG_DATA(header) = 9;
  return message.control;
}
// As many of these messages as said, at the end of the memory.
static struct mmsghdr* messages(const struct msghdr* header, int count) {
  struct mmsghdr* made = (struct mmsghdr*)edge() - count;
  for (int i = 0; i < count; ++i) made[i] = (struct mmsghdr){.msg_hdr = *header};
  return made;
}
static struct mmsghdr* constant_message(const struct msghdr* header) {
  const struct mmsghdr made = {.msg_hdr = *header};
  return read_only(&made, sizeof made);
}
// Whose datagrams bring control data.
static int with_options(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
  return fd;
}
static socklen_t* length_of(socklen_t length) {
  static socklen_t made;
  made = length;
  return &made;
}
static void* family_at_edge(sa_family_t family, size_t size) {
  char bytes[128] = {0};
  memcpy(bytes, &family, sizeof family);
  return before_edge(bytes, size);
}
// Used once while it was there.
static long again_without(ssize_t (*call)(int, void*), int fd, void* memory, size_t size) {
  char* page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, memory, size);
  if (call(fd, page) < 0) return -1;
  munmap(page, PAGE);
  return call(fd, page);
}
static ssize_t send_to(int fd, void* address) {
  return sendto(fd, "x", 1, 0, address, to.length);
}
static ssize_t send_message(int fd, void* header) {
  return sendmsg(fd, header, 0);
}

// Of each attempt: what, on which sockets (the letters of make()), and the call.
#define PASTE_NAME(line) attempt_##line
#define PASTE(line) PASTE_NAME(line)
#define ATTEMPT(what, sockets, call)    \
  static long PASTE(__LINE__)(int fd) { \
    return (long)(call);                \
  }
#include "bad_pointers.def"
#undef ATTEMPT

static const struct attempt {
  const char* what;
  const char* sockets;
  long (*call)(int fd);
} attempts[] = {
#define ATTEMPT(what, sockets, call) {what, sockets, PASTE(__LINE__)},
#include "bad_pointers.def"
#undef ATTEMPT
};

static int make(char letter) {
  switch (letter) {
    case 't':
      return tcp();
    case 'u':
      return udp();
    case 'c':
      return connected();
    case 'l':
      return listener();
    case 'm':
      return mail();
    case 'o':
      return with_options(mail());
    case 'p':
      return pair();
    case '6':
      return socket(AF_INET6, SOCK_DGRAM, 0);
    case 'x':
      return local();
    default:
      return -1;
  }
}

// Returns an errno.
static int try(const struct attempt* attempt, char letter) {
  int ends[2];
  char line[128] = "";
  int status = 0;
  fflush(stdout);
  if (pipe(ends) != 0) return errno;
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    const int fd = make(letter);
    errno = 0;
    const long result = attempt->call(fd);
    dprintf(ends[1], "%ld %s", result, strerrorname_np(errno));
    _exit(0);
  }
  close(ends[1]);
  if (read(ends[0], line, sizeof line - 1) < 0) return errno;
  close(ends[0]);
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    snprintf(line, sizeof line, "died of %s", sigabbrev_np(WTERMSIG(status)));
  printf("%c %s: %s\n", letter, attempt->what, line);
  return 0;
}

int main(int argc, char** argv) {
  to = parse_destination(argc, argv, 1);
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; ++i) {
    for (const char* letter = attempts[i].sockets; *letter != '\0'; ++letter) {
      errno = try(&attempts[i], *letter);
      if (errno == 0) continue;
      perror("bad_pointers");
      return 2;
    }
  }
  return 0;
}
