// SPDX-License-Identifier: MIT
#include "tests/unit/plan/abi_layout.h"

#include "plan/abi.h"

#define PX_FIELD(type, field)                                                        \
  {#type "." #field, sizeof(((struct type*)0)->field), offsetof(struct type, field), \
   sizeof(struct type)},
const struct abi_field abi_fields_of_c[] = {
#include "tests/unit/plan/abi_fields.def"
};
#undef PX_FIELD

const size_t abi_field_count_of_c = sizeof abi_fields_of_c / sizeof abi_fields_of_c[0];
