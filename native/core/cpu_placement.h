#pragma once

namespace depthwise {

// The CPU that the calling thread is on, -1 where the system doesn't tell.
int current_cpu();

// Moves the calling thread to another of the CPUs that it may use, if there is one. It may come back: nothing is
// pinned. For a thread that would otherwise wait for the one it helps: schedulers leave two threads that make room for
// each other on one CPU for seconds, though others are idle.
void leave_cpu(int cpu);

}  // namespace depthwise
