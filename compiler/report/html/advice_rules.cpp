#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/plan/turns.hpp"
#include "compiler/report/html/sections.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr double kFine = 25;      // dB: an error of a twentieth
constexpr double kWorthIt = 0.9;  // what an option must lower a figure to
constexpr std::size_t kFewSamples = 50;

/// A name in text that prose() reads: it must not end the `code`.
std::string quoted(std::string name) {
  std::ranges::replace(name, '`', '\'');
  return "`" + name + "`";
}

std::string percent(double share) { return percent_text(share, share < 0.1 ? 1 : 0); }

const Node& node_at(const Facts& f, std::size_t i) { return f.graph().nodes[i]; }

/// The least arena with the first nodes in turns.
Plan least_in_turns(const Facts& f, bool input_by_rows) {
  Plan best;
  best.arena_bytes = f.program().plan.arena_bytes;
  const Graph& g = f.graph();
  if (input_by_rows && g.inputs.size() != 1) return best;
  for (std::size_t n = input_by_rows ? 1 : 2, most = most_turns(g); n <= most; ++n) {
    Plan plan =
        plan_memory(g, f.program().numbers, take_turns(g, f.program().numbers, n, input_by_rows));
    if (plan.arena_bytes < best.arena_bytes) best = std::move(plan);
  }
  return best;
}

bool worth(std::int64_t after, std::int64_t before) {
  return static_cast<double>(after) < kWorthIt * static_cast<double>(before);
}

Advice on_ram(const Facts& f) {
  const Plan& plan = f.program().plan;
  Advice a{fmt::format("RAM peaks at {}: {} of {} KB", quoted(node_at(f, f.peak).name),
                       bytes_text(f.live[f.peak]), f.board.ram_bytes / 1024),
           {}};
  const MemoryLimits& limits = f.request.options.limits;
  if (!f.request.options.cmsis_nn && plan.in_turns == 0) {
    const Plan turns = least_in_turns(f, false), rows = least_in_turns(f, true);
    if (worth(turns.arena_bytes, plan.arena_bytes))
      a.steps.push_back(
          fmt::format("`--ram-limit {}` runs the first {} row by row: the arena takes {} instead "
                      "of {}. Nothing is "
                      "computed twice.",
                      turns.arena_bytes, counted(turns.in_turns, "layer"),
                      bytes_text(turns.arena_bytes), bytes_text(plan.arena_bytes)));
    if (worth(rows.arena_bytes, turns.arena_bytes))
      a.steps.push_back(fmt::format(
          "`--input-by-rows`, where a callback can give the input row by row (a camera's lines, a "
          "sound's frames): {}.",
          bytes_text(rows.arena_bytes)));
  }
  if (f.program().numbers.layout != Layout::plain && !limits.ram) {
    Numbers plain = f.program().numbers;
    plain.layout = Layout::plain;
    const int bytes = plan_memory(f.graph(), plain).arena_bytes;
    if (4 * int64_t{bytes} <= 3 * int64_t{plan.arena_bytes})
      a.steps.push_back(fmt::format(
          "`--optimise size` packs weights so that less scratch is needed: {}; it is slower.",
          bytes_text(bytes)));
  }
  const double share = static_cast<double>(f.ram()) / static_cast<double>(f.board.ram_bytes);
  if (a.steps.empty() && share < 0.5)
    a.steps.push_back(
        fmt::format("Nothing needs to be done: {} of the board's RAM.", percent(share)));
  if (a.steps.empty() || share > 0.8)
    a.steps.push_back(
        "Train again: a smaller input, a stride or pooling in an earlier layer, or fewer channels "
        "in the layers around the peak. The table of what lies there shows which are the largest.");
  return a;
}

/// Where it is too large for the board: which of the others it fits, the smallest first.
void add_other_boards(const Facts& f, std::vector<Advice>& all) {
  std::vector<std::pair<double, std::string>> fitting;
  for (std::size_t i = 0; i < f.boards.size(); ++i) {
    if (f.boards[i].name == f.board.name && f.fullness(i) <= 1) return;
    if (f.fullness(i) <= 1) fitting.emplace_back(-f.fullness(i), f.boards[i].name);
  }
  std::ranges::sort(fitting);
  std::string names;
  for (std::size_t i = 0; i < std::min<std::size_t>(fitting.size(), 4); ++i)
    names += fmt::format("{}`--board {}`", i ? ", " : "", fitting[i].second);
  all.push_back({fmt::format("Too large for the {}", f.board.title),
                 {names.empty() ? "None of the boards here holds it: train a smaller network."
                                : "It fits these, the fullest first: " + names + "."}});
}

