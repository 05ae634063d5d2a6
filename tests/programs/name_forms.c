/* SPDX-License-Identifier: MIT
 * name_forms NAME...: what libc's calls say of each name under each kind of hints, then of
 * services, of calls without a name, of little room, of addresses that are to become names, and of
 * bad arguments. Each call has a line, and each address that it gave another. */
#include <arpa/nameser.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/un.h>

#include "program.h"

static void print_error(int error) {
  if (error == EAI_SYSTEM) {
    printf("system error %s\n", strerrorname_np(errno));
  } else {
    printf("%s\n", error == 0 ? "found" : gai_strerror(error));
  }
}

static void print_entry(const struct addrinfo* entry) {
  char text[INET6_ADDRSTRLEN] = "?";
  unsigned port = 0;
  unsigned scope = 0;
  if (entry->ai_family == AF_INET) {
    const struct sockaddr_in* in = (const void*)entry->ai_addr;
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    port = ntohs(in->sin_port);
  } else if (entry->ai_family == AF_INET6) {
    const struct sockaddr_in6* in6 = (const void*)entry->ai_addr;
    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    port = ntohs(in6->sin6_port);
    scope = in6->sin6_scope_id;
  }
  printf("    %s port %u scope %u, %u bytes, family %d type %d protocol %d flags %#x", text, port,
         scope, entry->ai_addrlen, entry->ai_family, entry->ai_socktype, entry->ai_protocol,
         (unsigned)entry->ai_flags);
  if (entry->ai_canonname != NULL) printf(", is %s", entry->ai_canonname);
  printf("\n");
}

/* `hints` may be NULL. */
static void look_up(const char* node, const char* service, const struct addrinfo* hints) {
  static struct addrinfo untouched;
  struct addrinfo* list = &untouched;
  printf("  getaddrinfo %s %s", node ? node : "-", service ? service : "-");
  if (hints == NULL) {
    printf(" no hints: ");
  } else {
    printf(" family %d type %d protocol %d flags %#x: ", hints->ai_family, hints->ai_socktype,
           hints->ai_protocol, (unsigned)hints->ai_flags);
  }
  errno = 0;
  const int error = getaddrinfo(node, service, hints, &list);
  print_error(error);
  if (error != 0) {
    if (list != &untouched) printf("    the list was written\n");
    return;
  }
  for (const struct addrinfo* entry = list; entry != NULL; entry = entry->ai_next) {
    print_entry(entry);
  }
  freeaddrinfo(list);
}

static void look_up_as(const char* node, const char* service, int flags, int family, int type,
                       int protocol) {
  struct addrinfo hints = {0};
  hints.ai_flags = flags;
  hints.ai_family = family;
  hints.ai_socktype = type;
  hints.ai_protocol = protocol;
  look_up(node, service, &hints);
}

static const int kFamilies[] = {AF_UNSPEC, AF_INET, AF_INET6};
enum { kFamilyCount = sizeof kFamilies / sizeof kFamilies[0] };

static void of_name(const char* name) {
  static const int kFlags[] = {
      0,
      AI_CANONNAME,
      AI_ADDRCONFIG,
      AI_NUMERICHOST,
      AI_PASSIVE,
      AI_V4MAPPED,
      AI_ALL,
      AI_V4MAPPED | AI_ALL,
      AI_V4MAPPED | AI_ADDRCONFIG,
      AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_CANONNAME,
      AI_IDN,
      AI_IDN | AI_CANONNAME | AI_CANONIDN,
      AI_CANONIDN,
  };
  for (size_t i = 0; i < sizeof kFlags / sizeof kFlags[0]; ++i) {
    for (int k = 0; k < kFamilyCount; ++k) {
      look_up_as(name, NULL, kFlags[i], kFamilies[k], SOCK_STREAM, 0);
    }
  }
  look_up(name, "80", NULL);
  look_up_as(name, "http", 0, AF_UNSPEC, 0, 0);
  look_up_as(name, "domain", 0, AF_UNSPEC, SOCK_DGRAM, 0);
  look_up_as(name, "no-such-service", 0, AF_UNSPEC, SOCK_STREAM, 0);
}

