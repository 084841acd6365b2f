/// \file
/// What lies where in a program's arena, and when.
#pragma once

#include <vector>

#include "compiler/program.hpp"

namespace nnomc {

/// Bytes [begin, begin + bytes) of the arena, needed while the nodes [first, last] run.
struct Piece {
  enum class Kind { tensor, scratch, state };

  Kind kind = Kind::tensor;
  int of = 0;  ///< the tensor, or the node whose scratch or state it is
  int begin = 0, bytes = 0;
  int first = 0, last = 0;  ///< last: the number of nodes for what is needed after the run
};

/// All pieces of the arena; those that only rename another's memory lengthen its life. Nodes in
/// turns run at one time. Two pieces share bytes while a node writes its output over its input.
std::vector<Piece> pieces_of(const Program& program);

}  // namespace nnomc
