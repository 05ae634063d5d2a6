/* SPDX-License-Identifier: MIT
 * What a program sees that is linked with libbundle.so: compiled as C and as C++, both without a
 * warning. */
#include <arpa/inet.h>
#include <bundle.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                      \
  do {                                                                   \
    if (!(what)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
      exit(1);                                                           \
    }                                                                    \
  } while (0)

static struct sockaddr_in ipv4(const char* text, int port) {
  struct sockaddr_in in;
  memset(&in, 0, sizeof in);
  in.sin_family = AF_INET;
  in.sin_port = htons((uint16_t)port);
  CHECK(inet_pton(AF_INET, text, &in.sin_addr) == 1);
  return in;
}

static struct sockaddr_in6 ipv6(const char* text, int port) {
  struct sockaddr_in6 in6;
  memset(&in6, 0, sizeof in6);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons((uint16_t)port);
  CHECK(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1);
  return in6;
}

static int add4(struct sockaddr_bundle* bundle, const char* text, int port, int whose) {
  const struct sockaddr_in in = ipv4(text, port);
  return bundle_add(bundle, (const struct sockaddr*)&in, sizeof in, whose);
}

static int add6(struct sockaddr_bundle* bundle, const char* text, int port, int whose) {
  const struct sockaddr_in6 in6 = ipv6(text, port);
  return bundle_add(bundle, (const struct sockaddr*)&in6, sizeof in6, whose);
}

static struct sockaddr_bundle parsed(const char* text) {
  struct sockaddr_bundle bundle;
  CHECK(bundle_parse(text, htons(80), &bundle) == BUNDLE_OK);
  return bundle;
}

static int has_text(const struct sockaddr_bundle* bundle, const char* expected) {
  char text[BUNDLE_TEXT_MAX];
  return bundle_format(bundle, text, sizeof text) == BUNDLE_OK && strcmp(text, expected) == 0;
}

static int is_fine(const struct sockaddr_bundle* bundle) {
  return bundle_check((const struct sockaddr*)bundle, bundle->sb_len) == BUNDLE_OK;
}

static void check_building(void) {
  struct sockaddr_bundle bundle;
  bundle_init(&bundle, htons(80));
  CHECK(!is_fine(&bundle) && bundle_next(&bundle, NULL) == NULL);
  CHECK(add6(&bundle, "2001:db8::1", 80, BUNDLE_SAME_HOST) == BUNDLE_OK);
  CHECK(add4(&bundle, "10.0.0.1", 0, BUNDLE_SAME_HOST) == BUNDLE_OK);
  CHECK(add4(&bundle, "10.0.0.2", 80, BUNDLE_OTHER_HOST) == BUNDLE_OK);
  CHECK(add6(&bundle, "::ffff:10.0.0.1", 80, BUNDLE_SAME_HOST) == BUNDLE_OK);
  CHECK(is_fine(&bundle) && bundle.sb_count == 3 && bundle.sb_len == 12 + 28 + 16 + 16);
  CHECK(has_text(&bundle, "<10.0.0.1,10.0.0.2,2001:db8::1>"));
  CHECK(add4(&bundle, "10.0.0.3", 80, BUNDLE_OTHER_HOST) == BUNDLE_OK);
  CHECK(bundle.sb_alternatives == 8);
  CHECK(has_text(&bundle, "<10.0.0.1,10.0.0.2,2001:db8::1|10.0.0.3>"));
}

/* The paper's own listing: family, length and addresses. */
static void check_the_papers_fields(void) {
  struct sockaddr_bundle bundle;
  const struct sockaddr_in first = ipv4("10.0.0.1", 80);
  const struct sockaddr_in6 second = ipv6("2001:db8::1", 80);
  const struct sockaddr* next;
  memset(&bundle, 0, sizeof bundle);
  bundle.sb_family = AF_BUNDLE;
  memcpy(bundle.sb_addr, &first, sizeof first);
  memcpy(bundle.sb_addr + sizeof first, &second, sizeof second);
  CHECK(bundle_check((const struct sockaddr*)&bundle, sizeof bundle) == BUNDLE_OK);
  bundle.sb_len = BUNDLE_HEADER_SIZE + sizeof first + sizeof second;
  CHECK(is_fine(&bundle) && has_text(&bundle, "<10.0.0.1,2001:db8::1>"));
  next = bundle_next(&bundle, bundle_next(&bundle, NULL));
  CHECK(next != NULL && next->sa_family == AF_INET6 && bundle_next(&bundle, next) == NULL);
  bundle.sb_len = 0;
  next = bundle_next(&bundle, bundle_next(&bundle, NULL));
  CHECK(next != NULL && next->sa_family == AF_INET6 && bundle_next(&bundle, next) == NULL);
  CHECK(add4(&bundle, "10.0.0.2", 81, BUNDLE_SAME_HOST) == BUNDLE_EPORT);
  CHECK(add4(&bundle, "10.0.0.2", 80, BUNDLE_SAME_HOST) == BUNDLE_OK);
  CHECK(bundle.sb_count == 3 && bundle.sb_port == htons(80));
}

