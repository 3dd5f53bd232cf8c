# What `npm install` builds. The kernels are compiled once per instruction set, each set as a library of its own with its
# own flags; everything else is compiled for the baseline, since it also runs on CPUs without those sets.
{
  'includes': ['native/sources.gypi'],

  'target_defaults': {
    'include_dirs': ['native'],
    # -O3 makes the kernels, which unroll their own loops, a fifth larger and no faster.
    # -fno-align-functions is for the addon's size.
    'cflags': ['-O2', '-fno-align-functions', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags!': ['-O3'],
    # One weak function shared between two instruction sets would crash the older CPU; -ffp-contract=off keeps every
    # rounding where the source puts it, so that FMAs are the ones written out.
    'cflags_cc': ['-std=c++20', '-fvisibility-inlines-hidden', '-ffp-contract=off', '-fno-lto'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-flto'],
    'ldflags!': ['-flto'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'CLANG_CXX_LIBRARY': 'libc++',
      'GCC_OPTIMIZATION_LEVEL': '2',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'LLVM_LTO': 'NO',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
      'OTHER_CPLUSPLUSFLAGS': ['-ffp-contract=off', '-Wall', '-Wextra'],
    },
    'msvs_settings': {
      'VCCLCompilerTool': {
        'AdditionalOptions': ['/std:c++20', '/fp:precise', '/Zc:__cplusplus'],
        'Optimization': 2,
        'WholeProgramOptimization': 'false',
      },
    },
  },

  'variables': {
    # For the addon's size: nothing is thrown in kernels, and their loops are too long for alignment to matter.
    'kernel_cflags': ['-fno-asynchronous-unwind-tables', '-fno-align-jumps', '-fno-align-loops'],
    'conditions': [
      ['target_arch=="x64"', {
        'kernel_targets': ['kernels_avx512', 'kernels_avx2', 'kernels_portable'],
        'kernel_defines': ['DEPTHWISE_HAS_AVX512', 'DEPTHWISE_HAS_AVX2'],
      }, 'target_arch=="arm64"', {
        'kernel_targets': ['kernels_neon', 'kernels_portable'],
        'kernel_defines': ['DEPTHWISE_HAS_NEON'],
      }, {
        'kernel_targets': ['kernels_portable'],
        'kernel_defines': [],
      }],
    ],
  },

  'targets': [
    {
      'target_name': 'kernels_portable',
      'type': 'static_library',
      'sources': ['<@(kernel_sources)'],
      'defines': ['DEPTHWISE_ISA_PORTABLE'],
      # For the few that have nothing better; the others carry it along.
      'cflags': ['-Os', '-fno-asynchronous-unwind-tables'],
      'cflags!': ['-O2'],
      'xcode_settings': {'GCC_OPTIMIZATION_LEVEL': 's'},
    },
    {
      'target_name': 'depthwise',
      'sources': ['<@(core_sources)', '<@(binding_sources)'],
      'dependencies': ['<@(kernel_targets)'],
      # What runs once a call or a tile, and loops that GCC doesn't vectorize at -O2 either.
      'cflags': ['-Os'],
      'cflags!': ['-O2'],
      'defines': ['<@(kernel_defines)', 'NAPI_VERSION=8', 'DEPTHWISE_VERSION="<!(node -p "require(\'./package.json\').version")"'],
      'cflags_cc!': ['-fno-exceptions'],
      'xcode_settings': {'GCC_ENABLE_CPP_EXCEPTIONS': 'YES', 'GCC_OPTIMIZATION_LEVEL': 's'},
      'msvs_settings': {'VCCLCompilerTool': {'ExceptionHandling': 1}},
      'conditions': [['OS=="linux"', {'ldflags': ['-Wl,--strip-all', '-Wl,-z,noseparate-code']}]],
    },
  ],

  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'kernels_avx2',
          'type': 'static_library',
          'sources': ['<@(kernel_sources)'],
          'defines': ['DEPTHWISE_ISA_AVX2'],
          'cflags': ['<@(kernel_cflags)'],
          'cflags_cc': ['-mavx2', '-mfma'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['-mavx2', '-mfma']},
          'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['/arch:AVX2']}},
        },
        {
          'target_name': 'kernels_avx512',
          'type': 'static_library',
          'sources': ['<@(kernel_sources)'],
          'defines': ['DEPTHWISE_ISA_AVX512'],
          # GCC 12 takes the undefined operands inside its own AVX-512 headers for uninitialised variables.
          'cflags': ['<@(kernel_cflags)', '-Wno-uninitialized', '-Wno-maybe-uninitialized'],
          'cflags_cc': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma'],
          'xcode_settings': {
            'OTHER_CPLUSPLUSFLAGS': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma'],
          },
          'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['/arch:AVX512']}},
        },
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {
          'target_name': 'kernels_neon',
          'type': 'static_library',
          'sources': ['<@(kernel_sources)'],
          'defines': ['DEPTHWISE_ISA_NEON'],
          'cflags': ['<@(kernel_cflags)'],
        },
      ],
    }],
  ],
}
