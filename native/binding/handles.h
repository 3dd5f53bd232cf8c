// Layers and plans as JavaScript holds them.
#pragma once

#include <memory>
#include <unordered_set>

#include "core/layer.h"
#include "core/plan.h"
#include "environment.h"

namespace depthwise::binding {

class PlanHandle;

// A layer and what V8 was told of its memory. Shared by its handle and its plans' handles, whichever goes first.
class LayerState {
 public:
  LayerState(std::shared_ptr<Environment> environment, std::shared_ptr<Layer> layer);
  LayerState(const LayerState&) = delete;
  LayerState& operator=(const LayerState&) = delete;
  ~LayerState();

  Environment& environment() const { return *environment_; }

  // Throws ERR_INVALID_STATE once disposed.
  Layer& layer() const;
  bool disposed() const { return !layer_; }

  // Drops the weights, also those that plans hold; calls that run keep them until they are done.
  void dispose();
  void report_memory();

 private:
  friend class PlanHandle;

  const std::shared_ptr<Environment> environment_;
  std::shared_ptr<Layer> layer_;
  std::unordered_set<PlanHandle*> plans_;
  int64_t reported_bytes_ = 0;
};

class LayerHandle final : public Handle {
 public:
  static constexpr Kind kKind = Kind::layer;
  explicit LayerHandle(std::shared_ptr<LayerState> state) : Handle(kKind), state_(std::move(state)) {}
  const std::shared_ptr<LayerState>& state() const { return state_; }

 private:
  const std::shared_ptr<LayerState> state_;
};

class PlanHandle final : public Handle {
 public:
  static constexpr Kind kKind = Kind::plan;
  PlanHandle(std::shared_ptr<LayerState> state, std::shared_ptr<const Plan> plan);
  ~PlanHandle() override;

  // Throws ERR_INVALID_STATE once the layer is disposed.
  const std::shared_ptr<const Plan>& plan() const;

 private:
  friend class LayerState;

  const std::shared_ptr<LayerState> state_;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace depthwise::binding
