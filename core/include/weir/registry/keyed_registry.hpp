/// A registry by key, the counterpart of Elixir's Registry: owners are registered under keys, with
/// a value each.
///
/// Threads: everything here may be called from any thread at any time, except for the destruction
/// of a registry, an Owner or a Subscription, after which no member of it may be called.
///
/// Guarantees while others change the registry:
/// - Every call that names one key (register_, unregister, lookup, look, dispatch, values,
///   count(key) …) happens at one moment between its beginning and its end. Calls over many keys
///   (select, each, count()) see each key at one moment, but not all keys at the same.
/// - Readers (lookup, look, match, dispatch, each, select, count, values, via, meta) never wait,
///   neither for writers nor for each other.
/// - Once Owner::end() (or ~Owner) has returned, no later call finds an entry of it, whichever
///   thread ended it. A register_ of the same owner on another thread either came before, and its
///   entry is gone as well, or is refused with owner_ended.
/// - A dispatch that began before an unregister or an end may call its callback with that entry
///   after those returned: it works on the entries of one moment. So make a value own what it leads
///   to (std::shared_ptr, std::weak_ptr): then that stays in memory while a callback uses it.
/// - Listeners are notified of the changes of each key in the order in which they were committed,
///   of each change once, by one thread at a time for a partition. That is the thread that made the
///   change, or another one that is notifying at that moment: then perhaps shortly after the call
///   returned.
///
/// Callbacks (of dispatch, select, update_value … and listeners) run on the caller's thread without
/// a lock held and outside read sections: they may take long and may call the registry. The
/// exceptions are look() and lock(), which say so.
///
/// Invariants:
/// - Writers of a partition exclude each other by its mutex; an owner's record is locked first.
/// - An owner's record says which entries it has: exactly those with its id in the buckets.
/// - Unique keys: a bucket has one entry. No bucket is empty: a key without entries takes no
///   memory.
/// - An owner that has ended is in no bucket.
/// - What a writer unlinks is destroyed when no reader can reach it: at some later change or
///   sweep(), and at once by end() if no reader uses it; without a lock held, on any of the
///   threads.
#pragma once
#include <any>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weir/registry/epochs.hpp>
#include <weir/registry/impl/keyed_bucket.hpp>
#include <weir/registry/impl/keyed_entries.hpp>
#include <weir/registry/impl/keyed_holdings.hpp>
#include <weir/registry/impl/keyed_locks.hpp>
#include <weir/registry/impl/keyed_table.hpp>
#include <weir/registry/key_hash.hpp>
#include <weir/registry/keyed_types.hpp>
#include <weir/result.hpp>
#include <weir/sync.hpp>

namespace weir {

/// Owners under keys, each with a value.
///
/// Key: equality comparable; Hash gives 64 bits of it (and of Sought<Key>::type, in which lookups
/// take it). Value: movable; copyable for the calls that give copies. Values of at most 32 bytes
/// that copy without throwing are stored where they are found, others one pointer away.
///
/// Cost: a change copies the pointers and small values of that key's bucket; with more than 128
/// entries under the key only of a part, about a hundred of them, however many there are. Each entry
/// takes 24 B and its value, and 32 to 64 B of its owner's.
template <class Key, class Value, class Sync = StdSync, class Hash = KeyHash<Key>>
class KeyedRegistry {
  struct Record;
  using Node = keyed::Node<Key, Value, Sync>;
  using Bucket = keyed::Bucket<Key, Value, Sync>;
  using Slot = keyed::Slot<Value>;
  using Edit = keyed::Edit<Value>;
  using Pin = keyed::Pin<Bucket>;
  using Table = keyed::Table<Node, Sync>;

 public:
  using Sought = typename weir::Sought<Key>::type;

  using View = keyed::View<Value>;               ///< an entry as callbacks see it
  using Entries = keyed::Entries<Bucket, View>;  ///< those of a key: size(), [i], begin(), end()
  using Entry = keyed::Entry<Value>;             ///< an entry as a copy
  using Standing = keyed::Standing<Key, Value>;  ///< with its key
  using Update = keyed::Update<Value>;           ///< what update_value() changed
  using Change = keyed::Change<Key, Value>;      ///< what listeners are told
  /// Must not throw: an exception ends the program.
  using Listener = std::function<void(const Change&)>;
  /// Keeps a listener that was added by listen().
  using Subscription = keyed::Subscription<Change, Sync>;

  using Options = KeyedOptions;

