/* SPDX-License-Identifier: MIT
 * Where a C compiler puts the fields of abi.h's structures, for a test in C++. Constant.
 */
#ifndef PX_TEST_ABI_LAYOUT_H
#define PX_TEST_ABI_LAYOUT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct abi_field {
  const char* name; /* structure and field */
  size_t size;      /* of the field */
  size_t offset;
  size_t whole; /* of the structure */
};

extern const struct abi_field abi_fields_of_c[];
extern const size_t abi_field_count_of_c;

#ifdef __cplusplus
}
#endif

#endif /* PX_TEST_ABI_LAYOUT_H */
