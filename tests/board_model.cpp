#include "tests/board_model.hpp"

#include "compiler/firmware/model_firmware.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {

std::string firmware_of(const Program& program, const TempDir& folder, const std::string& core,
                        const std::string& optimise, const EmitOptions& options) {
  const Generated files = emit(program, options);
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("model.cpp"), files.source);
  return build_model_firmware({.core = core,
                               .sources = {folder.file("model.cpp")},
                               .include_dirs = {folder.path().string()},
                               .optimise = optimise,
                               .directory = folder.file("build"),
                               .defines = {}},
                              "model.hpp", "model::Graph");
}

}  // namespace nnomc