  /// Holds entries in its registry, until it ends. One that is made while a supervisor starts a child
  /// (owner_scope.hpp) ends with that life of the child at the latest, as in Elixir with its process.
  /// Must end before the registry does.  [any thread,
  /// except for moving and destroying it; end() may be in progress on another thread then]
  class Owner {
   public:
    Owner() = default;  ///< empty: it can hold nothing
    Owner(Owner&& other) noexcept : record_(std::move(other.record_)) {}
    Owner& operator=(Owner&& other) noexcept;
    ~Owner() { end(); }

    OwnerId id() const noexcept { return record_ ? record_->id : 0; }
    /// For messages; "" when empty.
    std::string_view name() const noexcept { return record_ ? record_->name : std::string_view(); }

    /// Removes all its entries, and makes it refuse to register more. A second call does nothing,
    /// but returns no earlier than the first; only within a callback of some end() (a listener, the
    /// destructor of a value) it does not wait. Cost: that of each unregister, and a membarrier.
    void end() noexcept;

   private:
    friend KeyedRegistry;
    explicit Owner(std::shared_ptr<Record> record) : record_(std::move(record)) {}
    std::shared_ptr<Record> record_;
  };

  /// A key as a name for the owner that is registered under it, looked up at each use.
  class Via;

  /// `listeners` are notified of every change; more can be added by listen().
  explicit KeyedRegistry(Options options = {}, std::vector<Listener> listeners = {});
  /// Every Owner must have ended, else the program ends with a message that names those that live;
  /// no call may be running.
  ~KeyedRegistry();
  KeyedRegistry(const KeyedRegistry&) = delete;
  KeyedRegistry& operator=(const KeyedRegistry&) = delete;

  /// A new owner; `name` is used in messages: "worker 7".
  [[nodiscard]] Owner owner(std::string name) {
    return owner(std::move(name), std::optional<Value>());
  }

  /// A new owner with a value of its own, such as its mailbox, for keys registered without one.
  [[nodiscard]] Owner owner(std::string name, std::optional<Value> own);

  /// Adds a listener: it is notified of the changes that are committed after this returned, and of
  /// some of those that are committed meanwhile.
  [[nodiscard]] Subscription listen(Listener listener);

  // ------------------------------------------------------------------------------------ changes

  /// Registers `owner` under `key`. Cost: about 100 ns with few entries under the key.
  /// Errors: conflict, kind "already_registered": a unique key is taken, and the error has its
  /// holder (perhaps this very owner); conflict, kind "owner_ended"; invalid_input, kind
  /// "foreign_owner": made by another registry.
  [[nodiscard]] std::expected<void, RegisterError> register_(Owner& owner, Key key, Value value);

  /// The same with the owner's own value. Errors as above; invalid_input, kind "no_value".
  [[nodiscard]] std::expected<void, RegisterError> register_(Owner& owner, Key key);

  /// Removes the entries of `owner` under `key`, and returns how many there were.
  std::size_t unregister(Owner& owner, Sought key);

  /// Removes those of the owner's entries under `key` whose value fulfils `predicate(const
  /// Value&)`. The predicate may be called again for a value that changed meanwhile, or for all
  /// when entries were added.
  template <class Predicate>
  std::size_t unregister_match(Owner& owner, Sought key, Predicate&& predicate);

  /// Replaces the values of all entries of `owner` under `key` by `change(const Value&)`, at one
  /// moment. Returns what each was and is, oldest entry first: of a unique key, one. `change` is
  /// called again when the owner's entries changed meanwhile; its last call is the one that counts.
  /// Listeners are not notified. Errors: not_found, kind "not_registered".
  template <class Function>
  [[nodiscard]] Result<std::vector<Update>> update_value(Owner& owner, Sought key,
                                                         Function&& change);

  /// Calls `function()` while no other call of lock() with that key is in its function, and returns
  /// what it returns; calls wait their turn in the order in which they came. For what must be
  /// looked up and then started once, say. These locks have nothing to do with the entries under
  /// the key: no other member waits for one. A thread that has the lock and asks for it again ends
  /// the program; a thread that needs several takes them in an order that all keep to.
  template <class Function>
  decltype(auto) lock(Sought key, Function&& function);

  // ------------------------------------------------------------------------------------ reads

  /// Copies of the entries under `key`, in the order of registration. Cost: about 30 ns and the
  /// copies.
  std::vector<Entry> lookup(Sought key) const;

  /// The entries of `key` that fulfil `predicate(View)`, as copies.
  template <class Predicate>
  std::vector<Entry> match(Sought key, Predicate&& predicate) const;