/// What would make the slowest layer cheaper.
void add_cheaper(const Node& node, std::vector<std::string>& steps) {
  if (const auto* conv = std::get_if<nnom::Conv2D>(&node.op)) {
    const std::int64_t now = conv->macs();
    const std::int64_t pixels = std::int64_t{conv->out.h} * conv->out.w;
    const std::int64_t apart = pixels * conv->in.c * (conv->kernel.size() + conv->out.c);
    if (conv->kernel.size() > 1 && conv->groups == 1 && conv->in.c >= 4 && apart * 3 < now * 2)
      steps.push_back(fmt::format(
          "Train again with a SeparableConv2D in its place: {} operations instead of {}. They cost "
          "more each, so expect less than that of the time.",
          count_text(apart), count_text(now)));
    if (conv->stride.size() == 1 && pixels > 64)
      steps.push_back(
          "Train again with a stride of 2 here or in a layer before: a quarter of the operations.");
  } else if (std::holds_alternative<nnom::Dense>(node.op)) {
    steps.push_back(
        "Train again with less going into it: global average pooling instead of Flatten, or one "
        "more pooling before it.");
  } else if (std::holds_alternative<nnom::GruLayer>(node.op) ||
             std::holds_alternative<nnom::LstmLayer>(node.op) ||
             std::holds_alternative<nnom::RnnLayer>(node.op)) {
    steps.push_back(
        "Train again with fewer units: the cost of a step grows with their square. Or with fewer "
        "steps, by a convolution with a stride before it.");
    steps.push_back("`nnom convert --stream` computes one step a run, as the data comes.");
  } else if (std::holds_alternative<nnom::Softmax>(node.op)) {
    steps.push_back("Where only the best class counts, the model needs no softmax: leave it out.");
  }
}

Advice on_speed(const Facts& f) {
  const bool measured = f.work() > 0;
  const auto weight = [&](std::size_t i) {
    return !f.works(i) ? -1 : measured ? f.work(i) : static_cast<double>(f.operations(i));
  };
  std::size_t slowest = 0;
  for (std::size_t i = 1; i < f.graph().nodes.size(); ++i)
    if (weight(i) > weight(slowest)) slowest = i;
  const Node& node = node_at(f, slowest);
  const double all =
      measured ? f.work() : static_cast<double>(std::max<std::int64_t>(f.graph().macs(), 1));
  Advice a{
      fmt::format("{} layer: {}, {} of the {}", measured ? "Slowest" : "Largest", quoted(node.name),
                  percent(std::max(weight(slowest), 0.0) / all), measured ? "time" : "operations"),
      {}};
  const CompileOptions& o = f.request.options;
  const double own = weight(slowest) / std::max(1.0, static_cast<double>(f.operations(slowest))),
               usual = all / std::max(1.0, static_cast<double>(f.graph().macs()));
  if (measured && own > 1.5 * usual)
    a.steps.push_back(fmt::format("An operation takes {:.1f} {} there, {:.1f} on average.", own,
                                  f.has_cycles() ? "cycles" : "instructions", usual));
  if (o.target == "any" && measured)
    a.steps.push_back(fmt::format("`--target {}` packs the weights for this core.", f.board.core));
  // `balanced` has constant bounds in first layers, `speed` in depthwise ones too.
  double depthwise = 0;
  for (std::size_t i = 0; i < f.graph().nodes.size(); ++i)
    if (std::holds_alternative<nnom::DepthwiseConv2D>(node_at(f, i).op))
      depthwise += std::max(weight(i), 0.0) / all;
  if (o.optimise == Optimise::size)
    a.steps.push_back("`--optimise balanced` is faster than `size`, and larger.");
  else if (o.optimise == Optimise::balanced && depthwise > 0.05)
    a.steps.push_back(
        fmt::format("`--optimise speed` gives depthwise layers, {} of the {}, code of their own: "
                    "faster, larger.",
                    percent(depthwise), measured ? "time" : "operations"));
  add_cheaper(node, a.steps);
  if (!measured)
    a.steps.push_back(
        "Install the cross compiler and QEMU (`scripts/setup.sh firmware`) to see the "
        "time of each layer: operations do not all cost the same.");
  return a;
}

/// The error of what goes into a layer: that of the worst of its inputs.
double before(const Facts& f, const Node& node) {
  double least = INFINITY;
  for (const int t : node.inputs)
    if (const int p = f.graph().producer(t); p >= 0)
      least = std::min(least, f.errors[static_cast<std::size_t>(p)].sqnr);
  return least;
}