static void without_a_name(void) {
  static const int kFlags[] = {0,
                               AI_PASSIVE,
                               AI_ADDRCONFIG,
                               AI_PASSIVE | AI_ADDRCONFIG,
                               AI_CANONNAME,
                               AI_NUMERICHOST,
                               AI_V4MAPPED};
  printf("without a name\n");
  for (size_t i = 0; i < sizeof kFlags / sizeof kFlags[0]; ++i) {
    for (int k = 0; k < kFamilyCount; ++k) {
      look_up_as(NULL, "80", kFlags[i], kFamilies[k], SOCK_STREAM, 0);
    }
  }
  look_up_as(NULL, NULL, 0, AF_UNSPEC, 0, 0);
  look_up_as("", NULL, 0, AF_UNSPEC, 0, 0);
  look_up_as(NULL, "", AI_PASSIVE, AF_UNSPEC, 0, 0);
  look_up(NULL, "80", NULL);
}

static void of_services(void) {
  static const char* const kServices[] = {
      "80",    "080",        " 80",  "80 ",  "+80",  "-1",     "0x50",           "", "0", "65535",
      "65536", "4294967376", "http", "HTTP", "tftp", "domain", "no-such-service"};
  static const int kTypes[] = {
      0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, 77, SOCK_STREAM | SOCK_NONBLOCK};
  static const int kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, 262};
  printf("services\n");
  for (size_t i = 0; i < sizeof kServices / sizeof kServices[0]; ++i) {
    for (size_t k = 0; k < sizeof kTypes / sizeof kTypes[0]; ++k) {
      look_up_as("192.0.2.1", kServices[i], 0, AF_UNSPEC, kTypes[k], 0);
    }
    look_up_as("192.0.2.1", kServices[i], AI_NUMERICSERV, AF_UNSPEC, SOCK_STREAM, 0);
  }
  for (size_t k = 0; k < sizeof kProtocols / sizeof kProtocols[0]; ++k) {
    look_up_as("192.0.2.1", "80", 0, AF_UNSPEC, 0, kProtocols[k]);
    look_up_as("192.0.2.1", "80", 0, AF_UNSPEC, SOCK_STREAM, kProtocols[k]);
  }
  look_up_as("192.0.2.1", NULL, 0, AF_UNIX, SOCK_STREAM, 0);
  look_up_as("192.0.2.1", NULL, 0, 99, SOCK_STREAM, 0);
  look_up_as("192.0.2.1", NULL, 0x8000, AF_UNSPEC, SOCK_STREAM, 0);
}

static void print_host(int result, const struct hostent* host, int error) {
  printf("result %s, ", result == 0 ? "0" : strerrorname_np(result));
  if (host == NULL) {
    printf("no host, error %d\n", error);
    return;
  }
  char text[INET6_ADDRSTRLEN] = "?";
  printf("%s, type %d, %d bytes:", host->h_name, host->h_addrtype, host->h_length);
  for (char** alias = host->h_aliases; *alias != NULL; ++alias) printf(" (%s)", *alias);
  for (char** at = host->h_addr_list; *at != NULL; ++at) {
    printf(" %s", inet_ntop(host->h_addrtype, *at, text, sizeof text));
  }
  printf("\n");
}

static void hosts_of(const char* name) {
  static const int kHostFamilies[] = {AF_INET, AF_INET6, 99};
  static const size_t kRooms[] = {8, 200, 8192};
  for (size_t i = 0; i < sizeof kHostFamilies / sizeof kHostFamilies[0]; ++i) {
    for (size_t k = 0; k < sizeof kRooms / sizeof kRooms[0]; ++k) {
      char room[8192];
      struct hostent host;
      struct hostent* found = &host;
      int error = 77;
      printf("  gethostbyname2_r %s family %d room %zu: ", name, kHostFamilies[i], kRooms[k]);
      const int result =
          gethostbyname2_r(name, kHostFamilies[i], &host, room, kRooms[k], &found, &error);
      print_host(result, found, error);
    }
  }
  char room[8192];
  struct hostent host;
  struct hostent* found = &host;
  int error = 77;
  printf("  gethostbyname_r %s: ", name);
  const int result = gethostbyname_r(name, &host, room, sizeof room, &found, &error);
  print_host(result, found, error);
}

