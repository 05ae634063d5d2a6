/* SPDX-License-Identifier: MIT
 *
 * bundle.h: socket addresses that name one host by several addresses (PF_BUNDLE). The layout is
 * flat and without pointers, so that programs may copy it as they copy any sockaddr; what follows
 * the header are sockaddr_in and sockaddr_in6 structures, packed, as sctp_bindx(3) and
 * sctp_connectx(3) take them. See bundle(7).
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <netinet/in.h>
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

#endif
