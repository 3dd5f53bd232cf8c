#include "handles.h"

namespace depthwise::binding {
namespace {

constexpr Failure kDisposed = {ErrorClass::type_error, "ERR_INVALID_STATE", "the layer has been disposed"};

}  // namespace

LayerState::LayerState(std::shared_ptr<Environment> environment, std::shared_ptr<Layer> layer)
    : environment_(std::move(environment)), layer_(std::move(layer)) {
  report_memory();
}

LayerState::~LayerState() { dispose(); }

Layer& LayerState::layer() const {
  if (!layer_) throw kDisposed;
  return *layer_;
}

void LayerState::dispose() {
  layer_.reset();
  for (PlanHandle* plan : plans_) plan->plan_.reset();
  report_memory();
}

void LayerState::report_memory() {
  const int64_t bytes = layer_ ? layer_->memory() : 0;
  environment_->adjust_memory(bytes - reported_bytes_);
  reported_bytes_ = bytes;
}

PlanHandle::PlanHandle(std::shared_ptr<LayerState> state, std::shared_ptr<const Plan> plan)
    : Handle(kKind), state_(std::move(state)), plan_(std::move(plan)) {
  state_->plans_.insert(this);
  state_->report_memory();
}

PlanHandle::~PlanHandle() { state_->plans_.erase(this); }

const std::shared_ptr<const Plan>& PlanHandle::plan() const {
  if (!plan_) throw kDisposed;
  return plan_;
}

}  // namespace depthwise::binding
