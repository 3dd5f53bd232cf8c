// Every primitive of every instruction set that runs here does what native/simd/simd.h says.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/registry.h"
#include "guarded_floats.h"
#include "simd/primitives.h"

namespace depthwise {

extern const SimdPrimitives simd_primitives_avx512, simd_primitives_avx2, simd_primitives_neon,
    simd_primitives_portable;

namespace {

constexpr int64_t kMostWidth = 16;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSmallest = std::numeric_limits<float>::denorm_min();

const SimdPrimitives& primitives_of(const IsaKernels& isa) {
  switch (isa.isa) {
#if defined(DEPTHWISE_HAS_AVX512)
    case Isa::avx512:
      return simd_primitives_avx512;
#endif
#if defined(DEPTHWISE_HAS_AVX2)
    case Isa::avx2:
      return simd_primitives_avx2;
#endif
#if defined(DEPTHWISE_HAS_NEON)
    case Isa::neon:
      return simd_primitives_neon;
#endif
    default:
      return simd_primitives_portable;
  }
}

template <class Check>
void on_every_isa(const Check& check) {
  for (const IsaKernels* isa : available_isas()) {
    CAPTURE(isa->name);
    check(primitives_of(*isa));
  }
}

bool same(float a, float b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

float ordinary(std::mt19937& random) { return std::uniform_real_distribution<float>(-100.0f, 100.0f)(random); }

// Arrays that lie against a guard page, at the side where the floats that must not be touched would be.
struct Fixture {
  explicit Fixture(int64_t width) : at_end(width, Flush::end), at_begin(width, Flush::begin) {
    for (int64_t i = 0; i < width; ++i) at_end.data()[i] = at_begin.data()[i] = static_cast<float>(i + 1);
  }
  // `width` floats of which only those in [first, end) are memory; in one array those before, in the other those behind
  // are not.
  const float* nothing_past(int64_t end) const { return at_end.data() + at_end.size() - end; }
  const float* nothing_before(int64_t first) const { return at_begin.data() - first; }
  GuardedFloats at_end, at_begin;
};

}  // namespace

TEST_CASE("simd: tails touch no memory past them") {
  on_every_isa([](const SimdPrimitives& simd) {
    Fixture memory(simd.width);
    float x[kMostWidth], y[kMostWidth];
    for (int64_t i = 0; i < simd.width; ++i) x[i] = static_cast<float>(-i - 1);
    for (int64_t n = 0; n <= simd.width; ++n) {
      CAPTURE(n);
      const float* tail = memory.nothing_past(n);
      simd.load_tail(tail, n, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == (i < n ? tail[i] : 0.0f));
      GuardedFloats out(n, Flush::end), shared(simd.width, Flush::begin);
      simd.store_tail(x, n, out.data());
      simd.store_tail(x, n, shared.data());
      for (int64_t i = 0; i < n; ++i) CHECK(out.data()[i] == x[i]);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(same(shared.data()[i], i < n ? x[i] : kNan));
    }
  });
}

TEST_CASE("simd: all lanes but the last") {
  on_every_isa([](const SimdPrimitives& simd) {
    float x[kMostWidth];
    for (int64_t i = 0; i < simd.width; ++i) x[i] = static_cast<float>(i + 1);
    GuardedFloats out(simd.width - 1, Flush::end), shared(simd.width, Flush::begin);
    simd.store_but_last(x, out.data());
    simd.store_but_last(x, shared.data());
    for (int64_t i = 0; i + 1 < simd.width; ++i) CHECK(out.data()[i] == x[i]);
    for (int64_t i = 0; i < simd.width; ++i) CHECK(same(shared.data()[i], i + 1 < simd.width ? x[i] : kNan));
  });
}

TEST_CASE("simd: parts touch no memory around them") {
  on_every_isa([](const SimdPrimitives& simd) {
    const Fixture memory(simd.width);
    float y[kMostWidth];
    for (int64_t first = 0; first <= simd.width; ++first) {
      for (int64_t end = 0; end <= simd.width; ++end) {
        CAPTURE(first);
        CAPTURE(end);
        for (const float* x : {memory.nothing_past(end), memory.nothing_before(first)}) {
          simd.load_part_of(x, first, end, y);
          for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == (i >= first && i < end ? x[i] : 0.0f));
        }
      }
    }
  });
}

TEST_CASE("simd: parts of any lanes") {
  on_every_isa([](const SimdPrimitives& simd) {
    const Fixture memory(simd.width);
    const float* x = memory.at_end.data();
    float y[kMostWidth], no[kMostWidth];
    for (int64_t i = 0; i < simd.width; ++i) no[i] = static_cast<float>(-i - 1);
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
      const uint64_t bits = random() & ((1u << simd.width) - 1);
      CAPTURE(bits);
      simd.load_part_of_bits(x, bits, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == (bits >> i & 1 ? x[i] : 0.0f));
      simd.select_part(bits, x, no, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == (bits >> i & 1 ? x[i] : no[i]));
      simd.fma_part(bits, x, x, no, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == (bits >> i & 1 ? x[i] * x[i] + no[i] : no[i]));
    }
  });
}

