#include "compiler/import/tflite_file.hpp"

#include <algorithm>

#include "compiler/error.hpp"
#include "compiler/import/tflite.hpp"

namespace nnomc {

bool is_tflite(std::span<const std::byte> start) {
  return start.size() >= 8 && flatbuffers::BufferHasIdentifier(start.data(), "TFL3");
}

namespace tflite {

File::File(std::string path, std::vector<std::byte> bytes)
    : path_(std::move(path)), bytes_(std::move(bytes)) {
  if (bytes_.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    throw Error("{}: larger than 2 GiB: not a model for a microcontroller", path_);
  constexpr flatbuffers::uoffset_t kDepth = 32, kTables = 1'000'000;
  flatbuffers::Verifier verifier(data_(), bytes_.size(), kDepth, kTables);
  if (!is_tflite(bytes_) || !format::VerifyModelBuffer(verifier))
    throw Error("{}: not a TensorFlow Lite model, or damaged: export it again", path_);
  check();
}

void File::check() const {
  const auto* graphs = model().graphs();
  if (!graphs || graphs->size() == 0) throw Error("{}: holds no graph", path_);
  if (!model().codes() || !model().buffers()) damaged("operator codes or buffers");
  for (const auto* g : *graphs)
    if (!g->tensors() || !g->operators() || !g->inputs() || !g->outputs())
      damaged("graph: a list is missing");
  for (const auto* g : *graphs) {
    const auto in_range = [&](const flatbuffers::Vector<int32_t>* list, bool optional) {
      for (const int t : numbers(list))
        if (t >= static_cast<int>(g->tensors()->size()) || t < (optional ? -1 : 0))
          damaged("graph: it names a tensor there is not");
    };
    in_range(g->inputs(), false);
    in_range(g->outputs(), false);
    for (const auto* op : *g->operators()) {
      if (op->code_index() >= model().codes()->size()) damaged("an operator's code");
      in_range(op->inputs(), true);
      in_range(op->outputs(), false);
      in_range(op->intermediates(), false);
    }
    for (const auto* t : *g->tensors())
      if (t->buffer() >= model().buffers()->size()) damaged("a tensor's buffer");
  }
}

const format::Graph* File::graph(int index) const {
  const auto* graphs = model().graphs();
  const auto i = static_cast<flatbuffers::uoffset_t>(index);
  return index >= 0 && i < graphs->size() ? graphs->Get(i) : nullptr;
}

const format::Tensor& File::tensor(const format::Graph& graph, int index) {
  return *graph.tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::span<const unsigned char> File::data(const format::Tensor& tensor) const {
  const auto* bytes = model().buffers()->Get(tensor.buffer())->data();
  if (tensor.buffer() == 0 || !bytes) return {};
  return {bytes->data(), bytes->size()};
}

int File::code(const format::Operator& op) const {
  constexpr int kCustom = 32;
  const auto* code = model().codes()->Get(op.code_index());
  // Codes up to 127 stand in the older field.
  const int value = std::max<int>(code->code(), code->old_code());
  return value == kCustom ? -1 : value;
}

std::string File::custom_name(const format::Operator& op) const {
  const auto* name = model().codes()->Get(op.code_index())->custom_code();
  return name ? name->str() : "";
}

const void* File::no_options() {
  static const auto empty = [] {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(format::CreateAny(builder));
    return builder.Release();
  }();
  return flatbuffers::GetRoot<format::Any>(empty.data());
}

void File::damaged(const char* what) const {
  throw Error("{}: damaged ({}): export it again", path_, what);
}

}  // namespace tflite
}  // namespace nnomc
