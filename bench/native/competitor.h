// One library ready to compute one layer: weights packed, outputs allocated.
#pragma once

#include <memory>
#include <string>

#include "tensors.h"
#include "workload.h"

namespace bench {

enum class Layout { nhwc, nchw, best };  // best: the library's own choice, reorders outside the measured time

const char* layout_name(Layout layout);

class Competitor {
 public:
  virtual ~Competitor() = default;
  // The measured call. Writes all of the output.
  virtual void run() = 0;
  // Copies what run wrote, as NHWC.
  virtual void copy_output(float* nhwc) = 0;
  // What the library calls the implementation it chose, or "".
  virtual std::string kernel() const { return ""; }
};

// Each maker throws std::exception where the library refuses the layer. The number of threads holds for the whole
// process in some libraries: competitors that are alive at the same time must have the same.
std::unique_ptr<Competitor> make_ours(const Workload& work, const Tensors& tensors, Layout layout,
                                      depthwise::Algorithm algorithm, const std::string& isa, int threads);
// Before the first make_onednn; throws std::runtime_error where there is no such instruction set.
void limit_onednn(const std::string& isa);
std::unique_ptr<Competitor> make_onednn(const Workload& work, const Tensors& tensors, Layout layout, int threads);
std::unique_ptr<Competitor> make_xnnpack(const Workload& work, const Tensors& tensors, int threads);

}  // namespace bench