TEST_CASE("simd: lanes change places") {
  on_every_isa([](const SimdPrimitives& simd) {
    const int64_t width = simd.width;
    float x[kMostWidth * kMostWidth], y[kMostWidth];
    const auto number = [&] {
      for (int64_t i = 0; i < width * width; ++i) x[i] = static_cast<float>(i + 1);
    };
    number();
    simd.evens(x, x + width, y);
    for (int64_t i = 0; i < width; ++i) CHECK(y[i] == x[2 * i]);
    simd.odds(x, x + width, y);
    for (int64_t i = 0; i < width; ++i) CHECK(y[i] == x[2 * i + 1]);
    CHECK(simd.sum(x) == static_cast<float>(width * (width + 1) / 2));
    simd.transpose(x);
    for (int64_t i = 0; i < width * width; ++i) CHECK(x[i] == static_cast<float>(i % width * width + i / width + 1));
    number();

    const Fixture memory(width);
    simd.repeat_2(memory.nothing_past(2), y);
    for (int64_t i = 0; i < width; ++i) CHECK(y[i] == memory.nothing_past(2)[i % 2]);
    simd.repeat_4(memory.nothing_past(4), y);
    for (int64_t i = 0; i < width; ++i) CHECK(y[i] == memory.nothing_past(4)[i % 4]);

    const int64_t half = width / 2;
    std::mt19937 random(2);
    for (int round = 0; round < 100; ++round) {
      int32_t index[kMostWidth];
      for (int64_t i = 0; i < width; ++i) index[i] = static_cast<int32_t>(random() % width);
      simd.permute(x, index, y);
      for (int64_t i = 0; i < width; ++i) CHECK(y[i] == x[index[i]]);

      const uint64_t bits = random() & ((uint64_t{1} << width) - 1);
      simd.pick(bits, x, index, y);
      for (int64_t i = 0; i < width; ++i) CHECK(y[i] == (bits >> i & 1 ? x[index[i]] : 0.0f));
      for (int64_t i = 0; i < width; ++i) index[i] = static_cast<int32_t>(random() % (2 * width));
      simd.pick_of_two(bits, x, x + width, index, y);
      for (int64_t i = 0; i < width; ++i) CHECK(y[i] == (bits >> i & 1 ? x[index[i]] : 0.0f));

      for (int64_t i = 0; i < width; ++i) index[i] = static_cast<int32_t>(random() % half);
      const float* near = memory.nothing_past(half);
      simd.spread(near, index, y);
      for (int64_t i = 0; i < width; ++i) CHECK(y[i] == near[index[i]]);
      const int64_t first = random() % (half + 1), end = random() % (half + 1);
      for (const float* part : {memory.nothing_past(end), memory.nothing_before(first)}) {
        simd.spread_part(part, first, end, index, y);
        for (int64_t i = 0; i < width; ++i)
          CHECK(y[i] == (index[i] >= first && index[i] < end ? part[index[i]] : 0.0f));
      }
    }
  });
}

