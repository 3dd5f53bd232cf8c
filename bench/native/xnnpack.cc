// XNNPACK's NHWC convolution, which picks a depthwise micro-kernel itself where one fits.
#include <pthreadpool.h>
#include <xnnpack.h>

#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>

#include "competitor.h"

namespace bench {
namespace {

void check(xnn_status status, const char* what) {
  if (status != xnn_status_success) throw std::runtime_error(std::string("XNNPACK refuses to ") + what);
}

// One pool per size, kept to the end of the program. Null: the calling thread alone.
pthreadpool_t pool_of(int threads) {
  static std::map<int, pthreadpool_t> pools;
  if (threads == 1) return nullptr;
  auto& pool = pools[threads];
  if (!pool) pool = pthreadpool_create(threads);
  return pool;
}

class Xnnpack final : public Competitor {
 public:
  Xnnpack(const Workload& work, const Tensors& tensors, int threads)
      : pool_(pool_of(threads)), output_(tensors.output_nhwc) {
    check(xnn_initialize(nullptr), "start");
    const float infinity = std::numeric_limits<float>::infinity();
    check(xnn_create_convolution2d_nhwc_f32(work.pad_top, work.pad_right, work.pad_bottom, work.pad_left, work.filter_h,
                                            work.filter_w, work.stride_h, work.stride_w, work.dilation_h,
                                            work.dilation_w, work.groups, work.in_per_group(), work.out_per_group(),
                                            work.in_c, work.out_c, tensors.filter_ohwi.data(), tensors.bias.data(),
                                            -infinity, infinity, 0, &operator_),
          "create the convolution");
    check(xnn_setup_convolution2d_nhwc_f32(operator_, work.batch, work.in_h, work.in_w, tensors.input_nhwc.data(),
                                           output_.data(), pool_),
          "set up the convolution");
  }
  ~Xnnpack() override { xnn_delete_operator(operator_); }

  void run() override { xnn_run_operator(operator_, pool_); }

  void copy_output(float* nhwc) override { std::memcpy(nhwc, output_.data(), output_.size() * sizeof(float)); }

 private:
  pthreadpool_t pool_;
  const Buffer& output_;
  xnn_operator_t operator_ = nullptr;
};

}  // namespace

std::unique_ptr<Competitor> make_xnnpack(const Workload& work, const Tensors& tensors, int threads) {
  return std::make_unique<Xnnpack>(work, tensors, threads);
}

}  // namespace bench
