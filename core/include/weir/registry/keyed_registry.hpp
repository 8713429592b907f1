/// A registry by key, the counterpart of Elixir's Registry: owners stand under keys with a value
/// each.
///
/// Threads: everything here may be called from any thread at any time, but for the ends of a
/// registry and of an Owner object, after which nothing of them may be called.
///
/// What holds while others change the registry:
/// - Every call that names one key (register_, unregister, lookup, look, dispatch, values,
/// count(key) …)
///   happens at one moment between its beginning and its end. Calls over many keys (select, each,
///   count()) see each key at one moment, but not all keys at the same.
/// - Readers (lookup, look, match, dispatch, each, select, count, values, via, meta) never wait,
/// neither
///   for writers nor for each other.
/// - Once Owner::end() (or ~Owner) has returned, no call that begins then finds an entry of it. A
///   register_ of the same owner on another thread came before and its entry is gone as well, or it
///   is refused with owner_ended.
/// - A dispatch that began before an unregister or an end may call its callback with that entry
/// after
///   those returned: it works on the entries of one moment. So let a value own what it leads to
///   (std::shared_ptr, std::weak_ptr): it stays in memory while a callback has it before its eyes.
/// - Listeners are told of the changes of each key in the order in which they were committed, each
///   change once, by one thread at a time for a partition. A change is told by the thread that made
///   it, or by another one that is telling just then: so perhaps a moment after the call returned.
///
/// Callbacks (of dispatch, select, update_value … and listeners) run on the caller's thread with no
/// lock of ours held and outside read sections: they may take their time and may call the registry.
/// The one exception is look(), which says so.
///
/// Invariants:
/// - Writers of a partition exclude each other by its mutex; an owner's record is locked first.
/// - Unique keys: a bucket has one entry. No bucket is empty: a key without entries takes no
/// memory.
/// - An owner that has ended is in no bucket; its record lists each of its entries once.
/// - What a writer unlinks is destroyed when no reader can reach it: at some later change or
/// sweep(),
///   and at once by end() where nobody is looking; with no lock of ours held, on any of the
///   threads.
#pragma once
#include <any>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/registry/epochs.hpp>
#include <weir/registry/impl/keyed_bucket.hpp>
#include <weir/registry/impl/keyed_table.hpp>
#include <weir/registry/key_hash.hpp>
#include <weir/result.hpp>
#include <weir/sync.hpp>

namespace weir {

/// How many may stand under one key.
enum class Keys {
  unique,     ///< one; whoever comes second is told who it is
  duplicate,  ///< any number, and one owner as often as it likes
};

struct KeyedOptions {
  Keys keys = Keys::unique;
  std::size_t partitions = 1;     ///< writers of different ones don't meet; made a power of two
  std::string name = "registry";  ///< stands in messages
};

/// Owners under keys, each with a value.
///
/// Key: equality comparable; Hash gives 64 bits of it (and of Sought<Key>::type, in which lookups
/// take it). Value: movable; copyable for the calls that give copies. Values of at most 32 bytes
/// that copy without throwing lie where they are found, others one pointer away.
///
/// Cost: a change copies the pointers and small values of that key's bucket, so it grows with the
/// entries of the one key, not with the registry's. Each entry takes 24 B and its value.
template <class Key, class Value, class Sync = StdSync, class Hash = KeyHash<Key>>
class KeyedRegistry {
  struct Record;
  using Node = keyed::Node<Key, Value, Record, Sync>;
  using Bucket = keyed::Bucket<Key, Value, Record, Sync>;
  using Slot = keyed::Slot<Value, Record>;
  using Pin = keyed::Pin<Bucket>;
  using Table = keyed::Table<Node, Sync>;

 public:
  using Sought = typename weir::Sought<Key>::type;

  /// An entry as callbacks see it, valid until the callback returns.
  struct View {
    OwnerId owner;
    const Value& value;
  };
  /// An entry as a copy.
  struct Entry {
    OwnerId owner = 0;
    Value value{};
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  /// An entry with its key, as a copy.
  struct Standing {
    Key key{};
    OwnerId owner = 0;
    Value value{};
    friend bool operator==(const Standing&, const Standing&) = default;
  };

  /// What listeners are told; valid until they return.
  struct Change {
    enum class What { registered, unregistered } what;
    const Key& key;
    OwnerId owner;
    const Value& value;  ///< of an unregistered entry: the last it had
  };
  /// Must not throw: that ends the program.
  using Listener = std::function<void(const Change&)>;

  using Options = KeyedOptions;

  /// Holds entries in its registry, until it ends. Ends before the registry does.  [any thread, but
  /// for moving and destroying it]
  class Owner {
   public:
    Owner() = default;  ///< nobody: it can hold nothing
    Owner(Owner&& other) noexcept : record_(std::move(other.record_)) {}
    Owner& operator=(Owner&& other) noexcept;
    ~Owner() { end(); }

    OwnerId id() const noexcept { return record_ ? record_->id : 0; }
    /// For messages; "" of nobody.
    std::string_view name() const noexcept { return record_ ? record_->name : std::string_view(); }

