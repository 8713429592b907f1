// Each line of `discarded` that does not look at what it is given is a warning: what can be refused
// must be looked at, and an owner or a subscription that nobody keeps ends at once.
#include <string>

#include <weir/registry/keyed_registry.hpp>

using Registry = weir::KeyedRegistry<std::string, int>;

void discarded(Registry& registry, Registry::Owner& owner, const Registry::Via& via) {
  registry.register_(owner, "key", 1);                           // discarded
  registry.register_(owner, "key");                              // discarded
  registry.update_value(owner, "key", [](int v) { return v; });  // discarded
  registry.meta<int>("name");                                    // discarded
  registry.owner("name");                                        // discarded
  registry.owner("name", 1);                                     // discarded
  registry.listen([](const Registry::Change&) {});               // discarded
  registry.via("key");                                           // discarded
  via.resolve();                                                 // discarded
  via.tell([](const Registry::View&) {});                        // discarded
  registry.unregister(owner, "key");
  registry.dispatch("key", [](const Registry::View&) {});
  registry.lock("key", [] { return 1; });
}
