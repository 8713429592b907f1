// Starts a run and waits for its end: client_sample URL FLOW INPUT
#include <chrono>
#include <iostream>

#include <weir/client.hpp>

static int fail(const weir::Error& error) {
  std::cerr << weir::to_string(error) << '\n';
  return 1;
}

int main(int, char** arguments) {
  auto client = weir::Client::connect(arguments[1]);
  if (!client) return fail(client.error());
  const auto input = weir::Json::parse(arguments[3]);
  if (!input) return fail(input.error());
  const auto started = client->start(arguments[2], *input, {.tags = {"sample"}});
  if (!started) return fail(started.error());
  const auto run = client->wait(started->id, std::chrono::seconds(30));
  if (!run) return fail(run.error());
  std::cout << run->summary.status << ' ' << (run->output ? run->output->text() : "") << '\n';
  return run->summary.status == "completed" ? 0 : 1;
}
