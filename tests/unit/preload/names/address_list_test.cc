// SPDX-License-Identifier: MIT
#include "preload/names/address_list.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libbundle/core/layout.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using plan::BundleTransport;

using List = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Bundle bundle_of(const std::vector<std::string_view>& addresses) {
  Bundle bundle;
  for (const std::string_view address : addresses) {
    bundle.endpoints[bundle.count++] = {.address = *bundle::address_from_text(address), .port = 80};
  }
  return bundle;
}

// libc's list for one address.
List kinds(int type = SOCK_STREAM, int protocol = 0) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = type;
  hints.ai_protocol = protocol;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  EXPECT_EQ(::getaddrinfo("0.0.0.0", "80", &hints, &list), 0);
  return {list, &::freeaddrinfo};
}

// TYPE/PROTOCOL ADDRESSES of each entry.
std::vector<std::string> described(const addrinfo* list) {
  std::vector<std::string> all;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::string text =
        std::to_string(entry->ai_socktype) + "/" + std::to_string(entry->ai_protocol) + " ";
    std::array<char, bundle::kAddressTextSize> buffer;
    if (entry->ai_family == AF_BUNDLE) {
      text += "<";
      const Bundle bundle =
          bundle::bundle_from_sockaddr(entry->ai_addr, entry->ai_addrlen).value_or(Bundle{});
      for (const auto& member : bundle.members()) {
        text += std::string(bundle::address_text(member.address, buffer)) + " ";
      }
    } else {
      const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
      EXPECT_TRUE(endpoint && endpoint->port == 80);
      text += bundle::address_text(endpoint->address, buffer);
      if (endpoint->address.is_ipv4() != (entry->ai_family == AF_INET)) text += " mapped";
    }
    EXPECT_EQ(entry->ai_addr->sa_family, entry->ai_family);
    all.push_back(text);
  }
  return all;
}

class AddressListTest : public testing::Test {
 protected:
  List make(ListWanted wanted, const List& of) {
    wanted.kinds = of.get();
    wanted.transports = transports_;
    addrinfo* list = nullptr;
    error_ = make_address_list(bundle_, singles_, wanted, &list);
    return {list, &::freeaddrinfo};
  }

  Bundle bundle_ = bundle_of({"10.0.0.1", "2001:db8::1"});
  Bundle singles_ = bundle_of({"2001:db8::1", "10.0.0.1"});
  std::vector<BundleTransport> transports_ = {BundleTransport::kTcp};
  int error_ = 0;
};

using Lines = std::vector<std::string>;

TEST_F(AddressListTest, ABundleComesBeforeItsMembers) {
  const List list = make({}, kinds());
  EXPECT_EQ(described(list.get()),
            (Lines{"1/6 <10.0.0.1 2001:db8::1 ", "1/6 2001:db8::1", "1/6 10.0.0.1"}));
}

TEST_F(AddressListTest, EveryTransportHasAnEntryInOrder) {
  transports_ = {BundleTransport::kSctp, BundleTransport::kMptcp, BundleTransport::kTcp};
  const List list = make({}, kinds());
  EXPECT_EQ(described(list.get()),
            (Lines{"1/132 <10.0.0.1 2001:db8::1 ", "1/262 <10.0.0.1 2001:db8::1 ",
                   "1/6 <10.0.0.1 2001:db8::1 ", "1/132 2001:db8::1", "1/132 10.0.0.1",
                   "1/262 2001:db8::1", "1/262 10.0.0.1", "1/6 2001:db8::1", "1/6 10.0.0.1"}));
}

TEST_F(AddressListTest, AProtocolThatWasAskedForIsTheOnlyOne) {
  transports_ = {BundleTransport::kSctp, BundleTransport::kTcp};
  EXPECT_EQ(described(make({}, kinds(SOCK_STREAM, IPPROTO_SCTP)).get()),
            (Lines{"1/132 <10.0.0.1 2001:db8::1 ", "1/132 2001:db8::1", "1/132 10.0.0.1"}));
  // Programs that ask for TCP mean a stream.
  EXPECT_EQ(described(make({}, kinds(SOCK_STREAM, IPPROTO_TCP)).get()).front(),
            "1/132 <10.0.0.1 2001:db8::1 ");
}

