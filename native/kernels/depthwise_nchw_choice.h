// Which of the ways to convolve planes (NCHW) depthwise serves a problem: the micro-kernels of depthwise_nchw_rows.h
// and depthwise_nchw_pairs.h, or those for pixels, by depthwise_nhwc_transposed.h. Two objects ask this.
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "phases.h"

namespace depthwise {
namespace {

// Masked fmas and stores cost what plain ones do; masked loads don't.
#if defined(DEPTHWISE_ISA_AVX512)
constexpr bool kMasksAreFree = true;
#else
constexpr bool kMasksAreFree = false;
#endif

// Pairs of rows of outputs that a plane has at most for two rows to share a vector.
constexpr int64_t kMaxPairs = 4;

// Planes for whose rows on padding depthwise_nchw_pairs.h has instances.
inline bool has_seven_rows(const Problem& p) {
  const int64_t T = p.filter_h, S = p.stride_h;
  if (p.out_h != 7 || p.out_w != 7 || p.in_h != 7 * S || p.in_w != 7 * S || (T != 3 && T != 5)) return false;
  return p.pad_top == T / 2 || (S == 2 && p.pad_top == T / 2 - 1);
}

// Whether depthwise_nchw_pairs.h has a micro-kernel for the problem.
inline bool goes_by_pairs(const Problem& p) {
  const int64_t T = p.filter_h, S = p.stride_h;
  if (!kMasksAreFree || p.filter_w != T || p.stride_w != S || p.dilation_h != 1 || S > 2) return false;
  if (p.out_w > kWidth / 2 || p.in_w > S * kWidth / 2 || p.out_h > 2 * kMaxPairs) return false;
  return T == 3 || (T == 5 && (S == 1 || has_seven_rows(p)));
}

// Planes of 3x3 at stride 1 of whose 9 or 10 rows depthwise_nchw_rows.h makes one block where masks aren't free: the
// lanes that their widths leave empty cost less than the other ways.
inline bool is_one_block(const Problem& p) {
  if (kBaseline || kMasksAreFree || p.filter_h != 3 || p.filter_w != 3) return false;
  if (p.stride_h != 1 || p.stride_w != 1 || p.dilation_h != 1 || p.dilation_w != 1) return false;
  return p.pad_top == 1 && p.out_h == p.in_h && (p.out_h == 9 || p.out_h == 10);
}

constexpr int64_t kMaxFlatWidth = 64;

// Whether depthwise_nchw_flat.h has a micro-kernel for the problem, and that is the fastest, by measurement: where
// other ones leave lanes empty, or take the rows of a dilation in turns. Of AVX2 it is as fast as those without empty
// lanes for planes of which the first cache holds several.
inline bool goes_flat(const Problem& p) {
  // Vectors of four have no masked loads.
  if (kBaseline || kWidth < 8 || is_one_block(p)) return false;
  if (p.filter_h != 3 || p.filter_w != 3 || p.stride_h != 1 || p.stride_w != 1) return false;
  const int64_t d = p.dilation_h;
  if (p.dilation_w != d || p.pad_top != d || p.pad_left != d || p.out_h != p.in_h || p.out_w != p.in_w) return false;
  if (p.in_w < kWidth || p.in_w > kMaxFlatWidth || p.in_w <= d || p.in_h < 2 * d) return false;
  const double filled = static_cast<double>(p.in_w) / static_cast<double>(ceil_div(p.in_w, kWidth) * kWidth);
  if (d <= 2 && kMasksAreFree) return false;
  if (d == 1) return filled < 0.65;
  return filled < 0.8 || 4 * d > p.in_h || (!kMasksAreFree && p.in_w > 16 && p.in_w * p.in_h < 1600);
}

// Whether there is one for 5x5 at stride 2: where vectors are shorter, transposing is always faster.
constexpr bool kHasFiveAtTwo = kMasksAreFree;

// Whether depthwise_nchw.cc has a micro-kernel of its own for the problem, not the general one: what
// depthwise_nchw_rows.h takes, paddings of some other kinds left out.
inline bool has_own_micro_kernel(const Problem& p) {
  const int64_t T = p.filter_h, S = p.stride_h, d = p.dilation_h;
  if (kBaseline || p.filter_w != T || p.stride_w != S || p.dilation_w != d) return false;
  if (S == 1 ? T != 3 && T != 5 && T != 7 : S != 2 || (T != 3 && (T != 5 || !kHasFiveAtTwo)) || d != 1) return false;
  if (p.out_h < 4 && (S == 2 || T != 3)) return false;
  if (p.out_h == 4 && S == 2 && T == 5) return false;
  const auto fits = [&](int64_t rows) { return rows <= 0 || rows == T / 2 || (S == 2 && rows == T / 2 - 1); };
  if (d > 1) return p.pad_top == T / 2 * d && p.out_h == p.in_h;
  return fits(p.pad_top) && fits((p.out_h - 1) * S + T - p.pad_top - p.in_h);
}

// A row of a plane that is at least so long is a line of its own where it lies on padding, see depthwise_nchw_lines.h.
constexpr int64_t kLeastLine = 6 * kWidth;

// Filters of one row, or of one column on planes of which most rows don't reach padding, for which
// depthwise_nchw_lines.h is.
inline bool is_one_column(const Problem& p) {
  return p.filter_w == 1 && p.stride_h == 1 && p.stride_w == 1 && p.pad_left == 0 && p.out_w == p.in_w &&
         p.out_h >= (p.out_w < kLeastLine ? 4 : 2) * (p.filter_h - 1) * p.dilation_h;
}
inline bool goes_by_lines(const Problem& p) {
  const bool is_one_row = p.filter_h == 1 && p.stride_h == 1 && p.stride_w == 1 && p.pad_top == 0 && p.out_h == p.in_h;
  return is_one_row || is_one_column(p);
}

// Rows of taps that the general kernel has passes for: filters of other heights take several. Those that most networks
// have, of 3 and 5 rows, go there only where depthwise_nchw_rows.h declines and transposing can't be done.
constexpr int64_t kTapsOfPasses[] = {1, 2, 7};
inline bool takes_one_pass(int64_t filter_h) {
  for (const int64_t taps : kTapsOfPasses) {
    if (taps == filter_h) return true;
  }
  return false;
}

// Whether the micro-kernels for pixels are faster, by measurement. The planes' own fill out_w of a whole number of
// vectors' lanes; pixels fill all of them. Each threshold is the share below which the transposes are paid for.
inline bool transposing_pays(const Problem& p) {
  if (goes_flat(p) || is_one_block(p) || is_one_column(p)) return false;
  if (goes_by_lines(p) && kWidth == 8) return p.filter_w >= 3 && (p.filter_w >= 9 || p.out_w < 64);
  // Several passes of the general kernel are many times as slow as one.
  if (!has_own_micro_kernel(p)) return !takes_one_pass(p.filter_h) || p.filter_h * p.filter_w >= 9;
  const bool wide = kWidth == 16;
  const int64_t lanes = goes_by_pairs(p) ? kWidth / 2 : kWidth;
  const double filled = static_cast<double>(p.out_w) / static_cast<double>(ceil_div(p.out_w, lanes) * lanes);
  if (p.stride_w == 2) return filled < (p.filter_w == 3 ? (wide ? 0.6 : kWidth == 8 ? 0.65 : 0.75) : 0.8);
  if (p.filter_w == 3) return filled < (wide ? 0.5 : 0.65);
  if (p.filter_w == 5) return filled < (wide ? 0.8 : 0.85);
  return filled < (wide ? 2.0 : 0.95);
}

}  // namespace
}  // namespace depthwise
