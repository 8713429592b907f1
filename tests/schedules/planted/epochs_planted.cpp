#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/epochs.hpp>

#include "schedules/schedules.hpp"

namespace weir {
namespace {

using lockstep::Sync;

// The policy with one thing left out: writers do not make readers' stores visible.
struct WithoutHeavyFence : Sync {
  static void heavy_fence() {}
};

void reader_beside_a_sweep() {
  struct Node {
    bool destroyed = false;
    Sync::Atomic<int> content{0};
  };
  Node first;
  Node second;
  Epochs<WithoutHeavyFence> epochs;
  Sync::Atomic<Node*> link{&first};
  Sync::Thread reader([&] {
    const Epochs<WithoutHeavyFence>::Section section(epochs);
    Node* const node = link.load(std::memory_order_acquire);
    node->content.load(std::memory_order_relaxed);
    lockstep::require(!node->destroyed, "a reader holds a destroyed node");
  });
  Sync::Thread writer([&] {
    link.store(&second, std::memory_order_release);
    epochs.retire(&first, [](void* dead) noexcept { static_cast<Node*>(dead)->destroyed = true; });
    epochs.sweep();
  });
  reader.join();
  writer.join();
}

}  // namespace

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a sweep without its fence frees what a reader holds") {
    schedules::find(reader_beside_a_sweep, "a reader holds a destroyed node",
                    {.weak_memory = true});
  }
}

}  // namespace weir
