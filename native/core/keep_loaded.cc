#include "keep_loaded.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace depthwise {
namespace {

bool pin() {
#if defined(_WIN32)
  HMODULE module;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            reinterpret_cast<LPCWSTR>(&pin), &module) != 0;
#else
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&pin), &info)) return false;
  // RTLD_NOLOAD: only the flag of the library that is loaded already changes. The handle is kept open for good.
  return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
#endif
}

}  // namespace

void keep_loaded() { [[maybe_unused]] static const bool pinned = pin(); }

}  // namespace depthwise
