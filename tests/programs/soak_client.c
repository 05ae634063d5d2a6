// SPDX-License-Identifier: MIT
// soak_client KIND EPOCH ADDR PORT [ADDR PORT]...: asks soak_server, or a server of datagrams, at
// each address in turn, as whom it sees this program, until the file EPOCH says 99999999.
//
// KIND is blocking, nonblocking, threads, fork, connected (datagrams) or sendto (datagrams of one
// socket). Prints lines `ADDR BEFORE AFTER OUTCOME COUNT`: so many exchanges in a row had this
// outcome, an address or an error, while EPOCH went from BEFORE to AFTER.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "program.h"

enum { kMost = 8, kThreads = 4, kStop = 99999999, kWaitSeconds = 10, kTries = 10 };

struct outcome {
  char text[INET6_ADDRSTRLEN];
};
typedef void exchange(int which, struct outcome* outcome);

struct run {
  int before;
  int after;
  int count;
  struct outcome outcome;
};

static struct destination destinations[kMost];
static const char* names[kMost];
static int destination_count;
static int epoch_file;
static exchange* make_exchange;

static int epoch(void) {
  char text[9] = {0};
  if (pread(epoch_file, text, 8, 0) != 8) exit(2);
  return atoi(text);
}

static void failed(struct outcome* outcome, int error) {
  snprintf(outcome->text, sizeof outcome->text, "%s", strerrorname_np(error));
}

