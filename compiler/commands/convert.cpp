#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/scales.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

struct Options : ModelOptions {
  std::string output, scales;
  bool single_header = false;
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

/// Writes both files, or neither.
void write_both(const std::string& header, const std::string& source, const Generated& text) {
  AtomicFile first(source), second(header);
  first.write(text.source);
  second.write(text.header);
  first.commit();
  try {
    second.commit();
  } catch (...) {
    std::error_code ignored;
    fs::remove(source, ignored);
    throw;
  }
}

std::string summary(const Compiled& compiled, const Options& o, const std::string& files,
                    const std::string& name, std::size_t width) {
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
  return text + "\n";
}

void convert(const Options& o) {
  const std::string header = o.output.empty() ? stem_of(o.model) + ".hpp" : o.output;
  const std::string source = o.single_header ? "" : source_of(header);
  const std::string name = model_name(o, stem_of(header));
  const Graph graph = load_model(o.model);
  if (o.calibrate.empty() && !graph.quantised())
    throw Error(
        "{}: a model of real numbers needs samples to choose the ranges of int8 from: "
        "--calibrate X.npy{}",
        o.model,
        graph.partly.empty() ? "" : ". (The file is quantised only in part: " + graph.partly + ")");
  const Compiled compiled = compile_model(graph, o, {});
  EmitOptions emitting;
  emitting.name = name;
  emitting.section = o.section;
  emitting.file = fs::path(header).filename().string();
  emitting.optimise = o.compile.optimise;
  if (o.single_header)
    write_file(header, emit_single_header(compiled.program, emitting));
  else
    write_both(header, source, emit(compiled.program, emitting));
  if (!o.scales.empty()) write_file(o.scales, scales_text(compiled.program));
  // A header on a device may be the standard output itself.
  std::FILE* const out = header.starts_with("/dev/") ? stderr : stdout;
  fmt::print(out, "{}",
             summary(compiled, o, o.single_header ? header : header + ", " + source, name,
                     terminal_columns(fileno(out))));
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
