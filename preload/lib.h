// SPDX-License-Identifier: MIT
// What the two files of interposed calls share: lib.cc, which makes everything, and lib_names.cc,
// whose calls are about names. The module's own; written by its constructor, before the program has
// threads.
#pragma once

#include "preload/names/answer_notes.h"
#include "preload/names/name_dispatch.h"
#include "preload/names/name_service.h"
#include "preload/names/resolver_calls.h"
#include "preload/process/symbols.h"

namespace px::shim {

extern Symbols libc;
extern bool active;  // the constructor has run: before, each call is libc's own
extern NameDispatch names;
extern AnswerNotes answer_notes;
extern NameService name_service;
extern ResolverCalls resolver_calls;

}  // namespace px::shim

#define PX_EXPORT extern "C" [[gnu::visibility("default")]]

// gcc wants an alias to have its target's attributes, and clang knows no such thing.
#if __has_attribute(copy)
#define PX_LIKE(call) , copy(call)
#else
#define PX_LIKE(call)
#endif
// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_EXPORT_ALIAS(other_name, call) \
  PX_EXPORT decltype(call) other_name __attribute__((alias(#call) PX_LIKE(call)));
// NOLINTEND(bugprone-macro-parentheses)
