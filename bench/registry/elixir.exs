# What Elixir does where Weir has a FlowRegistry and a KeyedRegistry: an ETS table with each flow
# under its module and its slug, read as a flow registry reads it; and Registry. One line for each
# measurement: NAME NANOSECONDS. Whichever is less counts: time by the clock, or CPU time.
#
#   elixir --erl "+S 2:2 +sbwt none" elixir.exs [REPETITIONS]

defmodule Measure do
  # `work` does `count` operations in each of `processes` processes of their own.
  def run(name, processes, count, work) do
    once(processes, div(count, 10), work)
    for _ <- 1..repetitions(), do: IO.puts("#{name} #{once(processes, count, work) / count}")
  end

  defp repetitions do
    case System.argv() do
      [text] -> String.to_integer(text)
      [] -> 3
    end
  end

  defp once(processes, count, work) do
    parent = self()
    body = fn ->
      receive do
        :go -> send(parent, {:done, work.(count)})
      end
    end
    # A large heap from the start: garbage is measured, growing is not.
    pids = for _ <- 1..processes, do: :erlang.spawn_opt(body, min_heap_size: 1_000_000)
    :erlang.statistics(:runtime)
    begin = :erlang.monotonic_time(:nanosecond)
    for pid <- pids, do: send(pid, :go)
    for _ <- pids do
      receive do
        {:done, _} -> :ok
      end
    end
    clock = :erlang.monotonic_time(:nanosecond) - begin
    {_, cpu_ms} = :erlang.statistics(:runtime)
    min(clock, cpu_ms * 1_000_000 / processes)
  end
end

defmodule Flows do
  @table :flows
  def create(count) do
    :ets.new(@table, [:set, :public, :named_table, read_concurrency: true])
    for i <- 1..count do
      flow = flow(i)
      :ets.insert(@table, [{flow.module, flow}, {flow.slug, flow}])
    end
  end

  def flow(i) do
    %{module: :"Elixir.Bench.Flows.ProcessOrder#{i}", slug: :"process_order_#{i}",
      max_attempts: 3, base_delay: 1, timeout: 60,
      steps: for(s <- 1..4, do: %{slug: :"s#{s}", depends_on: [], options: [], kind: :single})}
  end

  def get(key) do
    case :ets.lookup(@table, key) do
      [{^key, flow}] -> {:ok, flow}
      [] -> {:error, :not_found}
    end
  end

  def bytes(count), do: div(:ets.info(@table, :memory) * :erlang.system_info(:wordsize), count)
end

defmodule Loops do
  import Bitwise
  def uniform(0, _), do: :ok
  def uniform(i, keys) do
    {:ok, _} = Flows.get(elem(keys, i &&& 4095))
    uniform(i - 1, keys)
  end

  def hot(0, _), do: :ok
  def hot(i, key) do
    {:ok, _} = Flows.get(key)
    hot(i - 1, key)
  end

  def register(0, _, _), do: :ok
  def register(i, registry, key) do
    {:ok, _} = Registry.register(registry, key, 1)
    Registry.unregister(registry, key)
    register(i - 1, registry, key)
  end

  def dispatch(0, _, _), do: :ok
  def dispatch(i, registry, key) do
    Registry.dispatch(registry, key, fn entries -> Enum.each(entries, fn {_, v} -> v end) end)
    dispatch(i - 1, registry, key)
  end

  def lookup(0, _, _), do: :ok
  def lookup(i, registry, keys) do
    [_] = Registry.lookup(registry, elem(keys, i &&& 4095))
    lookup(i - 1, registry, keys)
  end
end

IO.puts("version Elixir #{System.version()}, OTP #{System.otp_release()}")
Flows.create(1_000)
atoms = List.to_tuple(for _ <- 1..4096, do: :"process_order_#{:rand.uniform(1_000)}")
for processes <- [1, 2] do
  Measure.run("ets/get/uniform/#{processes}", processes, 150_000, &Loops.uniform(&1, atoms))
  Measure.run("ets/get/hot/#{processes}", processes, 150_000, &Loops.hot(&1, :process_order_500))
end
IO.puts("ets/bytes #{Flows.bytes(1_000)}")

{:ok, _} = Registry.start_link(keys: :unique, name: Unique, partitions: 2)
{:ok, _} = Registry.start_link(keys: :duplicate, name: Duplicate, partitions: 2)
name = fn i -> "process_order_" <> String.pad_leading("#{i}", 6, "0") end
for i <- 1..1_000, do: {:ok, _} = Registry.register(Unique, name.(i), i)
names = List.to_tuple(for _ <- 1..4096, do: name.(:rand.uniform(1_000)))
parent = self()
for i <- 1..100 do
  spawn_link(fn ->
    {:ok, _} = Registry.register(Duplicate, "hundred", i)
    if i == 1, do: {:ok, _} = Registry.register(Duplicate, "one", i)
    send(parent, :registered)
    Process.sleep(:infinity)
  end)
end
for _ <- 1..100 do
  receive do
    :registered -> :ok
  end
end
Measure.run("registry/lookup", 1, 100_000, &Loops.lookup(&1, Unique, names))
Measure.run("registry/register_unregister/unique", 1, 30_000, &Loops.register(&1, Unique, "own"))
Measure.run("registry/register_unregister/duplicate", 1, 30_000, &Loops.register(&1, Duplicate, "own"))
Measure.run("registry/dispatch/1", 1, 100_000, &Loops.dispatch(&1, Duplicate, "one"))
Measure.run("registry/dispatch/100", 1, 10_000, &Loops.dispatch(&1, Duplicate, "hundred"))

# A process comes to a key under which many are registered, and leaves it.
for count <- [2_000, 16_000] do
  key = "hot #{count}"
  for i <- 1..count do
    spawn_link(fn ->
      {:ok, _} = Registry.register(Duplicate, key, i)
      send(parent, :registered)
      Process.sleep(:infinity)
    end)
  end
  for _ <- 1..count do
    receive do
      :registered -> :ok
    end
  end
  Measure.run("registry/change_hot_key/#{count}", 1, 1_000, &Loops.register(&1, Duplicate, key))
end
