#include "compiler/firmware/model_firmware.hpp"

#include <sstream>
#include <string_view>
#include <utility>

#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

/// Hears the lines of the harness; what they mean is written there.
class Listener {
 public:
  Listener(const ModelRunOptions& options, ModelRun& result) : options_(options), result_(result) {}

  void hear(std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string what;
    words >> what;
    if (what == "samples") {
      words >> samples_;
    } else if (what == "sample") {
      std::size_t done = 0;
      if (words >> done && options_.on_progress) options_.on_progress(done, samples_);
    } else if (what == "stack") {
      words >> result_.stack;
    } else if (what == "ticks") {
      words >> result_.ticks >> result_.ticks_per_second;
    } else if (what == "layer") {
      std::size_t index = 0;
      LayerTicks layer;
      if (words >> index >> layer.name >> layer.ticks) result_.layer_ticks.push_back(layer);
    }
  }

 private:
  const ModelRunOptions& options_;
  ModelRun& result_;
  std::size_t samples_ = 0;
};

}  // namespace

std::string build_model_firmware(Build build, const std::string& header, const std::string& graph) {
  build.sources.push_back(find_board(build.core).harness);
  build.defines.push_back("NNOM_MODEL_HEADER=\"" + header + "\"");
  build.defines.push_back("NNOM_MODEL=" + graph);
  return build_firmware(build);
}

ModelRun run_model_firmware(const std::string& elf, const std::string& core,
                            std::span<const std::byte> input, const ModelRunOptions& options) {
  const TempDir folder;
  write_file(folder.file("input"), as_text(input));
  ModelRun result;
  Listener listener(options, result);
  RunOptions run{.arguments = {"input", "output"},
                 .directory = folder.path().string(),
                 .on_line = [&listener](std::string_view line) { listener.hear(line); },
                 .timeout = options.timeout,
                 .count = options.count};
  if (options.profile) run.arguments.push_back("profile");
  run.arguments.push_back(fmt::format("follow={}", options.follow));
  if (options.layers) run.arguments.push_back("layers=layers");
  result.run = run_firmware(elf, core, run);
  check(result.run);
  result.output = read_file(folder.file("output"));
  if (options.layers) result.layer_output = read_file(folder.file("layers"));
  return result;
}

}  // namespace nnomc
