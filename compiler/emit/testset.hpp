/// \file
/// Test sets for boards: the file that nnom/testset.hpp reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "compiler/measure/measure.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// The bytes of a test set, as nnom/testset.hpp describes them: `inputs` as `program` stores them,
/// and the class of each, one of `classes`.
std::string testset_bytes(const Program& program, const Inputs& inputs,
                          std::span<const std::uint32_t> labels, std::size_t classes);

/// The same as a header of C and C++: an array `name`, whose comment says what it holds.
std::string testset_header(const std::string& bytes, const std::string& name,
                           const std::string& comment);

}  // namespace nnomc
