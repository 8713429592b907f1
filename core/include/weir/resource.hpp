#pragma once
#include <exception>
#include <string_view>

#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/error.hpp>

namespace weir {

class Context;

/// What Context::resource gives: a T that all calls of this plugin in this process share, so T must
/// allow several threads. Copyable like a pointer; valid until the handler returns.
template <class T>
class Resource {
 public:
  T& operator*() const noexcept { return *resource_; }
  T* operator->() const noexcept { return resource_; }
  T* get() const noexcept { return resource_; }

  /// Marks it as broken: it is not handed out again, and the next call that asks makes a new one.
  /// Calls that have it keep it until their handler returns. A second call does nothing.
  /// [any thread]
  void discard() const noexcept { table_->discard(call_, resource_); }

 private:
  friend class Context;
  Resource(const weir_resources& table, weir_call& call, void* resource) noexcept
      : table_(&table), call_(&call), resource_(static_cast<T*>(resource)) {}

  const weir_resources* table_;
  weir_call* call_;
  T* resource_;
};

namespace sdk {

/// Its address names the type T inside one plugin.
template <class T>
inline char type_tag = 0;

/// One start, for the C ABI. No exception leaves it.
template <class T, class Factory>
struct ResourceStart {
  const weir_resources& table;
  Factory& factory;

  weir_maker maker() noexcept {
    return {sizeof(weir_maker), 0, &create, &destroy, this, &type_tag<T>};
  }

 private:
  static void* create(weir_start* start, void* user) noexcept {
    const auto& own = *static_cast<ResourceStart*>(user);
    const auto refuse = [&](std::string_view code, std::string_view message) -> void* {
      own.table.refuse(start, {code.data(), code.size()}, {message.data(), message.size()});
      return nullptr;
    };
    try {
      return new T(own.factory());
    } catch (const permanent& error) {
      return refuse(error.code(), error.what());
    } catch (const resource_failed& error) {
      return refuse(error.code(), error.what());
    } catch (const cancelled&) {
      return refuse("cancelled", "the step that was making it had to stop");
    } catch (const std::exception& error) {
      return refuse("exception", error.what());
    } catch (...) {
      return refuse("unknown_exception",
                    "its factory threw something that is not a std::exception");
    }
  }
  static void destroy(void* resource) noexcept { delete static_cast<T*>(resource); }
};

}  // namespace sdk
}  // namespace weir
