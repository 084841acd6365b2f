#include "compiler/commands/options.hpp"

#include <cmath>
#include <filesystem>

#include "compiler/data/check.hpp"
#include "compiler/emit/names.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/passes/channels_first.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

/// Turns "1/255" into a decimal number.
std::string fraction(std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {};
  double above = 0, below = 0;
  if (!CLI::detail::lexical_cast(text.substr(0, slash), above) ||
      !CLI::detail::lexical_cast(text.substr(slash + 1), below) || below == 0)
    return "'" + text + "' is neither a number nor a fraction such as 1/255";
  text = fmt::format("{:.17g}", above / below);
  return {};
}

/// "NAME=LOW..HIGH"
void add_range(GivenRanges& ranges, const std::string& text) {
  const auto equals = text.rfind('='), dots = text.find("..", equals + 1);
  Limits limits;
  if (equals == 0 || equals == std::string::npos || dots == std::string::npos ||
      !CLI::detail::lexical_cast(text.substr(equals + 1, dots - equals - 1), limits.lo) ||
      !CLI::detail::lexical_cast(text.substr(dots + 2), limits.hi) ||
      !(std::isfinite(limits.lo) && std::isfinite(limits.hi) && limits.lo < limits.hi))
    throw Error("--range {}: give it as NAME=LOW..HIGH, such as scores=-8..8", text);
  ranges[text.substr(0, equals)] = limits;
}

/// Adds an option that may be repeated; add(text) takes each.
CLI::Option* add_repeated(CLI::App& app, const std::string& flag, const std::string& form, auto add,
                          const std::string& help) {
  return app
      .add_option_function<std::vector<std::string>>(
          flag,
          [add](const std::vector<std::string>& all) {
            for (const std::string& text : all) add(text);
          },
          help)
      ->type_name(form)
      ->expected(1)
      ->take_all();
}

constexpr const char* kConversion = "Conversion";
constexpr const char* kHooks = "Layers of your own";

/// Puts the options added to `app` while it lives under a heading.
class Group {
 public:
  Group(CLI::App& app, const char* name) : app_(app), before_(app.option_defaults()->get_group()) {
    app.option_defaults()->group(name);
  }
  ~Group() { app_.option_defaults()->group(before_); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

 private:
  CLI::App& app_;
  std::string before_;
};

/// Refuses what an assembler would take for something else.
std::string section_name(const std::string& name) {
  const bool plain = name.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_.") == std::string::npos;
  return plain ? "" : "'" + name + "' holds more than letters, digits, dots and underscores";
}

/// Each scheme has roundings of its own, and one that it takes where none is given.
void settle_rounding(ModelOptions& options, const CLI::Option& given) {
  const bool shifts = options.scheme == Scheme::power_of_two;
  Rounding& rounding = options.compile.rounding;
  if (given.count() == 0)
    rounding = shifts ? Rounding::nearest : Rounding::single_rounding;
  else if (Numbers{.rounding = rounding}.scheme() != options.scheme)
    throw Error("--rounding {}: is not of --scheme {}, which has {}", given.as<std::string>(),
                shifts ? "power-of-two" : "affine",
                shifts ? "nearest and truncate: leave out --rounding or take one of these"
                       : "single and double: add --scheme power-of-two");
}

void warn(const ModelOptions& options, const std::vector<std::string>& questions) {
  for (const std::string& question : questions)
    if (options.warn)
      options.warn(question);
    else
      fmt::print(stderr, "nnom: warning: {}\n", question);
}

}  // namespace

void add_file(CLI::App& app, std::string& model, HookOptions& hooks) {
  app.add_option("MODEL", model, "the trained model: .keras, .h5, .tflite or .onnx")
      ->required()
      ->type_name("");
  const Group group(app, kHooks);
  add_repeated(
      app, "--lambda", "NAME=HxWxC",
      [&hooks](const std::string& text) { hooks.lambdas.push_back(parse_lambda(text)); },
      "layer NAME, or each of class NAME, is a C++ function of your own; its output is HxWxC, its "
      "parameters are those of the file and those given here: NAME[=HxWxC][,alpha=0.5,...]; repeat "
      "it for more");
}

void add_model(CLI::App& app, ModelOptions& options) {
  add_file(app, options.model, options.hooks);
  const Group group(app, kHooks);
  app.add_option("--hooks", options.hooks.header,
                 "the header with those functions, in namespace hooks; `nnom hooks` writes one to "
                 "fill in")
      ->type_name("FILE");
}