    /// Takes all its entries out, and lets it register nothing more. A second call does nothing,
    /// but returns no earlier than the first. Cost: that of each unregister, and a membarrier.
    void end() noexcept;

   private:
    friend KeyedRegistry;
    explicit Owner(std::unique_ptr<Record> record) : record_(std::move(record)) {}
    std::unique_ptr<Record> record_;
  };

  /// A key as a name for whoever stands under it, looked up anew at each use.
  class Via;

  /// `listeners` are told of every change.
  explicit KeyedRegistry(Options options = {}, std::vector<Listener> listeners = {});
  /// Every Owner has ended and no call is at work; else the program ends with a message.
  ~KeyedRegistry();
  KeyedRegistry(const KeyedRegistry&) = delete;
  KeyedRegistry& operator=(const KeyedRegistry&) = delete;

  /// A new owner; `name` stands in messages: "worker 7".
  Owner owner(std::string name) { return owner(std::move(name), std::optional<Value>()); }

  /// A new owner with a value of its own, such as its mailbox, for keys registered without one.
  Owner owner(std::string name, std::optional<Value> own);

  // ------------------------------------------------------------------------------------ changes

  /// Enters `owner` under `key`. Cost: about 100 ns with few entries under the key.
  /// Errors: conflict, kind "already_registered": a unique key is taken, and the message names by
  /// whom (perhaps by this very owner); conflict, kind "owner_ended"; invalid_input, kind
  /// "foreign_owner": made by another registry.
  Result<void> register_(Owner& owner, Key key, Value value);

  /// The same with the owner's own value. Errors as above; invalid_input, kind "no_value".
  Result<void> register_(Owner& owner, Key key);

  /// Takes out what `owner` has under `key`, and says how many entries that were.
  std::size_t unregister(Owner& owner, Sought key);

  /// Takes out those of the owner's entries under `key` whose value fulfils `predicate(const
  /// Value&)`. It may be asked again about a value that changed meanwhile, or about all when others
  /// came.
  template <class Predicate>
  std::size_t unregister_match(Owner& owner, Sought key, Predicate&& predicate);

  /// Replaces the value of what `owner` has under `key` by `change(const Value&)`: all its entries
  /// there, at one moment. Gives how many. `change` is called again when the owner's entries
  /// changed meanwhile; its last call is the one that counts. Listeners aren't told. Errors:
  /// not_found, kind "not_registered".
  template <class Function>
  Result<std::size_t> update_value(Owner& owner, Sought key, Function&& change);

  // ------------------------------------------------------------------------------------ looks

  /// Copies of what stands under `key`, in the order of registration. Cost: about 30 ns and the
  /// copies.
  std::vector<Entry> lookup(Sought key) const;

  /// The entries of `key` that fulfil `predicate(View)`, as copies.
  template <class Predicate>
  std::vector<Entry> match(Sought key, Predicate&& predicate) const;

  /// Calls `callback(View)` with every entry of `key` inside a read section: the cheapest look
  /// (about 20 ns). It must be short, must not block, and had better not call the registry; what
  /// others unlink meanwhile stays in memory. Gives how many there were.
  template <class Callback>
  std::size_t look(Sought key, Callback&& callback) const;

  /// Calls `callback(View)` with every entry that stands under `key` at one moment, in the order of
  /// registration; gives how many. The callback may do anything, for as long as it likes: the
  /// bucket is held by a count of its own, not by a read section. What it throws ends the dispatch
  /// and comes out of it. Cost: about 25 ns and 1 ns an entry; threads that dispatch the same key
  /// share its count.
  template <class Callback>
  std::size_t dispatch(Sought key, Callback&& callback) const;

  /// Calls `callback(const Key&, View)` with every entry there is; gives how many. `in_parallel`:
  /// each partition on a thread of its own, all ended on return; then the callback must not throw.
  template <class Callback>
  std::size_t each(Callback&& callback, bool in_parallel = false) const;

  /// The entries that fulfil `predicate(const Key&, View)`, as copies.
  template <class Predicate>
  std::vector<Standing> select(Predicate&& predicate) const;

  /// The keys under which `owner` stands, as often as it does, in no order. Waits for changes that
  /// the same owner is making.
  std::vector<Key> keys(const Owner& owner) const;

  /// The values of an owner under `key`, oldest first.
  std::vector<Value> values(OwnerId owner, Sought key) const;
  std::vector<Value> values(const Owner& owner, Sought key) const {
    return values(owner.id(), key);
  }

  std::size_t count() const;            ///< entries in all; one load for each partition
  std::size_t count(Sought key) const;  ///< entries under `key`
  template <class Predicate>
  std::size_t count_match(Sought key,
                          Predicate&& predicate) const;  ///< that fulfil predicate(View)

  /// `key` as a name. The registry must outlive it. For unique keys.
  Via via(Key key) const { return Via(*this, std::move(key)); }

  // ------------------------------------------------------------------------------------ metadata

