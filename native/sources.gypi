{
  "variables": {
    "core_sources": [
      "native/core/cpu_count.cc",
      "native/core/cpu_features.cc",
      "native/core/cpu_placement.cc",
      "native/core/elementwise.cc",
      "native/core/freed_memory.cc",
      "native/core/fresh_output.cc",
      "native/core/huge_pages.cc",
      "native/core/keep_loaded.cc",
      "native/core/layer.cc",
      "native/core/plan.cc",
      "native/core/problem_check.cc",
      "native/core/registry.cc",
      "native/core/thread_pool.cc"
    ],
    "binding_sources": [
      "native/binding/addon.cc",
      "native/binding/arguments.cc",
      "native/binding/async_call.cc",
      "native/binding/environment.cc",
      "native/binding/handles.cc",
      "native/binding/napi_support.cc"
    ],
    "kernel_sources": [
      "native/kernels/activation.cc",
      "native/kernels/depthwise_nchw.cc",
      "native/kernels/depthwise_few_channels_nhwc.cc",
      "native/kernels/depthwise_multiplier_nhwc.cc",
      "native/kernels/depthwise_nhwc.cc",
      "native/kernels/depthwise_whole.cc",
      "native/kernels/dense.cc",
      "native/kernels/generic.cc",
      "native/kernels/grouped_dot.cc",
      "native/kernels/grouped_nchw.cc",
      "native/kernels/grouped_small.cc",
      "native/kernels/pointwise_nchw.cc",
      "native/kernels/winograd.cc"
    ]
  }
}
