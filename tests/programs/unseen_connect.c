// SPDX-License-Identifier: MIT
// unseen_connect calls|io_uring tcp|udp ADDR PORT: connects by system calls of its own or by
// io_uring, so that no library sees it, sends a byte and prints "sent". Ends when its standard
// input does.
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "program.h"

// Not libc's syscall(), which can be interposed.
static long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
#ifdef __x86_64__
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#else
  const long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
#endif
}

static long by_calls(int fd, const struct destination* to) {
  return kernel_call(SYS_connect, fd, (long)&to->storage, (long)to->length, 0, 0, 0);
}

// One entry is submitted, and one completion waited for.
static long by_io_uring(int fd, const struct destination* to) {
  struct io_uring_params set = {0};
  const long ring = kernel_call(SYS_io_uring_setup, 1, (long)&set, 0, 0, 0, 0);
  if (ring < 0) return ring;
  const size_t size = set.cq_off.cqes + set.cq_entries * sizeof(struct io_uring_cqe);
  const int how = PROT_READ | PROT_WRITE;
  char* queues = mmap(0, size, how, MAP_SHARED, (int)ring, IORING_OFF_SQ_RING);
  char* completions = queues;
  if ((set.features & IORING_FEAT_SINGLE_MMAP) == 0)
    completions = mmap(0, size, how, MAP_SHARED, (int)ring, IORING_OFF_CQ_RING);
  struct io_uring_sqe* entry = mmap(0, sizeof *entry, how, MAP_SHARED, (int)ring, IORING_OFF_SQES);
  if (queues == MAP_FAILED || completions == MAP_FAILED || entry == MAP_FAILED) return -ENOMEM;
  memset(entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_CONNECT;
  entry->fd = fd;
  entry->addr = (uintptr_t)&to->storage;
  entry->off = to->length;
  ((unsigned*)(queues + set.sq_off.array))[0] = 0;
  __atomic_store_n((unsigned*)(queues + set.sq_off.tail), 1, __ATOMIC_RELEASE);
  const long entered = kernel_call(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
  if (entered < 0) return entered;
  return ((struct io_uring_cqe*)(completions + set.cq_off.cqes))[0].res;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const struct destination to = parse_destination(argc, argv, 3);
  const int kind = strcmp(argv[2], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
  const long fd = kernel_call(SYS_socket, to.storage.ss_family, kind, 0, 0, 0, 0);
  const long connected =
      strcmp(argv[1], "io_uring") == 0 ? by_io_uring((int)fd, &to) : by_calls((int)fd, &to);
  if (connected < 0) {
    fprintf(stderr, "%s: %s\n", argv[1], strerror((int)-connected));
    return 2;
  }
  if (kernel_call(SYS_write, fd, (long)"x", 1, 0, 0, 0) != 1) return 2;
  puts("sent");
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}
