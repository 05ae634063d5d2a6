// SPDX-License-Identifier: MIT
#include "preload/process/symbols.h"

#include <dlfcn.h>

namespace px::shim {
namespace {

template <typename Function>
void find(const char* name, Function* function) {
  if (void* found = ::dlsym(RTLD_NEXT, name)) *function = reinterpret_cast<Function>(found);
}

}  // namespace

long (*next_syscall())(long, ...) {
  return reinterpret_cast<long (*)(long, ...)>(::dlsym(RTLD_NEXT, "syscall"));
}

void find_symbols(Symbols* symbols) {
#define PX_ALIAS(other_name, call)
#define PX_NAMES_ALIAS(other_name, call)
#define PX_SERVICE(name)
#define PX_CALL(name, number, result, parameters) find(#name, &symbols->name);
#define PX_NAMES(name, result, parameters) find(#name, &symbols->name);
#include "preload/interposed.def"
}

}  // namespace px::shim