void add_data(CLI::App& app, ModelOptions& options) {
  const Group group(app, kConversion);
  app.add_option("--calibrate", options.calibrate,
                 "samples that the ranges of int8 are chosen from: X.npy, X.npz:key, X.csv with a "
                 "sample a line, or a folder of pictures (.png .jpg .bmp) or sounds (.wav); repeat "
                 "it for a model of several inputs. 'random' makes a model for sizing only")
      ->type_name("X")
      ->expected(1)
      ->take_all();
  add_choice<Calibration>(app, "--calibration", options.compile.calibration,
                          {{"auto", Calibration::automatic},
                           {"min-max", Calibration::min_max},
                           {"percentile", Calibration::percentile},
                           {"kl", Calibration::kl},
                           {"mse", Calibration::mse}},
                          "how the ranges are chosen");
  add_repeated(
      app, "--range", "NAME=LOW..HIGH",
      [&options](const std::string& text) { add_range(options.compile.ranges, text); },
      "the range of an input or of what a layer gives, where you know better than the samples; "
      "repeat it for others");
  app.add_option("--calibration-samples", options.calibration_samples,
                 "how many samples to calibrate on at most [100]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app.add_option("--scale", options.scaling.scale,
                 "stored data * S + O is what the model was trained on; 1/255 is allowed [1]")
      ->type_name("S")
      ->transform(CLI::Validator(fraction, ""));
  app.add_option("--offset", options.scaling.offset, "see --scale [0]")
      ->type_name("O")
      ->transform(CLI::Validator(fraction, ""));
  app.add_flag("--keep-state", options.keep_state,
               "samples follow each other: a model that remembers keeps its state from one to the "
               "next");
}

void add_lowering(CLI::App& app, ModelOptions& options) {
  const Group group(app, kConversion);
  const auto set_target = [&options](const std::string& target) {
    layout_of(target);
    options.compile.target = target;
    options.target_given = true;
  };
  app.add_option_function<std::string>("--target", set_target,
                                       "pack the weights for any, cortex-m0, cortex-m3, cortex-m4, "
                                       "cortex-m7, cortex-m33, cortex-m55, riscv32 or host [any; "
                                       "with --on: the core it runs on]")
      ->type_name("CORE");
  app.add_option_function<std::string>(
         "--layout",
         [&options](const std::string& layout) {
           options.axes = layout == "chw" ? Axes::channels_first : Axes::channels_last;
         },
         "how pictures and sequences lie in the board's inputs and outputs: channels last (hwc) or "
         "first (chw); data may have either order, and has this one where its shape allows both "
         "[hwc]")
      ->check(CLI::IsMember({"hwc", "chw"}))
      ->type_name("");
  auto* channel = app.add_flag_callback(
      "--per-channel", [&options] { options.compile.per_channel = true; },
      "a scale for the weights of each output channel (the default)");
  app.add_flag_callback(
         "--per-tensor", [&options] { options.compile.per_channel = false; },
         "one scale for all weights of a layer")
      ->excludes(channel);
  add_choice<Scheme>(app, "--scheme", options.scheme,
                     {{"affine", Scheme::affine}, {"power-of-two", Scheme::power_of_two}},
                     "what int8 stands for: any scale and zero point, as TFLite has it, or scales "
                     "that are powers of two and no zero points, so that rescaling is a shift");
  const CLI::Option* rounding = add_choice<Rounding>(
      app, "--rounding", options.compile.rounding,
      {{"single", Rounding::single_rounding},
       {"double", Rounding::double_rounding},
       {"nearest", Rounding::nearest},
       {"truncate", Rounding::truncating}},
      "rescale as desktop TFLite (single) or TFLite Micro (double) does; with --scheme "
      "power-of-two, round to the nearest (its default) or cut off (truncate)");
  add_choice<bool>(app, "--kernels", options.compile.cmsis_nn,
                   {{"nnom", false}, {"cmsis-nn", true}},
                   "whose kernels run on the board: NNoM's, or where it has one those of the "
                   "CMSIS-NN in the folder $NNOM_CMSIS_NN; the bytes are the same");
  app.parse_complete_callback([&options, rounding] { settle_rounding(options, *rounding); });
}

void add_emission(CLI::App& app, ModelOptions& options) {
  const Group group(app, kConversion);
  add_choice<Optimise>(
      app, "--optimise", options.compile.optimise,
      {{"size", Optimise::size}, {"speed", Optimise::speed}, {"balanced", Optimise::balanced}},
      "what the generated code is made for");
  const auto limit = [&](const char* flag, int& bytes, const char* help) {
    app.add_option(flag, bytes, help)
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::PositiveNumber)
        ->type_name("BYTES");
  };
  limit("--ram-limit", options.compile.limits.ram,
        "the most the arena may take, such as 20000 or 32k: the first layers run row by row where "
        "that is needed");
  limit("--flash-limit", options.compile.limits.flash, "the most the constants may take");
  app.add_flag("--input-by-rows", options.compile.limits.input_by_rows,
               "the input comes from a callback, row by row, and is never in memory as a whole");
  app.add_option("--name", options.name, "namespace of the generated code [from the file's name]")
      ->type_name("NAME");
  app.add_option("--section", options.section, "linker section of the weights, such as .qspi")
      ->type_name("SECTION")
      ->check(CLI::Validator(section_name, ""));
}

