// The result every competitor is held to.
#pragma once

#include <vector>

#include "tensors.h"
#include "workload.h"

namespace bench {

// The exact convolution in double precision, NHWC, and how far a float result may be from it: the bound that this
// library promises, which any direct summation in single precision keeps.
class Reference {
 public:
  Reference(const Workload& work, const Tensors& tensors);
  // Largest error in units of the bound; above 1 (or NaN) is a wrong result.
  double worst_error(const float* nhwc) const;

 private:
  std::vector<double> exact_, bound_;
};

}  // namespace bench