  /// Calls `callback(View)` with every entry of `key` inside a read section: the cheapest way to
  /// read (about 20 ns). It must be short, must not block, and should not call the registry; what
  /// others unlink meanwhile stays in memory. Returns how many entries there were.
  template <class Callback>
  std::size_t look(Sought key, Callback&& callback) const;

  /// Calls `callback(View)` with every entry that is under `key` at one moment, in the order of
  /// registration; returns how many. The callback may do anything, for as long as it likes: the
  /// bucket is held by a count of its own, not by a read section. An exception of the callback ends
  /// the dispatch and is passed on. Cost: about 25 ns and 1 ns an entry; threads that dispatch the
  /// same key share its count.
  template <class Callback>
  std::size_t dispatch(Sought key, Callback&& callback) const;

  /// Calls `callback(const Entries&)` once with all of them, to choose one for instance; does not
  /// call it when there are none. Otherwise as dispatch().
  template <class Callback>
  std::size_t dispatch_entries(Sought key, Callback&& callback) const;

  /// Calls `callback(const Key&, View)` with every entry there is; returns how many. `in_parallel`:
  /// each partition on a thread of its own, all ended on return; then the callback must not throw.
  template <class Callback>
  std::size_t each(Callback&& callback, bool in_parallel = false) const;

  /// The entries that fulfil `predicate(const Key&, View)`, as copies.
  template <class Predicate>
  std::vector<Standing> select(Predicate&& predicate) const;

  /// `projection(const Key&, View)` of the entries that fulfil `predicate(const Key&, View)`.
  template <class Predicate, class Projection>
  auto select(Predicate&& predicate, Projection&& projection) const;

  /// The keys of an owner, once for each of its entries, in no particular order; none when it has
  /// ended. Waits for changes that the same owner is making.
  std::vector<Key> keys(const Owner& owner) const;
  std::vector<Key> keys(OwnerId owner) const;

  /// The values of an owner under `key`, oldest first.
  std::vector<Value> values(OwnerId owner, Sought key) const;
  std::vector<Value> values(const Owner& owner, Sought key) const {
    return values(owner.id(), key);
  }

  std::size_t count() const;            ///< entries in all; one load for each partition
  std::size_t count(Sought key) const;  ///< entries under `key`
  /// Entries under `key` that fulfil predicate(View).
  template <class Predicate>
  std::size_t count_match(Sought key, Predicate&& predicate) const;
  /// Entries in all that fulfil predicate(const Key&, View).
  template <class Predicate>
  std::size_t count_select(Predicate&& predicate) const;

  /// `key` as a name. The registry must outlive it. For unique keys.
  [[nodiscard]] Via via(Key key) const { return Via(*this, std::move(key)); }

  // ------------------------------------------------------------------------------------ metadata

  /// A copy of what put_meta() stored most recently under that name. Errors: not_found, kind
  /// "no_meta"; invalid_input, kind "other_type": it is not a T.
  template <class T>
  [[nodiscard]] Result<T> meta(std::string_view name) const;
  /// Text of any type ("text", a string_view) is stored as std::string.
  template <class T>
  void put_meta(std::string name, T&& value);
  void delete_meta(std::string_view name);

  // ------------------------------------------------------------------------------------ memory

  /// Destroys what was unlinked and no reader uses any more: for values whose end should not wait
  /// for the next changes. Returns how many buckets and tables were destroyed. Cost: a membarrier.
  std::size_t sweep() { return epochs_.sweep(); }

  /// How many unlinked buckets and tables wait to be destroyed, without those held by dispatches.
  std::size_t waiting() const { return epochs_.waiting(); }

  const std::string& name() const noexcept { return options_.name; }
  std::size_t partitions() const noexcept { return partition_mask_ + 1; }

 private:
  using Locks = keyed::Locks<Sought, Sync>;
  using Section = typename Epochs<Sync>::Section;
  using Array = typename Table::Array;

  struct PendingChange;
  struct Partition;
  using Listening = keyed::Listening<Change, Sync>;
  using Listeners = std::vector<std::shared_ptr<Listening>>;
  struct Afterwards {  // to be done once no lock is held
    Bucket* unlinked_bucket = nullptr;
    Array* unlinked_array = nullptr;
    bool notify = false;
  };
  struct Held {  // the entries of an owner under a key at one moment
    Pin pinned;
    std::vector<std::uint64_t> serials;
  };
  struct Metadata {
    std::any value;
    std::string_view type;  // its name
  };
  using Meta = std::map<std::string, std::shared_ptr<const Metadata>, std::less<>>;