Advice on_error(const Facts& f) {
  const LayerError* worst = &f.errors[0];
  for (const LayerError& e : f.errors)
    if (f.works(e.node) && e.sqnr < worst->sqnr) worst = &e;
  const Node& node = node_at(f, worst->node);
  if (!std::isfinite(worst->sqnr)) return {"Every layer is exact", {"Nothing needs to be done."}};
  Advice a{fmt::format("Least exact layer: {}, {:.1f} dB", quoted(node.name), worst->sqnr), {}};
  if (worst->sqnr >= kFine) {
    a.steps.push_back(fmt::format("Nothing needs to be done: {:.0f} dB is an error of {}.",
                                  worst->sqnr, percent(std::pow(10, -worst->sqnr / 20))));
    return a;
  }
  const CompileOptions& o = f.request.options;
  const auto t = static_cast<std::size_t>(node.output);
  const Limits held = held_by(f.program().scales[t]);
  const bool own = !f.request.model.quantised();
  if (before(f, node) - worst->sqnr < 3)
    a.steps.push_back("Most of its error comes from the layers before: begin with those.");
  if (own && worst->clipped > 1e-3)
    a.steps.push_back(
        fmt::format("{} of its values are clipped: `--calibration min-max`, or `--range "
                    "NAME=LOW..HIGH` with its "
                    "name and {:.3g} and {:.3g}.",
                    percent_text(worst->clipped), worst->lo, worst->hi));
  const Limits most = f.values[t].percentile();
  const bool trimmed = o.calibration == Calibration::kl || o.calibration == Calibration::mse ||
                       o.calibration == Calibration::percentile;
  if (own && !trimmed && most.width() < held.width() / 2)
    a.steps.push_back(fmt::format(
        "99.98 % of its values lie within {} to {}, less than half of the range: compare "
        "`--calibration kl` and `--calibration mse`.",
        real_text(static_cast<double>(most.lo)), real_text(static_cast<double>(most.hi))));
  if (worst->sqnr - worst->worst > 10)
    a.steps.push_back(fmt::format(
        "Channel {} is far below the others ({:.1f} dB): its values are small in a range that all "
        "channels share. BatchNormalization after the layer, trained again, evens them out.",
        worst->worst_channel, worst->worst));
  if (own && !o.per_channel)
    a.steps.push_back("`--per-channel` gives each output channel's weights a scale of their own.");
  if (own && f.program().numbers.scheme() == Scheme::power_of_two)
    a.steps.push_back("`--scheme affine` has finer scales than powers of two.");
  if (own && f.request.samples.count() < kFewSamples)
    a.steps.push_back(fmt::format("It was calibrated on {}: give 100 typical ones or more.",
                                  counted(f.request.samples.count(), "sample")));
  a.steps.push_back(
      "Where accuracy is lost, train with quantisation in view (QAT), or export 16-bit activations "
      "from TensorFlow Lite (16x8): such files are read as they are.");
  return a;
}

Advice on_flash(const Facts& f) {
  std::size_t largest = 0;
  const auto bytes = [&](std::size_t i) {
    std::size_t sum = 0;
    for (const Blob& b : f.program().data[i].blobs) sum += b.bytes;
    return static_cast<std::int64_t>(sum);
  };
  for (std::size_t i = 1; i < f.graph().nodes.size(); ++i)
    if (bytes(i) > bytes(largest)) largest = i;
  const double share = static_cast<double>(f.flash()) / static_cast<double>(f.board.flash_bytes);
  const double part = static_cast<double>(bytes(largest)) /
                      static_cast<double>(std::max<std::int64_t>(f.flash(), 1));
  Advice a{fmt::format("Flash: {} is the largest layer, {} of {}", quoted(node_at(f, largest).name),
                       size_text(bytes(largest)), size_text(f.flash())),
           {}};
  if (share < 0.5) {
    a.steps.push_back(
        fmt::format("Nothing needs to be done: {} of the board's flash.", percent(share)));
    return a;
  }
  if (f.code() > f.program().weights_bytes() && f.request.options.optimise != Optimise::size)
    a.steps.push_back(fmt::format("The code ({}) is more than the weights: `--optimise size`.",
                                  size_text(f.code())));
  if (part > 0.3)
    a.steps.push_back(
        std::holds_alternative<nnom::Dense>(node_at(f, largest).op)
            ? "Train again with less going into it: global average pooling instead of "
              "Flatten."
            : "Train again with fewer channels in it, or a depthwise layer.");
  a.steps.push_back("`--section NAME` puts the weights into a memory outside of the chip.");
  return a;
}

}  // namespace

std::vector<Advice> advice_on(const Facts& f) {
  std::vector<Advice> all;
  if (f.graph().nodes.empty()) return all;
  if (f.request.sizing_only)
    all.push_back(
        {"Calibrated on random numbers",
         {"Give real samples before it is used: `--calibrate X`, some 100 typical ones."}});
  const auto& e = f.request.evaluation;
  if (e && e->quality.counts && e->reference && e->reference->counts) {
    const Classification &c = *e->quality.counts, &real = *e->reference->counts;
    const double lost = 100 * (static_cast<double>(real.top(1)) - static_cast<double>(c.top(1))) /
                        std::max(1.0, static_cast<double>(c.samples()));
    if (lost > 1)
      all.push_back(
          {fmt::format("Accuracy: {:.1f} points lost to quantisation", lost),
           {"Look at the least exact layers below; compare `--calibration kl`, `mse` and "
            "`min-max`; check that the samples of `--calibrate` are like those of `--data`."}});
  }
  add_other_boards(f, all);
  all.push_back(on_speed(f));
  all.push_back(on_ram(f));
  if (!f.errors.empty() && !f.request.sizing_only) all.push_back(on_error(f));
  all.push_back(on_flash(f));
  return all;
}

}  // namespace nnomc
