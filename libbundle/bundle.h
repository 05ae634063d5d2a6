/* SPDX-License-Identifier: MIT
 *
 * bundle.h: socket addresses that name one host by several addresses (PF_BUNDLE). The layout is
 * flat and without pointers, so that programs may copy it as they copy any sockaddr; what follows
 * the header are sockaddr_in and sockaddr_in6 structures, packed, as sctp_bindx(3) and
 * sctp_connectx(3) take them. See bundle(7), and bundle(3) for the functions. They keep nothing
 * and allocate nothing: callable from any thread and from signal handlers.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Beyond every family of the kernel, which answers EAFNOSUPPORT where it sees it. */
#define AF_BUNDLE 230
#define PF_BUNDLE AF_BUNDLE

/* sb_flags */
#define BUNDLE_TRUNCATED 1 /* there are more addresses than fit */
#define BUNDLE_IMPLICIT 2  /* made of an ordinary name (an alias), not written as a bundle */

#define BUNDLE_HEADER_SIZE 12
/* What a bundle takes at most unless more was asked for: programs copy addresses into fixed storage
 * (sockaddr_storage is 128 bytes, OpenSSL's BIO_ADDR 112). */
#define BUNDLE_SIZE_USUAL 112
#define BUNDLE_MEMBERS_MAX 16 /* addresses, in any bundle */
#define BUNDLE_SIZE_MAX (BUNDLE_HEADER_SIZE + BUNDLE_MEMBERS_MAX * 28)
#define BUNDLE_TEXT_MAX 1025 /* any bundle's text, with its NUL (NI_MAXHOST) */

struct sockaddr_bundle {
  sa_family_t sb_family; /* AF_BUNDLE */
  in_port_t sb_port;     /* network byte order, where sin_port and sin6_port are */
  uint8_t sb_count;      /* addresses that follow */
  uint8_t sb_flags;      /* BUNDLE_* */
  uint16_t sb_len;       /* bytes used, this header included; host byte order */
  /* Bit i is set where address i begins another host (an alternative, `|`); bit 0 never is. Host
   * byte order. */
  uint32_t sb_alternatives;
  /* Packed sockaddr_in (16 bytes) and sockaddr_in6 (28 bytes), 4-aligned, in order of preference;
   * their ports are sb_port or 0. */
  unsigned char sb_addresses[BUNDLE_SIZE_MAX - BUNDLE_HEADER_SIZE];
};
#define sb_addr sb_addresses /* as the paper has it */

/* Where a bundle is read, 0 in these fields stands for what the addresses say: sb_port for their
 * port, sb_count for their number, and sb_len for the whole length that is passed; an address
 * without a family is then the end. */

/* What the functions return. */
enum bundle_error {
  BUNDLE_OK = 0,
  /* of a bundle, from every function that takes one */
  BUNDLE_EFAMILY = 1,   /* not AF_BUNDLE; of an added address, neither AF_INET nor AF_INET6 */
  BUNDLE_ELENGTH = 2,   /* sb_len does not fit what is there */
  BUNDLE_ECOUNT = 3,    /* no address, or too many */
  BUNDLE_EMEMBER = 4,   /* neither a sockaddr_in nor a sockaddr_in6 in it */
  BUNDLE_EPORT = 5,     /* an address with a port of its own */
  BUNDLE_ERESERVED = 6, /* flags or alternatives that mean nothing */
  /* of bundle_add */
  BUNDLE_EFULL = 16, /* no room for another address */
  /* of bundle_parse */
  BUNDLE_ENOTBUNDLE = 32, /* an ordinary name or address */
  BUNDLE_ERESOLVE = 33,   /* names are in it, or it is one: ask getaddrinfo(3) under px */
  BUNDLE_ETOOLONG = 34,
  BUNDLE_EBRACKETS = 35, /* mismatched, nested, or something outside of them */
  BUNDLE_EEMPTY = 36,    /* no address between two separators */
  BUNDLE_ETOOMANY = 37,
  BUNDLE_EADDRESS = 38, /* no IPv4 and no IPv6 address */
  BUNDLE_EZONE = 39,    /* no such interface, or an address that takes none */
  BUNDLE_ENAME = 40,    /* not the name of a host */
  BUNDLE_ENESTED = 41,  /* a bundle in a bundle */
  /* of bundle_format */
  BUNDLE_ESPACE = 48 /* the text does not fit */
};

/* bundle_add: whom the address belongs to. */
#define BUNDLE_SAME_HOST 0
#define BUNDLE_OTHER_HOST 1

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the bytes are a bundle: any bytes, of any length and alignment. BUNDLE_OK or an error.
 * All functions below take bundles of any source and check them, too. */
int bundle_check(const struct sockaddr* address, socklen_t length);

/* A bundle without addresses, for bundle_add; port in network byte order. */
void bundle_init(struct sockaddr_bundle* bundle, in_port_t port);

/* Adds a sockaddr_in or sockaddr_in6 behind those that are there. Its port must be the bundle's or
 * 0. An address that is there already is not added again; if it is another host's, the two hosts
 * are made one. On errors the bundle stays as it is. */
int bundle_add(struct sockaddr_bundle* bundle, const struct sockaddr* address, socklen_t length,
               int whose);

/* The first address (previous: NULL), or the one behind `previous`; NULL behind the last. */
const struct sockaddr* bundle_next(const struct sockaddr_bundle* bundle,
                                   const struct sockaddr* previous);

/* Less than, equal to or greater than 0: equal where the hosts and their addresses are the same.
 * Order of preference, ports and flags do not count. What is no bundle comes first. */
int bundle_compare(const struct sockaddr_bundle* a, const struct sockaddr_bundle* b);

/* Reads a notation, `<10.0.0.1,2001:db8::1>`, of numeric addresses alone; port in network byte
 * order. On errors the bundle is not written. */
int bundle_parse(const char* text, in_port_t port, struct sockaddr_bundle* bundle);

/* Writes the canonical text, which is the same for equal bundles, and a NUL; `size` is in bytes,
 * BUNDLE_TEXT_MAX is always enough. On errors nothing is written. */
int bundle_format(const struct sockaddr_bundle* bundle, char* text, size_t size);

/* An error in words. Static. */
const char* bundle_strerror(int error);

/* What follows is as socket(2), connect(2), bind(2) and accept4(2): -1 and errno on errors. Under
 * px the policy decides, as for any program; else, TCP and MPTCP alone. No cancellation points but
 * bundle_accept. */

/* A stream socket for IPv4 and IPv6; protocol 0, IPPROTO_TCP or IPPROTO_MPTCP. */
int bundle_socket(int type, int protocol);

/* Connects to the first address that answers, in order of preference: each has 100 ms to itself,
 * then the next one is tried beside it; over SCTP, to all addresses of one host. EINVAL: no bundle.
 * Other families are connect(2)'s. */
int bundle_connect(int fd, const struct sockaddr* address, socklen_t length);

/* Binds to a bundle of the host's own addresses; TCP and MPTCP take the port on all others, too. */
int bundle_bind(int fd, const struct sockaddr* address, socklen_t length);

/* Accepts a connection to an address in `admitted` (NULL: to any); others are reset. The peer's
 * address is a sockaddr_in or sockaddr_in6, never v4-mapped; it and `length` may be NULL. */
int bundle_accept(int fd, const struct sockaddr_bundle* admitted, struct sockaddr* peer,
                  socklen_t* length, int flags);

#ifdef __cplusplus
}
#endif

#endif
