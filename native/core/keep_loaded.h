#pragma once

namespace depthwise {

// Keeps this library in memory until the process ends. Node unloads an addon with the last environment that
// loaded it; a thread that runs its code would crash. Cheap after the first call.
void keep_loaded();

}  // namespace depthwise