TEST_CASE("simd: arithmetic rounds as IEEE 754 has it, denormals too") {
  on_every_isa([](const SimdPrimitives& simd) {
    std::mt19937 random(3);
    for (const float scale : {1.0f, 1e-18f, 1e-37f, kSmallest}) {
      CAPTURE(scale);
      for (int round = 0; round < 100; ++round) {
        float a[kMostWidth], b[kMostWidth], c[kMostWidth], y[kMostWidth];
        for (int64_t i = 0; i < simd.width; ++i) {
          a[i] = ordinary(random) * scale, b[i] = ordinary(random), c[i] = ordinary(random) * scale;
        }
        const auto check = [&](const auto& expected) {
          for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == expected(i));
        };
        simd.add(a, c, y), check([&](int64_t i) { return a[i] + c[i]; });
        simd.sub(a, c, y), check([&](int64_t i) { return a[i] - c[i]; });
        simd.mul(a, b, y), check([&](int64_t i) { return a[i] * b[i]; });
        simd.div(a, b, y), check([&](int64_t i) { return a[i] / b[i]; });
        for (const auto fma : {simd.fma, simd.add_product}) {
          fma(a, b, c, y);
          check([&](int64_t i) { return simd.fuses ? std::fma(a[i], b[i], c[i]) : a[i] * b[i] + c[i]; });
        }
        simd.abs(a, y), check([&](int64_t i) { return std::fabs(a[i]); });
      }
    }
  });
}

TEST_CASE("simd: NaN passes bounds and compares as false") {
  constexpr float kValues[] = {kNan, -kInfinity, kInfinity, 0.0f, -1.0f, 1.0f, -0.25f, 0.25f, kSmallest, -kSmallest};
  on_every_isa([&](const SimdPrimitives& simd) {
    float x[kMostWidth], lo[kMostWidth], hi[kMostWidth], y[kMostWidth];
    for (const float value : kValues) {
      for (const float bound : {-0.5f, 0.0f, 0.5f, -kInfinity, kInfinity}) {
        CAPTURE(value);
        CAPTURE(bound);
        for (int64_t i = 0; i < simd.width; ++i) x[i] = value, lo[i] = bound, hi[i] = bound + 0.5f;
        const auto check = [&](float expected) {
          for (int64_t i = 0; i < simd.width; ++i) CHECK(same(y[i], expected));
        };
        simd.max_nan(lo, x, y), check(value < bound ? bound : value);
        simd.min_nan(lo, x, y), check(value > bound ? bound : value);
        simd.clamp(x, lo, hi, y), check(value < lo[0] ? lo[0] : value > hi[0] ? hi[0] : value);
        simd.select_less(x, lo, hi, x, y), check(value < bound ? hi[0] : value);
      }
    }
  });
}

TEST_CASE("simd: nearest integers and powers of two") {
  on_every_isa([](const SimdPrimitives& simd) {
    float x[kMostWidth], y[kMostWidth];
    for (float value = -130.0f; value <= 130.0f; value += 0.25f) {
      CAPTURE(value);
      std::fill_n(x, simd.width, value);
      simd.round(x, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == std::nearbyint(value));
      const float n = std::nearbyint(value);
      if (n < -126 || n > 127) continue;
      std::fill_n(x, simd.width, n);
      simd.pow2(x, y);
      for (int64_t i = 0; i < simd.width; ++i) CHECK(y[i] == std::ldexp(1.0f, static_cast<int>(n)));
    }
  });
}

}  // namespace depthwise
