#include "compiler/commands/commands.hpp"

int main(int count, char** arguments) { return nnomc::nnom_main(count, arguments); }
