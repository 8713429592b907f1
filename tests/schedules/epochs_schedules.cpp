#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/epochs.hpp>

#include "schedules/schedules.hpp"

namespace weir {
namespace {

using lockstep::Sync;

// A link to a node, as a reader and a writer see it. A node that was destroyed says so, and its
// memory stays until the schedule is over.
class Link {
 public:
  struct Node {
    Link* link;
    bool destroyed = false;
    Sync::Atomic<int> content{0};
  };

  Link() { current_.store(make()); }

  void read() {
    const Epochs<Sync>::Section section(epochs);
    check();
  }
  // Inside a section.
  void check() {
    Node* const node = current_.load(std::memory_order_acquire);
    node->content.load(std::memory_order_relaxed);
    lockstep::require(!node->destroyed, "a reader holds a destroyed node");
  }
  void replace() {
    Node* const next = make();
    Node* const old = current_.load(std::memory_order_relaxed);
    current_.store(next, std::memory_order_release);
    epochs.retire(old, [](void* dead) noexcept {
      auto* const node = static_cast<Node*>(dead);
      lockstep::require(!node->destroyed, "a node was destroyed twice");
      node->destroyed = true;
      ++node->link->destroyed;
    });
  }

  std::size_t destroyed = 0;

 private:
  Node* make() {
    nodes_.push_back(std::make_unique<Node>(this));
    return nodes_.back().get();
  }

  std::vector<std::unique_ptr<Node>> nodes_;
  Sync::Atomic<Node*> current_{nullptr};

 public:
  Epochs<Sync> epochs;  // ends before the nodes do
};

}  // namespace

TEST_SUITE("schedules: epochs") {
  TEST_CASE("G6: what a reader found in its section is not destroyed before the section ends") {
    schedules::survive([] {
      Link link;
      Sync::Thread reader([&] { link.read(); });
      Sync::Thread other([&] { link.read(); });
      Sync::Thread writer([&] {
        link.replace();
        link.epochs.sweep();
      });
      reader.join();
      other.join();
      writer.join();
      link.epochs.sweep();
      lockstep::require(link.destroyed == 1, "nobody reads and yet the old node is there");
    });
  }

  TEST_CASE("G6: the end of an inner section does not end the outer one") {
    schedules::survive([] {
      Link link;
      Sync::Thread reader([&] {
        const Epochs<Sync>::Section outer(link.epochs);
        {
          const Epochs<Sync>::Section inner(link.epochs);
        }
        link.check();
      });
      Sync::Thread writer([&] {
        link.replace();
        link.epochs.sweep();
        link.replace();
        link.epochs.sweep();
      });
      reader.join();
      writer.join();
    });
  }

  TEST_CASE("two sweeps at once destroy each node once") {
    schedules::survive([] {
      Link link;
      link.replace();
      Sync::Thread a([&] { link.epochs.sweep(); });
      Sync::Thread b([&] { link.epochs.sweep(); });
      Sync::Thread reader([&] { link.read(); });
      a.join();
      b.join();
      reader.join();
      link.epochs.sweep();
      lockstep::require(link.destroyed == 1, "the node was not destroyed");
    });
  }

  TEST_CASE("a slot that a new thread takes over protects it as it did the one before") {
    schedules::survive([] {
      Link link;
      Sync::Thread writer([&] {
        link.replace();
        link.epochs.sweep();
      });
      Sync::Thread first([&] { link.read(); });
      first.join();
      Sync::Thread second([&] { link.read(); });  // with the first one's thread index
      second.join();
      writer.join();
    });
  }
}

}  // namespace weir
