// The result every competitor is held to.
#pragma once

#include <string>
#include <vector>

#include "tensors.h"
#include "workload.h"

namespace bench {

// The exact convolution in double precision, NHWC, and how far a float result may be from it: the bounds that this
// library promises. Any direct summation in single precision keeps that of the direct kernels.
class Reference {
 public:
  Reference(const Workload& work, const Tensors& tensors);
  // Largest error of what `kernel` computed, in units of its bound; above 1 (or NaN) is a wrong result.
  double worst_error(const float* nhwc, const std::string& kernel) const;

 private:
  std::vector<double> exact_, bound_;
  std::vector<double> winograd_bound_;  // empty where that kernel can't run
};

}  // namespace bench