static void set_timeouts(int fd, int seconds) {
  const struct timeval wait = {.tv_sec = seconds};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

// The first word of what came.
static void take_answer(struct outcome* outcome, char* text, ssize_t length) {
  text[length] = '\0';
  text[strcspn(text, " \n")] = '\0';
  snprintf(outcome->text, sizeof outcome->text, "%.45s", text);
}

static void ask_stream(int fd, struct outcome* outcome) {
  char text[128];
  size_t length = 0;
  ssize_t got = 1;
  if (send(fd, "?\n", 2, MSG_NOSIGNAL) != 2) {
    failed(outcome, errno);
    return;
  }
  while (length < sizeof text - 1 && memchr(text, '\n', length) == NULL &&
         (got = recv(fd, text + length, sizeof text - 1 - length, 0)) > 0) {
    length += (size_t)got;
  }
  if (got > 0) {
    take_answer(outcome, text, (ssize_t)length);
  } else {
    failed(outcome, got == 0 ? ECONNRESET : errno);
  }
}

static void blocking(int which, struct outcome* outcome) {
  const struct destination* to = &destinations[which];
  const int fd = make_socket(to, SOCK_STREAM);
  set_timeouts(fd, kWaitSeconds);
  if (connect(fd, as_sockaddr(to), to->length) == 0) {
    ask_stream(fd, outcome);
  } else {
    failed(outcome, errno);
  }
  close(fd);
}

static int connect_nonblocking(int fd, const struct destination* to) {
  if (connect(fd, as_sockaddr(to), to->length) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  if (poll(&writable, 1, kWaitSeconds * 1000) != 1) return ETIMEDOUT;
  int error = -1;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

static void nonblocking(int which, struct outcome* outcome) {
  const int fd = make_socket(&destinations[which], SOCK_STREAM | SOCK_NONBLOCK);
  const int error = connect_nonblocking(fd, &destinations[which]);
  if (error == 0) {
    fcntl(fd, F_SETFL, 0);
    set_timeouts(fd, kWaitSeconds);
    ask_stream(fd, outcome);
  } else {
    failed(outcome, error);
  }
  close(fd);
}

static void forking(int which, struct outcome* outcome) {
  static struct outcome* of_child;
  if (of_child == NULL) {
    of_child =
        mmap(NULL, sizeof *of_child, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (of_child == MAP_FAILED) exit(2);
  }
  const pid_t child = fork();
  if (child == 0) {
    blocking(which, of_child);
    _exit(0);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    snprintf(outcome->text, sizeof outcome->text, "child-%d", status);
  } else {
    *outcome = *of_child;
  }
}

// Whether an answer came: a datagram may be lost.
static int ask_datagram(int fd, const struct destination* to, struct outcome* outcome) {
  char text[128];
  const ssize_t sent =
      to == NULL ? send(fd, "?", 1, 0) : sendto(fd, "?", 1, 0, as_sockaddr(to), to->length);
  const ssize_t got = sent == 1 ? recv(fd, text, sizeof text - 1, 0) : -1;
  if (got > 0) {
    take_answer(outcome, text, got);
  } else {
    failed(outcome, errno);
  }
  return got > 0;
}

static void connected(int which, struct outcome* outcome) {
  const struct destination* to = &destinations[which];
  for (int i = 0, done = 0; i < kTries && !done; ++i) {
    const int fd = make_socket(to, SOCK_DGRAM);
    set_timeouts(fd, 1);
    if (connect(fd, as_sockaddr(to), to->length) == 0) {
      done = ask_datagram(fd, NULL, outcome);
    } else {
      failed(outcome, errno);
      done = 1;
    }
    close(fd);
  }
}

// One socket of each family, for all destinations. After a loss another one: an answer may be late.
static void unconnected(int which, struct outcome* outcome) {
  static int fds[2] = {-1, -1};
  const struct destination* to = &destinations[which];
  int* fd = &fds[to->storage.ss_family == AF_INET6];
  for (int i = 0; i < kTries; ++i) {
    if (*fd < 0) {
      *fd = make_socket(to, SOCK_DGRAM);
      set_timeouts(*fd, 1);
    }
    if (ask_datagram(*fd, to, outcome)) return;
    close(*fd);
    *fd = -1;
  }
}

static void print_run(int which, const struct run* run) {
  char line[256];
  const int length = snprintf(line, sizeof line, "%s %d %d %s %d\n", names[which], run->before,
                              run->after, run->outcome.text, run->count);
  if (run->count > 0 && write(STDOUT_FILENO, line, (size_t)length) != length) exit(2);
}

static void* soak(void* unused) {
  (void)unused;
  struct run runs[kMost] = {0};
  int before = epoch();
  for (int which = 0; before != kStop; which = (which + 1) % destination_count) {
    struct run now = {.before = before, .count = 1};
    make_exchange(which, &now.outcome);
    now.after = before = epoch();
    struct run* run = &runs[which];
    if (run->before == now.before && run->after == now.after &&
        strcmp(run->outcome.text, now.outcome.text) == 0) {
      ++run->count;
    } else {
      print_run(which, run);
      *run = now;
    }
  }
  for (int which = 0; which < destination_count; ++which) print_run(which, &runs[which]);
  return NULL;
}

int main(int argc, char** argv) {
  const char* kind = argc > 1 ? argv[1] : "";
  const struct {
    const char* name;
    exchange* function;
  } kinds[] = {{"blocking", blocking}, {"nonblocking", nonblocking}, {"threads", blocking},
               {"fork", forking},      {"connected", connected},     {"sendto", unconnected}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (strcmp(kind, kinds[i].name) == 0) make_exchange = kinds[i].function;
  }
  for (int i = 3; i + 1 < argc && destination_count < kMost; i += 2, ++destination_count) {
    destinations[destination_count] = parse_destination(argc, argv, i);
    names[destination_count] = argv[i];
  }
  if (make_exchange == NULL || destination_count == 0) return 2;
  epoch_file = open(argv[2], O_RDONLY | O_CLOEXEC);
  if (make_exchange == forking) {
    // A program whose children alone connect would be a new one each time: this one is greeted.
    struct outcome ignored;
    blocking(0, &ignored);
  }
  const int threads = strcmp(kind, "threads") == 0 ? kThreads : 1;
  pthread_t ids[kThreads];
  for (int i = 0; i < threads; ++i) {
    if (pthread_create(&ids[i], NULL, soak, NULL) != 0) return 2;
  }
  for (int i = 0; i < threads; ++i) pthread_join(ids[i], NULL);
  return 0;
}
