/// \file
/// How a report looks and moves: its style sheet and its script.
#pragma once

namespace nnomc {

extern const char* const kReportStyle;
extern const char* const kReportScript;

}  // namespace nnomc
