// nnom._nnom: what the package's Python code calls.
#include "compiler/commands/commands.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/version.hpp"
#include "python/binding/model.hpp"

namespace py = pybind11;

namespace nnomc::binding {
namespace {

int command(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  const py::gil_scoped_release released;
  return nnom_main(static_cast<int>(arguments.size()), arguments.data());
}

void add_errors(py::module_& module) {
  static py::exception<Error> error(module, "Error", PyExc_RuntimeError);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const BuildError& e) {
      py::set_error(error, (std::string(e.what()) + "\n" + e.log).c_str());
    } catch (const Error& e) {
      py::set_error(error, e.what());
    }
  });
}

PYBIND11_MODULE(_nnom, module) {
  module.attr("version") = version;
  add_errors(module);
  module.def("command", command);
  py::class_<Port>(module, "Port")
      .def_readonly("name", &Port::name)
      .def_readonly("shape", &Port::shape)
      .def_readonly("order", &Port::order)
      .def_readonly("scale", &Port::scale)
      .def_readonly("zero_point", &Port::zero_point)
      .def_readonly("bits", &Port::bits);
  py::class_<Network>(module, "Network")
      .def(py::init<const Arguments&, const std::map<std::string, py::function>&,
                    const std::string&>())
      .def_property_readonly("inputs", &Network::inputs)
      .def_property_readonly("quantised", &Network::quantised)
      .def_property_readonly("calibration_samples", &Network::calibration_samples)
      .def_property_readonly("warnings", &Network::warnings)
      .def("compile", &Network::compile);
  py::class_<Model>(module, "Model")
      .def_property_readonly("inputs", &Model::inputs)
      .def_property_readonly("outputs", &Model::outputs)
      .def_property_readonly("arena_bytes", &Model::arena_bytes)
      .def_property_readonly("weights_bytes", &Model::weights_bytes)
      .def_property_readonly("calibration", &Model::calibration)
      .def("run", &Model::run)
      .def("evaluate", &Model::evaluate)
      .def_property_readonly("stream", &Model::stream)
      .def("report", &Model::report)
      .def("save", &Model::save)
      .def("testset", &Model::testset)
      .def("summary", &Model::summary)
      .def("scales", &Model::scales)
      .def("weights", &Model::weights);
}

}  // namespace
}  // namespace nnomc::binding