  /// What put_meta() stored last under that name, as a copy; nullopt when there is none, or of
  /// another type.
  template <class T>
  std::optional<T> meta(std::string_view name) const;
  void put_meta(std::string name, std::any value);
  void delete_meta(std::string_view name);

  // ------------------------------------------------------------------------------------ memory

  /// Destroys what was unlinked and nobody looks at any more: for values whose end should not wait
  /// for the next changes. Gives how many buckets and tables went. Cost: a membarrier.
  std::size_t sweep() { return epochs_.sweep(); }

  /// How many unlinked buckets and tables wait to be destroyed; those held by dispatches not
  /// counted.
  std::size_t waiting() const { return epochs_.waiting(); }

  const std::string& name() const noexcept { return options_.name; }
  std::size_t partitions() const noexcept { return partition_mask_ + 1; }

 private:
  using Section = typename Epochs<Sync>::Section;
  using Array = typename Table::Array;

  struct Told {  // a change that listeners are yet to hear of
    typename Change::What what;
    Key key;
    OwnerId owner;
    keyed::Held<Value> held;
  };
  struct alignas(128) Partition {  // two lines: the prefetcher takes neighbours along
    Table table;
    alignas(128) typename Sync::Mutex mutex;  // after the owner's, where both are taken
    std::vector<Told> untold;                 // guarded by mutex, as what follows
    bool telling = false;                     // a thread is telling, and will tell what is added
    std::uint64_t next_serial = 1;
    // Relaxed everywhere: a number alone.
    typename Sync::template Atomic<std::size_t> entries{0};

    // Under the mutex, so no other thread changes it meanwhile.
    void add_entries(std::size_t more) noexcept {
      entries.store(entries.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
  };
  struct Record {
    KeyedRegistry* registry;
    OwnerId id;
    std::string name;
    std::optional<keyed::Held<Value>> own;
    mutable typename Sync::Mutex mutex{};  // before a partition's
    bool ended = false;                    // guarded by mutex, as what follows
    std::vector<Node*> held{};             // of each entry; linked, and so alive, while it is here
  };
  struct Unlinked {  // to be retired once no lock is held
    Bucket* bucket = nullptr;
    Array* array = nullptr;
  };
  using Meta = std::map<std::string, std::shared_ptr<const std::any>, std::less<>>;

  Result<void> enter(Owner& owner, Key key, keyed::Held<Value> held);
  Result<void> enter_locked(Record& record, Partition& partition, std::uint64_t hash, Key& key,
                            keyed::Held<Value>& held, Unlinked& unlinked);
  void publish(Node* node, Record& record, Partition& partition, std::uint64_t hash, Key& key,
               keyed::Held<Value>& held, Unlinked& unlinked);
  template <class Leaves>
  std::size_t take_out(Partition& partition, Node& node, Leaves&& leaves, Unlinked& unlinked);
  void end(Record& record) noexcept;
  void tell(Partition& partition) noexcept;
  void retire(const Unlinked& unlinked);
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

  Error already_registered(const Bucket& holder) const;
  Error owner_ended(const Record& record) const;
  Error no_value(const Record& record) const;
  Error foreign_owner(std::string_view owner) const;
  Error not_registered(std::string_view owner, Sought key) const;
  Error no_owner(Sought key) const;

  const Options options_;
  const std::vector<Listener> listeners_;
  std::size_t partition_mask_;
  std::unique_ptr<Partition[]> partitions_;
  mutable Epochs<Sync> epochs_;
  typename Sync::template Atomic<OwnerId> next_owner_{1};  // relaxed: a number alone
  typename Sync::template Atomic<std::size_t> owners_{0};  // those that have not ended
  typename Sync::template Atomic<const Meta*> meta_{
      nullptr};                      // release; with the acquire in meta()
  typename Sync::Mutex meta_mutex_;  // of those who replace it
};

/// Looks at each use: so it never leads to one who has gone, and finds whoever came after.
///
/// Lifetime: the registry's.  [any thread]
template <class Key, class Value, class Sync, class Hash>
class KeyedRegistry<Key, Value, Sync, Hash>::Via {
 public:
  /// Who stands there now. Errors: not_found, kind "no_owner"; invalid_input, kind
  /// "duplicate_keys".
  Result<Entry> resolve() const;

  /// Calls `callback(View)` with who stands there now, as dispatch() does. Errors as resolve().
  template <class Callback>
  Result<void> tell(Callback&& callback) const;

  const Key& key() const noexcept { return key_; }

 private:
  friend KeyedRegistry;
  Via(const KeyedRegistry& registry, Key key) : registry_(&registry), key_(std::move(key)) {}
  const KeyedRegistry* registry_;
  Key key_;
};

}  // namespace weir

#include <weir/registry/impl/keyed_entering.hpp>
#include <weir/registry/impl/keyed_leaving.hpp>
#include <weir/registry/impl/keyed_looks.hpp>
#include <weir/registry/impl/keyed_messages.hpp>
#include <weir/registry/impl/keyed_meta.hpp>
#include <weir/registry/impl/keyed_owners.hpp>
#include <weir/registry/impl/keyed_telling.hpp>
#include <weir/registry/impl/keyed_updating.hpp>