TEST_F(AddressListTest, WhereEveryTypeIsAskedForLibcsTypesFollow) {
  const List list = make({}, kinds(0));
  EXPECT_EQ(described(list.get()),
            (Lines{"1/6 <10.0.0.1 2001:db8::1 ", "1/6 2001:db8::1", "2/17 2001:db8::1",
                   "3/0 2001:db8::1", "1/6 10.0.0.1", "2/17 10.0.0.1", "3/0 10.0.0.1"}));
}

TEST_F(AddressListTest, DatagramsHaveSingleEntriesAlone) {
  EXPECT_EQ(described(make({}, kinds(SOCK_DGRAM)).get()),
            (Lines{"2/17 2001:db8::1", "2/17 10.0.0.1"}));
  make({.family = AF_BUNDLE}, kinds(SOCK_DGRAM));
  EXPECT_EQ(error_, EAI_SOCKTYPE);
}

TEST_F(AddressListTest, AFamilyThatWasAskedForIsTheOnlyOne) {
  transports_ = {BundleTransport::kSctp, BundleTransport::kTcp};
  EXPECT_EQ(described(make({.family = AF_INET}, kinds()).get()),
            (Lines{"1/132 10.0.0.1", "1/6 10.0.0.1"}));
  EXPECT_EQ(described(make({.family = AF_INET6}, kinds()).get()),
            (Lines{"1/132 2001:db8::1", "1/132 10.0.0.1 mapped", "1/6 2001:db8::1",
                   "1/6 10.0.0.1 mapped"}));
  EXPECT_EQ(described(make({.family = AF_BUNDLE, .bundle_entries = false}, kinds()).get()),
            (Lines{"1/132 <10.0.0.1 2001:db8::1 ", "1/6 <10.0.0.1 2001:db8::1 "}));
}

TEST_F(AddressListTest, FragileProgramsGetSingleEntriesAlone) {
  EXPECT_EQ(described(make({.bundle_entries = false}, kinds()).get()),
            (Lines{"1/6 2001:db8::1", "1/6 10.0.0.1"}));
}

TEST_F(AddressListTest, NoMoreThan112BytesUnlessBundlesWereAskedFor) {
  bundle_ = bundle_of({"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"});
  EXPECT_EQ(make({}, kinds())->ai_addrlen, 96u);
  EXPECT_EQ(make({.family = AF_BUNDLE}, kinds())->ai_addrlen, 124u);
}

TEST_F(AddressListTest, TheFirstEntryHasTheCanonicalNameAndAllHaveTheFlags) {
  const List list = make({.flags = AI_CANONNAME, .canonical_name = "<x>"}, kinds());
  EXPECT_STREQ(list->ai_canonname, "<x>");
  for (const addrinfo* entry = list->ai_next; entry != nullptr; entry = entry->ai_next) {
    EXPECT_EQ(entry->ai_canonname, nullptr);
    EXPECT_EQ(entry->ai_flags, AI_CANONNAME);
  }
}

TEST_F(AddressListTest, ALibcListKeepsItsNameInFront) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  ASSERT_EQ(::getaddrinfo("10.0.0.1", "80", &hints, &list), 0);
  ASSERT_EQ(prepend_bundle_entries(bundle_, {.kinds = list, .transports = transports_}, &list), 0);
  const List owned(list, &::freeaddrinfo);
  EXPECT_EQ(described(list), (Lines{"1/6 <10.0.0.1 2001:db8::1 ", "1/6 10.0.0.1"}));
  EXPECT_STREQ(list->ai_canonname, "10.0.0.1");
  EXPECT_EQ(list->ai_next->ai_canonname, nullptr);
}

}  // namespace
}  // namespace px::shim
