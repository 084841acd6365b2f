/// \file
/// NNoM's runtime: neural networks on microcontrollers. The generated model.cpp includes this.
#pragma once

#include "nnom/execute.hpp"
#include "nnom/model.hpp"
#include "nnom/turns.hpp"