void add_stream(CLI::App& app, ModelOptions& options) {
  app.add_flag(
      "--stream", options.compile.stream,
      "a model that takes one step of a sequence a run and remembers those before; samples "
      "are whole sequences");
}

void add_on(CLI::App& app, std::string& on) {
  std::vector<std::string> names = {"host"};
  for (const std::string& core : core_names()) names.push_back(core);
  app.add_option("--on", on,
                 fmt::format("where to run it: on this computer or, emulated, on a core: {} [host]",
                             fmt::join(names, ", ")))
      ->type_name("CORE")
      ->check(CLI::IsMember(names));
}

void target_for(ModelOptions& options, const std::string& on) {
  if (options.target_given || on == "host") return;
  // Cores that differ in nothing the weights' packing knows have no target of their own.
  options.compile.target = on == "cortex-m0plus" ? "cortex-m0" : on;
}

std::string stem_of(const std::string& path) { return std::filesystem::path(path).stem().string(); }

std::string model_name(const ModelOptions& options, const std::string& stem) {
  if (options.name.empty()) {
    const std::string name = identifier(stem);
    return is_reserved(name) ? name + "_model" : name;
  }
  std::string usable = identifier(options.name);
  if (usable != options.name || is_reserved(usable))
    throw Error("--name {}: a C++ namespace can't be called so; {} would do", options.name,
                is_reserved(usable) ? usable + "_model" : usable);
  return usable;
}

Samples read_samples(const Graph& graph, const std::vector<Source>& sources,
                     const ModelOptions& options) {
  Samples samples(graph, sources, options.scaling, options.axes);
  if (options.keep_state) samples.make_stream();
  return samples;
}

Graph load_graph(const ModelOptions& options) {
  Graph graph = load_model(options.model, options.hooks);
  return options.axes == Axes::channels_first ? channels_first(std::move(graph)) : graph;
}

void check_calibration(const Graph& graph, const ModelOptions& options) {
  if (options.calibrate.empty() && !graph.quantised())
    throw Error(
        "{}: a model of real numbers needs samples to choose the ranges of int8 from: "
        "--calibrate X, some 100 typical ones of {}, as .npy, .npz:key, .csv, or a folder of "
        "pictures or sounds. (--calibrate random shows sizes and speed, no more.){}",
        options.model, to_string(in_file_order(graph.shape(graph.inputs[0]), graph.input_order, 0)),
        graph.partly.empty() ? "" : ". (The file is quantised only in part: " + graph.partly + ")");
}

bool is_random(const ModelOptions& options) {
  const std::vector<Source>& from = options.calibrate;
  return from.size() == 1 && !from[0].array && from[0].name == "random";
}

Compiled compile_model(const Graph& graph, const ModelOptions& options, const Samples& data) {
  if (graph.quantised()) {
    if (data.count() > 0) warn(options, doubts(graph, data));
    return {compile(graph, {}, options.compile), "with its file's own scales", false};
  }
  Samples samples;
  std::string source;
  const bool random = is_random(options);
  const bool synthetic = random || (options.calibrate.empty() && data.count() == 0);
  if (synthetic) samples = Samples::synthetic(graph, 8);
  if (random) {
    source = " of random numbers: FOR SIZING ONLY, its outputs mean nothing";
  } else if (!options.calibrate.empty()) {
    samples = read_samples(graph, options.calibrate, options);
  } else if (data.count() > 0) {
    samples = data;
    source = " of the data itself: give others with --calibrate for an honest result";
  } else {
    source = " of noise, as there is no --calibrate: the outputs mean nothing, the cost is right";
  }
  const std::size_t all = samples.count();
  samples.limit(options.calibration_samples);
  if (!synthetic) warn(options, doubts(graph, samples));
  const std::string of = samples.count() < all ? "the first " : "";
  Compiled result{compile(graph, samples, options.compile),
                  "calibrated on " + of + counted(samples.count(), "sample"), random};
  if (samples.count() < all && source.empty())
    result.calibration += " of " + count_text(static_cast<std::int64_t>(all));
  result.calibration += source;
  return result;
}

}  // namespace nnomc
