// This library's core, without the addon around it.
#pragma once

#include <memory>
#include <string>

#include "competitor.h"
#include "core/plan.h"

namespace bench {

// Throws std::runtime_error where this machine doesn't have the instruction set.
std::shared_ptr<const depthwise::Plan> prepare_plan(const Workload& work, const Tensors& tensors, Layout layout,
                                                    depthwise::Algorithm algorithm, const std::string& isa);

}  // namespace bench
