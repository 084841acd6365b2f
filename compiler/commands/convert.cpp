#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/emit/c_api.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/scales.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

enum class Emission { structures, layers };

struct Options : ModelOptions {
  std::string output, scales;
  bool single_header = false, c_api = false;
  Emission emission = Emission::structures;

  bool layers() const { return emission == Emission::layers; }
  bool one_file() const { return single_header || layers(); }
};

/// The source file that belongs to a header.
std::string source_of(const std::string& header) {
  if (header.starts_with("/dev/"))
    throw Error("-o {}: takes one file only, so add --single-header", header);
  fs::path source = header;
  source.replace_extension(".cpp");
  if (source == fs::path(header))
    throw Error("-o {}: names the header, so call it {}", header,
                fs::path(header).replace_extension(".hpp").string());
  return source.string();
}

/// The C header that belongs to a header.
std::string c_header_of(const std::string& header) {
  fs::path c_header = header;
  c_header.replace_extension(".h");
  if (c_header == fs::path(header))
    throw Error("-o {}: is what --c-api calls the C header, so call the C++ one {}", header,
                fs::path(header).replace_extension(".hpp").string());
  return c_header.string();
}

struct File {
  std::string path, text;
};

/// Writes all the files, or none.
void write_all(const std::vector<File>& files) {
  std::vector<std::unique_ptr<AtomicFile>> open;
  for (const File& file : files) {
    open.push_back(std::make_unique<AtomicFile>(file.path));
    open.back()->write(file.text);
  }
  std::size_t written = 0;
  try {
    for (; written < files.size(); ++written) open[written]->commit();
  } catch (...) {
    std::error_code ignored;
    for (std::size_t i = 0; i < written; ++i) fs::remove(files[i].path, ignored);
    throw;
  }
}

/// What `o` asks for of a program, as files.
std::vector<File> files_of(const Program& program, const Options& o, const std::string& header,
                           const EmitOptions& emitting) {
  if (o.layers()) return {{header, emit_layers(program, emitting)}};
  if (o.single_header) return {{header, emit_single_header(program, emitting)}};
  const Generated text = emit(program, emitting);
  std::vector<File> files = {{header, text.header}, {source_of(header), text.source}};
  if (o.c_api) {
    const std::string c_header = c_header_of(header);
    const Generated c = emit_c_api(program, emitting, fs::path(c_header).filename().string());
    files[1].text += c.source;
    files.push_back({c_header, c.header});
  }
  return files;
}

std::string summary(const Graph& model, const Compiled& compiled, const Options& o,
                    const std::string& files, const std::string& name, std::size_t width) {
  const Program& p = compiled.program;
  const Graph& g = p.graph;
  std::size_t dearest = 0, layers = 0;
  const auto macs = [&](std::size_t i) { return info(g.nodes[i].op).macs(g.nodes[i].op); };
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    layers += !info(g.nodes[i].op).alias;
    if (macs(i) > macs(dearest)) dearest = i;
  }
  std::string text = wrapped("",
                             fmt::format("{}: {}::Model, {} for {}, {}", files, name,
                                         numbers_text(p), o.compile.target, compiled.calibration),
                             width);
  text += memory_text(p, {}, {}, width);
  text +=
      fmt::format("Work {:>13}   operations in {}", count_text(g.macs()), counted(layers, "layer"));
  if (!g.nodes.empty() && g.macs() > 0)
    text += fmt::format(
        ", {} of them in '{}'",
        percent_text(static_cast<double>(macs(dearest)) / static_cast<double>(g.macs()), 0),
        g.nodes[dearest].name);
  return text + "\n" + left_out_text(model, g);
}

void convert(const Options& o) {
  const std::string header = o.output.empty() ? stem_of(o.model) + ".hpp" : o.output;
  if (!o.one_file()) source_of(header);
  if (o.c_api) c_header_of(header);
  if (fs::path(header).filename() == fs::path(o.hooks.header).filename())
    throw Error("-o {}: is the name of the header in --hooks; choose another", header);
  const MemoryLimits& limits = o.compile.limits;
  if (o.layers() && (limits.ram || limits.input_by_rows))
    throw Error("--emit layers: its memory is planned when it is compiled, without {}",
                limits.ram ? "--ram-limit" : "--input-by-rows");
  if (o.c_api && limits.input_by_rows)
    throw Error("--c-api: has no way to give it rows, so leave out --input-by-rows");
  const std::string name = model_name(o, stem_of(header));
  const Graph graph = load_graph(o);
  check_calibration(graph, o);
  Compiled compiled = compile_model(graph, o, {});
  if (o.layers()) compiled.program.plan = layers_plan(compiled.program);
  EmitOptions emitting;
  emitting.name = name;
  emitting.section = o.section;
  emitting.file = fs::path(header).filename().string();
  emitting.optimise = o.compile.optimise;
  emitting.sizing_only = is_random(o) && !graph.quantised();
  emitting.channels_first = o.axes == Axes::channels_first;
  std::vector<File> files = files_of(compiled.program, o, header, emitting);
  if (!o.scales.empty()) files.push_back({o.scales, scales_text(compiled.program)});
  write_all(files);
  std::string paths;
  for (const File& file : files) paths += (paths.empty() ? "" : ", ") + file.path;
  // A header on a device may be the standard output itself.
  std::FILE* const out = header.starts_with("/dev/") ? stderr : stdout;
  fmt::print(out, "{}", summary(graph, compiled, o, paths, name, terminal_columns(fileno(out))));
}

}  // namespace

void add_convert(CLI::App& nnom) {
  auto o = std::make_shared<Options>();
  CLI::App* app =
      nnom.add_subcommand("convert", "Turn a model into C++: a header and a source file");
  add_model(*app, *o);
  add_data(*app, *o);
  add_lowering(*app, *o);
  add_emission(*app, *o);
  app->add_flag("--single-header", o->single_header, "one header instead of two files");
  auto* emission =
      add_choice<Emission>(*app, "--emit", o->emission,
                           {{"structures", Emission::structures}, {"layers", Emission::layers}},
                           "a constant structure for each layer, or one header of the layer API, "
                           "whose memory is planned when it is compiled");
  app->add_flag("--c-api", o->c_api, "a header of C functions too, beside the other")
      ->excludes("--single-header")
      ->excludes(emission);
  app->add_option("-o,--output", o->output,
                  "the header; the source goes beside it [MODEL's name, in the current folder]")
      ->type_name("FILE");
  app->add_flag("--stream", o->compile.stream,
                "a model that takes one step of a sequence a run and remembers those before; "
                "calibrated on whole sequences");
  app->add_option("--scales", o->scales,
                  "write the scale and zero point of every tensor there, as JSON")
      ->type_name("FILE");
  app->footer(
      "Example:\n"
      "  nnom convert model.keras --calibrate images.npy --scale 1/255 -o mnist.hpp\n"
      "writes mnist.hpp and mnist.cpp. Then, with runtime/ among the include folders:\n"
      "  #include \"mnist.hpp\"\n"
      "  static mnist::Model model;\n"
      "  model.run(image, scores);");
  app->callback([o] { convert(*o); });
}

}  // namespace nnomc