static void replies_of(const char* name) {
  static const int kSizes[] = {11, 12, 100, 512, 4096};
  static const int kTypes[] = {ns_t_a, ns_t_aaaa, ns_t_txt, ns_t_cname, ns_t_srv};
  for (size_t i = 0; i < sizeof kTypes / sizeof kTypes[0]; ++i) {
    for (size_t k = 0; k < sizeof kSizes / sizeof kSizes[0]; ++k) {
      unsigned char reply[4096] = {0};
      h_errno = 0;
      const int size = res_query(name, ns_c_in, kTypes[i], reply, kSizes[k]);
      printf("  res_query %s type %d room %d: %d", name, kTypes[i], kSizes[k], size);
      if (size < 0) printf(", error %d", h_errno);
      if (size >= NS_HFIXEDSZ) {
        printf(", code %d, cut %d, %d answers", reply[3] & 15, reply[2] >> 1 & 1,
               reply[6] << 8 | reply[7]);
      }
      printf("\n");
    }
  }
}

/* An address, with a zone where it is an interface's, as a sockaddr. */
static socklen_t parse(const char* text, struct sockaddr_storage* storage) {
  struct addrinfo hints = {0};
  struct addrinfo* list = NULL;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(text, "69", &hints, &list) != 0) exit(2);
  const socklen_t length = list->ai_addrlen;
  memcpy(storage, list->ai_addr, length);
  freeaddrinfo(list);
  return length;
}

static void name_of(const char* text, int flags, int missing, unsigned host_size,
                    unsigned service_size) {
  struct sockaddr_storage storage;
  const socklen_t length = parse(text, &storage) - (socklen_t)missing;
  char host[NI_MAXHOST] = "untouched";
  char service[NI_MAXSERV] = "untouched";
  printf("  getnameinfo %s flags %#x, %d bytes missing, room %u and %u: ", text, (unsigned)flags,
         missing, host_size, service_size);
  errno = 0;
  const int error =
      getnameinfo((const void*)&storage, length, host, host_size, service, service_size, flags);
  print_error(error);
  if (error == 0) printf("    %s %s\n", host, service);
}

static void names_of(const char* text) {
  static const int kFlags[] = {0,         NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD,
                               NI_NOFQDN, NI_DGRAM,       NI_IDN,         NI_NUMERICHOST | NI_DGRAM,
                               0x8000};
  static const unsigned kRooms[][2] = {{4, 32}, {256, 2}, {0, 32}, {256, 0}, {0, 0}};
  for (size_t i = 0; i < sizeof kFlags / sizeof kFlags[0]; ++i) {
    name_of(text, kFlags[i], 0, NI_MAXHOST, NI_MAXSERV);
  }
  for (size_t i = 0; i < sizeof kRooms / sizeof kRooms[0]; ++i) {
    name_of(text, 0, 0, kRooms[i][0], kRooms[i][1]);
  }
  name_of(text, 0, 4, NI_MAXHOST, NI_MAXSERV);
  struct sockaddr_storage storage;
  (void)parse(text, &storage);
  const int family = storage.ss_family;
  const void* bytes = family == AF_INET6 ? (const void*)&((struct sockaddr_in6*)&storage)->sin6_addr
                                         : &((struct sockaddr_in*)&storage)->sin_addr;
  const socklen_t size = family == AF_INET6 ? 16 : 4;
  for (socklen_t given = size - 1; given <= size; ++given) {
    printf("  gethostbyaddr %s, %u bytes: ", text, given);
    h_errno = 0;
    const struct hostent* host = gethostbyaddr(bytes, given, family);
    print_host(0, host, h_errno);
  }
}

static void names_of_addresses(void) {
  static const char* const kAddresses[] = {
      "203.0.113.80", "203.0.113.250", "127.0.0.1",  "2001:db8:80::80",     "2001:db8:80::250",
      "::1",          "fe80::1%lo",    "ff02::1%lo", "::ffff:203.0.113.80", "::ffff:203.0.113.250"};
  printf("names of addresses\n");
  for (size_t i = 0; i < sizeof kAddresses / sizeof kAddresses[0]; ++i) names_of(kAddresses[i]);
  struct sockaddr_un un = {0};
  un.sun_family = AF_UNIX;
  char host[NI_MAXHOST] = "";
  printf("  getnameinfo of AF_UNIX: ");
  print_error(getnameinfo((const void*)&un, sizeof un, host, sizeof host, NULL, 0, 0));
}

int main(int argc, char** argv) {
  setlocale(LC_ALL, "C.UTF-8");
  for (int i = 1; i < argc; ++i) {
    printf("%s\n", argv[i]);
    of_name(argv[i]);
    hosts_of(argv[i]);
    replies_of(argv[i]);
  }
  without_a_name();
  of_services();
  names_of_addresses();
  return 0;
}
