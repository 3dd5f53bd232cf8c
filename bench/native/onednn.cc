// oneDNN's direct convolution. Weights are reordered beforehand to whatever it likes best in every case; `layout`
// says what input and output look like.
#include <omp.h>

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <stdexcept>
#include <unordered_map>

#include "competitor.h"

namespace bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Tag data_tag(Layout layout) {
  return layout == Layout::nhwc ? Tag::nhwc : layout == Layout::nchw ? Tag::nchw : Tag::any;
}

class OneDnn final : public Competitor {
 public:
  OneDnn(const Workload& work, const Tensors& tensors, Layout layout, int threads) : work_(work), stream_(cpu()) {
    omp_set_num_threads(threads);
    const memory::dims source{work.batch, work.in_c, work.in_h, work.in_w};
    const memory::dims destination{work.batch, work.out_c, work.out_h, work.out_w};
    const memory::dims filter = work.groups == 1 ? memory::dims{work.out_c, work.in_c, work.filter_h, work.filter_w}
                                                 : memory::dims{work.groups, work.out_per_group(), work.in_per_group(),
                                                                work.filter_h, work.filter_w};
    const auto f32 = memory::data_type::f32;
    const Tag tag = data_tag(layout);

    const dnnl::convolution_forward::desc description(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, memory::desc(source, f32, tag),
        memory::desc(filter, f32, Tag::any), memory::desc({work.out_c}, f32, Tag::x),
        memory::desc(destination, f32, tag), {work.stride_h, work.stride_w}, {work.dilation_h - 1, work.dilation_w - 1},
        {work.pad_top, work.pad_left}, {work.pad_bottom, work.pad_right});
    // With a scratchpad of its own it would map and unmap fresh memory in each call.
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::convolution_forward::primitive_desc chosen(description, attributes, cpu());
    kernel_ = chosen.impl_info_str();
    primitive_ = dnnl::convolution_forward(chosen);

    memory user_filter({filter, f32, work.groups == 1 ? Tag::oihw : Tag::goihw}, cpu(), tensors.filter_oihw.data());
    memory packed_filter(chosen.weights_desc(), cpu());
    reorder(user_filter, packed_filter);

    memory input, bias({{work.out_c}, f32, Tag::x}, cpu(), tensors.bias.data());
    if (layout == Layout::best) {
      memory user_input({source, f32, Tag::nchw}, cpu(), tensors.input_nchw.data());
      input = memory(chosen.src_desc(), cpu());
      reorder(user_input, input);
      output_ = memory(chosen.dst_desc(), cpu());
    } else {
      const bool nhwc = layout == Layout::nhwc;
      input = memory(chosen.src_desc(), cpu(), (nhwc ? tensors.input_nhwc : tensors.input_nchw).data());
      output_ = memory(chosen.dst_desc(), cpu(), (nhwc ? tensors.output_nhwc : tensors.output_nchw).data());
    }
    arguments_ = {{DNNL_ARG_SRC, input},
                  {DNNL_ARG_WEIGHTS, packed_filter},
                  {DNNL_ARG_BIAS, bias},
                  {DNNL_ARG_DST, output_},
                  {DNNL_ARG_SCRATCHPAD, memory(chosen.scratchpad_desc(), cpu())}};
  }

  void run() override {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

  void copy_output(float* nhwc) override {
    const memory::dims dims{work_.batch, work_.out_c, work_.out_h, work_.out_w};
    memory plain({dims, memory::data_type::f32, Tag::nhwc}, cpu(), nhwc);
    reorder(output_, plain);
  }

  std::string kernel() const override { return kernel_; }

 private:
  void reorder(memory& from, memory& to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
  }

  Workload work_;
  dnnl::stream stream_;
  dnnl::convolution_forward primitive_;
  memory output_;
  std::unordered_map<int, memory> arguments_;
  std::string kernel_;
};

}  // namespace

void limit_onednn(const std::string& isa) {
  const std::unordered_map<std::string, dnnl::cpu_isa> names{
      {"sse41", dnnl::cpu_isa::sse41}, {"avx2", dnnl::cpu_isa::avx2}, {"avx512", dnnl::cpu_isa::avx512_core}};
  const auto found = names.find(isa);
  if (found == names.end() || dnnl::set_max_cpu_isa(found->second) != dnnl::status::success) {
    throw std::runtime_error("oneDNN can't be limited to '" + isa + "'");
  }
}

std::unique_ptr<Competitor> make_onednn(const Workload& work, const Tensors& tensors, Layout layout, int threads) {
  return std::make_unique<OneDnn>(work, tensors, layout, threads);
}

}  // namespace bench
