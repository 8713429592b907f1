// bench_waiting_threads COUNT SECONDS: so many threads, each of which waits as long. Prints the most of
// its memory in KiB.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_waiting_threads COUNT SECONDS\n", stderr);
    return 2;
  }
  const std::chrono::duration<double> wait(std::atof(argv[2]));
  std::vector<std::thread> threads;
  try {
    for (int i = std::atoi(argv[1]); i > 0; --i)
      threads.emplace_back([wait] { std::this_thread::sleep_for(wait); });
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "after %zu threads: %s\n", threads.size(), error.what());
    std::_Exit(1);
  }
  for (std::thread& thread : threads) thread.join();
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:" && status >> word) std::puts(word.c_str());
  return 0;
}
