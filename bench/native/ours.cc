#include "ours.h"

#include <stdexcept>

#include "core/execution.h"
#include "core/layer.h"
#include "core/registry.h"
#include "core/thread_pool.h"

namespace bench {
namespace {

// What a call of runSync does once its arguments are checked.
class Ours final : public Competitor {
 public:
  Ours(const Workload& work, const Tensors& tensors, Layout layout, depthwise::Algorithm algorithm,
       const std::string& isa, int threads)
      : work_(work),
        layout_(layout),
        input_(layout == Layout::nhwc ? tensors.input_nhwc : tensors.input_nchw),
        output_(layout == Layout::nhwc ? tensors.output_nhwc : tensors.output_nchw),
        plan_(prepare_plan(work, tensors, layout, algorithm, isa)) {
    depthwise::ThreadPool::process().set_threads(threads);
  }

  void run() override {
    const depthwise::Execution execution{plan_.get(), input_.data(), output_.data()};
    depthwise::ThreadPool::process().run(execution.work());
  }

  void copy_output(float* nhwc) override {
    if (layout_ == Layout::nhwc) {
      std::copy(output_.data(), output_.data() + output_.size(), nhwc);
    } else {
      transpose(output_.data(), nhwc, work_.batch, work_.out_c, work_.out_h * work_.out_w);
    }
  }

  std::string kernel() const override { return plan_->kernel(); }

 private:
  const Workload& work_;
  Layout layout_;
  const Buffer& input_;
  const Buffer& output_;
  std::shared_ptr<const depthwise::Plan> plan_;
};

}  // namespace

std::shared_ptr<const depthwise::Plan> prepare_plan(const Workload& work, const Tensors& tensors, Layout layout,
                                                    depthwise::Algorithm algorithm, const std::string& isa_name) {
  const depthwise::IsaKernels* isa = depthwise::find_isa(isa_name);
  if (!isa) throw std::runtime_error("no instruction set " + isa_name);
  depthwise::Problem problem = work;
  problem.layout = layout == Layout::nhwc ? depthwise::Layout::nhwc : depthwise::Layout::nchw;
  problem.filter_layout = depthwise::FilterLayout::hwio;
  problem.algorithm = algorithm;
  const depthwise::LayerSpec spec{.filter_h = work.filter_h,
                                  .filter_w = work.filter_w,
                                  .in_c_per_group = work.in_per_group(),
                                  .out_c = work.out_c,
                                  .groups = work.groups,
                                  .filter_layout = problem.filter_layout,
                                  .activation = {depthwise::ActivationKind::linear, 0, 0, 0}};
  return depthwise::Layer::create(spec, tensors.filter_hwio.data(), tensors.bias.data(), nullptr,
                                  depthwise::FilterOwnership::copy)
      ->prepare(problem, *isa);
}

std::unique_ptr<Competitor> make_ours(const Workload& work, const Tensors& tensors, Layout layout,
                                      depthwise::Algorithm algorithm, const std::string& isa, int threads) {
  return std::make_unique<Ours>(work, tensors, layout, algorithm, isa, threads);
}

}  // namespace bench
