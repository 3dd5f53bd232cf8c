#include "competitor.h"

namespace bench {

const char* layout_name(Layout layout) {
  switch (layout) {
    case Layout::nhwc:
      return "nhwc";
    case Layout::nchw:
      return "nchw";
    case Layout::best:
      return "best";
  }
  return "";
}

}  // namespace bench
