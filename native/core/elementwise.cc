#include "elementwise.h"

#include <algorithm>
#include <limits>

#include "thread_pool.h"

namespace depthwise {
namespace {

// Floats of a tile: 64 KiB. Below, waking a thread costs more than it helps.
constexpr int64_t kPiece = 16384;

// Calls `body(tile, scratch)` for each tile, on up to `threads` threads.
template <typename Body>
void for_each_tile(int64_t tiles, int64_t threads, int64_t scratch_floats, const Body& body) {
  if (tiles == 0) return;
  const auto run_tile = [](const void* context, int64_t tile, float* scratch) {
    (*static_cast<const Body*>(context))(tile, scratch);
  };
  ThreadPool::process().run(
      {run_tile, &body, tiles, 1, scratch_floats, static_cast<int>(std::clamp<int64_t>(threads, 1, 64))});
}

// Calls `body(begin, end)` for pieces of [0, length) that begin at multiples of `period`.
template <typename Body>
void for_each_piece(int64_t length, int64_t period, const Body& body) {
  const int64_t piece = std::max<int64_t>(kPiece / period, 1) * period;
  const int64_t tiles = (length + piece - 1) / piece;
  for_each_tile(tiles, tiles / 2, 0,
                [&](int64_t tile, float*) { body(tile * piece, std::min(length, (tile + 1) * piece)); });
}

struct Range {
  int64_t begin, end;
};

// The part of a window that lies in the image.
Range window(int64_t out, int64_t stride, int64_t before, int64_t filter, int64_t size) {
  const int64_t begin = out * stride - before;
  return {std::max<int64_t>(begin, 0), std::min(begin + filter, size)};
}

// Calls `body(first, rows, columns, to, scratch)` for each window: its first pixel and where its result goes.
template <typename Body>
void for_each_window(const Pooling& p, int64_t scratch_floats, const float* x, float* out, const Body& body) {
  const int64_t work = p.batch * p.in_h * p.in_w * p.channels;
  for_each_tile(p.batch * p.out_h, work / kPiece / 2, scratch_floats, [&](int64_t tile, float* scratch) {
    const int64_t image = tile / p.out_h;
    const Range rows = window(tile % p.out_h, p.stride_h, p.top, p.filter_h, p.in_h);
    for (int64_t ox = 0; ox < p.out_w; ox++) {
      const Range columns = window(ox, p.stride_w, p.left, p.filter_w, p.in_w);
      const float* first = x + ((image * p.in_h + rows.begin) * p.in_w + columns.begin) * p.channels;
      body(first, rows.end - rows.begin, columns.end - columns.begin, out + (tile * p.out_w + ox) * p.channels,
           scratch);
    }
  });
}

}  // namespace

void clamp(const float* x, float lo, float hi, float* out, int64_t length) {
  for_each_piece(length, 1, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float raised = x[i] <= lo ? lo : x[i];
      out[i] = raised >= hi ? hi : raised;
    }
  });
}

void add(const float* a, const float* b, int64_t period, float* out, int64_t length) {
  if (period == length) {
    for_each_piece(length, 1, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) out[i] = a[i] + b[i];
    });
    return;
  }
  for_each_piece(length, period, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += period) {
      for (int64_t i = 0; i < period; i++) out[row + i] = a[row + i] + b[i];
    }
  });
}

void normalize(const float* x, const float* mean, const float* factor, const float* offset, int64_t channels,
               float* out, int64_t length) {
  for_each_piece(length, channels, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += channels) {
      for (int64_t c = 0; c < channels; c++) out[row + c] = (x[row + c] - mean[c]) * factor[c] + offset[c];
    }
  });
}

void max_pool(const Pooling& p, const float* x, float* out) {
  for_each_window(p, 0, x, out, [&](const float* first, int64_t rows, int64_t columns, float* to, float*) {
    std::fill_n(to, p.channels, -std::numeric_limits<float>::infinity());
    for (int64_t row = 0; row < rows; row++) {
      const float* pixel = first + row * p.in_w * p.channels;
      for (int64_t column = 0; column < columns; column++, pixel += p.channels) {
        for (int64_t c = 0; c < p.channels; c++) to[c] = pixel[c] > to[c] ? pixel[c] : to[c];
      }
    }
  });
}

void average_pool(const Pooling& p, const float* x, float* out) {
  for_each_window(p, 2 * p.channels, x, out,
                  [&](const float* first, int64_t rows, int64_t columns, float* to, float* scratch) {
                    auto* sums = reinterpret_cast<double*>(scratch);
                    std::fill_n(sums, p.channels, 0.0);
                    for (int64_t row = 0; row < rows; row++) {
                      const float* pixel = first + row * p.in_w * p.channels;
                      for (int64_t column = 0; column < columns; column++, pixel += p.channels) {
                        for (int64_t c = 0; c < p.channels; c++) sums[c] += pixel[c];
                      }
                    }
                    const auto count = static_cast<double>(rows * columns);
                    for (int64_t c = 0; c < p.channels; c++) to[c] = static_cast<float>(sums[c] / count);
                  });
}

}  // namespace depthwise