static void check_what_cannot_be_added(void) {
  struct sockaddr_bundle bundle;
  struct sockaddr_bundle before;
  struct sockaddr other;
  const struct sockaddr_in in = ipv4("10.0.0.1", 80);
  char text[16];
  int i;
  bundle_init(&bundle, htons(80));
  memset(&other, 0, sizeof other);
  CHECK(bundle_add(&bundle, &other, sizeof other, 0) == BUNDLE_EFAMILY);
  CHECK(bundle_add(&bundle, NULL, 16, 0) == BUNDLE_EFAMILY);
  CHECK(bundle_add(&bundle, (const struct sockaddr*)&in, 8, 0) == BUNDLE_ELENGTH);
  CHECK(add4(&bundle, "10.0.0.1", 81, 0) == BUNDLE_EPORT);
  for (i = 0; i < BUNDLE_MEMBERS_MAX; ++i) {
    snprintf(text, sizeof text, "fd00::%d", i);
    CHECK(add6(&bundle, text, 80, BUNDLE_OTHER_HOST) == BUNDLE_OK);
  }
  CHECK(bundle.sb_len == BUNDLE_SIZE_MAX && bundle.sb_alternatives == 0xfffe);
  before = bundle;
  CHECK(add4(&bundle, "10.0.0.1", 80, BUNDLE_OTHER_HOST) == BUNDLE_EFULL);
  CHECK(add6(&bundle, "fd00::3", 80, BUNDLE_OTHER_HOST) == BUNDLE_OK);
  CHECK(memcmp(&before, &bundle, sizeof bundle) == 0);
  bundle.sb_flags = 0x80;
  CHECK(add4(&bundle, "10.0.0.1", 80, 0) == BUNDLE_ERESERVED);
}

static void check_walking(void) {
  const struct sockaddr_bundle bundle = parsed("<2001:db8::1,10.0.0.1|10.0.0.2>");
  const struct sockaddr* first = bundle_next(&bundle, NULL);
  const struct sockaddr* second = bundle_next(&bundle, first);
  const struct sockaddr* third = bundle_next(&bundle, second);
  CHECK(first->sa_family == AF_INET6 && second->sa_family == AF_INET);
  CHECK(((const struct sockaddr_in*)(const void*)third)->sin_addr.s_addr == htonl(0x0a000002));
  CHECK(((const struct sockaddr_in*)(const void*)third)->sin_port == htons(80));
  CHECK(bundle_next(&bundle, third) == NULL);
  CHECK(bundle_next(&bundle, (const struct sockaddr*)&bundle) == NULL);
}

static void check_comparing(void) {
  const struct sockaddr_bundle a = parsed("<10.0.0.1,2001:db8::1>");
  struct sockaddr_bundle b = parsed("{2001:db8::1, 10.0.0.1}");
  const struct sockaddr_bundle c = parsed("10.0.0.1.or.2001-db8--1.v6.bundle");
  CHECK(bundle_compare(&a, &b) == 0 && bundle_compare(&a, &c) != 0);
  CHECK((bundle_compare(&a, &c) < 0) == (bundle_compare(&c, &a) > 0));
  b.sb_count = 7;
  CHECK(bundle_compare(&b, &a) < 0);
}

static void check_text(void) {
  const char* const bad[] = {"<>", "<10.0.0.1", "<10.0.0.1:80>", "<fe80::1%no-such-if>", "<a b>"};
  const int errors[] = {BUNDLE_EEMPTY, BUNDLE_EBRACKETS, BUNDLE_EADDRESS, BUNDLE_EZONE,
                        BUNDLE_ENAME};
  struct sockaddr_bundle bundle;
  char text[16] = "untouched";
  size_t i;
  for (i = 0; i < sizeof bad / sizeof *bad; ++i) {
    CHECK(bundle_parse(bad[i], 0, &bundle) == errors[i]);
  }
  CHECK(bundle_parse("<www,10.0.0.1>", 0, &bundle) == BUNDLE_ERESOLVE);
  CHECK(bundle_parse("db.bundle", 0, &bundle) == BUNDLE_ERESOLVE);
  CHECK(bundle_parse("10.0.0.1", 0, &bundle) == BUNDLE_ENOTBUNDLE);
  bundle = parsed("<fe80::1%lo>");
  CHECK(has_text(&bundle, "<fe80::1%lo>"));
  CHECK(((const struct sockaddr_in6*)(const void*)bundle_next(&bundle, NULL))->sin6_scope_id ==
        if_nametoindex("lo"));
  bundle = parsed("<10.0.0.1,10.0.0.2>"); /* 19 bytes */
  CHECK(bundle_format(&bundle, text, sizeof text) == BUNDLE_ESPACE);
  CHECK(strcmp(text, "untouched") == 0);
  bundle.sb_len = 500;
  CHECK(bundle_format(&bundle, text, sizeof text) == BUNDLE_ELENGTH);
}

static void check_words(void) {
  int error;
  for (error = 0; error <= BUNDLE_ESPACE; ++error) CHECK(bundle_strerror(error)[0] != '\0');
  CHECK(strcmp(bundle_strerror(BUNDLE_ENESTED), "a bundle cannot hold a bundle") == 0);
  CHECK(strcmp(bundle_strerror(-1), "unknown error") == 0);
}

int main(void) {
  check_building();
  check_the_papers_fields();
  check_what_cannot_be_added();
  check_walking();
  check_comparing();
  check_text();
  check_words();
  return 0;
}
