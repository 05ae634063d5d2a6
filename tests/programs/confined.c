// SPDX-License-Identifier: MIT
// confined WORDS ADDR PORT: shuts itself off as the words say, from left to right, then connects
// and prints the local address. WORDS, with commas between:
//   connect    connect once before, too
//   fork       go on in a forked child
//   close      close all descriptors but the standard ones
//   chroot     another root directory, which is empty; rawchroot: by syscall()
//   user       another user, who has no privileges
//   nounix     sockets of AF_UNIX fail, as under systemd's RestrictAddressFamilies
//   heap       the address to connect to is in allocated memory from then on
//   full       no descriptor is left beside the socket's
//   bare       all but what a connect takes by itself fails
//   network    all but calls of ordinary network programs kills; rawnetwork: by syscall()
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "program.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped)
#define ALLOW(number) UNLESS(SYS_##number, 1), RETURN(SECCOMP_RET_ALLOW)

static void check(int result, const char* what) {
  if (result >= 0) return;
  perror(what);
  exit(2);
}

static void install(struct sock_filter* filter, unsigned short length, int raw) {
  const struct sock_fprog program = {.len = length, .filter = filter};
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  if (raw) {
    check((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
  } else {
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
  }
}

static void refuse_unix(void) {
  struct sock_filter filter[] = {
      LOAD(nr),
      UNLESS(SYS_socket, 3),
      LOAD(args[0]),
      UNLESS(AF_UNIX, 1),
      RETURN(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      RETURN(SECCOMP_RET_ALLOW),
  };
  install(filter, sizeof filter / sizeof *filter, 0);
}

// Sockets of AF_INET and AF_INET6 alone, and what is done with them; of their options, not those of
// SOL_SOCKET that bound a wait.
static void only_network(int raw) {
  struct sock_filter filter[] = {
      LOAD(nr),
      ALLOW(connect),
      ALLOW(bind),
      ALLOW(getsockname),
      ALLOW(getsockopt),
      ALLOW(close),
      ALLOW(write),
      ALLOW(newfstatat),
      ALLOW(brk),
      ALLOW(mmap),
      ALLOW(getrandom),
      ALLOW(exit_group),
      UNLESS(SYS_socket, 6),
      LOAD(args[0]),
      UNLESS(AF_INET, 1),
      RETURN(SECCOMP_RET_ALLOW),
      UNLESS(AF_INET6, 1),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      UNLESS(SYS_setsockopt, 6),
      LOAD(args[2]),
      UNLESS(SO_SNDTIMEO, 1),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      UNLESS(SO_RCVTIMEO, 1),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_KILL_PROCESS),
  };
  install(filter, sizeof filter / sizeof *filter, raw);
}

static void only_connect(void) {
  struct sock_filter filter[] = {
      LOAD(nr),     ALLOW(socket),    ALLOW(connect),    ALLOW(getsockname),
      ALLOW(close), ALLOW(write),     ALLOW(newfstatat), ALLOW(brk),
      ALLOW(mmap),  ALLOW(getrandom), ALLOW(exit_group), RETURN(SECCOMP_RET_ERRNO | ENOSYS),
  };
  install(filter, sizeof filter / sizeof *filter, 0);
}

static void go_on_in_child(void) {
  const pid_t child = fork();
  check(child, "fork");
  if (child == 0) return;
  int status = 0;
  check(waitpid(child, &status, 0), "waitpid");
  exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static void change_root(int raw) {
  char directory[] = "/tmp/confined-XXXXXX";
  if (mkdtemp(directory) == NULL) check(-1, "mkdtemp");
  check(chdir(directory), "chdir");
  check(rmdir(directory), "rmdir");
  check(raw ? (int)syscall(SYS_chroot, ".") : chroot("."), "chroot");
}

static void do_word(const char* word, const struct destination* destination) {
  if (strcmp(word, "connect") == 0) {
    connect_and_print("before", make_socket(destination, SOCK_STREAM), destination);
  } else if (strcmp(word, "fork") == 0) {
    go_on_in_child();
  } else if (strcmp(word, "close") == 0) {
    check((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range");
  } else if (strcmp(word, "chroot") == 0 || strcmp(word, "rawchroot") == 0) {
    change_root(word[0] == 'r');
  } else if (strcmp(word, "user") == 0) {
    check(setgroups(0, NULL), "setgroups");
    check(setgid(65534), "setgid");
    check(setuid(65534), "setuid");
  } else if (strcmp(word, "nounix") == 0) {
    refuse_unix();
  } else if (strcmp(word, "full") == 0) {
    const struct rlimit four = {.rlim_cur = 4, .rlim_max = 4};
    check((int)syscall(SYS_close_range, 3, ~0U, 0), "close_range");
    check(setrlimit(RLIMIT_NOFILE, &four), "setrlimit");
  } else if (strcmp(word, "bare") == 0) {
    only_connect();
  } else if (strcmp(word, "network") == 0 || strcmp(word, "rawnetwork") == 0) {
    only_network(word[0] == 'r');
  } else {
    fprintf(stderr, "confined: no such word: %s\n", word);
    exit(2);
  }
}

static const struct destination* on_heap(const struct destination* destination) {
  struct destination* copy = malloc(sizeof *copy);
  if (copy == NULL) check(-1, "malloc");
  *copy = *destination;
  return copy;
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 2);
  const struct destination* used = &destination;
  for (char* word = strtok(argv[1], ","); word != NULL; word = strtok(NULL, ",")) {
    if (strcmp(word, "heap") == 0) {
      used = on_heap(&destination);
    } else {
      do_word(word, used);
    }
  }
  const int fd = make_socket(used, SOCK_STREAM);
  return connect_and_print("after", fd, used) == 0 ? 0 : 1;
}
