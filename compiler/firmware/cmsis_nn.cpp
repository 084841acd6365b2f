#include "compiler/firmware/cmsis_nn.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace nnomc {
namespace {

namespace fs = std::filesystem;

/// Of other types, or of layers that the adapter doesn't give to it.
bool is_of_use(const std::string& file) {
  if (!file.ends_with(".c")) return false;
  for (const char* part : {"_f16", "_f32", "_flt", "_s4", "lstm", "svdf", "packed"})
    if (file.find(part) != std::string::npos) return false;
  return true;
}

}  // namespace

std::string cmsis_nn_dir() {
  const char* chosen = std::getenv("NNOM_CMSIS_NN");
  const std::string folder = chosen != nullptr && *chosen != 0 ? chosen : NNOM_CMSIS_NN;
  if (folder.empty())
    throw Error(
        "--kernels cmsis-nn: where is CMSIS-NN? Set NNOM_CMSIS_NN to the folder that holds its "
        "Include and Source, in the environment or when cmake configures nnom");
  if (!fs::exists(folder + "/Include/arm_nnfunctions.h") || !fs::exists(folder + "/Source"))
    throw Error("NNOM_CMSIS_NN={}: no Include/arm_nnfunctions.h and no Source there", folder);
  return folder;
}

void add_cmsis_nn(Build& build) {
  const std::string folder = cmsis_nn_dir();
  build.include_dirs.push_back(folder + "/Include");
  std::vector<std::string> sources;
  for (const char* part :
       {"BasicMath", "Convolution", "FullyConnected", "NNSupport", "Pooling", "Transpose"})
    for (const auto& entry : fs::directory_iterator(folder + "/Source/" + part + "Functions"))
      if (is_of_use(entry.path().filename().string())) sources.push_back(entry.path().string());
  std::ranges::sort(sources);
  build.sources.insert(build.sources.end(), sources.begin(), sources.end());
}

}  // namespace nnomc
