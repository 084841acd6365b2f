# nnom_add_model(TARGET MODEL
#                [CALIBRATE FILE...]   samples: x.npy, x.npz:key, x.csv, a folder of pictures or sounds,
#                                      or random, for sizing only
#                [TARGET CORE]         as `nnom convert --target` has it; any if left out
#                [NAME NAME]           of the header and of its namespace; the model's file name if
#                                      left out
#                [DEPENDS FILE...]     others that OPTIONS name, such as hooks
#                [OPTIONS OPTION...])  more of `nnom convert`, such as --scale 1/255
#
# Converts MODEL when TARGET is built, again when one of those files or the compiler changes, and adds
# the source to TARGET, which then can include "NAME.hpp". Paths start at the current folder.
#
#     add_executable(app main.cpp)
#     nnom_add_model(app digits.keras CALIBRATE samples.npy TARGET cortex-m4)
#
# It runs the `nnom` that is built beside it, or NNOM_EXECUTABLE where that is set.
function(nnom_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "TARGET;NAME" "CALIBRATE;DEPENDS;OPTIONS")
  set(call "nnom_add_model(${target} ${model})")
  if(NOT TARGET ${target})
    message(FATAL_ERROR "${call}: there is no target '${target}'; call add_executable or add_library first")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${call}: what is '${arg_UNPARSED_ARGUMENTS}'? It takes CALIBRATE, TARGET, NAME, "
                        "DEPENDS and OPTIONS")
  endif()

  cmake_path(ABSOLUTE_PATH model BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
  set(read "${model}")
  set(options ${arg_OPTIONS})
  foreach(samples IN LISTS arg_CALIBRATE)
    if(samples STREQUAL "random")
      list(APPEND options --calibrate random)
      continue()
    endif()
    string(REGEX MATCH "^(.*\\.npz):([^/:]+)$" has_key "${samples}")
    if(has_key)
      set(file "${CMAKE_MATCH_1}")
      set(key ":${CMAKE_MATCH_2}")
    else()
      set(file "${samples}")
      set(key "")
    endif()
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    list(APPEND read "${file}")
    if(IS_DIRECTORY "${file}")
      file(GLOB_RECURSE inside CONFIGURE_DEPENDS "${file}/*")
      list(APPEND read ${inside})
    endif()
    list(APPEND options --calibrate "${file}${key}")
  endforeach()
  foreach(file IN LISTS arg_DEPENDS)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    list(APPEND read "${file}")
  endforeach()
  foreach(file IN LISTS read)
    get_source_file_property(made "${file}" GENERATED)
    if(NOT EXISTS "${file}" AND NOT made)
      message(FATAL_ERROR "${call}: ${file} is not there")
    endif()
  endforeach()
  if(arg_TARGET)
    list(APPEND options --target ${arg_TARGET})
  endif()
  if(arg_NAME)
    set(name ${arg_NAME})
    list(APPEND options --name ${arg_NAME})
  else()
    cmake_path(GET model STEM name)
  endif()

  set(nnom nnom)
  if(NNOM_EXECUTABLE)
    set(nnom "${NNOM_EXECUTABLE}")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/nnom/${target}")
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(
    OUTPUT "${folder}/${name}.hpp" "${folder}/${name}.cpp"
    COMMAND ${nnom} convert "${model}" ${options} --output "${folder}/${name}.hpp"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    DEPENDS ${read} ${nnom}
    COMMENT "Converting ${model}"
    VERBATIM)
  target_sources(${target} PRIVATE "${folder}/${name}.cpp" "${folder}/${name}.hpp")
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE nnom::runtime)
endfunction()