  using Registered = std::expected<void, RegisterError>;
  Registered register_stored(Owner& owner, Key key, keyed::Stored<Value> stored);
  Registered register_locked(Record& record, Partition& partition, std::uint64_t hash, Key& key,
                             keyed::Stored<Value>& stored, Afterwards& afterwards);
  void publish(Node* node, Record& record, Partition& partition, std::uint64_t hash, Key& key,
               keyed::Stored<Value>& stored, Afterwards& afterwards);
  void remove(Partition& partition, Node& node, std::span<const std::uint64_t> serials,
              Afterwards& afterwards);
  Held held(Record& record, std::uint64_t hash, Sought key);
  static Node* unchanged(Record& record, Partition& partition, std::uint64_t hash, Sought key,
                         const Held& before);
  static void end(Record& record) noexcept;
  bool is_ending() const;
  void end_first(Record& record, std::unique_lock<typename Sync::Mutex>& record_lock) noexcept;
  std::shared_ptr<Record> living(OwnerId owner) const;
  std::string living_owners() const;
  void notify(Partition& partition) noexcept;
  static std::shared_ptr<const Listeners> with(const std::shared_ptr<const Listeners>& old,
                                               std::shared_ptr<Listening> added);
  void retire(const Afterwards& afterwards);
  void finish(Partition& partition, const Afterwards& afterwards);
  static void release_link(void* bucket) noexcept { Bucket::release(static_cast<Bucket*>(bucket)); }
  template <class Body>
  void change_meta(Body&& change);

  Partition& partition_of(std::uint64_t hash) const noexcept {
    return partitions_[(hash >> 40) & partition_mask_];  // the table takes the low bits
  }
  static Node* find(const Partition& partition, std::uint64_t hash, Sought key) {
    return partition.table.find(hash, [&](const Key& each) { return each == key; });
  }
  Pin pin(Sought key) const;
  std::vector<Pin> pins(const Partition& partition) const;

  static std::vector<Key> keys(const Record& record);
  static std::string described(const Record& record);
  RegisterError already_registered(const Bucket& taken) const;
  Error owner_ended(const Record& record) const;
  Error no_value(const Record& record) const;
  Error foreign_owner(std::string_view owner) const;
  Error not_registered(std::string_view owner, Sought key) const;
  Error no_owner(Sought key) const;
  Error no_meta(std::string_view name) const;
  Error other_type(std::string_view name, std::string_view type, std::string_view asked) const;

  const Options options_;
  std::size_t partition_mask_;
  std::unique_ptr<Partition[]> partitions_;
  mutable Epochs<Sync> epochs_;
  typename Sync::template Atomic<OwnerId> next_owner_{1};  // relaxed: only a number
  mutable typename Sync::Mutex ending_mutex_;              // locked last
  std::vector<std::size_t> ending_;  // threads in end(), once for each; guarded by ending_mutex_
  // Release; with the acquire in meta().
  typename Sync::template Atomic<const Meta*> meta_{nullptr};
  typename Sync::Mutex meta_mutex_;  // locked to replace it
};

/// Looks the key up at each use: so it never gives an owner that has ended, and finds its
/// successor.
///
/// Lifetime: the registry must outlive it.  [any thread]
template <class Key, class Value, class Sync, class Hash>
class KeyedRegistry<Key, Value, Sync, Hash>::Via {
 public:
  /// The entry that is there now. Errors: not_found, kind "no_owner"; invalid_input, kind
  /// "duplicate_keys".
  [[nodiscard]] Result<Entry> resolve() const;

  /// Calls `callback(View)` with the entry that is there now, as dispatch() does. Errors as
  /// resolve().
  template <class Callback>
  [[nodiscard]] Result<void> tell(Callback&& callback) const;

  const Key& key() const noexcept { return key_; }

 private:
  friend KeyedRegistry;
  Via(const KeyedRegistry& registry, Key key) : registry_(&registry), key_(std::move(key)) {}
  const KeyedRegistry* registry_;
  Key key_;
};

}  // namespace weir

#include <weir/registry/impl/keyed_lock.hpp>
#include <weir/registry/impl/keyed_messages.hpp>
#include <weir/registry/impl/keyed_meta.hpp>
#include <weir/registry/impl/keyed_notify.hpp>
#include <weir/registry/impl/keyed_owners.hpp>
#include <weir/registry/impl/keyed_read.hpp>
#include <weir/registry/impl/keyed_records.hpp>
#include <weir/registry/impl/keyed_register.hpp>
#include <weir/registry/impl/keyed_unregister.hpp>
#include <weir/registry/impl/keyed_update.hpp>
